//! What the registry knows of a zone's keys: roles, states of their records, policy.
//!
//! Each key has four records that appear and disappear by themselves: its DNSKEY, its
//! signature over the DNSKEY set, its signatures over the zone, its DS at the parent.
//! A record is in one of four states, by what caches may hold of it. What follows from
//! that is decided elsewhere (`keys`); here it is stored and told apart. Never holds a
//! private key that is not sealed. Terms follow RFC 7583 section 2 and RFC 9499.

mod policy;

use serde::{Deserialize, Serialize};

use super::database::Timestamp;

pub use policy::{
    ALGORITHM_DEFAULT, ALGORITHMS, Denial, KskMethod, Layout, PolicyChange, SigningMode,
    SigningPolicy,
};

/// `store` of keys that are sealed in the database.
pub const IN_DATABASE: &str = "database";
/// `store` of keys that are on another machine.
pub const OFFLINE: &str = "offline";

/// Most keys of a zone: a rollover of both roles and of the algorithm needs six.
pub const KEYS_MAX: usize = 16;

/// Names a key for as long as the registry exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub i64);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An enum that is stored and shown by its names.
macro_rules! named {
    ($(#[doc = $doc:literal])+ $type:ident: $($(#[doc = $variant_doc:literal])+ $variant:ident = $name:literal,)+) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $type {
            $($(#[doc = $variant_doc])+ $variant,)+
        }

        impl $type {
            /// All of them with their names.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant),)+];

            /// Its name, in the database and for people.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The one of this name.
            pub fn parse(name: &str) -> Option<Self> {
                let found = Self::NAMES.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| *value)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::parse(text).ok_or_else(|| {
                    let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                    format!("{text:?} is none of {}", names.join(", "))
                })
            }
        }
    };
}
pub(in crate::registry) use named;

named! {
    /// What caches may hold of a record.
    State:
        /// It is not published and in no cache.
        Hidden = "hidden",
        /// It is published; some caches have the set without it.
        Rumoured = "rumoured",
        /// It is published; every cache has it or nothing.
        Omnipresent = "omnipresent",
        /// It is withdrawn; some caches still have it.
        Unretentive = "unretentive",
}

impl State {
    /// Whether the record is published.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Rumoured | Self::Omnipresent)
    }
}

named! {
    /// One of the four records of a key.
    RecordKind:
        /// The DNSKEY record.
        Dnskey = "dnskey",
        /// The signature over the DNSKEY set.
        KeySignature = "key-signature",
        /// The signatures over everything else.
        ZoneSignatures = "zone-signatures",
        /// The DS record at the parent.
        Ds = "ds",
}

named! {
    /// What a key is for.
    KeyRole:
        /// Signs everything.
        Csk = "csk",
        /// Signs the DNSKEY set and has a DS record.
        Ksk = "ksk",
        /// Signs the zone.
        Zsk = "zsk",
}

impl KeyRole {
    /// Whether the role has this record.
    pub fn has(self, kind: RecordKind) -> bool {
        match kind {
            RecordKind::Dnskey => true,
            RecordKind::KeySignature | RecordKind::Ds => self != Self::Zsk,
            RecordKind::ZoneSignatures => self != Self::Ksk,
        }
    }

    /// Its records.
    pub fn records(self) -> impl Iterator<Item = RecordKind> {
        let kinds = RecordKind::NAMES.iter().map(|(_, kind)| *kind);
        kinds.filter(move |kind| self.has(*kind))
    }

    /// The flags of its DNSKEY record: ZONE, and SEP where the parent points to it (RFC
    /// 4034 section 2.1.1).
    pub fn flags(self) -> u16 {
        match self {
            Self::Csk | Self::Ksk => 257,
            Self::Zsk => 256,
        }
    }
}

named! {
    /// Where a key is on its way to.
    Goal:
        /// To be used.
        Present = "present",
        /// To disappear once nobody needs it.
        Absent = "absent",
}

/// A record's state and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What caches may hold.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
}

/// A key's way so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyState {
    /// Which key.
    pub id: KeyId,
    /// What for.
    pub role: KeyRole,
    /// Number of its algorithm.
    pub algorithm: u8,
    /// Where to.
    pub goal: Goal,
    /// The DNSKEY record.
    pub dnskey: Record,
    /// The signature over the DNSKEY set.
    pub key_signature: Record,
    /// The signatures over the zone.
    pub zone_signatures: Record,
    /// The DS record at the parent.
    pub ds: Record,
    /// When the parent was seen to have done what the state of the DS record asks for.
    pub ds_confirmed_at: Option<Timestamp>,
    /// When it began to sign the zone, or to have a DS record.
    pub active_at: Option<Timestamp>,
}

impl KeyState {
    /// A key of which nobody has seen anything.
    pub fn new(id: KeyId, role: KeyRole, algorithm: u8, now: Timestamp) -> Self {
        let hidden = Record {
            state: State::Hidden,
            since: now,
        };
        Self {
            id,
            role,
            algorithm,
            goal: Goal::Present,
            dnskey: hidden,
            key_signature: hidden,
            zone_signatures: hidden,
            ds: hidden,
            ds_confirmed_at: None,
            active_at: None,
        }
    }

