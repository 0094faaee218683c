//! `domain check`, and what makes a name one that can be registered.

use serde::Serialize;

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::checks::{
    Acting, ZoneRow, active, ancestry, check_stage, closest_zone,
};
use crate::registry::command::idn::{Admitted, admit};
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::command::zone::{HeldLabel, LabelKind, held_label};
use crate::registry::policy::Stage;
use crate::registry::types::{AuthInfo, DomainName};

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
    /// What a create has to agree to, where the label is premium and nothing else is against it.
    pub terms: Option<String>,
}

/// What of a create its name is judged by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked<'a> {
    /// The IDN table that it names.
    pub(super) idn_tag: Option<&'a str>,
    /// The terms that it agrees to.
    pub(super) consent: Option<&'a str>,
    /// A token for a label that is held.
    pub(super) token: Option<&'a AuthInfo>,
}

/// Answers `domain check`.
pub(in crate::registry::command) async fn check(
    tables: &mut Tables<'_>,
    acting: &Acting,
    name: &DomainName,
    token: Option<&AuthInfo>,
) -> Result<Info, CommandError> {
    let zone = closest_zone(tables, &ancestry(name.as_str())).await?;
    let terms = terms(tables, zone.as_ref(), name).await?;
    let asked = Asked {
        consent: terms.as_deref().filter(|_| token.is_none()),
        token,
        ..Asked::default()
    };
    let mut reason = reason(judge(tables, acting, zone, name, asked).await)?;
    // Only terms are left: a create without them, or a token in their place, would say so.
    let terms = terms.filter(|_| reason.is_none() && token.is_none());
    if let Some(terms) = &terms {
        reason = Some(no_consent(terms));
    }
    Ok(Info::Availability(Availability {
        name: name.to_string(),
        available: reason.is_none(),
        reason,
        terms,
    }))
}

async fn judge(
    tables: &mut Tables<'_>,
    acting: &Acting,
    zone: Option<ZoneRow>,
    name: &DomainName,
    asked: Asked<'_>,
) -> Result<(), CommandError> {
    permitted(acting, zone.as_ref(), name)?;
    unregistered(tables, name).await?;
    registrable(tables, acting, zone, name, asked).await?;
    Ok(())
}

/// The same for somebody who is no registrar, nor the registry: what is reserved is not
/// available.
pub(in crate::registry) async fn check_for_public(
    tables: &mut Tables<'_>,
    name: &DomainName,
) -> Result<Availability, CommandError> {
    /// No account has this number.
    const NOBODY: i64 = 0;
    let acting = Acting {
        registrar: Some(NOBODY),
        by: "public".to_owned(),
        contact: None,
        stage: Some(Stage::Production),
    };
    match check(tables, &acting, name, None).await? {
        Info::Availability(availability) => Ok(availability),
        _ => unreachable!("a check tells nothing else"),
    }
}

fn reason<T>(result: Result<T, CommandError>) -> Result<Option<String>, CommandError> {
    match result {
        Ok(_) => Ok(None),
        Err(CommandError::Rejected(rejection)) => Ok(Some(rejection.reason)),
        Err(error) => Err(error),
    }
}

/// The terms of a premium label.
async fn terms(
    tables: &mut Tables<'_>,
    zone: Option<&ZoneRow>,
    name: &DomainName,
) -> Result<Option<String>, CommandError> {
    let Some(zone) = zone else {
        return Ok(None);
    };
    let label = name.as_str().split('.').next().unwrap_or_default();
    let held = held_label(tables, zone.id, label).await?;
    let premium = held.filter(|held| held.kind == LabelKind::Premium);
    Ok(premium.map(|held| held.reason))
}

fn no_consent(terms: &str) -> String {
    format!("premium: {terms}; agree to these terms, word for word")
}

/// Whether somebody may register in a zone at all, which is asked before whether the name
/// is there.
pub(super) fn permitted(
    acting: &Acting,
    zone: Option<&ZoneRow>,
    name: &DomainName,
) -> Result<(), CommandError> {
    zone.map_or(Ok(()), |zone| check_stage(acting, zone, name.as_str()))
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
/// in there; given the closest zone to it.
pub(super) async fn registrable(
    tables: &mut Tables<'_>,
    acting: &Acting,
    zone: Option<ZoneRow>,
    name: &DomainName,
    asked: Asked<'_>,
) -> Result<(ZoneRow, Admitted), CommandError> {
    let name = name.as_str();
    let above = ancestry(name);
    let zone = directly_above(zone, name, &above)?;
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let label = name.split('.').next().unwrap_or_default();
    if let Some(fault) = zone.policy.label_fault(label) {
        return policy(fault);
    }
    let held = held_label(tables, zone.id, label).await?;
    if let Some(token) = asked.token {
        fits(held.as_ref(), token, name)?;
    } else if let Some(held) = held {
        match held.kind {
            LabelKind::Reserved if acting.registrar.is_none() => {}
            LabelKind::Premium if asked.consent == Some(&*held.reason) => {}
            // RFC 8495 section 3.1.1: it needs one.
            kind if held.token.is_some() => {
                let reason = format!("{kind}: {}; given out by token", held.reason);
                return Err(rejected(ResultCode::AuthorizationError, name, reason));
            }
            LabelKind::Premium => return policy(no_consent(&held.reason)),
            kind => return policy(format!("{kind}: {}", held.reason)),
        }
    }
    unoccupied(tables, &zone, name, &above).await?;
    let admitted = admit(tables, &zone, label, asked.idn_tag).await?;
    Ok((zone, admitted))
}

/// Whether a token is that of a label; one for a label without a token fits none
/// (RFC 8495 section 2.1).
fn fits(held: Option<&HeldLabel>, token: &AuthInfo, name: &str) -> Result<(), CommandError> {
    let wanted = held.and_then(|held| held.token.as_ref());
    if wanted.is_some_and(|wanted| token.is_of(wanted)) {
        return Ok(());
    }
    let reason = "the token does not apply to the object";
    Err(rejected(ResultCode::AuthorizationError, name, reason))
}

/// The zone of the name: one label above it.
fn directly_above(
    zone: Option<ZoneRow>,
    name: &str,
    above: &[String],
) -> Result<ZoneRow, CommandError> {
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let Some(zone) = zone else {
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
    // Addresses below a cut may be glue, though never of a parking server: who is parked at
    // itself is found by nobody. The zone's own records are few, and no index knows what is
    // below a name.
    let below = rows::<(i64,)>(
        "SELECT rtype FROM zone_records WHERE zone_id = $1 AND (owner = $2 \
         OR (owner LIKE $3 ESCAPE '!' AND rtype NOT IN (1, 28))) \
         UNION ALL SELECT zone_id FROM parking_servers WHERE zone_id = $1 \
         AND (host = $2 OR host LIKE $3 ESCAPE '!') LIMIT 1",
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
