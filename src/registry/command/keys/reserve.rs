//! Keys that are kept for later: made ahead, so that another machine could sign for them.

use super::super::super::code::ResultCode;
use super::super::super::error::RegistryError;
use super::super::super::signing::{KEYS_MAX, KeyId, KeyRole};
use super::super::super::types::DnskeyData;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::Context;
use super::super::tables::{Tables, rows as query_rows};
use super::{KeysAdd, ReservedKey, Sealed, rows, write};

/// Keeps a key.
pub(super) async fn keep(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysAdd,
) -> Result<(), CommandError> {
    let (apex, dnskey, id) = (&command.apex, &command.dnskey, context.new_object());
    let mut tables = context.tables();
    rows::policy(&mut tables, zone_id, apex).await?;
    let kept = of_zone(&mut tables, zone_id).await?;
    if kept.len() >= KEYS_MAX {
        let reason = format!("{KEYS_MAX} keys are kept for later already");
        return Err(rejected(ResultCode::ParameterPolicy, apex, reason));
    }
    let keys = rows::keys(&mut tables, zone_id).await?;
    write::check_new(command, &keys, &kept)?;
    let query = sqlx::query(
        "INSERT INTO reserved_keys (id, zone_id, role, algorithm, flags, public_key, store, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(zone_id)
    .bind(command.role.name())
    .bind(i64::from(dnskey.algorithm()))
    .bind(i64::from(dnskey.flags()))
    .bind(dnskey.public_key())
    .bind(command.store.as_str())
    .bind(command.sealed.as_ref().map(|sealed| sealed.0.as_slice()));
    tables.run(query).await?;
    Ok(())
}

/// Takes a key out of the reserve; gives where its private key is.
pub(super) async fn take(
    tables: &mut Tables<'_>,
    zone_id: i64,
    id: KeyId,
    command: &KeysAdd,
) -> Result<(String, Option<Sealed>), CommandError> {
    let kept = of_zone(tables, zone_id).await?;
    let found = kept.iter().find(|key| key.id == id);
    let is_it = |key: &&ReservedKey| key.dnskey == command.dnskey && key.role == command.role;
    let Some(key) = found.filter(is_it) else {
        let reason = "no such key is kept for later";
        return Err(rejected(ResultCode::ObjectDoesNotExist, id, reason));
    };
    let query = query_rows::<(Option<Vec<u8>>,)>("SELECT sealed FROM reserved_keys WHERE id = $1");
    let sealed = tables.optional(query.bind(id.0)).await?;
    let sealed = sealed.and_then(|(sealed,)| sealed).map(Sealed);
    let delete = sqlx::query("DELETE FROM reserved_keys WHERE id = $1");
    tables.run(delete.bind(id.0)).await?;
    Ok((key.store.clone(), sealed))
}

/// The keys that are kept for a zone, oldest first.
pub(super) async fn of_zone(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<ReservedKey>, RegistryError> {
    let query = query_rows::<(i64, String, i64, i64, Vec<u8>, String)>(
        "SELECT id, role, algorithm, flags, public_key, store FROM reserved_keys \
         WHERE zone_id = $1 ORDER BY id",
    );
    let found = tables.all(query.bind(zone_id)).await?;
    let keys = found.into_iter().map(|row| {
        let id = row.0;
        read(row).ok_or_else(|| tables.inconsistent(format!("reserved key {id}")))
    });
    keys.collect()
}

fn read(row: (i64, String, i64, i64, Vec<u8>, String)) -> Option<ReservedKey> {
    let (id, role, algorithm, flags, public_key, store) = row;
    let mut rdata = u16::try_from(flags).ok()?.to_be_bytes().to_vec();
    rdata.extend([3, u8::try_from(algorithm).ok()?]);
    rdata.extend(public_key);
    Some(ReservedKey {
        id: KeyId(id),
        role: KeyRole::parse(&role)?,
        dnskey: DnskeyData::from_rdata(&rdata)?,
        store,
    })
}
