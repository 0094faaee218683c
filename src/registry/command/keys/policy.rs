//! `keys policy`.

use super::super::super::code::ResultCode;
use super::super::super::signing::{Goal, SigningMode, SigningPolicy};
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::Context;
use super::{KeysPolicy, rows};

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    command: &KeysPolicy,
) -> Result<(), CommandError> {
    let at = context.at;
    let mut tables = context.tables();
    let before = rows::find_policy(&mut tables, zone_id).await?;
    let before = before.map(|stored| stored.policy);
    let after = command.change.apply(&before.clone().unwrap_or_default());
    if let Some(fault) = after.fault() {
        return Err(rejected(ResultCode::ParameterPolicy, &command.apex, fault));
    }
    rows::write_policy(&mut tables, zone_id, &after, at).await?;
    if after.mode == SigningMode::Unsigned {
        for (_, mut key) in rows::keys(&mut tables, zone_id).await? {
            key.goal = Goal::Absent;
            rows::write_state(&mut tables, &key).await?;
        }
    }
    if before.is_some_and(|before| is_other_signing(&before, &after)) {
        context.note_changed(zone_id, "");
    }
    Ok(())
}

/// Whether the zone itself looks different by it.
fn is_other_signing(before: &SigningPolicy, after: &SigningPolicy) -> bool {
    let seen = |policy: &SigningPolicy| {
        let lives = (policy.signature_validity, policy.signature_refresh);
        (policy.denial, policy.dnskey_ttl, lives)
    };
    seen(before) != seen(after)
}
