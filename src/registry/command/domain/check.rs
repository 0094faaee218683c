//! `domain check`, and what makes a name one that can be registered.

use serde::Serialize;

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::checks::{Acting, ZoneRow, active, ancestry, closest_zone};
use crate::registry::command::idn::{Admitted, admit};
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::command::zone::{LabelKind, held_label};
use crate::registry::types::DomainName;

/// Whether a name can be registered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Availability {
    /// The name.
    pub name: String,
    /// Whether a create of it could succeed.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// Answers `domain check`.
pub(in crate::registry::command) async fn check(
    tables: &mut Tables<'_>,
    acting: &Acting,
    name: &DomainName,
) -> Result<Info, CommandError> {
    let free = match unregistered(tables, name).await {
        Ok(()) => registrable(tables, acting, name, None).await.map(drop),
        Err(error) => Err(error),
    };
    let reason = match free {
        Ok(()) => None,
        Err(CommandError::Rejected(rejection)) => Some(rejection.reason),
        Err(error) => return Err(error),
    };
    Ok(Info::Availability(Availability {
        name: name.to_string(),
        available: reason.is_none(),
        reason,
    }))
}

/// Nobody has the name.
pub(super) async fn unregistered(
    tables: &mut Tables<'_>,
    name: &DomainName,
) -> Result<(), CommandError> {
    let taken = rows::<(i64,)>("SELECT id FROM domains WHERE name = $1").bind(name.as_str());
    if tables.any(taken).await? {
        let reason = "registered already";
        return Err(rejected(ResultCode::ObjectExists, name, reason));
    }
    Ok(())
}

/// The zone that a name can be registered in, as far as the name goes, and what lets it
/// in there. `idn_tag` is the IDN table that was asked for.
pub(super) async fn registrable(
    tables: &mut Tables<'_>,
    acting: &Acting,
    name: &DomainName,
    idn_tag: Option<&str>,
) -> Result<(ZoneRow, Admitted), CommandError> {
    let name = name.as_str();
    let above = ancestry(name);
    let zone = zone(tables, name, &above).await?;
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let label = name.split('.').next().unwrap_or_default();
    if let Some(fault) = zone.policy.label_fault(label) {
        return policy(fault);
    }
    if let Some(held) = held_label(tables, zone.id, label).await? {
        let is_registry = acting.registrar.is_none();
        if held.kind == LabelKind::Blocked || !is_registry {
            return policy(format!("{}: {}", held.kind, held.reason));
        }
    }
    unoccupied(tables, &zone, name, &above).await?;
    let admitted = admit(tables, &zone, label, idn_tag).await?;
    Ok((zone, admitted))
}

/// The zone of the name: one label above it.
async fn zone(
    tables: &mut Tables<'_>,
    name: &str,
    above: &[String],
) -> Result<ZoneRow, CommandError> {
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let Some(zone) = closest_zone(tables, above).await? else {
        return policy("in no zone of this registry".into());
    };
    active(&zone)?;
    match above.iter().position(|name| *name == zone.apex) {
        Some(1) => Ok(zone),
        Some(0) => policy("the zone itself".into()),
        _ => policy(format!("more than one label below {}", zone.apex)),
    }
}

/// A delegation must not hide records of the zone's own, nor be hidden by one.
async fn unoccupied(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    name: &str,
    above: &[String],
) -> Result<(), CommandError> {
    const DNAME: i64 = 39;
    // Addresses below a cut may be glue. The zone's own records are few, and no index
    // knows what is below a name.
    let below = rows::<(i64,)>(
        "SELECT rtype FROM zone_records WHERE zone_id = $1 AND (owner = $2 \
         OR (owner LIKE $3 ESCAPE '!' AND rtype NOT IN (1, 28))) LIMIT 1",
    );
    let pattern = format!("%.{name}");
    let below = below.bind(zone.id).bind(name).bind(pattern);
    let owners: Vec<_> = above[1..].to_vec();
    let dname = rows_in::<(i64, i64)>(
        "SELECT zone_id, rtype FROM zone_records WHERE owner IN ({list})",
        &owners,
    );
    let hidden = tables.all(dname).await?.contains(&(zone.id, DNAME));
    if hidden || tables.any(below).await? {
        let reason = "the zone has records of its own there";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    Ok(())
}
