//! `keys policy`.

use super::super::super::code::ResultCode;
use super::super::super::database::Timestamp;
use super::super::super::error::RegistryError;
use super::super::super::signing::{Goal, SigningMode, SigningPolicy, Timeline};
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::Context;
use super::super::tables::Tables;
use super::rows::Stored;
use super::{KeysPolicy, rows};

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysPolicy,
) -> Result<(), CommandError> {
    let at = context.at;
    let mut tables = context.tables();
    let stored = rows::find_policy(&mut tables, zone_id).await?;
    let before = stored.as_ref().map(|stored| stored.policy.clone());
    let after = command.change.apply(&before.clone().unwrap_or_default());
    let longest = rows::longest_ttl(&mut tables, zone_id).await?;
    let mut after = after;
    if before.is_none() && command.change.zone_ttl_max.is_none() {
        // The usual value is for usual zones.
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        after.zone_ttl_max = after.zone_ttl_max.max(longest);
    }
    if i64::from(after.zone_ttl_max) < longest {
        let reason = format!(
            "zone-ttl-max {} is less than {longest}, the longest TTL of the zone",
            after.zone_ttl_max
        );
        return Err(rejected(ResultCode::ParameterPolicy, &command.apex, reason));
    }
    if let Some(fault) = after.fault() {
        return Err(rejected(ResultCode::ParameterPolicy, &command.apex, fault));
    }
    rows::write_policy(&mut tables, zone_id, &after, at).await?;
    let is_lower = match &stored {
        Some(stored) => lower_ttls(&mut tables, zone_id, stored, &after, at).await?,
        None => false,
    };
    if after.mode == SigningMode::Unsigned {
        for (_, mut key) in rows::keys(&mut tables, zone_id).await? {
            key.goal = Goal::Absent;
            rows::write_state(&mut tables, &key).await?;
        }
    }
    if before.is_some_and(|before| is_lower || is_other_signing(&before, &after)) {
        context.note_changed(zone_id, "");
    }
    Ok(())
}

/// Caches go by lowered TTLs only when all is gone that they took before.
async fn lower_ttls(
    tables: &mut Tables<'_>,
    zone_id: i64,
    before: &Stored,
    after: &SigningPolicy,
    at: Timestamp,
) -> Result<bool, RegistryError> {
    let keys: Vec<_> = rows::keys(tables, zone_id).await?;
    let earlier = Timeline {
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        unserved_since: before.unserved_since,
        former_ttls: before.former_ttls,
    };
    let mut timeline = earlier.clone();
    timeline.lower_ttls(&before.policy, after, at);
    if timeline == earlier {
        return Ok(false);
    }
    for key in &timeline.keys {
        rows::write_state(tables, key).await?;
    }
    rows::write_timeline(tables, zone_id, &timeline).await?;
    Ok(true)
}

/// Whether the zone itself looks different by it.
fn is_other_signing(before: &SigningPolicy, after: &SigningPolicy) -> bool {
    let seen = |policy: &SigningPolicy| {
        let lives = (policy.signature_validity, policy.signature_refresh);
        (policy.denial, policy.dnskey_ttl, lives)
    };
    seen(before) != seen(after)
}
