//! `zone policy`: what may be registered in the zone from now on. What is registered
//! already stays as it is.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use super::existing_active;
use super::parking::{check_times, check_withdrawn};
use super::records::check_count;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::zone_of;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::rows;
use crate::registry::policy::{
    ChangeControl, DsInterface, Expiry, HostModel, RegistrantChange, RegistrationChange,
    RegistrationPolicy,
};
use crate::registry::types::AnyName;

/// A change of a zone's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZonePolicy {
    /// The zone.
    pub apex: AnyName,
    /// What changes.
    pub change: RegistrationChange,
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZonePolicy,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if command.change == RegistrationChange::default() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let mut tables = context.tables();
    let id = existing_active(&mut tables, apex).await?.id;
    let before = zone_of(&mut tables, id).await?.policy;
    let after = command.change.apply(&before);
    if let Some(fault) = after.fault() {
        return Err(rejected(ResultCode::ParameterRange, apex, fault));
    }
    if after.ds_interface != before.ds_interface {
        change_interface(context, id, &after, apex).await?;
    }
    write(context, id, &after).await?;
    context.write.has_reviews |= after.change_control != ChangeControl::Auto
        || after.registrant_change != RegistrantChange::Free;
    if after.expiry != before.expiry {
        reschedule(context, id, after.expiry).await?;
    }
    if after.host_model != before.host_model {
        remodel(context, id, after.host_model).await?;
    }
    if after.parked_answers != before.parked_answers {
        check_times(context, id, apex).await?;
        check_withdrawn(
            context,
            id,
            [before.parked_answers, after.parked_answers],
            apex,
        )
        .await?;
        context.note_changed(id, "");
    }
    if after.zone_servers != before.zone_servers {
        check_count(context, id, apex).await?;
    }
    context.touch(Touched::Zone, id).await?;
    Ok(id)
}

/// A zone that takes keys has no DS that nobody knows the key of; one that takes DS again
/// forgets the keys and keeps what was made of them.
async fn change_interface(
    context: &mut Context<'_, '_>,
    id: i64,
    after: &RegistrationPolicy,
    apex: &AnyName,
) -> Result<(), CommandError> {
    let mut tables = context.tables();
    match after.ds_interface {
        DsInterface::Ds => {
            let forget = sqlx::query(
                "DELETE FROM domain_keys WHERE domain_id IN \
                 (SELECT id FROM domains WHERE zone_id = $1)",
            );
            tables.run(forget.bind(id)).await?;
        }
        DsInterface::Keys => {
            let there = rows::<(i64,)>(
                "SELECT s.domain_id FROM ds s JOIN domains d ON d.id = s.domain_id \
                 WHERE d.zone_id = $1 LIMIT 1",
            );
            if tables.any(there.bind(id)).await? {
                let reason = "its domains have DS of which nobody knows the keys";
                return Err(rejected(ResultCode::AssociationProhibits, apex, reason));
            }
        }
    }
    Ok(())
}

/// Makes attributes of the hosts in a zone, or objects of all that its domains name. Hosts
/// elsewhere that are objects stay so: others may use them.
async fn remodel(
    context: &mut Context<'_, '_>,
    id: i64,
    model: HostModel,
) -> Result<(), CommandError> {
    let text = match model {
        HostModel::Attributes => "UPDATE hosts SET attribute = 1 WHERE zone_id = $1",
        HostModel::Objects => {
            "UPDATE hosts SET attribute = 0 WHERE attribute = 1 AND (zone_id = $1 OR id IN \
             (SELECT n.host_id FROM delegations n JOIN domains d ON d.id = n.domain_id \
             WHERE d.zone_id = $1))"
        }
    };
    context.tables().run(sqlx::query(text).bind(id)).await?;
    Ok(())
}

/// Says anew what is due next for every domain in force: as `Life::next` would, in one
/// statement, since a zone may have millions.
async fn reschedule(
    context: &mut Context<'_, '_>,
    id: i64,
    expiry: Expiry,
) -> Result<(), CommandError> {
    let update = sqlx::query(
        "UPDATE domains SET due_step = CASE \
         WHEN transfer_ends_at IS NOT NULL AND ($2 <> 'auto-renew' OR expires_at IS NULL \
         OR transfer_ends_at <= expires_at) THEN 'approve-transfer' \
         WHEN expires_at IS NULL OR $2 = 'keep' OR ($2 = 'delete' \
         AND (statuses LIKE '%serverDeleteProhibited%' \
         OR EXISTS (SELECT 1 FROM locks l WHERE l.domain_id = domains.id))) THEN NULL ELSE 'expire' END, \
         due_at = CASE \
         WHEN transfer_ends_at IS NOT NULL AND ($2 <> 'auto-renew' OR expires_at IS NULL \
         OR transfer_ends_at <= expires_at) THEN transfer_ends_at \
         WHEN expires_at IS NULL OR $2 = 'keep' OR ($2 = 'delete' \
         AND (statuses LIKE '%serverDeleteProhibited%' \
         OR EXISTS (SELECT 1 FROM locks l WHERE l.domain_id = domains.id))) THEN NULL ELSE expires_at END \
         WHERE zone_id = $1 AND phase = 'registered'",
    );
    let update = update.bind(id).bind(expiry.name());
    context.tables().run(update).await?;
    Ok(())
}

async fn write(
    context: &mut Context<'_, '_>,
    id: i64,
    policy: &RegistrationPolicy,
) -> Result<(), CommandError> {
    let columns = RegistrationPolicy::COLUMNS;
    let set: Vec<_> = columns
        .iter()
        .zip(1..)
        .map(|(column, number)| format!("{column} = ${number}"))
        .collect();
    let text = format!(
        "UPDATE zones SET {} WHERE id = ${}",
        set.join(", "),
        columns.len() + 1
    );
    let update = policy.bind(sqlx::query(AssertSqlSafe(text))).bind(id);
    context.tables().run(update).await?;
    Ok(())
}
