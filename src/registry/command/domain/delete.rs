//! `domain delete`.
//!
//! Hosts below the domain go with it if nobody else uses them (RFC 9874 section
//! 5.2.1.1); else the deletion is refused.

use super::set::existing;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{active, no_pending, not_prohibited, sponsorship, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::publication::{hosts_of, refresh_hosts};
use crate::registry::command::tables::rows;
use crate::registry::types::{DomainName, Status};

/// Most names that a refusal lists.
const NAMES_MAX: i64 = 10;

pub(super) async fn delete(
    context: &mut Context<'_, '_>,
    name: &DomainName,
) -> Result<i64, CommandError> {
    const PROHIBIT: [Status; 2] = [
        Status::ClientDeleteProhibited,
        Status::ServerDeleteProhibited,
    ];
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let statuses = row.statuses(&tables)?;
    let object = name.as_str();
    sponsorship(&context.acting, row.registrar_id, object)?;
    active(&zone)?;
    no_pending(&statuses, object)?;
    not_prohibited(&statuses, &PROHIBIT, object)?;
    unused(context, row.id, object).await?;

    let named = hosts_of(context, row.id).await?;
    let glue = rows::<(i64, String)>(
        "SELECT h.zone_id, h.name FROM hosts h WHERE h.domain_id = $1 AND h.published = 1 \
         AND h.zone_id IS NOT NULL",
    );
    let glue = context.tables().all(glue.bind(row.id)).await?;
    context.changed.extend(glue);
    for statement in [
        "DELETE FROM delegations WHERE domain_id = $1",
        "DELETE FROM ds WHERE domain_id = $1",
        "DELETE FROM domain_contacts WHERE domain_id = $1",
        "DELETE FROM host_addresses WHERE host_id IN (SELECT id FROM hosts WHERE domain_id = $1)",
        "DELETE FROM hosts WHERE domain_id = $1",
        "DELETE FROM domains WHERE id = $1",
    ] {
        let delete = sqlx::query(statement).bind(row.id);
        context.tables().run(delete).await?;
    }
    context.note_changed(row.zone_id, object);
    refresh_hosts(context, named).await?;
    Ok(row.zone_id)
}

/// Nobody else's name servers are below the domain.
async fn unused(context: &mut Context<'_, '_>, id: i64, object: &str) -> Result<(), CommandError> {
    let users = rows::<(String, i64)>(
        "SELECT d.name, d.registrar_id FROM hosts h JOIN delegations n ON n.host_id = h.id \
         JOIN domains d ON d.id = n.domain_id WHERE h.domain_id = $1 AND d.id <> $1 LIMIT $2",
    );
    let users = context.tables().all(users.bind(id).bind(NAMES_MAX)).await?;
    if users.is_empty() {
        return Ok(());
    }
    // Another registrar's domains are not told.
    let own = context.acting.registrar;
    let visible = |registrar: &i64| own.is_none_or(|own| own == *registrar);
    let names: Vec<_> = users
        .iter()
        .filter(|(_, registrar)| visible(registrar))
        .map(|(name, _)| name.as_str())
        .collect();
    let among = if names.is_empty() {
        String::new()
    } else {
        format!(", among them {}", names.join(", "))
    };
    let reason = format!("hosts below it are name servers of other domains{among}");
    Err(rejected(ResultCode::AssociationProhibits, object, reason))
}
