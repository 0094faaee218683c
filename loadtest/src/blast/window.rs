//! Which queries of a socket are under way, by message id.

/// Ids of a socket.
const IDS: usize = 1 << 16;

/// A query under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending {
    /// When it was due, in nanoseconds since the start.
    pub(super) due: u64,
    /// Which of the queries it is.
    pub(super) query: u32,
}

/// Marks a free slot; no query is due at the end of time.
const FREE: Pending = Pending {
    due: u64::MAX,
    query: 0,
};

/// All ids of one socket, used in turn.
#[derive(Debug)]
pub(super) struct Window {
    slots: Box<[Pending]>,
    next: u16,
    oldest: u16,
    under_way: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![FREE; IDS].into(),
            next: 0,
            oldest: 0,
            under_way: 0,
        }
    }

    /// Queries without a reply so far.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Takes the next id, or none when all are under way.
    pub(super) fn open(&mut self, pending: Pending) -> Option<u16> {
        let slot = &mut self.slots[usize::from(self.next)];
        if *slot != FREE {
            return None;
        }
        *slot = pending;
        let id = self.next;
        self.next = id.wrapping_add(1);
        self.under_way += 1;
        Some(id)
    }

    /// Frees the `count` ids that were opened last: their queries were not sent.
    pub(super) fn take_back(&mut self, count: usize) {
        for _ in 0..count {
            self.next = self.next.wrapping_sub(1);
            self.close(self.next);
        }
    }

    /// The query of a reply with this id.
    pub(super) fn find(&self, id: u16) -> Option<Pending> {
        Some(self.slots[usize::from(id)]).filter(|pending| *pending != FREE)
    }

    /// Frees an id that [`Self::find`] found.
    pub(super) fn close(&mut self, id: u16) {
        debug_assert!(self.slots[usize::from(id)] != FREE, "closed twice");
        self.slots[usize::from(id)] = FREE;
        self.under_way -= 1;
    }

    /// Gives up queries due before `limit`; returns how many.
    pub(super) fn expire(&mut self, limit: u64) -> u64 {
        let mut expired = 0;
        // Ids are opened in order of time, so the first one that is young ends the walk.
        while self.under_way > 0 {
            let slot = &mut self.slots[usize::from(self.oldest)];
            if *slot != FREE {
                if slot.due >= limit {
                    break;
                }
                *slot = FREE;
                self.under_way -= 1;
                expired += 1;
            }
            self.oldest = self.oldest.wrapping_add(1);
        }
        if self.under_way == 0 {
            self.oldest = self.next;
        }
        expired
    }
}

#[cfg(test)]
mod tests;
