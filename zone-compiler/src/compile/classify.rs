//! What each name of a zone is: authoritative, a cut, below a cut, or outside.
//!
//! Also finds the names that exist only because others lie below them (RFC 4592
//! section 2.2.2), and every fault and warning that needs no more than one name
//! and its ancestors.

use std::collections::{BTreeMap, HashSet};

use super::fault::Findings;
use super::parking::ParkedNames;
use super::table::{Table, lookup_name};
use crate::record::RecordType;

/// What a name is to its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// At or below the apex and not below a cut.
    Authoritative,
    /// Owner of an NS RRset that is not the apex.
    Delegation,
    /// Below a cut: its addresses may be glue, other data is occluded.
    BelowCut,
    /// Below a DNAME, which hides it (RFC 6672 section 2.4).
    BelowDname,
    /// Owner of NSEC3 alone, which as a name does not exist (RFC 5155 section 7.2.8).
    Nsec3,
    /// Not in the zone.
    Outside,
}

/// The names of a zone and what they are.
pub(crate) struct Names {
    /// By group.
    pub(crate) standing: Vec<Standing>,
    /// Names without records that have names below them, lower case.
    pub(crate) empty: Vec<Box<[u8]>>,
    /// Names `x` for which `*.x` exists.
    pub(crate) wildcard_parents: HashSet<Box<[u8]>>,
    /// Groups with NSEC3, whatever else they have.
    pub(crate) nsec3: Vec<usize>,
    /// Delegations.
    pub(crate) delegations: u64,
    /// What makes some of them parked.
    pub(crate) parking: ParkedNames,
}

impl Names {
    /// What the names of `table` are after a signer added to them: what is new are the
    /// owners of NSEC3 alone, and all others come in the order they had.
    pub(crate) fn after_signing(self, table: &Table) -> Self {
        let mut known = self.standing.into_iter();
        let mut nsec3 = Vec::new();
        let mut standing = Vec::with_capacity(table.groups());
        for group in 0..table.groups() {
            if table.has(group, RecordType::NSEC3) {
                nsec3.push(group);
            }
            let of_proof = |rtype| matches!(rtype, RecordType::NSEC3 | RecordType::RRSIG);
            standing.push(if table.types(group).all(of_proof) {
                Standing::Nsec3
            } else {
                known.next().expect("a signer adds no other names")
            });
        }
        assert!(known.next().is_none(), "a signer takes no name away");
        Self {
            standing,
            nsec3,
            ..self
        }
    }

    /// Whether a group is a name that can be looked up.
    pub(crate) fn has_entry(&self, group: usize) -> bool {
        matches!(
            self.standing[group],
            Standing::Authoritative | Standing::Delegation
        )
    }
}

/// Largest TTL (RFC 2181 section 8).
const TTL_MAX: u32 = i32::MAX as u32;

pub(crate) struct Classifier<'t> {
    pub(crate) table: &'t Table,
    pub(crate) apex: &'t [u8],
    pub(crate) faults: Findings,
    pub(crate) warnings: Findings,
}

