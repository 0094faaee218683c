//! Drives the keys of all signed zones: a thread that looks when something may be due.
//!
//! Each look takes one zone's states, notes what is served and what the parent has, asks
//! the [`super::machine`] and writes its answer as one event, onto the revision
//! that was read; a key that is wanted is made first, by an event of its own. So a kill
//! at any moment leaves states that were decided as a whole. It also has the zone
//! published again before signatures come near their end, and says so when that does
//! not happen. What fails is logged once and tried again at the next look.

mod offline;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::machine::{self, Publishes, Step};
use super::parent;
use super::status::{KeysState, ZoneStatus};
use super::vault::{Vault, VaultError};
use crate::background::Background;
use crate::registry::command::keys::{Extent, KeysResign, KeysStep, ZoneKeys, load, signed_zones};
use crate::registry::command::{Actor, Command, CommandError, KeysCommand, Request};
use crate::registry::types::AnyName;
use crate::registry::{self, Database, Location, RegistryError, Timestamp};

/// Keys made in a row for one zone: more would be a defect of the machine.
const MADE_MAX: usize = 8;
/// Longest wait for the thread at the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
const SECOND: i64 = 1_000_000;

/// What is served, as far as it concerns one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// The event up to which everything is served; 0 while it is not known.
    pub everything: u64,
    /// Event and serial of the zone, if it is served.
    pub zone: Option<(u64, u32)>,
}

impl Served {
    /// Whether a zone is served as some event left it. `newest` is the registry's newest
    /// event and the zone's serial now. One zone that is refused does not hold up others.
    fn has(&self, event: u64, newest: (u64, u32)) -> bool {
        let (last, serial) = newest;
        let zone = self.zone.is_some_and(|(at, served)| {
            // What is later than the registry is of another one, or of before a restore.
            let is_ours = at <= last && serial.wrapping_sub(served).cast_signed() >= 0;
            is_ours && (served == serial || at >= event)
        });
        zone || self.everything >= event
    }
}

/// What a keeper works with.
pub struct Settings {
    /// The registry.
    pub location: Location,
    /// Private keys.
    pub vault: Arc<Vault>,
    /// How often it looks.
    pub interval: Duration,
    /// How often a parent is asked.
    pub parent_interval: Duration,
    /// Microseconds since 1970.
    pub clock: Box<dyn Fn() -> i64 + Send>,
    /// What is served.
    pub served: Box<dyn Fn(&AnyName) -> Served + Send>,
    /// Wakes whoever publishes.
    pub wake: Box<dyn Fn() + Send>,
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{0} keys were made and more are wanted; please report it")]
    Endless(usize),
}

/// The running keeper; dropped, it stops.
#[derive(Debug)]
pub struct Keeper {
    /// Dropped before the thread, which it tells to end.
    _stop: SyncSender<()>,
    _thread: Background,
    state: Arc<KeysState>,
}

impl Keeper {
    /// Starts the thread.
    pub fn spawn(settings: Settings) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = sync_channel(1);
        let state = Arc::new(KeysState::default());
        let work = Work::new(settings, runtime, Arc::clone(&state));
        let thread = Background::spawn("keeper", STOP_TIMEOUT, move || work.run(&stopped))?;
        Ok(Self {
            _stop: stop,
            _thread: thread,
            state,
        })
    }

    /// What can be seen of it.
    pub fn state(&self) -> Arc<KeysState> {
        Arc::clone(&self.state)
    }
}

/// What is remembered of a zone between looks; all of it can be found out anew.
#[derive(Debug, Default)]
struct Remembered {
    revision: i64,
    /// When there is something to do by time alone.
    next: Option<Timestamp>,
    /// An event that has to be served before the last step counts as served.
    awaits: Option<u64>,
    /// When the parent was asked last.
    asked_at: Option<Timestamp>,
    is_parent_awaited: bool,
    /// The last time that every signature was looked at, as it is served.
    refreshed_at: Option<Timestamp>,
    /// The same, committed at this event and not known to be served.
    refreshing: Option<(u64, Timestamp)>,
    /// How loud the last alarm was.
    alarm: u8,
    /// The same of signatures that were made ahead.
    ahead_alarm: u8,
    /// Whether a step waits for signatures of another machine.
    is_held: bool,
    /// The algorithm of a key that another machine has to make.
    lacks_algorithm: Option<u8>,
}

struct Work {
    settings: Settings,
    runtime: Runtime,
    state: Arc<KeysState>,
    zones: BTreeMap<AnyName, Remembered>,
    last_error: String,
}

