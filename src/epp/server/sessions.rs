//! The open connections as an operator sees them, and how one is ended from outside.
//!
//! There are as many entries as connections past their handshake. Whoever ends one waits for
//! nothing: the session answers the command that is under way and closes. Nothing of what
//! was said is kept but the name of the last command.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::registry::Timestamp;
use crate::registry::types::Handle;

/// All of them.
#[derive(Debug, Default)]
pub struct Sessions {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    seen: Seen,
    end: watch::Sender<bool>,
}

/// A connection as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number, which no other connection of this run of the server has.
    pub id: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// When its handshake was done.
    pub connected_at: Timestamp,
    /// The registrar that is logged in.
    pub registrar: Option<Handle>,
    /// Since when.
    pub logged_in_at: Option<Timestamp>,
    /// Frames that it said.
    pub commands: u64,
    /// What the last of them was, by its name in measures.
    pub last_command: Option<&'static str>,
    /// When.
    pub last_at: Option<Timestamp>,
}

/// An open connection; dropping it takes it from the list.
#[derive(Debug)]
pub(super) struct Listed {
    sessions: Arc<Sessions>,
    id: u64,
    ended: watch::Receiver<bool>,
}

impl Sessions {
    /// Lists a connection.
    pub(super) fn open(this: &Arc<Self>, peer: SocketAddr, at: Timestamp) -> Listed {
        let (end, ended) = watch::channel(false);
        let mut table = this.lock();
        table.last += 1;
        let id = table.last;
        let seen = Seen {
            id,
            peer,
            connected_at: at,
            registrar: None,
            logged_in_at: None,
            commands: 0,
            last_command: None,
            last_at: None,
        };
        table.open.insert(id, Entry { seen, end });
        drop(table);
        Listed {
            sessions: Arc::clone(this),
            id,
            ended,
        }
    }

    /// All of them, the oldest first.
    pub fn list(&self) -> Vec<Seen> {
        let table = self.lock();
        table
            .open
            .values()
            .map(|entry| entry.seen.clone())
            .collect()
    }

    /// Has a session end; it as it was, or nothing where there is none of this number.
    pub fn end(&self, id: u64) -> Option<Seen> {
        let table = self.lock();
        let entry = table.open.get(&id)?;
        entry.end.send_replace(true);
        Some(entry.seen.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in here panics between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    /// Notes a frame.
    pub(super) fn said(&self, command: &'static str, at: Timestamp) {
        self.change(|seen| {
            seen.commands += 1;
            seen.last_command = Some(command);
            seen.last_at = Some(at);
        });
    }

    /// Notes who it is.
    pub(super) fn logged_in(&self, registrar: &Handle, at: Timestamp) {
        self.change(|seen| {
            seen.registrar = Some(registrar.clone());
            seen.logged_in_at = Some(at);
        });
    }

    /// Whether it is to end.
    pub(super) fn is_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Changes when it is to end.
    pub(super) fn ended(&self) -> watch::Receiver<bool> {
        self.ended.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        if let Some(entry) = self.sessions.lock().open.get_mut(&self.id) {
            change(&mut entry.seen);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.sessions.lock().open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
