//! Segment files: an immutable bag of pages with a table of contents at the end.
//!
//! Opening a segment checks its digest, its table and each page on its own;
//! that references lead to pages of the right kind is checked by the generation.

use std::fs::File;
use std::path::{Path, PathBuf};

use rkyv::rancor::Error;

use crate::digest::digest;
use crate::error::{Fault, OpenError};
use crate::layout::{
    ArchivedCatalogPage, ArchivedNamePage, ArchivedNode, ArchivedNsec3Page, ArchivedOrderPage,
    ArchivedPageMeta, ArchivedSharedPage, ArchivedToc, ArchivedZonePage, GENERATION_MAGIC,
    HEADER_BYTES, Header, PageKind, PageRef, SEGMENT_MAGIC, SegmentRef, UNIT, VERSION,
};
use crate::memory::{Memory, Octets};
use crate::team::Team;
use crate::verify;

/// A verified segment.
#[derive(Debug)]
pub(crate) struct Segment {
    octets: Octets,
    digest: [u8; 32],
    /// Octets of its pages, without header and table.
    pages_bytes: u64,
    path: PathBuf,
}

/// The file of a segment with this digest: its first 16 octets in hexadecimal.
pub(crate) fn file_name(digest: &[u8; 32]) -> String {
    let mut name = String::with_capacity(40);
    for byte in &digest[..16] {
        name.push_str(&format!("{byte:02x}"));
    }
    name + ".segment"
}

impl Segment {
    pub(crate) fn open(
        directory: &Path,
        expected: &SegmentRef,
        seed: &[u8; 16],
        memory: Memory,
        team: Team,
    ) -> Result<Self, OpenError> {
        let path = directory.join(file_name(&expected.digest));
        Self::open_file(&path, path.clone(), expected, seed, memory, team)
    }

    /// The same from a file that will be at `path`.
    pub(crate) fn open_file(
        now: &Path,
        path: PathBuf,
        expected: &SegmentRef,
        seed: &[u8; 16],
        memory: Memory,
        team: Team,
    ) -> Result<Self, OpenError> {
        let file = File::open(now).map_err(|error| OpenError::io(now, error))?;
        let octets = Octets::load(&file, memory, team);
        let octets = octets.map_err(|error| OpenError::io(&path, error))?;
        let digest = check_header(octets.as_slice(), SEGMENT_MAGIC, &path, team)?;
        if digest != expected.digest {
            return Err(OpenError::Digest(path));
        }
        let mut segment = Self {
            octets,
            digest,
            pages_bytes: 0,
            path,
        };
        let fault = |rule| {
            OpenError::invalid(
                &segment.path,
                Fault {
                    rule,
                    offset_units: 0,
                },
            )
        };
        let toc = rkyv::access::<ArchivedToc, Error>(segment.body())
            .map_err(|_| fault("the table of contents is not what rkyv expects"))?;
        if toc.seed != *seed {
            return Err(fault("the segment was written with another name hash seed"));
        }
        verify::segment(&segment, toc, team)
            .map_err(|fault| OpenError::invalid(&segment.path, fault))?;
        let pages = toc.pages.iter();
        let bytes = pages.map(|page| u64::from(page.units.to_native()) * UNIT as u64);
        segment.pages_bytes = bytes.sum();
        Ok(segment)
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.octets.as_slice().len() as u64
    }

    /// Octets of its pages, without header and table.
    pub(crate) fn pages_bytes(&self) -> u64 {
        self.pages_bytes
    }

    pub(crate) fn huge_bytes(&self) -> u64 {
        self.octets.huge_bytes()
    }

    /// All that its file has.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.as_slice()
    }

    fn body(&self) -> &[u8] {
        &self.octets.as_slice()[HEADER_BYTES..]
    }

    #[expect(
        unsafe_code,
        reason = "`open` checked the table; checking again costs its size"
    )]
    pub(crate) fn toc(&self) -> &ArchivedToc {
        // SAFETY: `open` ran the checked access over these same octets, which
        // are immutable, before it returned this value.
        unsafe { rkyv::access_unchecked::<ArchivedToc>(self.body()) }
    }

    /// The octets of a page; `None` where they are not all in the segment.
    #[inline]
    pub(crate) fn page(&self, offset_units: u32, units: u16) -> Option<&[u8]> {
        let start = offset_units as usize * UNIT;
        self.octets
            .as_slice()
            .get(start..start + usize::from(units) * UNIT)
    }

    /// The page that `reference` names, when the table of contents has it.
    pub(crate) fn meta(&self, reference: PageRef) -> Option<&ArchivedPageMeta> {
        let pages = &self.toc().pages;
        let at = pages
            .binary_search_by_key(&reference.offset_units(), |page| {
                page.offset_units.to_native()
            })
            .ok()?;
        Some(&pages[at]).filter(|page| page.units.to_native() == reference.units())
    }
}

