//! New keys and their next states.

use std::collections::BTreeSet;

use zone_compiler::rdata::from_hex;

use super::super::super::code::ResultCode;
use super::super::super::database::Timestamp;
use super::super::super::signing::{Goal, KEYS_MAX, KeyId, KeyState, SigningPolicy};
use super::super::super::types::DnskeyData;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::Context;
use super::super::tables::Tables;
use super::{Extent, KeyInfo, KeysAdd, KeysSignatures, KeysStep, ReservedKey, reserve, rows};

/// Most signatures that a response of an offline machine may bring.
const SIGNATURES_MAX: usize = 4096;

pub(super) async fn add(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysAdd,
) -> Result<(), CommandError> {
    let (apex, dnskey) = (&command.apex, &command.dnskey);
    let (at, id) = (context.at, context.new_object());
    let mut tables = context.tables();
    if rows::find_policy(&mut tables, zone_id).await?.is_none() {
        let longest = rows::longest_ttl(&mut tables, zone_id).await?;
        let mut policy = SigningPolicy::default();
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        policy.zone_ttl_max = policy.zone_ttl_max.max(longest);
        if let Some(fault) = policy.fault() {
            return Err(rejected(ResultCode::ParameterPolicy, apex, fault));
        }
        rows::write_policy(&mut tables, zone_id, &policy, at).await?;
    }
    let keys = rows::keys(&mut tables, zone_id).await?;
    if keys.len() >= KEYS_MAX {
        let reason = format!("the zone has {KEYS_MAX} keys already");
        return Err(rejected(ResultCode::ParameterPolicy, apex, reason));
    }
    let kept = reserve::of_zone(&mut tables, zone_id).await?;
    let others = kept.iter().filter(|key| Some(key.id) != command.reserved);
    let others: Vec<_> = others.cloned().collect();
    check_new(command, &keys, &others)?;
    for retired in &command.retires {
        let Some((_, key)) = keys.iter().find(|(info, _)| info.id == *retired) else {
            let reason = "no such key in the zone";
            return Err(rejected(ResultCode::ObjectDoesNotExist, retired, reason));
        };
        let key = KeyState {
            goal: Goal::Absent,
            ..*key
        };
        rows::write_state(&mut tables, &key).await?;
    }
    let (store, sealed) = match command.reserved {
        Some(reserved) => reserve::take(&mut tables, zone_id, reserved, command).await?,
        None => (command.store.clone(), command.sealed.clone()),
    };
    let command = &KeysAdd {
        store,
        sealed,
        ..command.clone()
    };
    insert(&mut tables, zone_id, id, at.0, command).await?;
    let mut key = KeyState::new(KeyId(id), command.role, dnskey.algorithm(), at);
    if command.in_use {
        key = key.in_use(at);
    }
    rows::write_state(&mut tables, &key).await?;
    count_up(&mut tables, zone_id).await?;
    if command.in_use {
        context.note_changed(zone_id, "");
    }
    Ok(())
}

/// Whether a key can be told from those that are there, and has the flags of its role.
pub(super) fn check_new(
    command: &KeysAdd,
    keys: &[(KeyInfo, KeyState)],
    kept: &[ReservedKey],
) -> Result<(), CommandError> {
    let dnskey = &command.dnskey;
    if dnskey.flags() != command.role.flags() {
        let reason = format!("a {} has flags {}", command.role, command.role.flags());
        return Err(rejected(ResultCode::ParameterPolicy, dnskey, reason));
    }
    // Signatures name a key by these two.
    let there = keys.iter().map(|(info, _)| &info.dnskey);
    let mut there = there.chain(kept.iter().map(|key| &key.dnskey));
    let is_same = |other: &DnskeyData| {
        other.key_tag() == dnskey.key_tag() && other.algorithm() == dnskey.algorithm()
    };
    if there.any(is_same) {
        let reason = "a key of the zone has this algorithm and tag; make another one";
        return Err(rejected(ResultCode::ObjectExists, dnskey.key_tag(), reason));
    }
    Ok(())
}

async fn insert(
    tables: &mut Tables<'_>,
    zone_id: i64,
    id: i64,
    at: i64,
    command: &KeysAdd,
) -> Result<(), CommandError> {
    let dnskey = &command.dnskey;
    let query = sqlx::query(
        "INSERT INTO zone_keys (id, zone_id, role, algorithm, flags, key_tag, public_key, store, \
         sealed, goal, dnskey_state, dnskey_since, key_signature_state, key_signature_since, \
         zone_signatures_state, zone_signatures_since, ds_state, ds_since, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'present', 'hidden', $10, 'hidden', $10, \
         'hidden', $10, 'hidden', $10, $10)",
    )
    .bind(id)
    .bind(zone_id)
    .bind(command.role.name())
    .bind(i64::from(dnskey.algorithm()))
    .bind(i64::from(dnskey.flags()))
    .bind(i64::from(dnskey.key_tag()))
    .bind(dnskey.public_key())
    .bind(command.store.as_str())
    .bind(command.sealed.as_ref().map(|sealed| sealed.0.as_slice()))
    .bind(at);
    tables.run(query).await?;
    Ok(())
}

