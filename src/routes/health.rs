//! From what was seen to what is announced: a pure function with a memory of one number.
//!
//! One lost probe is no reason to move a region's traffic, and one answer is none to move it
//! back: a route goes after some bad looks in a row and comes back after more good ones. A
//! node that is about to stop is another matter; its route goes at the first look. Signatures
//! that get old are no reason: all nodes have the same, and none would be left.

use std::fmt;

/// How many looks it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Bad ones in a row until the route goes.
    pub fall: u32,
    /// Good ones in a row until it comes.
    pub rise: u32,
}

/// Why a look is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No probe over UDP was answered as it should be.
    Udp(String),
    /// None over TCP.
    Tcp(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(what) => write!(f, "udp: {what}"),
            Self::Tcp(what) => write!(f, "tcp: {what}"),
        }
    }
}

/// What one look says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// All is answered.
    Good,
    /// Something is not.
    Bad(Reason),
    /// The server says that it is about to stop.
    Leaving,
}

/// Whether the route is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// It is.
    Announced,
    /// It is not.
    Withdrawn,
}

/// Remembers how it went lately.
#[derive(Debug)]
pub struct Judge {
    thresholds: Thresholds,
    /// `None` where it is not known what is announced.
    route: Option<Route>,
    /// What the last looks that speak against it want, and how many they are.
    wanted: Route,
    against: u32,
}

impl Judge {
    /// Begins with the route as it is. Where nobody can tell, nothing is said until there
    /// were as many looks as any change takes.
    pub fn new(thresholds: Thresholds, route: Option<Route>) -> Self {
        Self {
            thresholds,
            route,
            wanted: Route::Withdrawn,
            against: 0,
        }
    }

    /// What is to be announced after one more look, if that is known.
    pub fn see(&mut self, look: &Look) -> Option<Route> {
        let (wanted, needed) = match look {
            Look::Good => (Route::Announced, self.thresholds.rise),
            Look::Bad(_) => (Route::Withdrawn, self.thresholds.fall),
            Look::Leaving => (Route::Withdrawn, 1),
        };
        if self.route == Some(wanted) {
            self.against = 0;
            return self.route;
        }
        if self.wanted != wanted {
            (self.wanted, self.against) = (wanted, 0);
        }
        self.against = self.against.saturating_add(1);
        if self.against >= needed {
            self.route = Some(wanted);
            self.against = 0;
        }
        self.route
    }
}

#[cfg(test)]
mod tests;
