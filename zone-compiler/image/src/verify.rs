//! The rules of the format that rkyv does not know.
//!
//! Page rules look at one page alone and run when its segment is opened;
//! generation rules follow every reference from the catalog down. What they
//! let through, the answer path may trust without a check.

mod after;
mod page;
mod proofs;
mod split;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use after::generation_after;
pub(crate) use page::{catalog_page, name_page, nsec3_page, order_page, shared_page, zone_page};
pub(crate) use split::generation;
#[cfg(test)]
pub(crate) use split::together;
#[cfg(test)]
pub(crate) use walk::alone;

use crate::error::Fault;
use crate::layout::{ArchivedToc, HEADER_BYTES, PageKind, UNIT};
use crate::segment::{Segment, check_page};
use crate::team::Team;

/// Pages that one thread takes at a time.
const BATCH: usize = 64;

/// Checks the table of contents of a segment and each of its pages.
pub(crate) fn segment(segment: &Segment, toc: &ArchivedToc, team: Team) -> Result<(), Fault> {
    table(segment, toc)?;
    let batches = toc.pages.len().div_ceil(BATCH);
    let work = |(): &mut (), batch| pages(segment, toc, batch * BATCH);
    team.share_out(batches, || (), work).map(drop)
}

fn table(segment: &Segment, toc: &ArchivedToc) -> Result<(), Fault> {
    let mut end = HEADER_BYTES / UNIT;
    for page in toc.pages.iter() {
        let offset_units = page.offset_units.to_native();
        let units = page.units.to_native();
        let fault = |rule| Err(Fault { rule, offset_units });
        if (offset_units as usize) < end {
            return fault("pages overlap or are out of order");
        }
        if segment.page(offset_units, units).is_none() || units == 0 {
            return fault("a page ends after its segment");
        }
        if PageKind::from_number(page.kind).is_none() {
            return fault("a page has an unknown kind");
        }
        end = offset_units as usize + usize::from(units);
    }
    Ok(())
}

/// Checks the pages of one batch.
fn pages(segment: &Segment, toc: &ArchivedToc, start: usize) -> Result<(), Fault> {
    let end = (start + BATCH).min(toc.pages.len());
    let check = || {
        for page in &toc.pages[start..end] {
            let offset_units = page.offset_units.to_native();
            let octets = segment.page(offset_units, page.units.to_native());
            let kind = PageKind::from_number(page.kind);
            let (Some(octets), Some(kind)) = (octets, kind) else {
                return Err(Fault {
                    rule: "the table of contents changed",
                    offset_units,
                });
            };
            check_page(octets, kind).map_err(|rule| Fault { rule, offset_units })?;
        }
        Ok(())
    };
    // A defect of the verifier is a fault of the image that met it.
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| {
        Err(Fault {
            rule: "the verifier panicked",
            offset_units: toc.pages[start].offset_units.to_native(),
        })
    })
}
