//! The rules across pages, by several threads.
//!
//! The same checks as those of a walk by one thread ([`super::walk`]), taken apart where
//! trees branch: the catalog first, then names and proofs of each large zone. What parts
//! found is added up in their order. Says only that all is right; where it is not, one
//! thread walks from the start and its fault counts, so that the verdict is the same
//! whatever the number of threads. A thread stops where it has reached more than there
//! is, as the one thread would, so tangled references cost a walk for each thread.

use super::walk::{self, KeyRange, Nsec3Leaves, Totals, Walk, WalkFault, Zones};
use crate::generation::Generation;
use crate::layout::{ArchivedZonePage, Denial, PageRef};
use crate::proof_tree::runs;
use crate::reach::Live;
use crate::segment::{Segment, access};
use crate::team::Team;

/// Follows every reference of a generation; says what of its segments it reached.
pub(crate) fn generation(generation: &Generation, team: Team) -> Result<Live, WalkFault> {
    if team.is_alone() {
        return walk::alone(generation);
    }
    if let Some(live) = together(generation, team) {
        return Ok(live);
    }
    let verdict = walk::alone(generation);
    debug_assert!(verdict.is_err(), "several threads refuse what one accepts");
    verdict
}

/// A zone that is taken apart.
struct Large<'g> {
    reference: PageRef,
    page: &'g ArchivedZonePage,
}

/// What stands below a run of slots of the root of a tree.
struct Branch {
    root: PageRef,
    keys: KeyRange,
}

/// A part of a large zone.
struct Part {
    branch: Branch,
    kind: PartKind,
}

#[derive(Clone, Copy)]
enum PartKind {
    /// Names that may refer to so many shared bodies.
    Names { shared_count: u32 },
    /// NSEC3 records.
    Nsec3,
    /// Names in order, this far below their root.
    Order { level: u32 },
}

/// What a part came to.
enum Found {
    Names(Totals),
    Nsec3(Nsec3Leaves),
    Order(u64),
}

/// The same by several threads; none where anything is wrong.
pub(crate) fn together(generation: &Generation, team: Team) -> Option<Live> {
    let first = Walk::new(generation);
    let mut live = Live::default();
    let (zones, large, walks) = catalog(&first, team)?;
    first.zones_count(&zones).ok()?;
    count(generation, &mut live, walks)?;
    for zone in &large {
        // One after the other, so that there are never more parts than a root has slots.
        let walks = take_apart(&first, zone, team)?;
        count(generation, &mut live, walks)?;
    }
    count(generation, &mut live, vec![first])?;
    Some(live)
}

/// Walks the catalog and its small zones; gives the large ones.
fn catalog<'g>(first: &Walk<'g>, team: Team) -> Option<(Zones, Vec<Large<'g>>, Vec<Walk<'g>>)> {
    let generation = first.generation;
    let branches = branches(first, generation.catalog)?;
    let work = |walk: &mut Walk<'g>, at: usize| {
        let branch: &Branch = &branches[at];
        let mut large = Vec::new();
        let zones = walk.catalog(branch.root, &branch.keys, &mut |reference, apex| {
            let page = walk.zone_page(reference, apex)?;
            // What it says of itself is checked later; here it only says who does it.
            if page.names_count.to_native() <= team.names_alone_max {
                return walk.zone_contents(reference, page);
            }
            large.push(Large { reference, page });
            Ok(())
        })?;
        Ok::<_, WalkFault>((zones, large))
    };
    let shared = team.share_out(branches.len(), || Walk::new(generation), work);
    let (found, walks) = shared.ok()?;
    let (mut zones, mut large) = (Zones::default(), Vec::new());
    for (own, own_large) in found {
        zones.count += own.count;
        zones.depths |= own.depths;
        large.extend(own_large);
    }
    Some((zones, large, walks))
}

/// The branches of a tree, whose root is checked; itself where it is a leaf.
fn branches(first: &Walk<'_>, root: PageRef) -> Option<Vec<Branch>> {
    let keys = KeyRange::default();
    if root.is_none() || !root.is_node() {
        return Some(vec![Branch { root, keys }]);
    }
    first.check_node(root, &keys).ok()?;
    let runs = runs(first.generation, root).into_iter();
    let branch = |(start, end, root)| Branch {
        root,
        keys: keys.below(start, end),
    };
    Some(runs.map(branch).collect())
}

