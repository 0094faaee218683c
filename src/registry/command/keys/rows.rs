//! Rows of policies and keys, read and written.

use super::super::super::code::ResultCode;
use super::super::super::database::Timestamp;
use super::super::super::error::RegistryError;
use super::super::super::signing::{
    Denial, FormerTtls, Goal, KeyId, KeyRole, KeyState, KskMethod, Layout, Record, SigningMode,
    SigningPolicy, State, Timeline,
};
use super::super::super::types::{AnyName, DnskeyData};
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::tables::{Tables, from_row, rows};
use super::{KeyInfo, unsigned};

/// A row of `signing_policies`.
#[derive(Debug)]
struct PolicyRow {
    mode: String,
    algorithm: i64,
    layout: String,
    automatic: i64,
    ksk_lifetime: i64,
    zsk_lifetime: i64,
    ksk_method: String,
    dnskey_ttl: i64,
    zone_ttl_max: i64,
    propagation: i64,
    ds_ttl: i64,
    parent_propagation: i64,
    safety: i64,
    denial: String,
    signature_validity: i64,
    signature_refresh: i64,
    signature_jitter: i64,
    parent_servers: String,
    store: String,
    revision: i64,
    unserved_since: Option<i64>,
    resigned_at: i64,
    refreshed_at: Option<i64>,
    former_until: Option<i64>,
    former_dnskey_ttl: i64,
    former_zone_ttl: i64,
    former_ds_ttl: i64,
    ksk_store: String,
}

from_row!(PolicyRow: mode, algorithm, layout, automatic, ksk_lifetime, zsk_lifetime, ksk_method, dnskey_ttl, zone_ttl_max, propagation, ds_ttl, parent_propagation, safety, denial, signature_validity, signature_refresh, signature_jitter, parent_servers, store, revision, unserved_since, resigned_at, refreshed_at, former_until, former_dnskey_ttl, former_zone_ttl, former_ds_ttl, ksk_store);

/// A row of `zone_keys`.
#[derive(Debug)]
struct KeyRow {
    id: i64,
    role: String,
    algorithm: i64,
    flags: i64,
    public_key: Vec<u8>,
    store: String,
    goal: String,
    dnskey_state: String,
    dnskey_since: i64,
    key_signature_state: String,
    key_signature_since: i64,
    zone_signatures_state: String,
    zone_signatures_since: i64,
    ds_state: String,
    ds_since: i64,
    ds_confirmed_at: Option<i64>,
    active_at: Option<i64>,
    created_at: i64,
}

from_row!(KeyRow: id, role, algorithm, flags, public_key, store, goal, dnskey_state, dnskey_since, key_signature_state, key_signature_since, zone_signatures_state, zone_signatures_since, ds_state, ds_since, ds_confirmed_at, active_at, created_at);

/// A policy with what is kept beside it.
pub(super) struct Stored {
    pub(super) policy: SigningPolicy,
    pub(super) revision: i64,
    pub(super) unserved_since: Option<Timestamp>,
    pub(super) resigned_at: Timestamp,
    pub(super) refreshed_at: Option<Timestamp>,
    pub(super) former_ttls: Option<FormerTtls>,
}

/// The zone of a command on keys.
pub(super) async fn zone_id(tables: &mut Tables<'_>, apex: &AnyName) -> Result<i64, CommandError> {
    let query = rows::<(i64, String)>("SELECT id, state FROM zones WHERE apex = $1");
    match tables.optional(query.bind(apex.as_str())).await? {
        Some((id, state)) if state == "active" => Ok(id),
        Some(_) => {
            let reason = "the import of this zone is unfinished";
            Err(rejected(ResultCode::StatusProhibits, apex, reason))
        }
        None => Err(rejected(
            ResultCode::ObjectDoesNotExist,
            apex,
            "no such zone",
        )),
    }
}

