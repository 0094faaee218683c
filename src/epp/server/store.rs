//! The registry behind the sessions: one that writes, some that read.
//!
//! The right to write is taken in the background and held while the server runs; until it
//! is there, and while it is lost, changes are answered with the failure and reads go on.
//! Readers are connections of their own, kept while they work; after a fault the next read
//! connects anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::net::service::{Stop, stopped};
use crate::registry::access::Access;
use crate::registry::command::domain::AskServers;
use crate::registry::types::Handle;
use crate::registry::{
    CommandError, Database, Location, Outcome, RegistryError, Request, Standby, Writer,
};

/// Reads at once.
const READERS_MAX: usize = 8;
/// Pause before the right to write is asked for again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Store {
    location: Location,
    writer: Mutex<Option<Writer>>,
    idle: Mutex<Vec<Database>>,
    readers: Semaphore,
    ask: Arc<dyn AskServers>,
}

/// The task that writes; it ends with why it ended.
pub(super) type Writing = JoinHandle<Result<(), RegistryError>>;

fn holder() -> String {
    format!("meridian serve (EPP), process {}", std::process::id())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes hold is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    pub(super) fn new(location: Location, ask: Arc<dyn AskServers>) -> Self {
        Self {
            location,
            writer: Mutex::default(),
            idle: Mutex::default(),
            readers: Semaphore::new(READERS_MAX),
            ask,
        }
    }

    /// The right to write, where nobody else has it: then changes can be made from the first
    /// session on.
    pub(super) async fn try_to_write(&self) -> Option<Writing> {
        match Writer::start(&self.location, &holder(), Standby::Refuse).await {
            Ok((writer, task)) => {
                *lock(&self.writer) = Some(writer);
                Some(task)
            }
            Err(error) => {
                tracing::warn!(%error, "EPP cannot change the registry yet");
                None
            }
        }
    }

    /// Has the right to write as far as it can be had, until the end.
    pub(super) async fn keep_writer(&self, mut held: Option<Writing>, mut end: Stop) {
        loop {
            if let Some(mut task) = held.take() {
                tokio::select! {
                    biased;
                    () = stopped(&mut end) => {
                        lock(&self.writer).take();
                        // What is queued is written; then the task gives the lease back.
                        let _ = task.await;
                        return;
                    }
                    ended = &mut task => {
                        lock(&self.writer).take();
                        tracing::error!(?ended, "EPP has lost the right to write");
                    }
                }
            }
            let started = tokio::select! {
                biased;
                () = stopped(&mut end) => return,
                started = self.wait_to_write() => started,
            };
            held = Some(started);
        }
    }

    async fn wait_to_write(&self) -> Writing {
        loop {
            match Writer::start(&self.location, &holder(), Standby::Wait).await {
                Ok((writer, task)) => {
                    *lock(&self.writer) = Some(writer);
                    return task;
                }
                Err(error) => tracing::error!(%error, "EPP cannot change the registry"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// What a registrar has to show to get in.
    pub(super) async fn access(&self, handle: &Handle) -> Result<Option<Access>, RegistryError> {
        let _permit = self.readers.acquire().await;
        let mut database = self.reader().await?;
        let access = database.access(handle).await?;
        self.keep(database);
        Ok(access)
    }

    /// Obeys a request.
    pub(super) async fn execute(&self, request: Request) -> Result<Outcome, CommandError> {
        if request.command.is_read() {
            return self.read(&request).await;
        }
        let writer = lock(&self.writer).clone();
        let writer = writer.ok_or(RegistryError::WriterEnded)?;
        if let Some(said) = self.ask.before(&request).await? {
            writer.submit(said).await?;
        }
        writer.submit(request).await
    }

    async fn read(&self, request: &Request) -> Result<Outcome, CommandError> {
        let _permit = self.readers.acquire().await;
        let mut database = self.reader().await?;
        let outcome = Box::pin(database.execute(request)).await;
        if !matches!(outcome, Err(CommandError::Failed(_))) {
            self.keep(database);
        }
        outcome
    }

    async fn reader(&self) -> Result<Database, RegistryError> {
        let idle = lock(&self.idle).pop();
        match idle {
            Some(database) => Ok(database),
            None => Database::open(&self.location).await,
        }
    }

    /// A connection that works; there are never more than permits.
    fn keep(&self, database: Database) {
        lock(&self.idle).push(database);
    }
}

#[cfg(test)]
mod tests;
