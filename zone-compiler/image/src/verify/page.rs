//! Rules of one page: every offset in its heap, every pointer in its body,
//! counts right, names in lower case.

use crate::denial::relative_name;
use crate::layout::{
    ArchivedBody, ArchivedCatalogPage, ArchivedEntry, ArchivedNamePage, ArchivedNsec3Page,
    ArchivedOrderPage, ArchivedSharedPage, ArchivedZonePage, Base, Denial, ENTRY_CNAME,
    ENTRY_DELEGATION, ENTRY_DNAME, ENTRY_PARKED, ORDER_PAGE_KEYS_MAX, PAGE_NAMES_MAX,
    PARKED_BODIES_MAX, POINTER_REACH, Part, SHARED_PAGE_BODIES,
};
use crate::name::{NAME_BYTES_MAX, wire_length};

type Checked = Result<(), &'static str>;

const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const DNAME: u16 = 39;
const DS: u16 = 43;
const RRSIG: u16 = 46;

fn rule(holds: bool, text: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(text) }
}

pub(crate) fn catalog_page(page: &ArchivedCatalogPage) -> Checked {
    rule(
        page.zones.len() <= PAGE_NAMES_MAX,
        "a catalog page has too many zones",
    )?;
    page.zones
        .iter()
        .try_for_each(|entry| lower_case_name(&entry.apex))
}

pub(crate) fn zone_page(page: &ArchivedZonePage) -> Checked {
    lower_case_name(&page.apex)?;
    for body in page.negative.iter() {
        rule(!body.is_shared(), "a negative answer has a shared body")?;
        stored_body(body, &page.heap)?;
    }
    parking(page)?;
    rule(
        Denial::from_number(page.denial).is_some(),
        "a zone has no known kind of proof",
    )?;
    let has_soa = page
        .negative
        .iter()
        .any(|body| body.part == Part::Records as u8);
    rule(has_soa, "a zone has no SOA for negative answers")
}

/// The child zone of parked names, where there is one: a single SOA at its apex, RRsets in
/// order, and nothing that would lead elsewhere or belong to the parent.
fn parking(page: &ArchivedZonePage) -> Checked {
    let is_parked =
        |body: &&ArchivedBody| Part::from_number(body.part).is_some_and(Part::is_parked);
    let mut bodies = page.negative.iter().skip_while(|body| !is_parked(body));
    let mut last = None;
    rule(
        bodies.clone().count() <= PARKED_BODIES_MAX && bodies.clone().all(|body| is_parked(&body)),
        "a zone has too much for parked names, or other records behind it",
    )?;
    let has_any = bodies.clone().next().is_some();
    let is_soa = |body: &ArchivedBody| body.part == Part::ParkedApex as u8 && body.rtype == SOA;
    let has_soa = bodies.clone().any(|body| is_soa(body) && body.records == 1);
    rule(has_soa || !has_any, "parked names have no SOA")?;
    bodies.try_for_each(|body| {
        let key = (body.part, body.rtype.to_native());
        rule(
            Some(key) > last,
            "the RRsets of parked names are not sorted",
        )?;
        last = Some(key);
        let is_below = body.part == Part::ParkedBelow as u8;
        let is_bad = [NS, CNAME, DNAME, DS, RRSIG].contains(&key.1) || is_below && key.1 == SOA;
        rule(!is_bad, "parked names have records that they must not have")
    })
}

pub(crate) fn name_page(page: &ArchivedNamePage) -> Checked {
    rule(
        page.entries.len() <= PAGE_NAMES_MAX,
        "a name page has too many names",
    )?;
    page.entries.iter().try_for_each(|own| entry(page, own))
}

pub(crate) fn shared_page(page: &ArchivedSharedPage) -> Checked {
    rule(
        page.bodies.len() <= SHARED_PAGE_BODIES as usize,
        "a shared page has too many bodies",
    )?;
    for body in page.bodies.iter() {
        rule(!body.is_shared(), "a shared body refers to another one")?;
        stored_body(body, &page.heap)?;
    }
    Ok(())
}

pub(crate) fn nsec3_page(page: &ArchivedNsec3Page) -> Checked {
    rule(
        page.hashes.len() == page.bodies.len(),
        "an NSEC3 page has hashes without records",
    )?;
    rule(!page.hashes.is_empty(), "an NSEC3 page is empty")?;
    // The first record may be the last of all, repeated before the first.
    rule(
        page.hashes[1..].is_sorted(),
        "the hashes of an NSEC3 page are not sorted",
    )?;
    for body in page.bodies.iter() {
        rule(!body.is_shared(), "an NSEC3 record is a shared body")?;
        rule(
            body.part == Part::Proof as u8,
            "an NSEC3 record is no proof",
        )?;
        stored_body(body, &page.heap)?;
    }
    Ok(())
}

pub(crate) fn order_page(page: &ArchivedOrderPage) -> Checked {
    let count = page.ends.len();
    rule(
        (1..=ORDER_PAGE_KEYS_MAX).contains(&count),
        "an order page has too many keys or none",
    )?;
    rule(
        page.children.is_empty() || page.children.len() == count,
        "an order page has keys without children",
    )?;
    let mut start = 0;
    let mut last: Option<&[u8]> = None;
    for end in page.ends.iter() {
        let end = end.to_native() as usize;
        let key = page
            .heap
            .get(start..end)
            .ok_or("a sort key is not in its heap")?;
        rule(
            last.is_none_or(|last| last < key),
            "the sort keys of a page are not sorted",
        )?;
        let mut name = [0; NAME_BYTES_MAX];
        rule(
            relative_name(key, &mut name).is_some(),
            "a sort key is that of no name",
        )?;
        (start, last) = (end, Some(key));
    }
    Ok(())
}

