//! What each registrar uses at the moment: its sessions, and its commands of a second.
//!
//! Only those who logged in have an entry, so there are as many as registrars.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::epp::request::Class;
use crate::registry::Timestamp;
use crate::registry::types::Handle;

const SECOND_MICROSECONDS: i64 = 1_000_000;

/// All of them.
#[derive(Debug)]
pub(super) struct Accounts {
    /// Commands of a second, and those among them that change something.
    most: [u32; 2],
    table: Mutex<HashMap<Handle, Account>>,
}

#[derive(Debug)]
struct Account {
    sessions: u32,
    /// When buckets that were full would have been emptied to where they are, of all commands
    /// and of those that change something: they are let through while that is less than a
    /// second ahead.
    ahead_until: [i64; 2],
}

/// A session of a registrar; dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Seat {
    accounts: Arc<Accounts>,
    pub(super) registrar: Handle,
}

impl Accounts {
    pub(super) fn new(commands_per_second_max: u32, transforms_per_second_max: u32) -> Self {
        Self {
            most: [commands_per_second_max, transforms_per_second_max],
            table: Mutex::default(),
        }
    }

    /// A session for a registrar that may have so many.
    pub(super) fn sit(this: &Arc<Self>, registrar: &Handle, most: u32) -> Option<Seat> {
        let mut table = this.lock();
        let account = table.entry(registrar.clone()).or_insert(Account {
            sessions: 0,
            ahead_until: [0; 2],
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
    /// Whether one more command is within the limits; else which of them it is over, in
    /// commands a second.
    pub(super) fn may_say(&self, class: Class, at: Timestamp) -> Result<(), u32> {
        let mut table = self.accounts.lock();
        let Some(account) = table.get_mut(&self.registrar) else {
            return Err(0);
        };
        let mut after = account.ahead_until;
        let buckets = match class {
            Class::Session | Class::Query => 1,
            Class::Transform => 2,
        };
        for (ahead_until, most) in after.iter_mut().zip(self.accounts.most).take(buckets) {
            // A clock that went back starts anew: nobody waits for hours that are over.
            let is_sane = (at.0..=at.0 + SECOND_MICROSECONDS).contains(ahead_until);
            let from = if is_sane { *ahead_until } else { at.0 };
            *ahead_until = from + SECOND_MICROSECONDS / i64::from(most.max(1));
            if *ahead_until > at.0 + SECOND_MICROSECONDS {
                return Err(most);
            }
        }
        account.ahead_until = after;
        Ok(())
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
