//! Which names get an NSEC or NSEC3, and in which order.
//!
//! RFC 4035 section 2.3 for NSEC: every name with records, delegations included, and
//! nothing below them. RFC 5155 section 7.1 for NSEC3: empty non-terminals too, and
//! with opt-out none for delegations without DS, nor for what exists only for these.

use std::collections::HashSet;

use zone_image::{Name, SortKey};

use super::super::classify::{Names, Standing};
use super::super::fault::Findings;
use super::super::table::{Table, lookup_name};
use crate::record::RecordType;
use crate::sign::{Denial, NameKind, needs_nsec3, nsec3_hash, proven_types};

/// Whose NSEC3 it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Proven {
    /// A group of the table.
    Group(u32),
    /// An index among the empty non-terminals.
    Empty(u32),
}

/// One NSEC3 to be made.
pub(crate) struct Link {
    pub(crate) hash: [u8; 20],
    pub(crate) proven: Proven,
}

/// The chain of a zone that is being signed.
pub(crate) enum NewChain {
    /// By group, the group whose owner comes next.
    Nsec { next: Vec<Option<u32>> },
    /// In the order of their hashes.
    Nsec3 { opt_out: bool, links: Vec<Link> },
}

impl NewChain {
    pub(crate) fn new(
        table: &Table,
        names: &Names,
        apex: &Name,
        denial: Denial,
        faults: &mut Findings,
    ) -> Self {
        match denial {
            Denial::Nsec => Self::Nsec {
                next: nsec_order(table, names, apex),
            },
            Denial::Nsec3 { opt_out } => Self::Nsec3 {
                opt_out,
                links: nsec3_links(table, names, apex, opt_out, faults),
            },
        }
    }

    /// The types that the proof of a group lists.
    pub(crate) fn types(&self, table: &Table, names: &Names, group: usize) -> Vec<RecordType> {
        let denial = match self {
            Self::Nsec { .. } => Denial::Nsec,
            Self::Nsec3 { opt_out, .. } => Denial::Nsec3 { opt_out: *opt_out },
        };
        types_of(denial, table, names, group)
    }
}

/// The types that the proof of a name with records lists.
pub(crate) fn types_of(
    denial: Denial,
    table: &Table,
    names: &Names,
    group: usize,
) -> Vec<RecordType> {
    proven_types(denial, kind(names, group), table.types(group))
}

fn kind(names: &Names, group: usize) -> NameKind {
    match names.standing[group] {
        Standing::Delegation => NameKind::Delegation,
        _ => NameKind::Authoritative,
    }
}

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("fewer than 2^32 names")
}

fn nsec_order(table: &Table, names: &Names, apex: &Name) -> Vec<Option<u32>> {
    let apex_labels = lookup_name(apex.as_wire()).labels();
    let key_of = |group: usize| {
        let name = lookup_name(table.owner(group));
        let key = SortKey::new(name.relative(name.labels(), apex_labels));
        Box::<[u8]>::from(key.as_slice())
    };
    let mut order: Vec<(Box<[u8]>, u32)> = (0..table.groups())
        .filter(|group| names.has_entry(*group))
        .map(|group| (key_of(group), index(group)))
        .collect();
    order.sort_unstable();
    let mut next = vec![None; table.groups()];
    let after = order.iter().skip(1).chain(order.first());
    for ((_, group), (_, following)) in order.iter().zip(after) {
        next[*group as usize] = Some(*following);
    }
    next
}

fn nsec3_links(
    table: &Table,
    names: &Names,
    apex: &Name,
    opt_out: bool,
    faults: &mut Findings,
) -> Vec<Link> {
    let mut links = Vec::new();
    let mut secure_empty: HashSet<u32> = HashSet::new();
    for group in (0..table.groups()).filter(|group| names.has_entry(*group)) {
        let secure = table.has(group, RecordType::DS);
        if !needs_nsec3(opt_out, kind(names, group), secure) {
            continue;
        }
        links.push(Link {
            hash: nsec3_hash(table.owner(group)),
            proven: Proven::Group(index(group)),
        });
        mark_ancestors(table.owner(group), names, apex, &mut secure_empty);
    }
    for (at, owner) in names.empty.iter().enumerate() {
        let secure = secure_empty.contains(&index(at));
        if needs_nsec3(opt_out, NameKind::Empty, secure) {
            links.push(Link {
                hash: nsec3_hash(owner),
                proven: Proven::Empty(index(at)),
            });
        }
    }
    links.sort_unstable_by_key(|link| (link.hash, link.proven));
    for pair in links.windows(2).filter(|pair| pair[0].hash == pair[1].hash) {
        // RFC 5155 section 7.1: then another salt is needed, which RFC 9276 has not.
        if let Proven::Group(group) = pair[0].proven {
            let text = "has the NSEC3 hash of another name; rename one or sign with NSEC";
            faults.push(table.owner(group as usize), text);
        }
    }
    links
}

/// Notes the empty non-terminals above a name that has an NSEC3.
fn mark_ancestors(owner: &[u8], names: &Names, apex: &Name, secure: &mut HashSet<u32>) {
    if names.empty.is_empty() {
        return;
    }
    let name = lookup_name(owner);
    let apex_labels = lookup_name(apex.as_wire()).labels();
    for labels in apex_labels + 1..name.labels() {
        let ancestor = name.suffix(labels);
        if let Ok(at) = names
            .empty
            .binary_search_by(|empty| (**empty).cmp(ancestor))
        {
            secure.insert(index(at));
        }
    }
}
