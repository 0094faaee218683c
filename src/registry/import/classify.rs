//! What a record of a zone file is to a registry.
//!
//! Decided from the record and the survey of cuts and hosts alone, so that both
//! passes over a file, and a run after a crash, decide the same.

use zone_compiler::RecordType;

use super::survey::Survey;

const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const DNSKEY: u16 = 48;
const NSEC3: u16 = 50;
const NSEC3PARAM: u16 = 51;
const CDS: u16 = 59;
const CDNSKEY: u16 = 60;
const ZONEMD: u16 = 63;

/// The part that a record plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The zone's SOA.
    Soa,
    /// The old signer's work, which ours replaces.
    Signer,
    /// Authoritative data that is no registration.
    ZoneRecord,
    /// NS at a cut.
    Delegation,
    /// DS at a cut.
    Ds,
    /// An address at or below a cut, and how many labels the cut is above it.
    Glue(Glue, usize),
    /// Not to be imported, and why.
    Rejected(&'static str),
}

/// Whose an address below a cut is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glue {
    /// Of a host that NS records of this zone name.
    Used,
    /// Of a host that none names.
    Unused,
    /// Of a host that another zone of the registry keeps addresses for.
    Shared,
}

/// Says what a record with this owner (lower-case wire format) and type is.
pub(super) fn classify(survey: &Survey, owner: &[u8], rtype: RecordType) -> Role {
    if !survey.is_in_zone(owner) {
        return Role::Rejected("owner is outside the zone");
    }
    let is_apex = owner == survey.apex_key();
    match (rtype.0, is_apex) {
        (RRSIG | NSEC | DNSKEY | NSEC3, _) | (NSEC3PARAM | CDS | CDNSKEY | ZONEMD, true) => {
            return Role::Signer;
        }
        _ => {}
    }
    match (rtype, is_apex) {
        (RecordType::SOA, true) => return Role::Soa,
        (RecordType::SOA, false) => return Role::Rejected("SOA below the apex"),
        (RecordType::DS, true) => {
            return Role::Rejected("DS at the apex belongs into the parent zone");
        }
        (_, true) => return Role::ZoneRecord,
        (_, false) => {}
    }
    let Some(labels_below) = survey.cut_above(owner) else {
        return match rtype {
            // RFC 4035 section 2.4: DS stand at delegations only.
            RecordType::DS => Role::Rejected("DS without an NS at the same name"),
            _ => Role::ZoneRecord,
        };
    };
    match (rtype, labels_below) {
        (RecordType::NS, 0) => Role::Delegation,
        (RecordType::DS, 0) => Role::Ds,
        (RecordType::A | RecordType::AAAA, _) => glue(survey, owner, labels_below),
        (_, 0) => Role::Rejected("only NS, DS and glue may stand at a delegated name"),
        _ => Role::Rejected("hidden below a delegation; only glue may stand there"),
    }
}

fn glue(survey: &Survey, owner: &[u8], labels_below: usize) -> Role {
    match survey.host(owner) {
        Some(host) if host.is_elsewhere => Role::Glue(Glue::Shared, labels_below),
        Some(host) if host.is_target => Role::Glue(Glue::Used, labels_below),
        _ => Role::Glue(Glue::Unused, labels_below),
    }
}