async fn count_up(tables: &mut Tables<'_>, zone_id: i64) -> Result<(), CommandError> {
    let text = "UPDATE signing_policies SET revision = revision + 1 WHERE zone_id = $1";
    tables.run(sqlx::query(text).bind(zone_id)).await?;
    Ok(())
}

pub(super) async fn step(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysStep,
) -> Result<(), CommandError> {
    let apex = &command.apex;
    let mut tables = context.tables();
    let stored = rows::policy(&mut tables, zone_id, apex).await?;
    if stored.revision != command.revision {
        let reason = format!(
            "the keys were changed meanwhile: revision {}, not {}",
            stored.revision, command.revision
        );
        return Err(rejected(ResultCode::StatusProhibits, apex, reason));
    }
    let keys = rows::keys(&mut tables, zone_id).await?;
    let known: BTreeSet<KeyId> = keys.iter().map(|(info, _)| info.id).collect();
    let mut named: BTreeSet<KeyId> = command.timeline.keys.iter().map(|key| key.id).collect();
    named.extend(&command.remove);
    if named != known {
        let reason = "the keys of the zone are others";
        return Err(rejected(ResultCode::ParameterPolicy, apex, reason));
    }
    for key in &command.timeline.keys {
        let is_other = keys.iter().all(|(_, before)| before != key);
        if is_other {
            rows::write_state(&mut tables, key).await?;
        }
    }
    for id in &command.remove {
        // The sealed private key goes with its row.
        let delete = sqlx::query("DELETE FROM zone_keys WHERE id = $1").bind(id.0);
        tables.run(delete).await?;
    }
    rows::write_timeline(&mut tables, zone_id, &command.timeline).await?;
    match command.extent {
        Extent::Nothing => {}
        Extent::Apex => context.note_changed(zone_id, apex.as_str()),
        Extent::Zone => resign(context, zone_id, WHOLE_ZONE).await?,
    }
    Ok(())
}

/// Notes up to when every signature that is served was looked at.
pub(super) async fn refreshed(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    at: Timestamp,
) -> Result<(), CommandError> {
    let update = sqlx::query("UPDATE signing_policies SET refreshed_at = $1 WHERE zone_id = $2");
    context
        .tables()
        .run(update.bind(at.0).bind(zone_id))
        .await?;
    Ok(())
}

/// In the place of an owner: every record may be another one.
const WHOLE_ZONE: &str = "";

/// Every signature is looked at, and what gets old is made anew. `changed` says what
/// else may be other than it was.
pub(super) async fn resign(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    changed: &str,
) -> Result<(), CommandError> {
    let at = context.at.0;
    let update = sqlx::query("UPDATE signing_policies SET resigned_at = $1 WHERE zone_id = $2");
    context.tables().run(update.bind(at).bind(zone_id)).await?;
    context.note_changed(zone_id, changed);
    Ok(())
}

pub(super) async fn signatures(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysSignatures,
) -> Result<(), CommandError> {
    let apex = &command.apex;
    if command.signatures.len() > SIGNATURES_MAX {
        let reason = format!("more than {SIGNATURES_MAX} signatures");
        return Err(rejected(ResultCode::ParameterRange, apex, reason));
    }
    let mut tables = context.tables();
    rows::policy(&mut tables, zone_id, apex).await?;
    let delete = sqlx::query("DELETE FROM made_signatures WHERE zone_id = $1");
    tables.run(delete.bind(zone_id)).await?;
    for made in &command.signatures {
        let bad = || rejected(ResultCode::ParameterSyntax, &made.rdata, "not hexadecimal");
        let rdata = from_hex(&made.rdata).ok_or_else(bad)?;
        let insert = sqlx::query(
            "INSERT INTO made_signatures (zone_id, rdata, inception, expiration) \
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        );
        let insert = insert.bind(zone_id).bind(rdata);
        tables
            .run(insert.bind(made.inception).bind(made.expiration))
            .await?;
    }
    // Whoever waits for signatures looks again.
    count_up(&mut tables, zone_id).await?;
    context.note_changed(zone_id, apex.as_str());
    Ok(())
}
