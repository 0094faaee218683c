//! EPP status values of domains and hosts (RFC 5731 and RFC 5732 section 2.3).
//!
//! Stored are those that somebody set; `ok`, `linked` and `inactive` follow from
//! the rest and are worked out where they are shown.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, text_value};

/// A status that somebody set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words of the RFCs, which define them")]
pub enum Status {
    ClientDeleteProhibited,
    ClientHold,
    ClientRenewProhibited,
    ClientTransferProhibited,
    ClientUpdateProhibited,
    PendingCreate,
    PendingDelete,
    PendingRenew,
    PendingTransfer,
    PendingUpdate,
    ServerDeleteProhibited,
    ServerHold,
    ServerRenewProhibited,
    ServerTransferProhibited,
    ServerUpdateProhibited,
}

const WORDS: [(Status, &str); 15] = [
    (Status::ClientDeleteProhibited, "clientDeleteProhibited"),
    (Status::ClientHold, "clientHold"),
    (Status::ClientRenewProhibited, "clientRenewProhibited"),
    (Status::ClientTransferProhibited, "clientTransferProhibited"),
    (Status::ClientUpdateProhibited, "clientUpdateProhibited"),
    (Status::PendingCreate, "pendingCreate"),
    (Status::PendingDelete, "pendingDelete"),
    (Status::PendingRenew, "pendingRenew"),
    (Status::PendingTransfer, "pendingTransfer"),
    (Status::PendingUpdate, "pendingUpdate"),
    (Status::ServerDeleteProhibited, "serverDeleteProhibited"),
    (Status::ServerHold, "serverHold"),
    (Status::ServerRenewProhibited, "serverRenewProhibited"),
    (Status::ServerTransferProhibited, "serverTransferProhibited"),
    (Status::ServerUpdateProhibited, "serverUpdateProhibited"),
];

impl Status {
    /// Reads the RFCs' word.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let found = WORDS.iter().find(|(_, word)| *word == text);
        let found = found.ok_or_else(|| ValueError::syntax(text, "not a status that can be set"));
        found.map(|(status, _)| *status)
    }

    /// The RFCs' word.
    pub fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(status, _)| *status == self);
        found.expect("every status has a word").1
    }

    /// Whether a registrar may set it.
    pub fn is_client(self) -> bool {
        self.word().starts_with("client")
    }

    /// Whether the registry's operator may set it.
    pub fn is_server(self) -> bool {
        self.word().starts_with("server")
    }

    /// Whether an unfinished action holds it.
    pub fn is_pending(self) -> bool {
        self.word().starts_with("pending")
    }

    /// Whether contacts have it too (RFC 5733 section 2.2).
    pub fn is_for_contacts(self) -> bool {
        let word = self.word();
        self.is_for_hosts() || word.ends_with("TransferProhibited")
    }

    /// Whether hosts have it too (RFC 5732 section 2.3).
    pub fn is_for_hosts(self) -> bool {
        let word = self.word();
        self.is_pending()
            || word.ends_with("DeleteProhibited")
            || word.ends_with("UpdateProhibited")
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

text_value!(Status);

/// What must not stand beside what (RFC 5731 section 2.3). Pending actions exclude each
/// other besides.
const EXCLUDED: [(Status, [Status; 2]); 4] = [
    (
        Status::PendingDelete,
        [
            Status::ClientDeleteProhibited,
            Status::ServerDeleteProhibited,
        ],
    ),
    (
        Status::PendingRenew,
        [Status::ClientRenewProhibited, Status::ServerRenewProhibited],
    ),
    (
        Status::PendingTransfer,
        [
            Status::ClientTransferProhibited,
            Status::ServerTransferProhibited,
        ],
    ),
    (
        Status::PendingUpdate,
        [
            Status::ClientUpdateProhibited,
            Status::ServerUpdateProhibited,
        ],
    ),
];

/// The statuses of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Statuses(pub(crate) BTreeSet<Status>);

impl Statuses {
    /// Reads a column; a word that no write of ours makes is left out by
    /// [`Status::parse`]'s error.
    pub(crate) fn from_column(text: &str) -> Result<Self, ValueError> {
        text.split_ascii_whitespace()
            .map(Status::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn column(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|status| status.word()).collect();
        words.join(" ")
    }

    /// Whether `status` is among them.
    pub fn has(&self, status: Status) -> bool {
        self.0.contains(&status)
    }

    /// The first of `candidates` that is among them.
    pub(crate) fn first_of(&self, candidates: &[Status]) -> Option<Status> {
        candidates.iter().copied().find(|status| self.has(*status))
    }

    /// A pending action begins; what a client forbade about it is over, since whoever
    /// may begin it was asked before.
    pub(crate) fn begin(&mut self, action: Status) {
        let excluded = EXCLUDED.iter().find(|(pending, _)| *pending == action);
        for status in excluded.into_iter().flat_map(|(_, statuses)| statuses) {
            self.0.remove(status);
        }
        self.0.insert(action);
    }

    /// It is over.
    pub(crate) fn end(&mut self, action: Status) {
        self.0.remove(&action);
    }

    /// Two that must not stand beside each other.
    pub(crate) fn conflict(&self) -> Option<(Status, Status)> {
        let mut pending = self.iter().filter(|status| status.is_pending());
        if let (Some(one), Some(other)) = (pending.next(), pending.next()) {
            return Some((one, other));
        }
        let (action, excluded) = EXCLUDED.iter().find(|(action, _)| self.has(*action))?;
        self.first_of(excluded).map(|other| (*action, other))
    }

    /// In the order of their words.
    pub fn iter(&self) -> impl Iterator<Item = Status> {
        self.0.iter().copied()
    }

    /// Whether DNS may know the domain, as far as statuses go.
    pub(crate) fn allow_publication(&self) -> bool {
        const WITHHOLD: [Status; 4] = [
            Status::ClientHold,
            Status::ServerHold,
            Status::PendingCreate,
            Status::PendingDelete,
        ];
        self.first_of(&WITHHOLD).is_none()
    }
}
