//! `domain delete` and `domain purge`.
//!
//! In its add period a domain goes at once; later it leaves DNS and can be restored for
//! a while (RFC 3915). Its glue stays for as long as other domains need it.

use super::row::{DomainRow, existing, graces, leaving, write_life};
use crate::registry::command::CommandError;
use crate::registry::command::changes;
use crate::registry::command::checks::{
    ZoneRow, active, no_pending, not_prohibited, registry_only, sponsorship, zone_of,
};
use crate::registry::command::context::Context;
use crate::registry::command::dependencies::{plan, remove_domain};
use crate::registry::command::publication::{hosts_of, refresh_domain, refresh_hosts};
use crate::registry::life::{GraceKind, running};
use crate::registry::types::{DomainName, Status};

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
    let graces = graces(&mut tables, row.id).await?;
    let object = name.as_str();
    sponsorship(&context.acting, row.registrar_id, object)?;
    active(&zone)?;
    no_pending(&statuses, object)?;
    not_prohibited(&statuses, &PROHIBIT, object)?;
    if running(&graces, GraceKind::Add, context.at).is_some() {
        remove_domain(context, leaving(&row, object)).await?;
        return Ok(row.zone_id);
    }
    // Whoever could not be purged in the end is told so now.
    plan(context, leaving(&row, object)).await?;
    begin_redemption(context, &row, &zone).await?;
    context.is_pending = true;
    Ok(row.zone_id)
}

/// Takes a domain out of DNS and lets it wait.
pub(super) async fn begin_redemption(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
) -> Result<(), CommandError> {
    let tables = context.tables();
    let (mut statuses, life) = (row.statuses(&tables)?, row.life(&tables)?);
    // Time does not wait for a review.
    if let Some(before) = changes::abandon(context, row.id).await? {
        statuses = before;
    }
    statuses.begin(Status::PendingDelete);
    let life = life.deleted(context.at, &zone.policy);
    write_life(context, &life, &statuses, &zone.policy).await?;
    refresh_domain(context, row.id, statuses.allow_publication()).await?;
    let hosts = hosts_of(context, row.id).await?;
    refresh_hosts(context, hosts).await?;
    Ok(())
}

/// The registry's order: at once, wherever the domain is in its life.
pub(super) async fn purge(
    context: &mut Context<'_, '_>,
    name: &DomainName,
) -> Result<i64, CommandError> {
    let object = name.as_str();
    registry_only(&context.acting, object)?;
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let statuses = row.statuses(&tables)?;
    active(&zone)?;
    not_prohibited(&statuses, &[Status::ServerDeleteProhibited], object)?;
    remove_domain(context, leaving(&row, object)).await?;
    Ok(row.zone_id)
}
