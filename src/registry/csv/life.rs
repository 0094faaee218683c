//! Where registrations are in their lives: phases, grace periods, transfers, locks, and the
//! keys by which contacts agree.
//!
//! When the next step of a domain is due is worked out anew, by the same function that every
//! write asks: a file cannot say otherwise.

use super::super::command::contact::ContactKey;
use super::super::database::Timestamp;
use super::super::life::{GraceKind, Life, Phase};
use super::super::policy::{Approvers, Column as _, RegistrationPolicy};
use super::super::sql::BulkRows;
use super::super::types::DnskeyData;
use super::fields::{DomainFields, Judge, checked_handle, optional, time, word};
use super::model::RowIndex;
use super::read::{Reason, Row};
use super::table::Table;

/// How a transfer stands, in EPP's words.
const STATES: [&str; 6] = [
    "pending",
    "clientApproved",
    "clientRejected",
    "clientCancelled",
    "serverApproved",
    "serverCancelled",
];

/// What a domain waits for by time alone.
pub(super) struct PhaseFields<'r> {
    word: &'r str,
    phase: Phase,
    /// Ends of the phase, of the redemption behind it, and of a transfer.
    ends: [Option<i64>; 3],
}

impl<'r> PhaseFields<'r> {
    pub(super) fn parse(texts: [&'r str; 4]) -> Result<Self, Reason> {
        let word = word(
            texts[0],
            &["registered", "redemption", "restore", "pending-delete"],
        )?;
        let phase = Phase::parse(word).ok_or("no phase")?;
        let ends = [time(texts[1])?, time(texts[2])?, time(texts[3])?];
        if phase != Phase::Registered && ends[0].is_none() {
            return Err(format!("phase_ends_at is missing in phase {word}").into());
        }
        Ok(Self { word, phase, ends })
    }
}

/// Binds the columns `phase` to `due_at`.
pub(super) fn push_phase(
    rows: &mut BulkRows,
    fields: &DomainFields<'_>,
    id: i64,
    policy: &RegistrationPolicy,
) {
    let at = |moment: Option<i64>| moment.map(Timestamp);
    let PhaseFields { word, phase, ends } = fields.phase;
    let life = Life {
        id,
        phase,
        phase_ends_at: at(ends[0]),
        redemption_ends_at: at(ends[1]),
        expires_at: at(fields.expires_at),
        transfer_ends_at: at(ends[2]),
        is_kept: fields
            .statuses
            .split(' ')
            .any(|status| status == "serverDeleteProhibited"),
    };
    let due = life.next(policy);
    rows.bind(word);
    for end in ends {
        rows.bind(end);
    }
    rows.bind(due.map(|due| due.step.name()));
    rows.bind(due.map(|due| due.at.0));
}

/// A row of a file about lives, as its table's columns.
pub(super) enum Entry<'r> {
    Grace {
        domain: RowIndex,
        kind: &'r str,
        /// Start, end and years.
        numbers: [i64; 3],
    },
    Transfer {
        domain: RowIndex,
        /// State, gaining and losing registrar.
        words: [&'r str; 3],
        /// Years, request, answer.
        numbers: [i64; 3],
        expires_at: Option<i64>,
    },
    ContactTransfer {
        contact: RowIndex,
        words: [&'r str; 3],
        /// Request, answer.
        numbers: [i64; 2],
    },
    Lock {
        domain: RowIndex,
        approvals: i64,
        approvers: String,
        locked_at: i64,
    },
    Key {
        contact: RowIndex,
        key: Vec<u8>,
        added_at: i64,
    },
    DomainKey {
        domain: RowIndex,
        rdata: Vec<u8>,
    },
}

fn needed(text: &str) -> Result<i64, Reason> {
    time(text)?.ok_or_else(|| "a time is missing".into())
}

fn number(text: &str) -> Result<i64, Reason> {
    let number: Option<u32> = optional(text, "not a number")?;
    Ok(number.unwrap_or_default().into())
}

/// State, gaining and losing registrar of a transfer.
fn sides([state, gaining, losing]: [&str; 3]) -> Result<[&str; 3], Reason> {
    let state = word(state, &STATES)?;
    Ok([state, checked_handle(gaining)?, checked_handle(losing)?])
}

impl Judge<'_> {
    /// A row of a file that nothing else refers to.
    pub(super) fn other(self, row: &Row<'_>) -> Result<(), Reason> {
        match row.table {
            Table::HeldLabels => self.held_label(row).map(drop),
            Table::ParkingServers => self.parking_server(row).map(drop),
            Table::ParkingRecords => self.parking_record(row).map(drop),
            Table::VariantLabels => self.variant_label(row).map(drop),
            Table::DisclosureRules => self.disclosure_rule(row).map(drop),
            _ => self.entry(row).map(drop),
        }
    }

    pub(super) fn entry<'r>(self, row: &Row<'r>) -> Result<Entry<'r>, Reason> {
        match row.table {
            Table::GracePeriods => {
                let [domain, zone, kind, started_at, ends_at, years] = row.texts()?;
                let (_, domain) = self.known_domain(domain, zone)?;
                let kind = GraceKind::parse(kind).ok_or("no kind of grace period")?;
                let numbers = [needed(started_at)?, needed(ends_at)?, number(years)?];
                Ok(Entry::Grace {
                    domain: domain.row,
                    kind: kind.name(),
                    numbers,
                })
            }
            Table::Transfers => {
                let texts = row.texts::<9>()?;
                let (_, domain) = self.known_domain(texts[0], texts[1])?;
                Ok(Entry::Transfer {
                    domain: domain.row,
                    words: sides([texts[2], texts[3], texts[4]])?,
                    numbers: [number(texts[5])?, needed(texts[6])?, needed(texts[7])?],
                    expires_at: time(texts[8])?,
                })
            }
            Table::ContactTransfers => {
                let texts = row.texts::<6>()?;
                Ok(Entry::ContactTransfer {
                    contact: self.known_contact(texts[0])?,
                    words: sides([texts[1], texts[2], texts[3]])?,
                    numbers: [needed(texts[4])?, needed(texts[5])?],
                })
            }
            Table::Locks => {
                let [domain, zone, approvals, approvers, locked_at] = row.texts()?;
                let (_, domain) = self.known_domain(domain, zone)?;
                let approvers = Approvers::from_column(approvers).ok_or("no approvers")?;
                let approvals = number(approvals)?;
                if approvals < 1 || approvals > i64::from(approvers.count()) {
                    return Err("more approvals than approvers, or none".into());
                }
                Ok(Entry::Lock {
                    domain: domain.row,
                    approvals,
                    approvers: approvers.to_column(),
                    locked_at: needed(locked_at)?,
                })
            }
            Table::DomainKeys => {
                let [domain, zone, key] = row.texts()?;
                let (_, domain) = self.known_domain(domain, zone)?;
                let key = DnskeyData::parse(key).map_err(|error| error.reason)?;
                Ok(Entry::DomainKey {
                    domain: domain.row,
                    rdata: key.rdata().to_vec(),
                })
            }
            _ => {
                let [contact, key, added_at] = row.texts()?;
                let key = ContactKey::parse(key).map_err(|error| error.reason)?;
                Ok(Entry::Key {
                    contact: self.known_contact(contact)?,
                    key: key.to_octets(),
                    added_at: needed(added_at)?,
                })
            }
        }
    }
}

