//! `keys info`, and what whoever drives the keys reads.

use super::super::super::database::Database;
use super::super::super::error::RegistryError;
use super::super::super::signing::{KeyId, Timeline};
use super::super::super::types::AnyName;
use super::super::CommandError;
use super::super::answer::Info;
use super::super::tables::{Tables, rows as query_rows};
use super::{ReservedKey, Sealed, ZoneKeys, reserve, rows, unsigned};

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    apex: &AnyName,
) -> Result<Info, CommandError> {
    let zone_id = rows::zone_id(tables, apex).await?;
    let found = read(tables, zone_id, apex).await?;
    found
        .map(|keys| Info::Keys(Box::new(keys)))
        .ok_or_else(|| unsigned(apex))
}

async fn read(
    tables: &mut Tables<'_>,
    zone_id: i64,
    apex: &AnyName,
) -> Result<Option<ZoneKeys>, RegistryError> {
    // The policy's revision first: keys that are changed between the two reads make a
    // step on this revision be refused.
    let Some(stored) = rows::find_policy(tables, zone_id).await? else {
        return Ok(None);
    };
    let (keys, states) = rows::keys(tables, zone_id).await?.into_iter().unzip();
    Ok(Some(ZoneKeys {
        apex: apex.clone(),
        policy: stored.policy,
        revision: stored.revision,
        resigned_at: stored.resigned_at,
        refreshed_at: stored.refreshed_at,
        keys,
        timeline: Timeline {
            keys: states,
            unserved_since: stored.unserved_since,
            former_ttls: stored.former_ttls,
        },
    }))
}

fn tables(database: &mut Database) -> Tables<'_> {
    let engine = database.engine();
    let (place, connection) = database.parts();
    Tables::new(engine, place, connection)
}

/// Zones that have a policy, with the revision of their keys.
pub async fn signed_zones(database: &mut Database) -> Result<Vec<(AnyName, i64)>, RegistryError> {
    let mut tables = tables(database);
    let query = query_rows::<(String, i64)>(
        "SELECT z.apex, p.revision FROM signing_policies p JOIN zones z ON z.id = p.zone_id \
         WHERE z.state = 'active' ORDER BY z.apex",
    );
    let found = tables.all(query).await?;
    let apexes = found.into_iter().map(|(apex, revision)| {
        let bad = |_| tables.inconsistent(format!("apex {apex:?}"));
        Ok((AnyName::parse(&apex).map_err(bad)?, revision))
    });
    apexes.collect()
}

/// Policy and keys of a zone, if it has a policy.
pub async fn load(
    database: &mut Database,
    apex: &AnyName,
) -> Result<Option<ZoneKeys>, CommandError> {
    let mut tables = tables(database);
    let zone_id = rows::zone_id(&mut tables, apex).await?;
    Ok(read(&mut tables, zone_id, apex).await?)
}

/// The sealed private keys of a zone.
pub async fn sealed_keys(
    database: &mut Database,
    apex: &AnyName,
) -> Result<Vec<(KeyId, Sealed)>, RegistryError> {
    let query = query_rows::<(i64, Vec<u8>)>(
        "SELECT k.id, k.sealed FROM zone_keys k JOIN zones z ON z.id = k.zone_id \
         WHERE z.apex = $1 AND k.sealed IS NOT NULL",
    );
    let found = tables(database).all(query.bind(apex.as_str())).await?;
    let keys = found.into_iter();
    Ok(keys
        .map(|(id, sealed)| (KeyId(id), Sealed(sealed)))
        .collect())
}

/// The keys of a zone that are kept for later, oldest first.
pub async fn reserved_keys(
    database: &mut Database,
    apex: &AnyName,
) -> Result<Vec<ReservedKey>, CommandError> {
    let mut tables = tables(database);
    let zone_id = rows::zone_id(&mut tables, apex).await?;
    Ok(reserve::of_zone(&mut tables, zone_id).await?)
}

/// RDATA of RRSIGs that were made elsewhere, with inception and expiration.
pub async fn made_signatures(
    database: &mut Database,
    apex: &AnyName,
) -> Result<Vec<(Vec<u8>, i64, i64)>, RegistryError> {
    let query = query_rows::<(Vec<u8>, i64, i64)>(
        "SELECT m.rdata, m.inception, m.expiration FROM made_signatures m \
         JOIN zones z ON z.id = m.zone_id WHERE z.apex = $1 ORDER BY m.inception",
    );
    tables(database).all(query.bind(apex.as_str())).await
}