    /// The same key in use for so long that every cache knows it: one that is imported
    /// with the zone that it signs.
    pub fn in_use(self, now: Timestamp) -> Self {
        let mut key = self;
        for kind in key.role.records() {
            key.record_mut(kind).state = State::Omnipresent;
        }
        key.ds_confirmed_at = key.role.has(RecordKind::Ds).then_some(now);
        key.active_at = Some(now);
        key
    }

    /// One of its records.
    pub fn record(&self, kind: RecordKind) -> Record {
        match kind {
            RecordKind::Dnskey => self.dnskey,
            RecordKind::KeySignature => self.key_signature,
            RecordKind::ZoneSignatures => self.zone_signatures,
            RecordKind::Ds => self.ds,
        }
    }

    /// One of its records, to be changed.
    pub fn record_mut(&mut self, kind: RecordKind) -> &mut Record {
        match kind {
            RecordKind::Dnskey => &mut self.dnskey,
            RecordKind::KeySignature => &mut self.key_signature,
            RecordKind::ZoneSignatures => &mut self.zone_signatures,
            RecordKind::Ds => &mut self.ds,
        }
    }

    /// Whether every record of its role is in this state.
    pub fn is_all(&self, state: State) -> bool {
        let mut kinds = self.role.records();
        kinds.all(|kind| self.record(kind).state == state)
    }

    /// Whether it is to be used and every cache knows it.
    pub fn is_settled(&self) -> bool {
        self.goal == Goal::Present && self.is_all(State::Omnipresent)
    }

    /// Whether nobody needs it any more.
    pub fn is_gone(&self) -> bool {
        self.goal == Goal::Absent && self.is_all(State::Hidden)
    }
}

/// TTLs that were given out before they were lowered: caches may go by them still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FormerTtls {
    /// The last moment at which a record with such a TTL was given out.
    pub until: Timestamp,
    /// Of the DNSKEY set.
    pub dnskey: u32,
    /// Of the zone.
    pub zone: u32,
    /// Of the DS set at the parent.
    pub ds: u32,
}

impl Default for FormerTtls {
    /// None were.
    fn default() -> Self {
        Self {
            until: Timestamp(0),
            dnskey: 0,
            zone: 0,
            ds: 0,
        }
    }
}

/// The keys of a zone and what the caches may hold of each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timeline {
    /// Its keys in the order of their ids.
    pub keys: Vec<KeyState>,
    /// Time of the newest change that is not known to be served yet.
    pub unserved_since: Option<Timestamp>,
    /// Larger TTLs of before, if some were lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_ttls: Option<FormerTtls>,
}

impl Timeline {
    /// One of its keys.
    pub fn key(&self, id: KeyId) -> Option<&KeyState> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// What was changed is served since `now`: caches can have it from now on only.
    pub fn confirm_served(&mut self, now: Timestamp) {
        let Some(changed) = self.unserved_since.take() else {
            return;
        };
        if let Some(former) = &mut self.former_ttls
            && former.until == changed
        {
            former.until = former.until.max(now);
        }
        for key in &mut self.keys {
            for kind in key.role.records() {
                let record = key.record_mut(kind);
                if record.since == changed {
                    record.since = record.since.max(now);
                }
            }
        }
    }

    /// Notes that TTLs are promised to be lower from `now` on, or from when that is
    /// served.
    pub fn lower_ttls(&mut self, before: &SigningPolicy, after: &SigningPolicy, now: Timestamp) {
        let ttls = |policy: &SigningPolicy| [policy.dnskey_ttl, policy.zone_ttl_max, policy.ds_ttl];
        let (before, after) = (ttls(before), ttls(after));
        if before
            .iter()
            .zip(&after)
            .all(|(before, after)| after >= before)
        {
            return;
        }
        let older = self.former_ttls.unwrap_or_default();
        self.former_ttls = Some(FormerTtls {
            until: now,
            dnskey: before[0].max(older.dnskey),
            zone: before[1].max(older.zone),
            ds: before[2].max(older.ds),
        });
        // Nothing moves before the lower TTLs are served. What else is not served yet had
        // its moment before, and gets the same one: later is safe.
        if let Some(unserved) = self.unserved_since.replace(now) {
            for key in &mut self.keys {
                for kind in key.role.records() {
                    let record = key.record_mut(kind);
                    if record.since == unserved {
                        record.since = now;
                    }
                }
            }
        }
    }

    /// Notes which DS records the parent has, as every one of its servers says.
    pub fn confirm_ds(&mut self, parent: &[KeyId], now: Timestamp) -> bool {
        let mut is_news = false;
        for key in &mut self.keys {
            let is_there = parent.contains(&key.id);
            let is_done = match key.ds.state {
                State::Rumoured => is_there,
                State::Unretentive => !is_there,
                State::Hidden | State::Omnipresent => false,
            };
            if is_done && key.ds_confirmed_at.is_none() {
                key.ds_confirmed_at = Some(now);
                is_news = true;
            } else if !is_done && key.ds_confirmed_at.is_some() && !is_at_rest(key.ds.state) {
                // It was there and is not any more, or the other way round: wait again.
                key.ds_confirmed_at = None;
                is_news = true;
            }
        }
        is_news
    }
}

fn is_at_rest(state: State) -> bool {
    matches!(state, State::Hidden | State::Omnipresent)
}

#[cfg(test)]
mod tests;
