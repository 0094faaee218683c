//! The one task that writes: commands queue, a group of them is one commit.
//!
//! A commit costs a sync of the disk whatever is in it, so all commands that wait
//! go into one transaction, each in a savepoint of its own: one that is refused
//! leaves no trace in the others. Nobody hears of success before the commit.
//! Event numbers are given out here, in the order of commits.
//!
//! What ends the task: being deposed, and the last [`Writer`] going away. What does
//! not: a lost connection, a full disk, a lock. Then the group is answered with
//! the fault, and the next group connects anew.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::command::{CommandError, Outcome, Request, change};
use super::database::{Database, Location};
use super::error::RegistryError;
use super::lease::{self, LOOK, Lease, RENEWAL, Taken};

/// Commands that wait; more wait to be queued.
const QUEUE_MAX: usize = 1024;
/// Commands of one commit: bounds how long the first of a group waits.
const GROUP_MAX: usize = 256;

/// What happens where another process writes already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standby {
    /// Refuse.
    Refuse,
    /// Wait until it is gone, and take over.
    Wait,
}

/// A way into the queue of the task that writes. Clones share it.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    request: Request,
    reply: oneshot::Sender<Result<Outcome, CommandError>>,
}

impl Writer {
    /// Takes the registry for writing, at a raised epoch, and starts the task. Its
    /// handle ends with why it ended.
    pub async fn start(
        location: &Location,
        holder: &str,
        standby: Standby,
    ) -> Result<(Self, JoinHandle<Result<(), RegistryError>>), RegistryError> {
        let mut database = Database::open(location).await?;
        let lease = wait_for_lease(&mut database, holder, standby).await?;
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let task = Task {
            database,
            lease,
            jobs,
            is_connected: true,
        };
        let task = tokio::spawn(Box::pin(task.run()));
        Ok((Self { queue }, task))
    }

    /// Queues a request and waits until it is durable, or refused.
    ///
    /// The caller may give up waiting; the change is made all the same.
    pub async fn submit(&self, request: Request) -> Result<Outcome, CommandError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { request, reply };
        if self.queue.send(job).await.is_err() {
            return Err(RegistryError::WriterEnded.into());
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(RegistryError::WriterEnded.into()),
        }
    }
}

async fn wait_for_lease(
    database: &mut Database,
    holder: &str,
    standby: Standby,
) -> Result<Lease, RegistryError> {
    let mut is_told = false;
    loop {
        let held = match lease::take(database, holder).await {
            Ok(Taken::Ours(lease)) => {
                let epoch = database.epoch();
                tracing::info!(epoch, "registry taken for writing");
                return Ok(lease);
            }
            Ok(Taken::Held { holder }) => holder,
            Err(error) if standby == Standby::Refuse => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "waiting for the registry");
                // Without a connection the next look says the same; with one it is kept.
                let _ = database.reconnect().await;
                "nobody known".to_owned()
            }
        };
        if standby == Standby::Refuse {
            let place = database.place().to_owned();
            let holder = held;
            return Err(RegistryError::Held { place, holder });
        }
        if !is_told {
            tracing::info!(holder = held, "standing by");
            is_told = true;
        }
        tokio::time::sleep(LOOK).await;
    }
}

struct Task {
    database: Database,
    /// Held until the task ends.
    lease: Lease,
    jobs: mpsc::Receiver<Job>,
    is_connected: bool,
}

impl Task {
    async fn run(mut self) -> Result<(), RegistryError> {
        let mut group = Vec::with_capacity(GROUP_MAX);
        let mut renewal = Instant::now() + RENEWAL;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(renewal) => {
                    self.renew().await?;
                    renewal = Instant::now() + RENEWAL;
                }
                received = self.jobs.recv_many(&mut group, GROUP_MAX) => {
                    if received == 0 {
                        drop(self.lease);
                        return Ok(());
                    }
                    self.serve(&mut group).await?;
                }
            }
        }
    }

    /// Only being deposed ends the task; what else fails may work the next time.
    async fn renew(&mut self) -> Result<(), RegistryError> {
        // To connect is to renew. Deposed while the connection was lost is deposed: a
        // writer without commands hears it here or never.
        let renewed = if self.is_connected {
            lease::renew(&mut self.database).await
        } else {
            self.connect().await
        };
        match renewed {
            Err(error @ RegistryError::Deposed { .. }) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "cannot renew the lease");
                self.is_connected = false;
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn connect(&mut self) -> Result<(), RegistryError> {
        self.database.reconnect().await?;
        lease::retake(&mut self.database).await?;
        self.is_connected = true;
        Ok(())
    }

    /// Writes a group, commits it, answers it.
    async fn serve(&mut self, group: &mut Vec<Job>) -> Result<(), RegistryError> {
        if !self.is_connected
            && let Err(error) = self.connect().await
        {
            return refuse(group, error);
        }
        match self.write(group).await {
            Ok(answers) => {
                for (job, answer) in group.drain(..).zip(answers) {
                    // Who has gone need not know.
                    let _ = job.reply.send(answer);
                }
                Ok(())
            }
            Err(error) => {
                // A connection that had a fault is not trusted with another transaction.
                self.is_connected = false;
                tracing::error!(%error, commands = group.len(), "commands not written");
                refuse(group, error)
            }
        }
    }

    async fn write(
        &mut self,
        group: &[Job],
    ) -> Result<Vec<Result<Outcome, CommandError>>, RegistryError> {
        let mut answers = Vec::with_capacity(group.len());
        let mut write = self.database.write().await?;
        for job in group {
            let savepoint = write.savepoint().await?;
            let answer = change_or_refuse(&mut write, &job.request).await;
            match &answer {
                Ok(_) => {}
                Err(CommandError::Rejected(_)) => write.undo(savepoint).await?,
                // What only this command met is its own; a connection that is lost and a
                // transaction that the engine ended are everybody's.
                Err(CommandError::Failed(error)) => {
                    if write.undo(savepoint).await.is_err() {
                        return Err(RegistryError::Group(error.clone()));
                    }
                }
            }
            answers.push(answer);
        }
        let has_changes = answers.iter().any(Result::is_ok);
        if has_changes {
            write.commit().await?;
            if group.iter().any(|job| job.request.command.is_erasure()) {
                self.database.forget_or_say().await;
            }
        }
        Ok(answers)
    }
}

async fn change_or_refuse(
    write: &mut super::database::Write<'_>,
    request: &Request,
) -> Result<Outcome, CommandError> {
    if request.command.is_read() {
        return Err(RegistryError::NotAWrite.into());
    }
    Box::pin(change(write, request)).await
}

/// Answers a whole group with one fault. Being deposed is final.
fn refuse(group: &mut Vec<Job>, error: RegistryError) -> Result<(), RegistryError> {
    let error = Arc::new(error);
    for job in group.drain(..) {
        let _ = job.reply.send(Err(CommandError::Failed(error.clone())));
    }
    match &*error {
        RegistryError::Deposed { .. } => Err(RegistryError::Group(error)),
        _ => Ok(()),
    }
}

/// A holder renews several times before its lease could be taken.
const _: () = assert!(RENEWAL.as_millis() * 3 <= lease::LEASE.as_millis());

#[cfg(test)]
mod tests;
