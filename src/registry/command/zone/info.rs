//! `zone info`.

use zone_compiler::{Record, RecordType};
use zone_image::Name;

use super::disclosure::rules_of;
use super::idn::tables_of;
use super::labels::held_labels;
use super::parking::servers;
use super::{ZoneInfo, existing};
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::checks::zone_of;
use crate::registry::command::dependencies::OrphanPolicy;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::database::Timestamp;
use crate::registry::types::{AnyName, ZoneRecord};

/// Most records that are shown; `meridian registry export` writes all.
const RECORDS_MAX: i64 = 1000;

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    apex: &AnyName,
) -> Result<Info, CommandError> {
    let row = existing(tables, apex).await?;
    let orphans = OrphanPolicy::of_zone(tables, row.id).await?;
    let query = rows::<(String, i64, i64, Vec<u8>)>(
        "SELECT owner, rtype, ttl, rdata FROM zone_records WHERE zone_id = $1 \
         ORDER BY owner, rtype, rdata LIMIT $2",
    );
    let found = tables.all(query.bind(row.id).bind(RECORDS_MAX)).await?;
    let record = |(owner, rtype, ttl, rdata): (String, i64, i64, Vec<u8>)| {
        let bad = || tables.inconsistent(format!("record of {owner:?}"));
        Ok(ZoneRecord::new(Record {
            owner: Name::parse_absolute(&owner).map_err(|_| bad())?,
            rtype: RecordType(u16::try_from(rtype).map_err(|_| bad())?),
            ttl: u32::try_from(ttl).map_err(|_| bad())?,
            rdata: rdata.into(),
        }))
    };
    let records = found.into_iter().map(record);
    let records = records.collect::<Result<_, crate::registry::RegistryError>>()?;
    Ok(Info::Zone(Box::new(ZoneInfo {
        apex: apex.clone(),
        state: row.state,
        mname: row.soa_mname,
        rname: row.soa_rname,
        serial: row.serial,
        refresh: row.soa_refresh,
        retry: row.soa_retry,
        expire: row.soa_expire,
        minimum: row.soa_minimum,
        soa_ttl: row.soa_ttl,
        ns_ttl: row.ns_ttl,
        ds_ttl: row.ds_ttl,
        glue_ttl: row.glue_ttl,
        ns_count_min: row.ns_count_min,
        ns_count_max: row.ns_count_max,
        glue_policy: row.glue_policy,
        policy: zone_of(tables, row.id).await?.policy,
        host_orphan: orphans.host_orphan.column().to_owned(),
        own_hosts: orphans.own_hosts.column().to_owned(),
        lame_domain: orphans.lame_domain,
        parking_servers: servers(tables, row.id).await?,
        records,
        held_labels: held_labels(tables, row.id, RECORDS_MAX).await?,
        idn_tables: tables_of(tables, row.id).await?,
        disclosure: rules_of(tables, row.id).await?,
        created_at: Timestamp(row.created_at),
        updated_at: row.updated_at.map(Timestamp),
    })))
}
