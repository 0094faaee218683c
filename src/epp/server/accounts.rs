//! What each registrar uses at the moment: its sessions, and its commands of a second.
//!
//! Only those who logged in have an entry, so there are as many as registrars.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::registry::Timestamp;
use crate::registry::types::Handle;

const SECOND_MICROSECONDS: i64 = 1_000_000;

/// All of them.
#[derive(Debug)]
pub(super) struct Accounts {
    commands_per_second_max: u32,
    table: Mutex<HashMap<Handle, Account>>,
}

#[derive(Debug)]
struct Account {
    sessions: u32,
    /// When a bucket that was full would have been emptied to where it is: commands are
    /// let through while that is less than a second ahead.
    ahead_until: i64,
}

/// A session of a registrar; dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Seat {
    accounts: Arc<Accounts>,
    pub(super) registrar: Handle,
}

impl Accounts {
    pub(super) fn new(commands_per_second_max: u32) -> Self {
        Self {
            commands_per_second_max,
            table: Mutex::default(),
        }
    }

    /// A session for a registrar that may have so many.
    pub(super) fn sit(this: &Arc<Self>, registrar: &Handle, most: u32) -> Option<Seat> {
        let mut table = this.lock();
        let account = table.entry(registrar.clone()).or_insert(Account {
            sessions: 0,
            ahead_until: 0,
        });
        if account.sessions >= most {
            return None;
        }
        account.sessions += 1;
        Some(Seat {
            accounts: Arc::clone(this),
            registrar: registrar.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Handle, Account>> {
        // Nothing in here panics between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whether one more command is within the limit.
    pub(super) fn may_say(&self, at: Timestamp) -> bool {
        let most = i64::from(self.accounts.commands_per_second_max.max(1));
        let mut table = self.accounts.lock();
        let Some(account) = table.get_mut(&self.registrar) else {
            return false;
        };
        // A clock that went back starts anew: nobody waits for hours that are over.
        let is_sane = (at.0..=at.0 + SECOND_MICROSECONDS).contains(&account.ahead_until);
        let from = if is_sane { account.ahead_until } else { at.0 };
        let until = from + SECOND_MICROSECONDS / most;
        let may = until <= at.0 + SECOND_MICROSECONDS;
        if may {
            account.ahead_until = until;
        }
        may
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(account) = self.accounts.lock().get_mut(&self.registrar) {
            account.sessions -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
