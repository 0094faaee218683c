//! Which generation transfers come from, and what changed until then.
//!
//! A thread follows what is served. It writes the changes of each zone to the journal and
//! then moves on, so that whatever a client gets - a whole zone, or changes - ends at a
//! serial from which the journal leads on. Secondaries are told after that. It gives way to
//! the workers and holds one generation that is served no more.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use zone_image::{Generation, Name, Zone, changed_zones};

use super::access::Access;
use super::difference::{self, TooLarge};
use super::journal::{Journal, Limits};
use super::notify::Notifier;
use super::outgoing::is_newer;
use crate::dns::generations::Generations;
use crate::dns::net::{Clock, yield_to_workers};

/// How often it is looked whether another generation is served.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The generation that transfers come from, and the journal that leads to it.
pub struct History {
    generations: Arc<Generations>,
    head: Mutex<Arc<Generation>>,
    journal: Option<Mutex<Journal>>,
    limits: Limits,
}

impl History {
    /// From what is served now on, with a journal in a directory or without one.
    pub fn open(
        generations: Arc<Generations>,
        journal: Option<(&Path, Limits)>,
    ) -> io::Result<Self> {
        let head = generations.current();
        let opened = journal.map(|(directory, limits)| {
            let mut journal = Journal::open(directory, limits)?;
            for apex in journal.apexes() {
                match head.zone(apex.as_wire()) {
                    Some(zone) => journal.begin(&apex, zone.serial())?,
                    None => journal.forget(&apex)?,
                }
            }
            Ok::<_, io::Error>(Mutex::new(journal))
        });
        Ok(Self {
            generations,
            head: Mutex::new(head),
            journal: opened.transpose()?,
            limits: journal.map_or(Limits::NONE, |(_, limits)| limits),
        })
    }

    /// The generation that transfers come from.
    pub fn head(&self) -> Arc<Generation> {
        Arc::clone(&lock(&self.head))
    }

    /// The serial from which the journal has changes of a zone, and how many.
    pub fn journal_of(&self, apex: &Name) -> Option<(u32, usize)> {
        lock(self.journal.as_ref()?).extent(apex)
    }

    /// Octets of the journal.
    pub fn journal_bytes(&self) -> u64 {
        self.journal
            .as_ref()
            .map_or(0, |journal| lock(journal).bytes())
    }

    /// The files of the changes that lead from one serial of a zone to another, oldest
    /// first, and their octets.
    pub(super) fn changes(&self, apex: &Name, from: u32, to: u32) -> Option<(Vec<PathBuf>, u64)> {
        lock(self.journal.as_ref()?).path(apex, from, to)
    }

    /// Catches up with what is served; calls `told` for each zone that is newer now. Zones of
    /// parked names are ours alone: whoever has their parent's records answers for them.
    pub(super) fn look(
        &self,
        now: u64,
        told: &mut dyn FnMut(Zone<'_>),
        wanted: &dyn Fn(&Name) -> bool,
    ) {
        let (old, new) = (self.head(), self.generations.current());
        if Arc::ptr_eq(&old, &new) {
            return;
        }
        changed_zones(&old, &new, &mut |apex| {
            let Ok(name) = Name::from_wire(apex) else {
                return;
            };
            if wanted(&name)
                && own_zone(&new, apex)
                    .or_else(|| own_zone(&old, apex))
                    .is_some()
            {
                self.follow(&name, old.zone(apex), new.zone(apex), now);
            }
        });
        *lock(&self.head) = Arc::clone(&new);
        changed_zones(&old, &new, &mut |apex| {
            let before = old.zone(apex).map(|zone| zone.serial());
            if let Some(zone) = own_zone(&new, apex)
                && before.is_none_or(|before| is_newer(zone.serial(), before))
            {
                told(zone);
            }
        });
    }

    /// Writes what changed in one zone.
    fn follow(&self, apex: &Name, old: Option<Zone<'_>>, new: Option<Zone<'_>>, now: u64) {
        let Some(journal) = &self.journal else {
            return;
        };
        let kept = match (old, new) {
            (Some(old), Some(new)) if old.serial() == new.serial() => return,
            (Some(old), Some(new)) if is_newer(new.serial(), old.serial()) => {
                if lock(journal).serial(apex) == Some(new.serial()) {
                    // A zone may be told more than once.
                    return;
                }
                let bytes_max = usize::try_from(self.limits.zone_bytes_max).unwrap_or(usize::MAX);
                match difference::difference(old, new, bytes_max) {
                    Ok(difference) => lock(journal).append(apex, &difference, now),
                    Err(TooLarge) => {
                        tracing::info!(zone = %apex, "change larger than the journal, which starts anew");
                        lock(journal).forget(apex)
                    }
                }
            }
            _ => lock(journal).forget(apex),
        };
        if let Err(error) = kept {
            // Nobody may get changes that lead to something else than what is served.
            tracing::error!(zone = %apex, %error, "journal not written, it starts anew");
            let _ = lock(journal).forget(apex);
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

/// The thread that follows what is served.
#[derive(Debug)]
pub struct Keeper {
    stop: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is told once.
pub struct Settings {
    /// What it keeps.
    pub history: Arc<History>,
    /// Zones that somebody may have.
    pub access: Access,
    /// Tells secondaries, where there are any.
    pub notifier: Option<Arc<Notifier>>,
    /// The clock.
    pub clock: Clock,
}

impl Keeper {
    /// Starts the thread; secondaries are told of what is served now.
    pub fn spawn(settings: Settings) -> io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || {
                yield_to_workers();
                keep(&settings, &stopped);
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // One that is full says the same.
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(settings: &Settings, stopped: &Receiver<()>) {
    let notifier = settings.notifier.as_ref();
    let tell = |zone: Zone<'_>| {
        if let Some(notifier) = notifier {
            notifier.tell_of(zone);
        }
    };
    if notifier.is_some() {
        let head = settings.history.head();
        head.find_zone_where(&mut |zone| {
            if !head.is_child(zone) {
                tell(zone);
            }
            false
        });
    }
    while stopped.recv_timeout(LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let wanted = |apex: &Name| settings.access.names(apex);
        settings
            .history
            .look((settings.clock)(), &mut &tell, &wanted);
    }
}

/// A zone that is not one of a parked name.
fn own_zone<'g>(generation: &'g Generation, apex: &[u8]) -> Option<Zone<'g>> {
    let zone = generation.zone(apex)?;
    (!generation.is_child(zone)).then_some(zone)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A change is appended whole, or not at all.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
