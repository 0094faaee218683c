//! What can be seen of distribution: on a primary what was put out, on an edge what was
//! taken, and on both what is in the way. A fault is logged once, however often it is met.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::manifest::Counter;

/// What can be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// A store or the primary does not answer.
    Store,
    /// The manifest is forged, rolled back, expired, or none.
    Manifest,
    /// Octets of a segment are not those of its digest.
    Segment,
    /// Our own disk.
    Disk,
    /// The image is whole and was refused by the verifier or by canary queries.
    Image,
    /// Another primary has taken over.
    Deposed,
}

/// Every trouble with its name in metrics.
pub const TROUBLES: [(Trouble, &str); 6] = [
    (Trouble::Store, "store"),
    (Trouble::Manifest, "manifest"),
    (Trouble::Segment, "segment"),
    (Trouble::Disk, "disk"),
    (Trouble::Image, "image"),
    (Trouble::Deposed, "deposed"),
];

/// One that was met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Of which kind.
    pub trouble: Trouble,
    /// What, and the way out.
    pub text: String,
    /// The source that it was met at, where there are several.
    origin: Option<String>,
}

impl Failure {
    pub(super) fn new(trouble: Trouble, text: impl std::fmt::Display) -> Self {
        Self {
            trouble,
            text: text.to_string(),
            origin: None,
        }
    }

    pub(super) fn of(self, origin: &impl std::fmt::Display) -> Self {
        Self {
            origin: Some(origin.to_string()),
            ..self
        }
    }

    /// Whether this is that one once more: texts have times and numbers of tries in them.
    fn is_again(&self, before: &Self) -> bool {
        self.trouble == before.trouble && self.origin == before.origin
    }
}

/// For `meridian status`. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DistributionStatus {
    /// The last manifest that was put out, or installed.
    pub done: Option<Counter>,
    /// The newest good manifest that is known.
    pub newest: Option<Counter>,
    /// Since when something newer is known than is done.
    pub behind_since: Option<u64>,
    /// Until when what is served may be installed elsewhere.
    pub expires_at: Option<u64>,
    /// Octets sent or fetched since the start.
    pub bytes: u64,
    /// Faults since the start.
    pub failures: u64,
    /// What is in the way now.
    pub failure: Option<String>,
}

/// Shared with whoever asks.
#[derive(Debug, Default)]
pub struct State {
    inner: Mutex<Inner>,
    failures: [AtomicU64; TROUBLES.len()],
    bytes: AtomicU64,
    manifests: AtomicU64,
    packs: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    done: Option<Counter>,
    newest: Option<Counter>,
    behind_since: Option<u64>,
    expires_at: Option<u64>,
    failure: Option<Failure>,
}

impl State {
    /// A manifest is good and newer than what is done.
    pub(super) fn knows(&self, counter: Counter, now: u64) {
        let mut inner = self.lock();
        inner.newest = inner.newest.max(Some(counter));
        if inner.newest > inner.done && inner.behind_since.is_none() {
            inner.behind_since = Some(now);
        }
    }

    /// It was put out, or installed.
    pub(super) fn did(&self, counter: Counter, expires_at_microseconds: u64) {
        let mut inner = self.lock();
        inner.done = Some(counter);
        inner.newest = inner.newest.max(Some(counter));
        inner.expires_at = Some(expires_at_microseconds / 1_000_000);
        if inner.newest == inner.done {
            inner.behind_since = None;
        }
    }

    /// Counts and keeps a fault, and logs it where it is another one than before.
    pub(super) fn fail(&self, failure: Failure) {
        let text = failure.text.clone();
        if self.note(failure) {
            tracing::error!(error = text, "distribution: what is served stays");
        }
    }

    /// Says whether it is another one than before.
    fn note(&self, failure: Failure) -> bool {
        self.failures[failure.trouble as usize].fetch_add(1, Ordering::Relaxed);
        let before = self.lock().failure.replace(failure.clone());
        before.is_none_or(|before| !failure.is_again(&before))
    }

    /// All is well.
    pub(super) fn recover(&self) {
        if let Some(failure) = self.lock().failure.take() {
            tracing::info!(after = failure.text, "distribution goes on");
        }
    }

    pub(super) fn count_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_manifest(&self) {
        self.manifests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_pack(&self) {
        self.packs.fetch_add(1, Ordering::Relaxed);
    }

    /// Octets sent or fetched.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Manifests put out, or installed.
    pub fn manifests(&self) -> u64 {
        self.manifests.load(Ordering::Relaxed)
    }

    /// Packs put out, or segments fetched.
    pub fn packs(&self) -> u64 {
        self.packs.load(Ordering::Relaxed)
    }

    /// Faults since the start, in the order of [`TROUBLES`].
    pub fn failures(&self) -> [u64; TROUBLES.len()] {
        let counts = self.failures.each_ref();
        counts.map(|count| count.load(Ordering::Relaxed))
    }

    /// What is in the way now.
    pub fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    /// As it is now.
    pub fn status(&self) -> DistributionStatus {
        let inner = self.lock();
        DistributionStatus {
            done: inner.done,
            newest: inner.newest,
            behind_since: inner.behind_since,
            expires_at: inner.expires_at,
            bytes: self.bytes(),
            failures: self.failures().iter().sum(),
            failure: inner.failure.as_ref().map(|failure| failure.text.clone()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What it holds is whole at every moment.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
