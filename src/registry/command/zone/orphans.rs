//! `zone orphans`: what becomes of the hosts of domains that are removed.
//!
//! Policy `lame` needs a domain that the registry keeps to itself: it is made here, held out
//! of the DNS so that names below it are answered by the zone's own servers, locked, without
//! an end, and sponsored by an account of the registry's, which is made too.

use serde::{Deserialize, Serialize};

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::registrar;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::dependencies::{
    HostOrphan, LAME_LABEL_DEFAULT, OrphanPolicy, OwnHosts,
};
use crate::registry::command::publication::refresh_parkable;
use crate::registry::command::tables::rows;
use crate::registry::types::{AnyName, DomainName, Handle, Status, Statuses};

/// Account that sponsors what the registry keeps to itself, where nobody says another.
const ACCOUNT_DEFAULT: &str = "registry";
/// Fewest name servers of the zone, which answer for the domain too (the guide, rule 66).
const SERVERS_MIN: i64 = 2;
/// Locks of the domain for hosts of domains that are gone.
const LOCKS: [Status; 5] = [
    Status::ServerDeleteProhibited,
    Status::ServerHold,
    Status::ServerRenewProhibited,
    Status::ServerTransferProhibited,
    Status::ServerUpdateProhibited,
];

/// A change of what becomes of hosts; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneOrphans {
    /// The zone.
    pub apex: AnyName,
    /// Hosts that other domains name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<HostOrphan>,
    /// Hosts that no other domain names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_hosts: Option<OwnHosts>,
    /// For policy `lame`: label of the domain that is to name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// For policy `lame`: account of the registry's that sponsors it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneOrphans,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if command.policy.is_none() && command.own_hosts.is_none() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let zone = existing_active(&mut context.tables(), apex).await?;
    let before = OrphanPolicy::of_zone(&mut context.tables(), zone.id).await?;
    let is_lame = command.policy == Some(HostOrphan::Lame);
    if !is_lame && (command.label.is_some() || command.registrar.is_some()) {
        let reason = "label and registrar belong to policy lame";
        return Err(rejected(ResultCode::ParameterPolicy, apex, reason));
    }
    let lame_domain = match is_lame {
        true => Some(lame_domain(context, command, zone.id, &before).await?),
        false => before.lame_domain,
    };
    let policy = command.policy.unwrap_or(before.host_orphan);
    let own_hosts = command.own_hosts.unwrap_or(before.own_hosts);
    let update = sqlx::query(
        "UPDATE zones SET host_orphan = $1, own_hosts = $2, lame_domain = $3 WHERE id = $4",
    )
    .bind(policy.column())
    .bind(own_hosts.column())
    .bind(lame_domain)
    .bind(zone.id);
    context.tables().run(update).await?;
    context.touch(Touched::Zone, zone.id).await?;
    Ok(zone.id)
}

/// The domain that policy `lame` needs; made, if it is not there.
async fn lame_domain(
    context: &mut Context<'_, '_>,
    command: &ZoneOrphans,
    zone_id: i64,
    before: &OrphanPolicy,
) -> Result<String, CommandError> {
    let apex = command.apex.as_str();
    let label = command.label.as_deref().unwrap_or(LAME_LABEL_DEFAULT);
    let name = match apex {
        "." => label.to_owned(),
        apex => format!("{label}.{apex}"),
    };
    let name = match (&command.label, &before.lame_domain) {
        (None, Some(name)) => name.clone(),
        _ => DomainName::parse(&name)?.to_string(),
    };
    let account = account(context, command.registrar.as_ref()).await?;
    let query = rows::<(i64,)>("SELECT registrar_id FROM domains WHERE name = $1");
    let there = context.tables().optional(query.bind(name.as_str())).await?;
    if there.is_some_and(|(sponsor,)| sponsor != account) {
        let reason = "registered already, and not by the registry's account; name another --label";
        return Err(rejected(ResultCode::ObjectExists, name, reason));
    }
    let servers = rows::<(i64,)>(
        "SELECT COUNT(*) FROM zone_records WHERE zone_id = $1 AND owner = $2 AND rtype = 2",
    );
    let servers = servers.bind(zone_id).bind(apex);
    let servers = context.tables().optional(servers).await?;
    if servers.is_none_or(|(count,)| count < SERVERS_MIN) {
        let reason = format!("the zone has fewer than {SERVERS_MIN} name servers");
        let code = ResultCode::DataManagementPolicy;
        return Err(rejected(code, apex, reason));
    }
    let own =
        rows::<(i64,)>("SELECT rtype FROM zone_records WHERE zone_id = $1 AND owner = $2 LIMIT 1");
    let own = own.bind(zone_id).bind(name.as_str());
    if context.tables().any(own).await? {
        let reason = "the zone has records of its own there; name another --label";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    if there.is_none() {
        let id = context.new_object();
        let insert = sqlx::query(
            "INSERT INTO domains (id, zone_id, name, registrar_id, statuses, created_at, \
             published, first_event) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
        )
        .bind(id)
        .bind(zone_id)
        .bind(name.as_str())
        .bind(account)
        .bind(Statuses(LOCKS.into()).column())
        .bind(context.at.0)
        .bind(context.write.next_event());
        context.tables().run(insert).await?;
        refresh_parkable(context, Some(id)).await?;
    }
    Ok(name)
}

/// The registry's account; made, if it is the usual one and not there.
async fn account(
    context: &mut Context<'_, '_>,
    named: Option<&Handle>,
) -> Result<i64, CommandError> {
    let usual = Handle::parse(ACCOUNT_DEFAULT)?;
    let handle = named.unwrap_or(&usual);
    let found = registrar(&mut context.tables(), handle).await?;
    match found {
        Some((id, _)) => Ok(id),
        None if *handle == usual => {
            let id = context.new_object();
            let insert = sqlx::query(
                "INSERT INTO registrars (id, handle, name, status, created_at) \
                 VALUES ($1, $2, 'Registry', 'active', $3)",
            )
            .bind(id)
            .bind(handle.as_str())
            .bind(context.at.0);
            context.tables().run(insert).await?;
            Ok(id)
        }
        None => {
            let reason = "no such registrar; create it first";
            Err(rejected(ResultCode::ObjectDoesNotExist, handle, reason))
        }
    }
}