/// Binds the columns of an entry; `id` makes an object's id of its row.
pub(super) fn push_entry(rows: &mut BulkRows, entry: Entry<'_>, id: impl Fn(RowIndex) -> i64) {
    match entry {
        Entry::Grace {
            domain,
            kind,
            numbers,
        } => {
            rows.bind(id(domain)).bind(kind);
            for number in numbers {
                rows.bind(number);
            }
        }
        Entry::Transfer {
            domain,
            words,
            numbers,
            expires_at,
        } => {
            rows.bind(id(domain));
            for word in words {
                rows.bind(word);
            }
            for number in numbers {
                rows.bind(number);
            }
            rows.bind(expires_at);
        }
        Entry::ContactTransfer {
            contact,
            words,
            numbers,
        } => {
            rows.bind(id(contact));
            for word in words {
                rows.bind(word);
            }
            for number in numbers {
                rows.bind(number);
            }
        }
        Entry::Lock {
            domain,
            approvals,
            approvers,
            locked_at,
        } => {
            rows.bind(id(domain)).bind(approvals);
            rows.bind(approvers).bind(locked_at);
        }
        Entry::Key {
            contact,
            key,
            added_at,
        } => {
            rows.bind(id(contact)).bind(key).bind(added_at);
        }
        Entry::DomainKey { domain, rdata } => {
            rows.bind(id(domain)).bind(rdata);
        }
    }
}
