//! `zone parking`: whether domains without name servers are delegated to the registry's
//! own, and what these answer.
//!
//! The servers must be there before anything is sent to them: those of the zone need
//! addresses among its own records. What they answer is the same for every parked domain;
//! a change of it is a change of the whole zone. A parked domain has no DS of its sponsor's:
//! nobody signs, or by `parked-answers=signed` the registry itself, whose keys say the DS.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use zone_compiler::RecordType;

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ancestry, zone_of};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::keys::check_ttl;
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::error::RegistryError;
use crate::registry::policy::ParkedAnswers;
use crate::registry::types::{AnyName, HostName, Ttl, ZoneRecord};

/// Parking servers of a zone: at least two (the guide, rule 42), and what a referral holds.
const SERVERS: std::ops::RangeInclusive<usize> = 2..=13;
/// How long parked domains stay signed without DS: TTL of these, and as long again for what
/// serves the zone to get there.
const WITHDRAWAL_SECONDS: i64 = 600;
/// Records that parked domains have beside SOA and NS.
const RECORDS_MAX: usize = 30;
/// Octets of their data: an RRset has to fit a message.
const OCTETS_MAX: usize = 16_384;
/// Refresh, retry and expire of their SOA; nobody transfers the zone.
const SOA_TIMERS: [u32; 3] = [7200, 900, 604_800];
/// Types that would lead elsewhere or that the registry makes.
const REFUSED: [u16; 3] = [2, 5, 39];

/// A change of a zone's parking: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneParking {
    /// The zone.
    pub apex: AnyName,
    /// Where domains are parked; nowhere, if none is named.
    pub servers: Vec<HostName>,
    /// Mailbox in their SOA, as a name; else that of the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rname: Option<AnyName>,
    /// How long their SOA and a miss are cached.
    pub ttl: Ttl,
    /// What they have beside SOA and NS: owner `.` is the domain, `*` what is below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<ZoneRecord>,
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneParking,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    let zone = existing_active(&mut context.tables(), apex).await?;
    check(context, command, zone.id).await?;
    for statement in [
        "DELETE FROM parking_servers WHERE zone_id = $1",
        "DELETE FROM parking_records WHERE zone_id = $1",
    ] {
        let delete = sqlx::query(statement).bind(zone.id);
        context.tables().run(delete).await?;
    }
    let parks = i64::from(!command.servers.is_empty());
    let update = sqlx::query("UPDATE zones SET parking = $1 WHERE id = $2");
    context
        .tables()
        .run(update.bind(parks).bind(zone.id))
        .await?;
    if parks == 1 {
        let rname = command
            .rname
            .as_ref()
            .map_or(&*zone.soa_rname, AnyName::as_str);
        write(context, command, zone.id, rname).await?;
        check_times(context, zone.id, apex).await?;
    }
    context.touch(Touched::Zone, zone.id).await?;
    context.note_changed(zone.id, "");
    Ok(zone.id)
}

async fn check(
    context: &mut Context<'_, '_>,
    command: &ZoneParking,
    zone_id: i64,
) -> Result<(), CommandError> {
    let apex = &command.apex;
    let policy = |reason: String| rejected(ResultCode::ParameterPolicy, apex, reason);
    let servers: BTreeSet<_> = command.servers.iter().map(HostName::as_str).collect();
    if servers.is_empty() {
        return match command.records.is_empty() {
            true => Ok(()),
            false => Err(policy(
                "records of parked domains, and no server to ask".into(),
            )),
        };
    }
    if !SERVERS.contains(&servers.len()) || servers.len() < command.servers.len() {
        let reason = format!("{} different parking servers; 2 to 13", servers.len());
        return Err(rejected(ResultCode::DataManagementPolicy, apex, reason));
    }
    if command.records.len() > RECORDS_MAX {
        let count = command.records.len();
        return Err(policy(format!("{count} records, {RECORDS_MAX} at most")));
    }
    let octets = command.records.iter().map(|own| own.record().rdata.len());
    let octets: usize = octets.sum();
    if octets > OCTETS_MAX {
        return Err(policy(format!(
            "{octets} octets of records, {OCTETS_MAX} at most"
        )));
    }
    for record in &command.records {
        let (owner, data) = (record.owner(), record.record());
        if !matches!(&*owner, "." | "*") || REFUSED.contains(&data.rtype.0) {
            let reason = "owner @ or *, and no NS, CNAME or DNAME";
            return Err(rejected(ResultCode::ParameterPolicy, record, reason));
        }
    }
    for server in servers {
        if is_below(server, apex) && !has_address(&mut context.tables(), zone_id, server).await? {
            let reason = format!(
                "parking server {server} has no address; add its A or AAAA by zone update first"
            );
            return Err(policy(reason));
        }
        let above = ancestry(server);
        let domains =
            rows_in::<(i64,)>("SELECT zone_id FROM domains WHERE name IN ({list})", &above);
        if context.tables().all(domains).await?.contains(&(zone_id,)) {
            // Were that domain parked, its servers would be below itself.
            let reason = format!("parking server {server} is at or below a registered domain");
            return Err(policy(reason));
        }
    }
    Ok(())
}

