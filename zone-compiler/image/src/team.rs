//! Work that is shared out over the cores while an image is opened.
//!
//! Each item is done by whichever thread is free; what comes out stands in the order of
//! the items, and of several faults that of the lowest item counts. So nothing that a
//! caller sees depends on how many threads there were. Threads have the priority of
//! whoever opens the image. Never takes more of them than the process may use cores.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Most threads, however many cores there are: all wait for the same memory.
const THREADS_MAX: usize = 32;
/// Names of a zone that one thread walks faster than several share out.
const NAMES_ALONE_MAX: u64 = 16_384;

/// How many threads may work at once, and on how little one works alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Team {
    threads: usize,
    /// Zones of no more names are walked by one thread.
    pub(crate) names_alone_max: u64,
}

/// What one thread did.
struct Own<S, T, E> {
    state: S,
    done: Vec<(usize, T)>,
    fault: Option<(usize, E)>,
}

impl Team {
    /// The caller does everything.
    pub(crate) const ALONE: Self = Self {
        threads: 1,
        names_alone_max: u64::MAX,
    };

    /// A thread for each core that this process may use.
    pub(crate) fn of_machine() -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            threads: threads.min(THREADS_MAX),
            names_alone_max: NAMES_ALONE_MAX,
        }
    }

    /// So many threads for the smallest of zones.
    #[cfg(test)]
    pub(crate) const fn of(threads: usize) -> Self {
        Self {
            threads,
            names_alone_max: 0,
        }
    }

    pub(crate) fn is_alone(self) -> bool {
        self.threads < 2
    }

    /// Does `work` for the items 0 to `count` - 1; gives what came of them, in order, and
    /// what `begin` made for each thread. The fault is that of the first item that has
    /// one; items behind it may not have been looked at.
    pub(crate) fn share_out<S: Send, T: Send, E: Send>(
        self,
        count: usize,
        begin: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
    ) -> Result<(Vec<T>, Vec<S>), E> {
        let (next, lowest_fault) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let run = || {
            let mut own = Own {
                state: begin(),
                done: Vec::new(),
                fault: None,
            };
            loop {
                let item = next.fetch_add(1, Ordering::Relaxed);
                // The lowest fault only moves down, so each item before it is done.
                if item >= count || item > lowest_fault.load(Ordering::Relaxed) {
                    return own;
                }
                match work(&mut own.state, item) {
                    Ok(found) => own.done.push((item, found)),
                    Err(fault) => {
                        lowest_fault.fetch_min(item, Ordering::Relaxed);
                        own.fault = Some((item, fault));
                        return own;
                    }
                }
            }
        };
        let mut owns = thread::scope(|scope| {
            // Where the system gives no thread, those that there are do its part.
            let helpers: Vec<_> = (1..self.threads.min(count))
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, run).ok())
                .collect();
            let mut owns = vec![run()];
            for helper in helpers {
                owns.push(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            owns
        });
        let faults = owns.iter_mut().filter_map(|own| own.fault.take());
        if let Some((_, fault)) = faults.min_by_key(|(item, _)| *item) {
            return Err(fault);
        }
        let (mut done, mut states) = (Vec::with_capacity(count), Vec::new());
        for own in owns {
            done.extend(own.done);
            states.push(own.state);
        }
        done.sort_unstable_by_key(|(item, _)| *item);
        Ok((done.into_iter().map(|(_, found)| found).collect(), states))
    }
}

#[cfg(test)]
mod tests;