pub(super) async fn find_policy(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Option<Stored>, RegistryError> {
    let query = rows::<PolicyRow>(
        "SELECT mode, algorithm, layout, automatic, ksk_lifetime, zsk_lifetime, ksk_method, \
         dnskey_ttl, zone_ttl_max, propagation, ds_ttl, parent_propagation, safety, denial, \
         signature_validity, signature_refresh, signature_jitter, parent_servers, store, \
         revision, unserved_since, resigned_at, refreshed_at, former_until, \
         former_dnskey_ttl, former_zone_ttl, former_ds_ttl, ksk_store FROM signing_policies WHERE zone_id = $1",
    );
    let Some(row) = tables.optional(query.bind(zone_id)).await? else {
        return Ok(None);
    };
    let revision = row.revision;
    let unserved_since = row.unserved_since.map(Timestamp);
    let resigned_at = Timestamp(row.resigned_at);
    let refreshed_at = row.refreshed_at.map(Timestamp);
    let bad = || tables.inconsistent(format!("signing policy of zone {zone_id}"));
    let former_ttls = match row.former_until {
        Some(until) => Some(read_former(&row, until).ok_or_else(bad)?),
        None => None,
    };
    let policy = read_policy(row).ok_or_else(bad)?;
    Ok(Some(Stored {
        policy,
        revision,
        unserved_since,
        resigned_at,
        refreshed_at,
        former_ttls,
    }))
}

fn read_former(row: &PolicyRow, until: i64) -> Option<FormerTtls> {
    let ttl = |value: i64| u32::try_from(value).ok();
    Some(FormerTtls {
        until: Timestamp(until),
        dnskey: ttl(row.former_dnskey_ttl)?,
        zone: ttl(row.former_zone_ttl)?,
        ds: ttl(row.former_ds_ttl)?,
    })
}

/// Writes what of a timeline is not of a single key.
pub(super) async fn write_timeline(
    tables: &mut Tables<'_>,
    zone_id: i64,
    timeline: &Timeline,
) -> Result<(), RegistryError> {
    let former = timeline.former_ttls.unwrap_or_default();
    let update = sqlx::query(
        "UPDATE signing_policies SET revision = revision + 1, unserved_since = $1, \
         former_until = $2, former_dnskey_ttl = $3, former_zone_ttl = $4, former_ds_ttl = $5 \
         WHERE zone_id = $6",
    )
    .bind(timeline.unserved_since.map(|since| since.0))
    .bind(timeline.former_ttls.map(|former| former.until.0))
    .bind(i64::from(former.dnskey))
    .bind(i64::from(former.zone))
    .bind(i64::from(former.ds))
    .bind(zone_id);
    tables.run(update).await.map(drop)
}

/// Refuses a TTL that is longer than the timings of the zone's keys allow for.
pub(in crate::registry::command) async fn check_ttl(
    tables: &mut Tables<'_>,
    zone_id: i64,
    object: impl std::fmt::Display,
    ttl: i64,
) -> Result<(), CommandError> {
    let query = rows::<(i64,)>("SELECT zone_ttl_max FROM signing_policies WHERE zone_id = $1");
    let Some((most,)) = tables.optional(query.bind(zone_id)).await? else {
        return Ok(());
    };
    if ttl <= most {
        return Ok(());
    }
    let reason = format!(
        "TTL {ttl} is more than {most}, by which the zone's keys are timed; raise it by \
         `meridian keys policy --zone-ttl-max` first"
    );
    Err(rejected(ResultCode::ParameterPolicy, object, reason))
}

fn read_policy(row: PolicyRow) -> Option<SigningPolicy> {
    let seconds = |value: i64| u32::try_from(value).ok();
    Some(SigningPolicy {
        mode: SigningMode::parse(&row.mode)?,
        algorithm: u8::try_from(row.algorithm).ok()?,
        layout: Layout::parse(&row.layout)?,
        automatic: row.automatic == 1,
        ksk_lifetime: seconds(row.ksk_lifetime)?,
        zsk_lifetime: seconds(row.zsk_lifetime)?,
        ksk_method: KskMethod::parse(&row.ksk_method)?,
        dnskey_ttl: seconds(row.dnskey_ttl)?,
        zone_ttl_max: seconds(row.zone_ttl_max)?,
        propagation: seconds(row.propagation)?,
        ds_ttl: seconds(row.ds_ttl)?,
        parent_propagation: seconds(row.parent_propagation)?,
        safety: seconds(row.safety)?,
        denial: Denial::parse(&row.denial)?,
        signature_validity: seconds(row.signature_validity)?,
        signature_refresh: seconds(row.signature_refresh)?,
        signature_jitter: seconds(row.signature_jitter)?,
        parent_servers: row.parent_servers,
        store: row.store,
        ksk_store: row.ksk_store,
    })
}

/// The longest TTL that the zone can have now.
pub(super) async fn longest_ttl(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<i64, RegistryError> {
    let query = rows::<(i64, i64, i64, i64, i64, i64, i64)>(
        "SELECT soa_ttl, ns_ttl, ds_ttl, glue_ttl, \
         (SELECT COALESCE(MAX(r.ttl), 0) FROM zone_records r WHERE r.zone_id = z.id), \
         (SELECT COALESCE(MAX(d.ds_ttl), 0) FROM domains d WHERE d.zone_id = z.id), \
         (SELECT COALESCE(MAX(p.ttl), 0) FROM parking_records p WHERE p.zone_id = z.id \
         AND z.parked_answers <> 'unsigned') \
         FROM zones z WHERE z.id = $1",
    );
    let found = tables.optional(query.bind(zone_id)).await?;
    let ttls = found.map_or([0; 7], <[i64; 7]>::from);
    Ok(ttls.into_iter().max().unwrap_or_default())
}

/// The policy of a zone that has one.
pub(super) async fn policy(
    tables: &mut Tables<'_>,
    zone_id: i64,
    apex: &AnyName,
) -> Result<Stored, CommandError> {
    let found = find_policy(tables, zone_id).await?;
    found.ok_or_else(|| unsigned(apex))
}

/// Writes a policy, new or changed; its revision counts up.
pub(super) async fn write_policy(
    tables: &mut Tables<'_>,
    zone_id: i64,
    policy: &SigningPolicy,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let query = sqlx::query(
        "INSERT INTO signing_policies (zone_id, mode, algorithm, layout, automatic, \
         ksk_lifetime, zsk_lifetime, ksk_method, dnskey_ttl, zone_ttl_max, propagation, ds_ttl, \
         parent_propagation, safety, denial, signature_validity, signature_refresh, \
         signature_jitter, parent_servers, store, revision, resigned_at, ksk_store) VALUES ($1, $2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 1, $21, $22) \
         ON CONFLICT (zone_id) DO UPDATE SET mode = excluded.mode, \
         algorithm = excluded.algorithm, layout = excluded.layout, \
         automatic = excluded.automatic, ksk_lifetime = excluded.ksk_lifetime, \
         zsk_lifetime = excluded.zsk_lifetime, ksk_method = excluded.ksk_method, \
         dnskey_ttl = excluded.dnskey_ttl, zone_ttl_max = excluded.zone_ttl_max, \
         propagation = excluded.propagation, ds_ttl = excluded.ds_ttl, \
         parent_propagation = excluded.parent_propagation, safety = excluded.safety, \
         denial = excluded.denial, signature_validity = excluded.signature_validity, \
         signature_refresh = excluded.signature_refresh, \
         signature_jitter = excluded.signature_jitter, \
         parent_servers = excluded.parent_servers, store = excluded.store, \
         ksk_store = excluded.ksk_store, \
         revision = signing_policies.revision + 1",
    )
    .bind(zone_id)
    .bind(policy.mode.name())
    .bind(i64::from(policy.algorithm))
    .bind(policy.layout.name())
    .bind(i64::from(policy.automatic))
    .bind(i64::from(policy.ksk_lifetime))
    .bind(i64::from(policy.zsk_lifetime))
    .bind(policy.ksk_method.name())
    .bind(i64::from(policy.dnskey_ttl))
    .bind(i64::from(policy.zone_ttl_max))
    .bind(i64::from(policy.propagation))
    .bind(i64::from(policy.ds_ttl))
    .bind(i64::from(policy.parent_propagation))
    .bind(i64::from(policy.safety))
    .bind(policy.denial.name())
    .bind(i64::from(policy.signature_validity))
    .bind(i64::from(policy.signature_refresh))
    .bind(i64::from(policy.signature_jitter))
    .bind(policy.parent_servers.as_str())
    .bind(policy.store.as_str())
    .bind(at.0)
    .bind(policy.ksk_store.as_str());
    tables.run(query).await.map(drop)
}

/// The keys of a zone in the order of their ids.
pub(super) async fn keys(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<(KeyInfo, KeyState)>, RegistryError> {
    let query = rows::<KeyRow>(
        "SELECT id, role, algorithm, flags, public_key, store, goal, dnskey_state, \
         dnskey_since, key_signature_state, key_signature_since, zone_signatures_state, \
         zone_signatures_since, ds_state, ds_since, ds_confirmed_at, active_at, created_at \
         FROM zone_keys WHERE zone_id = $1 ORDER BY id",
    );
    let found = tables.all(query.bind(zone_id)).await?;
    let keys = found.into_iter().map(|row| {
        let id = row.id;
        read_key(row).ok_or_else(|| tables.inconsistent(format!("key {id}")))
    });
    keys.collect()
}

fn read_key(row: KeyRow) -> Option<(KeyInfo, KeyState)> {
    let record = |state: &str, since| {
        Some(Record {
            state: State::parse(state)?,
            since: Timestamp(since),
        })
    };
    let (id, role) = (KeyId(row.id), KeyRole::parse(&row.role)?);
    let algorithm = u8::try_from(row.algorithm).ok()?;
    let flags = u16::try_from(row.flags).ok()?;
    let mut rdata = flags.to_be_bytes().to_vec();
    rdata.extend([3, algorithm]);
    rdata.extend(row.public_key);
    let dnskey = DnskeyData::from_rdata(&rdata)?;
    let info = KeyInfo {
        id,
        role,
        key_tag: dnskey.key_tag(),
        dnskey,
        store: row.store,
        created_at: Timestamp(row.created_at),
    };
    let state = KeyState {
        id,
        role,
        algorithm,
        goal: Goal::parse(&row.goal)?,
        dnskey: record(&row.dnskey_state, row.dnskey_since)?,
        key_signature: record(&row.key_signature_state, row.key_signature_since)?,
        zone_signatures: record(&row.zone_signatures_state, row.zone_signatures_since)?,
        ds: record(&row.ds_state, row.ds_since)?,
        ds_confirmed_at: row.ds_confirmed_at.map(Timestamp),
        active_at: row.active_at.map(Timestamp),
    };
    Some((info, state))
}

/// Writes where a key is on its way.
pub(super) async fn write_state(
    tables: &mut Tables<'_>,
    key: &KeyState,
) -> Result<(), RegistryError> {
    let query = sqlx::query(
        "UPDATE zone_keys SET goal = $1, dnskey_state = $2, dnskey_since = $3, \
         key_signature_state = $4, key_signature_since = $5, zone_signatures_state = $6, \
         zone_signatures_since = $7, ds_state = $8, ds_since = $9, ds_confirmed_at = $10, \
         active_at = $11 WHERE id = $12",
    )
    .bind(key.goal.name())
    .bind(key.dnskey.state.name())
    .bind(key.dnskey.since.0)
    .bind(key.key_signature.state.name())
    .bind(key.key_signature.since.0)
    .bind(key.zone_signatures.state.name())
    .bind(key.zone_signatures.since.0)
    .bind(key.ds.state.name())
    .bind(key.ds.since.0)
    .bind(key.ds_confirmed_at.map(|at| at.0))
    .bind(key.active_at.map(|at| at.0))
    .bind(key.id.0);
    tables.run(query).await.map(drop)
}
