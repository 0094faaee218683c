//! The zone's own records: added and removed under the rules that a compile would
//! refuse the whole zone by.

use zone_compiler::RecordType;

use super::parking::check_servers;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ancestry, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::keys::check_ttl;
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::policy::ServerCheck;
use crate::registry::types::{AnyName, ZoneRecord};

const DNAME: RecordType = RecordType(39);
/// Name servers that a zone should have.
const SERVERS: std::ops::RangeInclusive<i64> = 2..=13;

/// Removes, then adds.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    apex: &AnyName,
    add: &[ZoneRecord],
    remove: &[ZoneRecord],
) -> Result<(), CommandError> {
    for record in remove {
        let delete = sqlx::query(
            "DELETE FROM zone_records WHERE zone_id = $1 AND owner = $2 AND rtype = $3 \
             AND rdata = $4",
        )
        .bind(zone_id)
        .bind(record.owner())
        .bind(i64::from(record.record().rtype.0))
        .bind(record.record().rdata.as_ref());
        if context.tables().run(delete).await? == 0 {
            let reason = "no such record";
            return Err(rejected(ResultCode::ParameterPolicy, record, reason));
        }
        context.note_changed(zone_id, &record.owner());
    }
    for record in add {
        place(&mut context.tables(), zone_id, apex, record).await?;
        let ttl = i64::from(record.record().ttl);
        check_ttl(&mut context.tables(), zone_id, record, ttl).await?;
        insert(&mut context.tables(), zone_id, record).await?;
        context.note_changed(zone_id, &record.owner());
    }
    check_servers(context, zone_id, apex, remove).await?;
    check_servers(context, zone_id, apex, add).await?;
    let is_about_servers = |record: &ZoneRecord| {
        record.record().rtype == RecordType::NS && record.owner() == apex.as_str()
    };
    match add.iter().chain(remove).any(is_about_servers) {
        true => check_count(context, zone_id, apex).await,
        false => check_apex(context, zone_id, apex).await.map(drop),
    }
}

/// How many name servers the zone has, one at least.
async fn check_apex(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    apex: &AnyName,
) -> Result<i64, CommandError> {
    let query = rows::<(i64,)>(
        "SELECT COUNT(*) FROM zone_records WHERE zone_id = $1 AND owner = $2 AND rtype = 2",
    );
    let query = query.bind(zone_id).bind(apex.as_str());
    match context.tables().optional(query).await? {
        Some((count,)) if count > 0 => Ok(count),
        _ => {
            let reason = "a zone needs NS records at its apex";
            Err(rejected(ResultCode::DataManagementPolicy, apex, reason))
        }
    }
}

/// Whether the zone has as many name servers as its policy wants (the guide, rules 52 and
/// 54): one that cannot be reached takes the zone with it where it is the only one.
pub(super) async fn check_count(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    apex: &AnyName,
) -> Result<(), CommandError> {
    let count = check_apex(context, zone_id, apex).await?;
    if SERVERS.contains(&count) {
        return Ok(());
    }
    let (least, most) = SERVERS.into_inner();
    let reason = format!("{count} name servers of the zone; {least} to {most} are advised");
    let policy = zone_of(&mut context.tables(), zone_id).await?.policy;
    match policy.zone_servers {
        ServerCheck::Off => {}
        ServerCheck::Warn => context.notes.push(format!("{apex}: {reason}")),
        ServerCheck::Require => {
            return Err(rejected(ResultCode::DataManagementPolicy, apex, reason));
        }
    }
    Ok(())
}

/// All records of a set have one TTL (RFC 2181 section 5.2): the last one given.
async fn insert(
    tables: &mut Tables<'_>,
    zone_id: i64,
    record: &ZoneRecord,
) -> Result<(), CommandError> {
    let (owner, data) = (record.owner(), record.record());
    let rtype = i64::from(data.rtype.0);
    let insert = sqlx::query(
        "INSERT INTO zone_records (zone_id, owner, rtype, ttl, rdata) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(zone_id)
    .bind(owner.as_str())
    .bind(rtype)
    .bind(i64::from(data.ttl))
    .bind(data.rdata.as_ref());
    if tables.run(insert).await? == 0 {
        let reason = "there already";
        return Err(rejected(ResultCode::ParameterPolicy, record, reason));
    }
    let ttl = sqlx::query(
        "UPDATE zone_records SET ttl = $1 WHERE zone_id = $2 AND owner = $3 AND rtype = $4",
    )
    .bind(i64::from(data.ttl))
    .bind(zone_id)
    .bind(owner.as_str())
    .bind(rtype);
    tables.run(ttl).await?;
    Ok(())
}

/// Whether the record may stand where it is put.
async fn place(
    tables: &mut Tables<'_>,
    zone_id: i64,
    apex: &AnyName,
    record: &ZoneRecord,
) -> Result<(), CommandError> {
    let policy = |reason: &str| Err(rejected(ResultCode::ParameterPolicy, record, reason));
    let (data, owner) = (record.record(), record.owner());
    let apex_name = apex.to_name();
    if !data.owner.is_at_or_below(&apex_name) {
        return policy("not in the zone");
    }
    let is_apex = owner == apex.as_str();
    if data.rtype == RecordType::NS && !is_apex {
        return policy("a delegation; register the domain instead");
    }
    if matches!(data.rtype, RecordType::CNAME | DNAME) && is_apex {
        return policy("would hide the zone");
    }
    let above = ancestry(&owner);
    let cut = rows_in::<(i64,)>("SELECT zone_id FROM domains WHERE name IN ({list})", &above);
    if tables.all(cut).await?.contains(&(zone_id,)) {
        return policy("at or below a registered domain");
    }
    let dname = rows_in::<(i64, i64, String)>(
        "SELECT zone_id, rtype, owner FROM zone_records WHERE owner IN ({list})",
        &above,
    );
    let there = tables.all(dname).await?;
    let there: Vec<_> = there.iter().filter(|row| row.0 == zone_id).collect();
    let is_dname = |rtype: i64| rtype == i64::from(DNAME.0);
    if there.iter().any(|row| is_dname(row.1) && row.2 != owner) {
        return policy("below a DNAME");
    }
    // RFC 1034 section 3.6.2: a CNAME stands alone.
    let cname = i64::from(RecordType::CNAME.0);
    let here = || there.iter().filter(|row| row.2 == owner);
    let clash = if data.rtype == RecordType::CNAME {
        here().next().is_some()
    } else {
        here().any(|row| row.1 == cname)
    };
    if clash {
        return policy("a CNAME and other data at one name");
    }
    if data.rtype == DNAME {
        let below = rows::<(i64,)>(
            "SELECT rtype FROM zone_records WHERE zone_id = $1 AND (owner LIKE $2 ESCAPE '!' \
             OR (owner = $3 AND rtype = 39)) LIMIT 1",
        );
        let below = below.bind(zone_id).bind(format!("%.{owner}")).bind(owner);
        if tables.any(below).await? {
            return policy("a second DNAME, or one that hides records");
        }
    }
    Ok(())
}
