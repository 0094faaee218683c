//! `host check`: whether a host of this name could be made, as far as the name goes.

use super::row::find;
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::checks::{ancestry, closest_zone};
use crate::registry::command::domain::Availability;
use crate::registry::command::tables::Tables;
use crate::registry::policy::HostModel;
use crate::registry::types::HostName;

/// Why there are no objects in a zone.
pub(super) const ATTRIBUTES: &str =
    "name servers are attributes of domains in this zone, not objects";

pub(in crate::registry::command) async fn check(
    tables: &mut Tables<'_>,
    name: &HostName,
) -> Result<Info, CommandError> {
    let found = find(tables, name).await?;
    let reason = if found.is_some_and(|row| !row.is_attribute()) {
        Some("in use")
    } else {
        let zone = closest_zone(tables, &ancestry(name.as_str())).await?;
        let is_of_domains =
            zone.is_some_and(|zone| zone.policy.host_model == HostModel::Attributes);
        is_of_domains.then_some(ATTRIBUTES)
    };
    Ok(Info::Availability(Availability {
        name: name.to_string(),
        available: reason.is_none(),
        reason: reason.map(str::to_owned),
        terms: None,
    }))
}
