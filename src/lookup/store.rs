//! Connections that read: few, each lent for one answer.
//!
//! Whoever wants one waits for a place, so that no number of questions makes the registry
//! do more at once. A connection whose read failed or was given up is not lent again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::registry::lookup::Reader;
use crate::registry::{Location, RegistryError};

#[derive(Debug)]
pub(super) struct Store {
    location: Location,
    idle: Mutex<Vec<Reader>>,
    places: Semaphore,
}

/// A place to read; dropping it gives it back.
pub(super) struct Lease<'s> {
    store: &'s Store,
    _place: Option<SemaphorePermit<'s>>,
}

impl Store {
    pub(super) fn new(location: Location, readers: usize) -> Self {
        Self {
            location,
            idle: Mutex::default(),
            places: Semaphore::new(readers),
        }
    }

    /// Waits for a place.
    pub(super) async fn lease(&self) -> Lease<'_> {
        // The places are never closed.
        let place = self.places.acquire().await.ok();
        Lease {
            store: self,
            _place: place,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        // The list is whole at every moment.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// A connection that was kept.
    pub(super) fn kept(&self) -> Option<Reader> {
        self.store.idle().pop()
    }

    /// A new one.
    pub(super) async fn connect(&self) -> Result<Reader, RegistryError> {
        Reader::open(&self.store.location).await
    }

    /// For the next; there are never more than places.
    pub(super) fn keep(&self, reader: Reader) {
        self.store.idle().push(reader);
    }
}

#[cfg(test)]
impl Store {
    /// Ends the connections that are kept, as a server that was restarted does.
    pub(super) async fn break_kept(&self) {
        let kept = std::mem::take(&mut *self.idle());
        for mut reader in kept {
            crate::registry::lookup::break_connection(&mut reader).await;
            self.idle().push(reader);
        }
    }
}
