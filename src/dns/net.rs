//! The network side of the data plane: sockets, UDP workers, TCP, TLS.
//!
//! Moves messages between the kernel and the engine and keeps every limit that
//! an attacker could press on. Knows nothing of what a message says, but for
//! the reply to a message that made the engine panic.

pub mod bind;
pub mod failure;
mod sys;
pub mod tcp;
pub mod tls;
pub mod udp;

use zone_image::Generation;

use crate::dns::engine::{Action, Engine, Job, Names, Request};

pub use sys::Wake;
#[cfg(test)]
pub(crate) use sys::pin_current_thread;

/// Nice value of whoever prepares what the workers serve: about a tenth of a
/// worker's share of a CPU that both want, and all of one that is free.
const PREPARING_NICE: i32 = 10;

/// Seconds since 1970. The data plane reads no clock of its own.
pub type Clock = fn() -> u64;

/// What a worker asks for answers. A trait so that tests can put an engine in
/// that panics; the workers are compiled for the one engine there is.
pub trait Answer: Clone + Send + Sync + 'static {
    /// See [`Engine::answer`].
    fn answer(&self, generation: &Generation, request: &Request<'_>, out: &mut [u8]) -> Action;

    /// See [`Engine::answer_batch`].
    fn answer_batch(
        &self,
        generation: &Generation,
        _names: &mut Names,
        jobs: &mut [Option<Job<'_>>],
    ) {
        for job in jobs.iter_mut().flatten() {
            job.action = self.answer(generation, &job.request, job.out);
        }
    }
}

impl Answer for Engine {
    #[inline]
    fn answer(&self, generation: &Generation, request: &Request<'_>, out: &mut [u8]) -> Action {
        Self::answer(self, generation, request, out)
    }

    #[inline]
    fn answer_batch(
        &self,
        generation: &Generation,
        names: &mut Names,
        jobs: &mut [Option<Job<'_>>],
    ) {
        Self::answer_batch(self, generation, names, jobs);
    }
}

/// Raises this process's limit of open files as far as it may; gives the limit.
pub fn raise_open_files() -> std::io::Result<u64> {
    sys::raise_open_files()
}

/// The CPUs that workers can be pinned to.
pub fn allowed_cpus() -> Vec<usize> {
    sys::allowed_cpus()
}

/// Makes the calling thread, and those it starts from now on, give way to the workers:
/// a compile or a verification may take longer, an answer may not.
pub fn yield_to_workers() {
    // Without it service is as right, only less even.
    if let Err(error) = sys::lower_priority(PREPARING_NICE) {
        tracing::debug!(%error, "priority not lowered");
    }
}