/// Whether a name lies at or below an apex; both are stored forms.
fn is_below(name: &str, apex: &AnyName) -> bool {
    match apex.as_str() {
        "." => true,
        apex => name
            .strip_suffix(apex)
            .is_some_and(|labels| labels.is_empty() || labels.ends_with('.')),
    }
}

async fn has_address(
    tables: &mut Tables<'_>,
    zone_id: i64,
    host: &str,
) -> Result<bool, RegistryError> {
    let query = rows::<(i64,)>(
        "SELECT rtype FROM zone_records WHERE zone_id = $1 AND owner = $2 \
         AND rtype IN (1, 28) LIMIT 1",
    );
    tables.any(query.bind(zone_id).bind(host)).await
}

async fn write(
    context: &mut Context<'_, '_>,
    command: &ZoneParking,
    zone_id: i64,
    rname: &str,
) -> Result<(), CommandError> {
    for server in &command.servers {
        let insert = sqlx::query("INSERT INTO parking_servers (zone_id, host) VALUES ($1, $2)");
        let insert = insert.bind(zone_id).bind(server.as_str());
        context.tables().run(insert).await?;
    }
    let soa = soa(context, command, rname)?;
    let ttl = command.ttl.column();
    record(context, zone_id, "@", (RecordType::SOA, ttl), &soa).await?;
    for own in &command.records {
        let owner = if own.owner() == "." { "@" } else { "*" };
        let data = own.record();
        let kind = (data.rtype, i64::from(data.ttl));
        record(context, zone_id, owner, kind, &data.rdata).await?;
    }
    Ok(())
}