/// Checks what stands below a zone page, by all threads.
fn take_apart<'g>(first: &Walk<'g>, zone: &Large<'g>, team: Team) -> Option<Vec<Walk<'g>>> {
    let parts = parts(first, zone.page)?;
    let generation = first.generation;
    let work = |walk: &mut Walk<'g>, at: usize| walk_part(walk, zone.page, &parts[at]);
    let shared = team.share_out(parts.len(), || Walk::new(generation), work);
    let (found, walks) = shared.ok()?;
    let (mut totals, mut nsec3, mut ordered) = (Totals::default(), Nsec3Leaves::default(), 0);
    for found in found {
        match found {
            Found::Names(own) => totals.add(&own),
            Found::Nsec3(own) => nsec3.add(own).then_some(())?,
            Found::Order(own) => ordered += own,
        }
    }
    let proofs_count = match Denial::from_number(zone.page.denial) {
        Some(Denial::Nsec3) => {
            first.nsec3_chain(&nsec3).ok()?;
            nsec3.count
        }
        Some(Denial::Nsec) => ordered,
        // Checked with the parts.
        _ => 0,
    };
    first.proofs_count(zone.page, proofs_count).ok()?;
    first.names_count(zone.reference, zone.page, &totals).ok()?;
    Some(walks)
}

/// The parts of a zone, in order; what is not taken apart is checked here.
fn parts(first: &Walk<'_>, zone: &ArchivedZonePage) -> Option<Vec<Part>> {
    let part = |kind: PartKind| move |branch: Branch| Part { branch, kind };
    let shared_count = first.shared(zone).ok()?;
    let names = branches(first, PageRef(zone.names.to_native()))?.into_iter();
    let mut parts: Vec<_> = names.map(part(PartKind::Names { shared_count })).collect();
    let root = PageRef(zone.proofs.to_native());
    match Denial::from_number(zone.denial) {
        Some(Denial::Nsec3) => {
            let proofs = branches(first, root)?.into_iter();
            parts.extend(proofs.map(part(PartKind::Nsec3)));
        }
        Some(Denial::Nsec) => {
            let (below, level) = order_below(first, root)?;
            let below = below.into_iter().map(|root| Branch {
                root,
                keys: KeyRange::default(),
            });
            parts.extend(below.map(part(PartKind::Order { level })));
        }
        _ => first.proofs(zone).ok()?,
    }
    Some(parts)
}

/// The pages below the root of an order, which is checked; itself where it is a leaf.
fn order_below(first: &Walk<'_>, root: PageRef) -> Option<(Vec<PageRef>, u32)> {
    first.check_order(root, 0).ok()?;
    let page = access::order(first.generation.page(root));
    if page.children.is_empty() {
        return Some((vec![root], 0));
    }
    first.reached(root).ok()?;
    let children = page.children.iter();
    let children = children.map(|child| PageRef(child.to_native()));
    Some((children.collect(), 1))
}

fn walk_part(walk: &Walk<'_>, zone: &ArchivedZonePage, part: &Part) -> Result<Found, WalkFault> {
    let Branch { root, keys } = &part.branch;
    match part.kind {
        PartKind::Names { shared_count } => {
            let mut totals = Totals::default();
            walk.name_tree(zone, *root, keys, shared_count, &mut totals)?;
            Ok(Found::Names(totals))
        }
        PartKind::Nsec3 => {
            let mut found = Nsec3Leaves::default();
            walk.nsec3_tree(*root, keys, &mut found)?;
            Ok(Found::Nsec3(found))
        }
        PartKind::Order { level } => Ok(Found::Order(walk.order(*root, level)?)),
    }
}

/// Adds what these reached; none where all together is more than there is.
fn count(generation: &Generation, live: &mut Live, walks: Vec<Walk<'_>>) -> Option<()> {
    for walk in walks {
        let own = walk.live.into_inner();
        for slot in own.slots() {
            live.add_bytes(slot, own.bytes(slot));
        }
    }
    let is_there = |slot| {
        let segment = generation.segments.get(usize::from(slot));
        let segment = segment.and_then(|segment| segment.as_deref());
        live.bytes(slot) <= segment.map_or(0, Segment::pages_bytes)
    };
    live.slots().all(is_there).then_some(())
}