impl Classifier<'_> {
    pub(crate) fn run(&mut self) -> Names {
        let apex_labels = lookup_name(self.apex).labels();
        let apex = self.table.find(self.apex);
        let hidden = apex.is_some_and(|apex| self.table.has(apex, RecordType::DNAME));
        let standing: Vec<_> = (0..self.table.groups())
            .map(|group| self.standing(group, apex_labels, hidden))
            .collect();
        let mut names = Names {
            standing,
            empty: Vec::new(),
            wildcard_parents: HashSet::new(),
            nsec3: (0..self.table.groups())
                .filter(|group| self.table.has(*group, RecordType::NSEC3))
                .collect(),
            delegations: 0,
            parking: ParkedNames::default(),
        };
        let mut empty: BTreeMap<Box<[u8]>, ()> = BTreeMap::new();
        for group in 0..self.table.groups() {
            self.check_ttls(group);
            match names.standing[group] {
                Standing::Authoritative => self.authoritative(group),
                Standing::Delegation => {
                    names.delegations += 1;
                    self.delegation(group);
                }
                Standing::BelowCut => self.below_cut(group),
                Standing::Nsec3 => {}
                Standing::BelowDname => {
                    let text = "hidden by a DNAME above it (RFC 6672 section 2.4); remove one";
                    self.faults.push(self.table.owner(group), text);
                }
                Standing::Outside => {
                    let text = "is not in the zone; correct the name or remove the record";
                    self.faults.push(self.table.owner(group), text);
                }
            }
            if matches!(
                names.standing[group],
                Standing::Authoritative | Standing::Delegation
            ) {
                self.ancestors(group, &mut empty, &mut names.wildcard_parents);
            }
        }
        names.empty = empty.into_keys().collect();
        names
    }

    /// `hidden` says that there is a DNAME at the apex.
    fn standing(&self, group: usize, apex_labels: usize, hidden: bool) -> Standing {
        let owner = self.table.owner(group);
        if owner == self.apex {
            return Standing::Authoritative;
        }
        let name = lookup_name(owner);
        if name.labels() <= apex_labels || name.suffix(apex_labels) != self.apex {
            return Standing::Outside;
        }
        if hidden {
            return Standing::BelowDname;
        }
        for labels in apex_labels + 1..name.labels() {
            let Some(ancestor) = self.table.find(name.suffix(labels)) else {
                continue;
            };
            if self.table.has(ancestor, RecordType::NS) {
                return Standing::BelowCut;
            }
            if self.table.has(ancestor, RecordType::DNAME) {
                return Standing::BelowDname;
            }
        }
        if self.table.has(group, RecordType::NS) {
            Standing::Delegation
        } else if self.is_nsec3_alone(group) {
            Standing::Nsec3
        } else {
            Standing::Authoritative
        }
    }

    fn is_nsec3_alone(&self, group: usize) -> bool {
        let mut records = self.table.records(group);
        self.table.has(group, RecordType::NSEC3)
            && records.all(|record| {
                let covered = record.rdata.starts_with(&RecordType::NSEC3.0.to_be_bytes());
                record.rtype == RecordType::NSEC3 || record.rtype == RecordType::RRSIG && covered
            })
    }

    /// Notes ancestors without records, and the parent of a wildcard.
    fn ancestors(
        &self,
        group: usize,
        empty: &mut BTreeMap<Box<[u8]>, ()>,
        wildcard_parents: &mut HashSet<Box<[u8]>>,
    ) {
        let owner = self.table.owner(group);
        let name = lookup_name(owner);
        if owner.starts_with(b"\x01*") {
            wildcard_parents.insert(name.suffix(name.labels() - 1).into());
        }
        let apex_labels = lookup_name(self.apex).labels();
        for labels in (apex_labels + 1..name.labels()).rev() {
            let ancestor = name.suffix(labels);
            if self.table.find(ancestor).is_some() || empty.contains_key(ancestor) {
                return;
            }
            empty.insert(ancestor.into(), ());
            if ancestor.starts_with(b"\x01*") {
                wildcard_parents.insert(name.suffix(labels - 1).into());
            }
        }
    }

    fn check_ttls(&mut self, group: usize) {
        for record in self.table.records(group) {
            if record.ttl > TTL_MAX {
                let text = format!(
                    "{} has TTL {}, the largest is {TTL_MAX} (RFC 2181 section 8)",
                    record.rtype, record.ttl
                );
                self.faults.push(record.owner, text);
            }
        }
    }

    fn authoritative(&mut self, group: usize) {
        let owner = self.table.owner(group);
        let (mut cnames, mut dnames, mut others) = (0, 0, 0);
        for record in self.table.records(group) {
            match record.rtype {
                RecordType::CNAME => cnames += 1,
                RecordType::DNAME => dnames += 1,
                // RFC 4035 section 2.5: only DNSSEC data may stand beside a CNAME.
                RecordType::RRSIG | RecordType::NSEC => {}
                _ => others += 1,
            }
            if record.rtype == RecordType::DS && owner != self.apex {
                let text = "DS without NS at this name; add the delegation or remove the DS";
                self.faults.push(owner, text);
            }
        }
        if cnames > 0 && others + dnames > 0 {
            let text = "CNAME and other data (RFC 1034 section 3.6.2); keep one of them";
            self.faults.push(owner, text);
        }
        if cnames > 1 || dnames > 1 {
            let text = "more than one CNAME or DNAME (RFC 6672 section 2.4); keep one";
            self.faults.push(owner, text);
        }
    }

    fn delegation(&mut self, group: usize) {
        let owner = self.table.owner(group);
        if owner.starts_with(b"\x01*") {
            let text = "NS at a wildcard (RFC 4592 section 4.2); delegate real names instead";
            self.faults.push(owner, text);
        }
        for record in self.table.records(group) {
            let allowed = [
                RecordType::NS,
                RecordType::DS,
                RecordType::A,
                RecordType::AAAA,
                RecordType::RRSIG,
                RecordType::NSEC,
            ];
            if !allowed.contains(&record.rtype) {
                let text = format!(
                    "{} is occluded by the delegation at this name; remove it",
                    record.rtype
                );
                self.faults.push(owner, text);
            }
        }
    }

    fn below_cut(&mut self, group: usize) {
        let owner = self.table.owner(group);
        for record in self.table.records(group) {
            // Signers leave NSEC3 and RRSIG nowhere below a cut; addresses may be glue.
            if !matches!(record.rtype, RecordType::A | RecordType::AAAA) {
                let text = format!(
                    "{} is occluded by a delegation above it; remove it",
                    record.rtype
                );
                self.faults.push(owner, text);
            }
        }
    }
}