/// Checks magic, version and digest; returns the digest.
pub(crate) fn check_header(
    bytes: &[u8],
    magic: [u8; 8],
    path: &Path,
    team: Team,
) -> Result<[u8; 32], OpenError> {
    let (header, contents) = bytes
        .split_at_checked(HEADER_BYTES)
        .ok_or_else(|| OpenError::Magic(path.to_owned()))?;
    if header[..8] != magic {
        return Err(OpenError::Magic(path.to_owned()));
    }
    let found = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    if found != VERSION {
        return Err(OpenError::Version {
            path: path.to_owned(),
            found,
        });
    }
    let digest = digest(contents, team);
    if header != (Header { magic, digest }).encode() {
        return Err(OpenError::Digest(path.to_owned()));
    }
    Ok(digest)
}

/// Reads a small file of ours whole: the generation file.
pub(crate) fn read_generation_file(path: &Path) -> Result<Vec<u8>, OpenError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(path);
            return Err(OpenError::Missing(directory.to_owned()));
        }
        Err(error) => return Err(OpenError::io(path, error)),
    };
    check_header(&bytes, GENERATION_MAGIC, path, Team::ALONE)?;
    Ok(bytes)
}

/// Typed views of pages, without a check: only for references that the
/// generation has verified.
#[expect(
    unsafe_code,
    reason = "a checked access per query would cost more than the answer"
)]
pub(crate) mod access {
    use super::{
        ArchivedCatalogPage, ArchivedNamePage, ArchivedNode, ArchivedNsec3Page, ArchivedOrderPage,
        ArchivedSharedPage, ArchivedZonePage,
    };

    macro_rules! page_access {
        ($name:ident, $archived:ty) => {
            /// The page in these octets.
            #[inline]
            pub(crate) fn $name(octets: &[u8]) -> &$archived {
                // SAFETY: `verify::segment` ran the checked access over this page
                // as the kind that the table of contents gives it, and
                // `verify::generation` that each reference leads to that kind.
                unsafe { rkyv::access_unchecked::<$archived>(octets) }
            }
        };
    }
    page_access!(node, ArchivedNode);
    page_access!(catalog, ArchivedCatalogPage);
    page_access!(zone, ArchivedZonePage);
    page_access!(names, ArchivedNamePage);
    page_access!(shared, ArchivedSharedPage);
    page_access!(nsec3, ArchivedNsec3Page);
    page_access!(order, ArchivedOrderPage);
}

/// Checked access of a page as the kind it is said to be, then our own rules.
pub(crate) fn check_page(octets: &[u8], kind: PageKind) -> Result<(), &'static str> {
    const NOT_RKYV: &str = "the page is not what rkyv expects";
    match kind {
        PageKind::Node => rkyv::access::<ArchivedNode, Error>(octets)
            .map(drop)
            .map_err(|_| NOT_RKYV),
        PageKind::Catalog => {
            let page = rkyv::access::<ArchivedCatalogPage, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::catalog_page(page)
        }
        PageKind::Zone => {
            let page = rkyv::access::<ArchivedZonePage, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::zone_page(page)
        }
        PageKind::Names => {
            let page = rkyv::access::<ArchivedNamePage, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::name_page(page)
        }
        PageKind::Shared => {
            let page = rkyv::access::<ArchivedSharedPage, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::shared_page(page)
        }
        PageKind::Nsec3 => {
            let page = rkyv::access::<ArchivedNsec3Page, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::nsec3_page(page)
        }
        PageKind::Order => {
            let page = rkyv::access::<ArchivedOrderPage, Error>(octets).map_err(|_| NOT_RKYV)?;
            verify::order_page(page)
        }
    }
}
