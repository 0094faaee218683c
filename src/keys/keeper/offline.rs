//! What the keeper does where a key is on another machine: takes keys that were made
//! ahead, holds steps to key sets that are not signed yet, and says in time when what was
//! signed ahead comes to its end.

use super::super::machine::{NewKey, Publishes, Step};
use super::super::offline::{Ahead, ahead, made};
use super::{LookError, Work};
use crate::registry::Database;
use crate::registry::command::KeysCommand;
use crate::registry::command::keys::{ZoneKeys, made_signatures};
use crate::registry::signing::OFFLINE;

impl Work {
    /// Makes a key that is wanted, or takes the one that was made ahead for this; says
    /// whether there is one now. One that is to be offline has to be imported.
    pub(super) fn supply(
        &mut self,
        database: &mut Database,
        keys: &ZoneKeys,
        new: &NewKey,
    ) -> Result<bool, LookError> {
        let (apex, store) = (&keys.apex, keys.policy.store_of(new.role));
        if store == OFFLINE {
            return Ok(false);
        }
        let vault = std::sync::Arc::clone(&self.settings.vault);
        let add = self.block(vault.make_or_take(database, keys, new, store))?;
        let (tag, role) = (add.dnskey.key_tag(), add.role);
        self.submit(database, KeysCommand::Add(Box::new(add)))?;
        tracing::info!(zone = %apex, key_tag = tag, %role, "key made");
        Ok(true)
    }

    /// A step to key sets that no offline key has signed for now is not taken: nothing of
    /// the zone could be published after it.
    pub(super) fn hold_unsigned(
        &mut self,
        database: &mut Database,
        keys: &ZoneKeys,
        step: Step,
    ) -> Result<Step, LookError> {
        let made = made(self.block(made_signatures(database, &keys.apex))?);
        let ahead = ahead(keys, &step, &made, self.now());
        self.note_ahead(keys, ahead);
        let Some(held) = ahead.filter(|ahead| ahead.is_held) else {
            return Ok(step);
        };
        Ok(Step {
            is_change: false,
            publishes: Publishes::Nothing,
            gone: Vec::new(),
            next: held.begins,
            timeline: keys.timeline.clone(),
            ..step
        })
    }

    /// Tells of what was signed ahead: once that a step waits for more, and twice, louder,
    /// that its end is near.
    fn note_ahead(&mut self, keys: &ZoneKeys, ahead: Option<Ahead>) {
        let zone = self.zones.entry(keys.apex.clone()).or_default();
        let way_out = "make a request by `meridian keys request`";
        let is_held = ahead.is_some_and(|ahead| ahead.is_held);
        if is_held && !zone.is_held {
            tracing::warn!(
                zone = %keys.apex, way_out,
                "the next key sets are not signed by the offline key, the keys stay as they are"
            );
        }
        zone.is_held = is_held;
        let lacks_algorithm = ahead.and_then(|ahead| ahead.lacks_algorithm);
        if lacks_algorithm.is_some() && zone.lacks_algorithm != lacks_algorithm {
            tracing::warn!(
                zone = %keys.apex, algorithm = lacks_algorithm,
                way_out = "take one in by `meridian keys import --public FILE --role ksk --replace`",
                "the policy asks for an offline key that is not there, the keys stay as they are"
            );
        }
        zone.lacks_algorithm = lacks_algorithm;
        let alarm = match ahead.and_then(|ahead| ahead.expire_seconds) {
            None => 0,
            Some(left) if left > i64::from(keys.policy.signature_validity) => 0,
            Some(left) if left > i64::from(keys.policy.signature_refresh) => 1,
            Some(_) => 2,
        };
        if alarm > zone.ahead_alarm {
            let left = ahead.and_then(|ahead| ahead.expire_seconds);
            tracing::error!(
                zone = %keys.apex, seconds_left = left, way_out,
                "what the offline key has signed comes to its end"
            );
        }
        zone.ahead_alarm = alarm;
        self.state.ahead(&keys.apex, ahead);
    }
}