/// RDATA of their SOA (RFC 1035 section 3.3.13): its serial is the time of the change, so
/// it goes up with each.
fn soa(
    context: &mut Context<'_, '_>,
    command: &ZoneParking,
    rname: &str,
) -> Result<Vec<u8>, CommandError> {
    let first = command.servers.iter().map(HostName::as_str).min();
    let mut rdata = Vec::new();
    for name in [first.unwrap_or_default(), rname] {
        let name: AnyName = name.parse()?;
        rdata.extend_from_slice(name.to_name().as_wire());
    }
    let seconds = context.at.0 / 1_000_000;
    let serial = u32::try_from(seconds & 0xffff_ffff).unwrap_or_default();
    rdata.extend_from_slice(&serial.to_be_bytes());
    for number in SOA_TIMERS.into_iter().chain([command.ttl.seconds()]) {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    Ok(rdata)
}

async fn record(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    owner: &'static str,
    (rtype, ttl): (RecordType, i64),
    rdata: &[u8],
) -> Result<(), CommandError> {
    let insert = sqlx::query(
        "INSERT INTO parking_records (zone_id, owner, rtype, ttl, rdata) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(zone_id)
    .bind(owner)
    .bind(i64::from(rtype.0))
    .bind(ttl)
    .bind(rdata);
    context.tables().run(insert).await?;
    Ok(())
}

/// Where parked domains are signed, the keys of the zone sign what they answer, so that
/// keys are timed by the TTLs of that as well.
pub(super) async fn check_times(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    apex: &AnyName,
) -> Result<(), CommandError> {
    let mut tables = context.tables();
    let policy = zone_of(&mut tables, zone_id).await?.policy;
    if policy.parked_answers == ParkedAnswers::Unsigned {
        return Ok(());
    }
    let query = rows::<(i64,)>(
        "SELECT ttl FROM parking_records WHERE zone_id = $1 ORDER BY ttl DESC LIMIT 1",
    );
    match tables.optional(query.bind(zone_id)).await? {
        Some((longest,)) => check_ttl(&mut tables, zone_id, apex, longest).await,
        None => Ok(()),
    }
}

/// Whoever validates and has a DS of a parked domain takes no answer without signatures for
/// as long as it has that (RFC 4035 section 5): so what is answered stays signed for a while
/// after the DS went. Compiles know no time; the command does.
pub(super) async fn check_withdrawn(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    [before, after]: [ParkedAnswers; 2],
    apex: &AnyName,
) -> Result<(), CommandError> {
    let mut tables = context.tables();
    let query = rows::<(i64, i64)>(
        "SELECT COALESCE(z.parked_withdrawn_at, 0), CASE WHEN z.parking = 1 AND \
         EXISTS (SELECT 1 FROM zone_keys k WHERE k.zone_id = z.id) \
         THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END FROM zones z WHERE z.id = $1",
    );
    let found = tables.optional(query.bind(zone_id)).await?;
    let (withdrawn_at, has_ds) = found.unwrap_or_default();
    let left = withdrawn_at + WITHDRAWAL_SECONDS * 1_000_000 - context.at.0;
    let reason = match (before, after) {
        (ParkedAnswers::Signed, ParkedAnswers::Unsigned) => Some(format!(
            "set parked-answers=withdrawn first, and unsigned {WITHDRAWAL_SECONDS} seconds later: \
             caches have DS of its parked domains"
        )),
        (ParkedAnswers::Withdrawn, ParkedAnswers::Unsigned) if left > 0 => Some(format!(
            "caches may have DS of its parked domains for {} seconds more",
            (left - 1) / 1_000_000 + 1
        )),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| has_ds == 1) {
        return Err(rejected(ResultCode::StatusProhibits, apex, reason));
    }
    let withdrawn_at = (after == ParkedAnswers::Withdrawn).then_some(context.at.0);
    let update = sqlx::query("UPDATE zones SET parked_withdrawn_at = $1 WHERE id = $2");
    let update = update.bind(withdrawn_at).bind(zone_id);
    context.tables().run(update).await?;
    Ok(())
}

/// Asked after the zone's own records changed: the servers keep their addresses.
pub(super) async fn check_servers(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    apex: &AnyName,
    changed: &[ZoneRecord],
) -> Result<(), CommandError> {
    for server in servers(&mut context.tables(), zone_id).await? {
        if !changed.iter().any(|record| record.owner() == server) {
            continue;
        }
        if !has_address(&mut context.tables(), zone_id, &server).await? {
            let reason = format!("{server} is a parking server and needs an address");
            return Err(rejected(ResultCode::AssociationProhibits, apex, reason));
        }
        // Every parked domain has its addresses in its referrals and answers.
        context.note_changed(zone_id, "");
    }
    Ok(())
}

/// Where domains of the zone are parked; empty where they are not.
pub(in crate::registry::command) async fn servers(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<String>, RegistryError> {
    let query = rows::<(String,)>(
        "SELECT p.host FROM parking_servers p JOIN zones z ON z.id = p.zone_id \
         WHERE p.zone_id = $1 AND z.parking = 1 ORDER BY p.host",
    );
    let found = tables.all(query.bind(zone_id)).await?;
    Ok(found.into_iter().map(|(host,)| host).collect())
}

/// A parked domain has no DS: the registry does not sign for it.
pub(in crate::registry::command) async fn check_unsigned(
    tables: &mut Tables<'_>,
    zone_id: i64,
    name: &str,
    (hosts, ds): (usize, usize),
) -> Result<(), CommandError> {
    if hosts > 0 || ds == 0 || servers(tables, zone_id).await?.is_empty() {
        return Ok(());
    }
    let reason = "a domain without name servers is parked here, and has no DS";
    Err(rejected(ResultCode::ParameterPolicy, name, reason))
}