fn entry(page: &ArchivedNamePage, entry: &ArchivedEntry) -> Checked {
    let start = entry.name.to_native() as usize;
    let name = page.heap.get(start..start + usize::from(entry.name_length));
    let name = name.ok_or("a name is not in its heap")?;
    let mut wire = [0; NAME_BYTES_MAX + 1];
    wire[..name.len()].copy_from_slice(name);
    lower_case_name(&wire[..=name.len()])?;

    let start = usize::from(entry.bodies_start.to_native());
    let end = start + usize::from(entry.bodies_count.to_native());
    let bodies = page
        .bodies
        .get(start..end)
        .ok_or("the bodies of a name are not in its page")?;
    let mut last = None;
    for body in bodies {
        let key = (body.rtype.to_native(), body.part & !crate::layout::SHARED);
        rule(Some(key) > last, "the bodies of a name are not sorted")?;
        last = Some(key);
        let part = Part::from_number(key.1);
        rule(
            !part.is_some_and(Part::is_parked),
            "a name has what only a zone has",
        )?;
        if body.is_shared() {
            body_head(body)?;
        } else {
            stored_body(body, &page.heap)?;
        }
    }
    let has = |rtype: u16| bodies.iter().any(|body| body.rtype == rtype);
    let flag = |flag: u8| entry.flags & flag != 0;
    rule(!flag(ENTRY_DELEGATION) || has(NS), "a delegation has no NS")?;
    rule(
        !flag(ENTRY_PARKED) || flag(ENTRY_DELEGATION) && !has(DS),
        "a parked name is no delegation, or a secure one",
    )?;
    rule(
        flag(ENTRY_CNAME) == has(CNAME),
        "the CNAME flag of a name is wrong",
    )?;
    rule(
        flag(ENTRY_DNAME) == has(DNAME),
        "the DNAME flag of a name is wrong",
    )
}

fn lower_case_name(wire: &[u8]) -> Checked {
    rule(wire_length(wire) == Ok(wire.len()), "a name is malformed")?;
    rule(
        !wire.iter().any(u8::is_ascii_uppercase),
        "a name is not in lower case",
    )
}

fn body_head(body: &ArchivedBody) -> Checked {
    rule(
        Part::from_number(body.part & !crate::layout::SHARED).is_some(),
        "a body has no known part",
    )
}

/// A body whose octets are in this heap.
fn stored_body(body: &ArchivedBody, heap: &[u8]) -> Checked {
    body_head(body)?;
    let start = body.place.to_native() as usize;
    let end = start + usize::from(body.length.to_native());
    let patches_end = end + 2 * usize::from(body.patches.to_native());
    let wire = heap.get(start..end).ok_or("a body is not in its heap")?;
    let patches = heap
        .get(end..patches_end)
        .ok_or("the pointers of a body are not in its heap")?;
    let (patches, _) = patches.as_chunks::<2>();
    pointers(wire, patches)?;
    records(body, wire, patches)
}

/// Checks the places of pointers, in the order in which they are stored.
fn pointers(wire: &[u8], patches: &[[u8; 2]]) -> Checked {
    let mut free_from = 0;
    for position in patches {
        let position = usize::from(u16::from_le_bytes(*position));
        rule(
            position >= free_from,
            "the pointers of a body overlap or are not sorted",
        )?;
        let value = wire
            .get(position..position + 2)
            .ok_or("a pointer is not in its body")?;
        let value = u16::from_be_bytes([value[0], value[1]]);
        let addend = usize::from(value & 0x3fff);
        let base = value >> 14;
        let reach = match base {
            _ if base == Base::Own as u16 => position.min(POINTER_REACH),
            _ if base == Base::Lead as u16 => POINTER_REACH,
            _ => NAME_BYTES_MAX,
        };
        rule(addend < reach.max(1), "a pointer reaches too far")?;
        free_from = position + 2;
    }
    Ok(())
}

/// Walks the records: owner, fixed fields, length; the count must come out.
fn records(body: &ArchivedBody, wire: &[u8], patches: &[[u8; 2]]) -> Checked {
    const SHORT: &str = "a record of a body is cut off";
    let place = |patch: &[u8; 2]| u16::from_le_bytes(*patch);
    let is_patch = |at: usize| {
        u16::try_from(at).is_ok_and(|at| patches.binary_search_by_key(&at, place).is_ok())
    };
    let mut at = 0;
    let mut count = 0;
    while at < wire.len() {
        loop {
            if is_patch(at) {
                at += 2;
                break;
            }
            let length = usize::from(*wire.get(at).ok_or(SHORT)?);
            rule(length < 64, "an owner name of a body has a stray pointer")?;
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
        let fixed = wire.get(at..at + 10).ok_or(SHORT)?;
        let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
        let expected = match Part::from_number(body.part) {
            Some(Part::Records | Part::ParkedApex | Part::ParkedBelow) => {
                rtype == body.rtype.to_native()
            }
            Some(Part::Signatures | Part::AddressSignatures) => rtype == RRSIG,
            Some(Part::Proof) => rtype == body.rtype.to_native() || rtype == RRSIG,
            _ => rtype == 1 || rtype == 28,
        };
        rule(expected, "a record of a body has another type")?;
        at += 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        count += 1;
    }
    rule(at == wire.len(), SHORT)?;
    rule(
        count == body.records.to_native() && count > 0,
        "a body counts its records wrong",
    )
}