impl Work {
    fn new(settings: Settings, runtime: Runtime, state: Arc<KeysState>) -> Self {
        Self {
            settings,
            runtime,
            state,
            zones: BTreeMap::new(),
            last_error: String::new(),
        }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            match stopped.recv_timeout(self.settings.interval) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
            // A defect here must not end what keeps signatures alive.
            let look = std::panic::AssertUnwindSafe(|| self.look());
            let outcome = std::panic::catch_unwind(look);
            let error = match outcome {
                Ok(Ok(())) => String::new(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "panic in the keeper of keys, see the log; please report it".to_owned(),
            };
            if !error.is_empty() && error != self.last_error {
                tracing::error!(error, "keys not looked after");
            }
            self.last_error = error;
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp((self.settings.clock)())
    }

    /// Looks at every zone that may have something to do.
    fn look(&mut self) -> Result<(), LookError> {
        let location = self.settings.location.clone();
        // A connection for each look: a file that was replaced is not read for ever.
        let mut database = self.block(async { Database::open(&location).await })?;
        let zones = self.block(signed_zones(&mut database))?;
        self.zones
            .retain(|apex, _| zones.iter().any(|(zone, _)| zone == apex));
        let mut first_error = None;
        for (apex, revision) in zones {
            if !self.is_due(&mut database, &apex, revision)? {
                continue;
            }
            // One zone's trouble is not another's.
            if let Err(error) = self.look_at(&mut database, &apex) {
                tracing::debug!(zone = %apex, %error, "zone not looked at");
                first_error.get_or_insert(error);
            }
        }
        self.state.keep_only(self.zones.keys());
        first_error.map_or(Ok(()), Err)
    }

    fn block<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn is_due(
        &mut self,
        database: &mut Database,
        apex: &AnyName,
        revision: i64,
    ) -> Result<bool, LookError> {
        let now = self.now();
        let parent_interval = self.settings.parent_interval;
        let zone = self.zones.entry(apex.clone()).or_default();
        let awaited = [zone.awaits, zone.refreshing.map(|(event, _)| event)];
        let awaited = awaited.into_iter().flatten().min();
        let is_parent_due = zone.is_parent_awaited
            && zone
                .asked_at
                .is_none_or(|at| is_over(at, parent_interval, now));
        let by_itself =
            zone.revision != revision || zone.next.is_some_and(|next| next <= now) || is_parent_due;
        Ok(match awaited {
            _ if by_itself => true,
            Some(event) => self.is_served(database, apex, event)?,
            None => false,
        })
    }

    fn is_served(
        &self,
        database: &mut Database,
        apex: &AnyName,
        event: u64,
    ) -> Result<bool, LookError> {
        let newest = self.block(registry::zone_version(database, apex))?;
        let served = (self.settings.served)(apex);
        Ok(newest.is_some_and(|newest| served.has(event, newest)))
    }

    fn look_at(&mut self, database: &mut Database, apex: &AnyName) -> Result<(), LookError> {
        for _ in 0..MADE_MAX {
            let Some(mut keys) = self.block(load(database, apex))? else {
                return Ok(());
            };
            let Some(newest) = self.block(registry::zone_version(database, apex))? else {
                return Ok(());
            };
            let event = newest.0;
            let before = keys.timeline.clone();
            self.note_served(&mut keys, newest);
            self.ask_parent(&mut keys);
            let now = self.now();
            let step = machine::advance(&keys.timeline, &keys.policy, now);
            let mut is_more = false;
            for new in &step.wants {
                is_more |= self.supply(database, &keys, new)?;
            }
            if is_more {
                continue;
            }
            let step = self.hold_unsigned(database, &keys, step)?;
            let is_change = step.timeline != before || !step.gone.is_empty();
            let event = if is_change {
                self.write(database, &keys, &step)?
            } else {
                event
            };
            self.remember(apex, &keys, &step, is_change, event);
            self.resign(database, apex, &keys)?;
            return Ok(());
        }
        Err(LookError::Endless(MADE_MAX))
    }

    /// What was changed counts as published when the event after it is served.
    fn note_served(&mut self, keys: &mut ZoneKeys, newest: (u64, u32)) {
        let (served, now) = ((self.settings.served)(&keys.apex), self.now());
        let event = newest.0;
        let has = |event| served.has(event, newest);
        let zone = self.zones.entry(keys.apex.clone()).or_default();
        if zone.revision == 0 {
            // After a start: what was known to be served is in the registry.
            zone.refreshed_at = zone.refreshed_at.or(keys.refreshed_at);
            zone.refreshing = zone.refreshing.or(Some((event, keys.resigned_at)));
        }
        let passed = zone.refreshing.filter(|(awaited, _)| has(*awaited));
        if has(event) {
            zone.refreshed_at = Some(keys.resigned_at);
            zone.refreshing = None;
        } else if let Some((_, at)) = passed {
            zone.refreshed_at = Some(at);
            zone.refreshing = None;
        }
        if keys.timeline.unserved_since.is_some() {
            let awaited = *zone.awaits.get_or_insert(event);
            if has(awaited) {
                zone.awaits = None;
                keys.timeline.confirm_served(now);
            }
        } else {
            zone.awaits = None;
        }
    }

    fn ask_parent(&mut self, keys: &mut ZoneKeys) {
        let now = self.now();
        let interval = self.settings.parent_interval;
        let is_awaited = parent::is_awaited(&keys.timeline);
        let zone = self.zones.entry(keys.apex.clone()).or_default();
        zone.is_parent_awaited = is_awaited && !keys.policy.parent_servers.is_empty();
        let is_due = zone.asked_at.is_none_or(|at| is_over(at, interval, now));
        if !zone.is_parent_awaited || !is_due {
            return;
        }
        zone.asked_at = Some(now);
        match self.runtime.block_on(parent::ask(keys)) {
            Ok(present) => {
                if keys.timeline.confirm_ds(&present, now) {
                    tracing::info!(zone = %keys.apex, ?present, "DS set of the parent changed");
                }
            }
            Err(error) => tracing::warn!(zone = %keys.apex, %error, "parent not asked"),
        }
    }

    fn write(
        &mut self,
        database: &mut Database,
        keys: &ZoneKeys,
        step: &Step,
    ) -> Result<u64, LookError> {
        let mut timeline = step.timeline.clone();
        timeline.keys.retain(|key| !step.gone.contains(&key.id));
        let command = KeysCommand::Step(Box::new(KeysStep {
            apex: keys.apex.clone(),
            revision: keys.revision,
            timeline,
            remove: step.gone.clone(),
            extent: match step.publishes {
                Publishes::Nothing => Extent::Nothing,
                Publishes::Apex => Extent::Apex,
                Publishes::Zone => Extent::Zone,
            },
        }));
        let event = self.submit(database, command)?;
        tracing::info!(zone = %keys.apex, event, publishes = ?step.publishes, "keys moved on");
        Ok(event)
    }

    fn submit(&self, database: &mut Database, command: KeysCommand) -> Result<u64, LookError> {
        let request = Request {
            actor: Actor::system("keeper"),
            at: self.now(),
            lab: false,
            command: Command::Keys(command),
        };
        let outcome = self.block(Box::pin(database.execute(&request)))?;
        (self.settings.wake)();
        Ok(u64::try_from(outcome.event().unwrap_or_default()).unwrap_or_default())
    }

    fn remember(
        &mut self,
        apex: &AnyName,
        keys: &ZoneKeys,
        step: &Step,
        is_change: bool,
        event: u64,
    ) {
        let now = self.now();
        let zone = self.zones.entry(apex.clone()).or_default();
        zone.revision = keys.revision + i64::from(is_change);
        zone.next = step.next;
        zone.is_parent_awaited = !step.parent.is_empty() && !keys.policy.parent_servers.is_empty();
        if step.publishes != Publishes::Nothing {
            zone.awaits = Some(event);
        }
        if step.publishes == Publishes::Zone {
            zone.refreshing = Some((event, now));
        }
        let status = ZoneStatus::new(keys, step);
        self.state.set(apex.clone(), status);
    }

    /// Has the zone published again when it is time, and raises the alarm when what is
    /// served gets old.
    fn resign(
        &mut self,
        database: &mut Database,
        apex: &AnyName,
        keys: &ZoneKeys,
    ) -> Result<(), LookError> {
        let now = self.now();
        if keys.timeline.keys.is_empty() {
            return Ok(());
        }
        let interval = i64::from(keys.policy.resign_interval_seconds()) * SECOND;
        let zone = self.zones.entry(apex.clone()).or_default();
        let last = zone.refreshing.map(|(_, at)| at).or(zone.refreshed_at);
        let last = last.map_or(keys.resigned_at, |at| at.max(keys.resigned_at));
        let mut due = Timestamp(last.0 + interval);
        if due <= now {
            let resign = KeysResign {
                apex: apex.clone(),
                refreshed_at: zone.refreshed_at,
            };
            let event = self.submit(database, KeysCommand::Resign(resign))?;
            let zone = self.zones.entry(apex.clone()).or_default();
            // One that is older and not served yet says more about what is.
            zone.refreshing.get_or_insert((event, now));
            due = Timestamp(now.0 + interval);
        }
        let zone = self.zones.entry(apex.clone()).or_default();
        zone.next = Some(zone.next.map_or(due, |next| next.min(due)));
        let refreshed = zone.refreshed_at.unwrap_or(keys.resigned_at);
        let refresh = i64::from(keys.policy.signature_refresh);
        let left = (refreshed.0 - now.0) / SECOND + refresh;
        self.state.expire(apex, left);
        let alarm = match left {
            left if left > refresh / 2 => 0,
            left if left > refresh / 4 => 1,
            _ => 2,
        };
        if alarm > zone.alarm {
            tracing::error!(
                zone = %apex, seconds_left = left,
                "signatures come near their end and are not replaced; see why the zone is not published"
            );
        }
        zone.alarm = alarm;
        Ok(())
    }
}

fn is_over(since: Timestamp, interval: Duration, now: Timestamp) -> bool {
    u128::try_from(now.0.saturating_sub(since.0)).is_ok_and(|passed| passed >= interval.as_micros())
}

#[cfg(test)]
mod tests;
