//! `domain delete`.
//!
//! What becomes of the hosts below it is the zone's policy.

use super::set::existing;
use crate::registry::command::CommandError;
use crate::registry::command::checks::{active, no_pending, not_prohibited, sponsorship, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::dependencies::{Leaving, remove_domain};
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
    let object = name.as_str();
    sponsorship(&context.acting, row.registrar_id, object)?;
    active(&zone)?;
    no_pending(&statuses, object)?;
    not_prohibited(&statuses, &PROHIBIT, object)?;
    let domain = Leaving {
        id: row.id,
        zone_id: row.zone_id,
        name: object,
    };
    remove_domain(context, domain).await?;
    Ok(row.zone_id)
}
