//! The format as a whole: golden bytes, installs over each other, and images
//! that somebody damaged.

use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::layout::{
    ENTRY_DELEGATION, GENERATION_MAGIC, HEADER_BYTES, Header, PAGE_NAMES_FILL, PageKind, PageRef,
    Part, SEGMENT_MAGIC,
};
use crate::segment::file_name;
use crate::writer::{BodyBytes, Installer, NamePageBuilder, Proofs, TreePlan, ZoneRoots};
use crate::{Bases, GENERATION_FILE, Generation, Lookup, LookupName, Memory, OpenError, Seed};

const SEED: [u8; 16] = *b"sixteen octets..";
const NS: u16 = 2;
const SOA: u16 = 6;

pub(crate) fn wire(text: &str) -> Vec<u8> {
    crate::Name::parse_absolute(text)
        .unwrap()
        .as_wire()
        .to_vec()
}

/// An SOA of the apex with this serial, or one NS `ns.<owner>`, in body form.
fn body(rtype: u16, serial: u32) -> BodyBytes {
    let mut wire = vec![0, 0];
    wire.extend_from_slice(&rtype.to_be_bytes());
    wire.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    if rtype == SOA {
        wire.extend_from_slice(&[0, 22, 0, 0]);
        wire.extend_from_slice(&serial.to_be_bytes());
        wire.extend_from_slice(&[0; 16]);
        BodyBytes {
            records: 1,
            wire,
            patches: vec![0],
        }
    } else {
        wire.extend_from_slice(&[0, 5, 2, b'n', b's', 0, 0]);
        BodyBytes {
            records: 1,
            wire,
            patches: vec![0, 15],
        }
    }
}

/// Writes a zone with delegations d0 to d(count-1).
pub(crate) fn add_zone(installer: &mut Installer, apex: &str, serial: u32, count: usize) {
    let seed = installer.segment().seed();
    let apex = wire(apex);
    let mut names = vec![(seed.hash(&apex), Vec::new())];
    names.extend((0..count).map(|index| {
        let label = format!("d{index}").into_bytes();
        let relative = [&[u8::try_from(label.len()).unwrap()], &label[..]].concat();
        (seed.hash(&[&relative[..], &apex].concat()), relative)
    }));
    names.sort();
    let keys: Vec<u64> = names.iter().map(|(hash, _)| *hash).collect();
    let plan = TreePlan::new(&keys, |range| range.len() <= PAGE_NAMES_FILL).unwrap();
    let leaves: Vec<_> = plan
        .leaves()
        .iter()
        .map(|range| {
            let mut page = NamePageBuilder::default();
            for (hash, relative) in &names[range.clone()] {
                if relative.is_empty() {
                    page.entry(*hash, 0, relative);
                    page.body(SOA, Part::Records, &body(SOA, serial));
                } else {
                    page.entry(*hash, ENTRY_DELEGATION, relative);
                    page.body(NS, Part::Records, &body(NS, 0));
                }
            }
            installer
                .segment()
                .append(PageKind::Names, &page.finish().unwrap())
                .unwrap()
        })
        .collect();
    let names_root = plan.write(&leaves, installer.segment()).unwrap();
    installer
        .add_zone(&ZoneRoots {
            apex,
            serial,
            event: u64::from(serial),
            depths: if count > 0 { 0b11 } else { 0b1 },
            apex_flags: 0,
            names: names_root,
            shared: PageRef::NONE,
            shared_count: 0,
            names_count: count as u64 + 1,
            delegations_count: count as u64,
            records_count: count as u64 + 1,
            proofs: Proofs::default(),
            negative: vec![(Part::Records, body(SOA, serial))],
            parking: Vec::new(),
        })
        .unwrap();
}

fn image(zones: &[(&str, u32, usize)]) -> TempDir {
    limited_image(zones, u64::MAX)
}

/// The same in segments of no more octets of pages than this.
fn limited_image(zones: &[(&str, u32, usize)], bytes_max: u64) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), Some(Seed::new(SEED))).unwrap();
    installer.limit_segments(bytes_max);
    for (apex, serial, count) in zones {
        add_zone(&mut installer, apex, *serial, *count);
    }
    installer.commit().unwrap();
    directory
}

/// A page of names that has the apex of `example.` alone.
fn apex_page(installer: &mut Installer) -> PageRef {
    let segment = installer.segment();
    let mut page = NamePageBuilder::default();
    page.entry(segment.seed().hash(&wire("example.")), 0, &[]);
    page.body(SOA, Part::Records, &body(SOA, 1));
    segment
        .append(PageKind::Names, &page.finish().unwrap())
        .unwrap()
}

/// The zone `example.` of one name.
fn apex_zone(names: PageRef, proofs: Proofs) -> ZoneRoots {
    ZoneRoots {
        apex: wire("example."),
        serial: 1,
        event: 1,
        depths: 1,
        apex_flags: 0,
        names,
        shared: PageRef::NONE,
        shared_count: 0,
        names_count: 1,
        delegations_count: 0,
        records_count: 1,
        proofs,
        negative: vec![(Part::Records, body(SOA, 1))],
        parking: Vec::new(),
    }
}

fn open(directory: &Path) -> Result<Generation, OpenError> {
    Generation::open(directory, Memory::Sealed)
}

/// Looks a name up and writes the NS body it finds; says what it met.
fn look(generation: &Generation, name: &str) -> String {
    let mut message = [0; 512];
    let name = wire(name);
    message[12..12 + name.len()].copy_from_slice(&name);
    let name = LookupName::parse(&name).unwrap();
    let Some(zone) = generation.find_zone(&name, name.labels()) else {
        return "no zone".to_owned();
    };
    let (entry, labels) = match zone.lookup(&name) {
        Lookup::Name(entry) => (entry, name.labels()),
        Lookup::Delegation { entry, labels } => (entry, labels),
        Lookup::Missing { encloser_labels } => return format!("missing below {encloser_labels}"),
        _ => return "other".to_owned(),
    };
    let place = |labels| u16::try_from(12 + name.suffix_start(labels)).unwrap();
    let bases = Bases {
        owner: place(labels),
        apex: place(zone.apex_labels()),
        lead: 0,
    };
    for body in entry.bodies() {
        body.write(&mut message, 300, bases);
    }
    let pointer = u16::from_be_bytes([message[300], message[301]]);
    format!(
        "{} at {}, serial {}",
        entry.name(),
        pointer & 0x3fff,
        zone.serial()
    )
}

#[test]
fn a_staged_generation_is_opened_before_it_is_installed_and_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    let stage = |serial| {
        let mut installer = Installer::update(directory.path()).unwrap();
        add_zone(&mut installer, "tld.", serial, 3);
        installer.stage().unwrap()
    };
    drop(stage(1));
    assert_eq!(files(), 1, "the lock");
    stage(2).install().unwrap();
    let files_installed = files();
    let staged = stage(3);
    let open = |generation: Result<Generation, OpenError>| {
        let generation = generation.unwrap();
        (generation.number(), generation.zones()[0].serial)
    };
    let installed = || open(Generation::open(directory.path(), Memory::Mapped));
    assert_eq!(open(staged.open(Memory::Mapped, None)), (2, 3));
    assert_eq!(installed(), (1, 2));
    drop(staged);
    assert_eq!((installed(), files()), ((1, 2), files_installed));
    // The same contents are the same file, which the installed generation needs.
    drop(stage(2));
    assert_eq!((installed(), files()), ((1, 2), files_installed));
    stage(4).install().unwrap();
    assert_eq!((installed(), files()), ((2, 4), files_installed));
}

#[test]
fn finds_names_in_zones_of_every_size() {
    for count in [0, 1, 48, 49, 5_000] {
        let directory = image(&[("example.", 7, count), ("co.example.", 8, 3), (".", 9, 2)]);
        let generation = open(directory.path()).unwrap();
        assert_eq!(look(&generation, "example."), "example. at 12, serial 7");
        if count > 0 {
            let last = format!("d{}.example.", count - 1);
            assert_eq!(look(&generation, &last), format!("{last} at 12, serial 7"));
            assert_eq!(
                look(&generation, &format!("www.{last}")),
                format!("{last} at 16, serial 7")
            );
        }
        assert_eq!(look(&generation, "no.example."), "missing below 1");
        assert_eq!(
            look(&generation, "d2.co.example."),
            "d2.co.example. at 12, serial 8"
        );
        assert_eq!(look(&generation, "d1."), "d1. at 12, serial 9");
        assert_eq!(look(&generation, "a.b."), "missing below 0");
        assert_eq!(generation.zones_count(), 3);
    }
}

#[test]
fn installs_a_second_segment_over_the_first() {
    let directory = image(&[("one.", 1, 100), ("two.", 2, 100)]);
    let first = open(directory.path()).unwrap();
    let mut installer = Installer::update(directory.path()).unwrap();
    add_zone(&mut installer, "two.", 3, 50);
    let installed = installer.commit().unwrap();
    assert_eq!(
        (installed.number, installed.zones, installed.event),
        (2, 2, 3)
    );

    let second = Generation::open_after(directory.path(), Memory::Sealed, Some(&first)).unwrap();
    assert_eq!(second.segments_count(), 2);
    assert_eq!(look(&second, "d99.one."), "d99.one. at 12, serial 1");
    assert_eq!(look(&second, "d49.two."), "d49.two. at 12, serial 3");
    assert_eq!(look(&second, "d50.two."), "missing below 1");
    // What is open stays as it was.
    assert_eq!(look(&first, "d50.two."), "d50.two. at 12, serial 2");

    let mut installer = Installer::update(directory.path()).unwrap();
    add_zone(&mut installer, "one.", 4, 1);
    assert!(installer.remove_zone(&wire("two.")));
    installer.commit().unwrap();
    let third = open(directory.path()).unwrap();
    assert_eq!(
        (third.number(), third.segments_count(), third.zones_count()),
        (3, 1, 1)
    );
    let segments = std::fs::read_dir(directory.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension() == Some("segment".as_ref()));
    assert_eq!(
        segments.count(),
        1,
        "segments that nothing refers to are removed"
    );
}

#[test]
fn an_install_that_is_dropped_changes_nothing() {
    let directory = image(&[("one.", 1, 10)]);
    let mut installer = Installer::update(directory.path()).unwrap();
    add_zone(&mut installer, "two.", 2, 10);
    let busy = Installer::update(directory.path());
    assert!(matches!(busy.err(), Some(crate::WriteError::Busy(_))));
    drop(installer);
    assert_eq!(open(directory.path()).unwrap().zones_count(), 1);
    assert!(!directory.path().join("segment.tmp").exists());
}

#[test]
fn format_version_1_is_what_it_was() {
    let directory = image(&[("example.", 2026, 60)]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let segment = file_name(&manifest_segment_digest(directory.path()));
    for (file, golden_file) in [
        (GENERATION_FILE, "generation"),
        (segment.as_str(), "example.segment"),
    ] {
        let bytes = std::fs::read(directory.path().join(file)).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(&golden).unwrap();
            std::fs::write(golden.join(golden_file), &bytes).unwrap();
        }
        let expected = std::fs::read(golden.join(golden_file)).unwrap();
        assert!(
            bytes == expected,
            "{golden_file} changed: raise VERSION, then write it again with UPDATE_GOLDEN=1"
        );
    }
}

fn manifest_segment_digest(directory: &Path) -> [u8; 32] {
    let generation = open(directory).unwrap();
    *generation
        .segments
        .iter()
        .flatten()
        .next()
        .unwrap()
        .digest()
}

#[track_caller]
fn check_refused(change: impl FnOnce(&Path, &Path), expected: &str) {
    let directory = image(&[("example.", 1, 60)]);
    let segment = directory
        .path()
        .join(file_name(&manifest_segment_digest(directory.path())));
    change(&directory.path().join(GENERATION_FILE), &segment);
    let message = open(directory.path()).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn refuses_damaged_images() {
    check_refused(
        |generation, _| std::fs::remove_file(generation).unwrap(),
        "no image is installed",
    );
    check_refused(
        |_, segment| std::fs::remove_file(segment).unwrap(),
        ".segment: No such file",
    );
    check_refused(
        |generation, _| edit(generation, |bytes| bytes.truncate(70)),
        "digest",
    );
    check_refused(
        |generation, _| edit(generation, Vec::clear),
        "not a Meridian image",
    );
    check_refused(
        |_, segment| edit(segment, |bytes| bytes.truncate(bytes.len() - 1)),
        "digest",
    );
    check_refused(
        |_, segment| edit(segment, |bytes| bytes.truncate(10)),
        "not a Meridian image",
    );
    check_refused(
        |_, segment| edit(segment, |bytes| bytes[8] = 9),
        "image format 9, this build reads 1",
    );
    check_refused(|_, segment| edit(segment, |bytes| bytes[12] = 1), "digest");
}

#[test]
fn refuses_every_flipped_bit() {
    let directory = image(&[("example.", 1, 3)]);
    let segment = directory
        .path()
        .join(file_name(&manifest_segment_digest(directory.path())));
    for path in [directory.path().join(GENERATION_FILE), segment] {
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            assert!(
                open(directory.path()).is_err(),
                "octet {at} of {}",
                path.display()
            );
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(open(directory.path()).is_ok());
}

/// Puts right digests over contents that are wrong, as a defect of ours would.
fn reseal(directory: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    reseal_segment(directory, &manifest_segment_digest(directory), change);
}

fn reseal_segment(directory: &Path, old_digest: &[u8; 32], change: impl FnOnce(&mut Vec<u8>)) {
    let mut segment = std::fs::read(directory.join(file_name(old_digest))).unwrap();
    change(&mut segment);
    let digest = *blake3::hash(&segment[HEADER_BYTES..]).as_bytes();
    segment[..HEADER_BYTES].copy_from_slice(
        &Header {
            magic: SEGMENT_MAGIC,
            digest,
        }
        .encode(),
    );
    std::fs::write(directory.join(file_name(&digest)), segment).unwrap();
    edit(&directory.join(GENERATION_FILE), |manifest| {
        let at = manifest
            .windows(32)
            .position(|window| window == &old_digest[..])
            .unwrap();
        manifest[at..at + 32].copy_from_slice(&digest);
        let digest = *blake3::hash(&manifest[HEADER_BYTES..]).as_bytes();
        let header = Header {
            magic: GENERATION_MAGIC,
            digest,
        }
        .encode();
        manifest[..HEADER_BYTES].copy_from_slice(&header);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Contents that are wrong under a right digest are refused or harmless:
    /// whatever opens can be asked for every name without a panic.
    #[test]
    fn wrong_contents_are_refused_or_harmless(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let directory = image(&[("example.", 1, 60), ("two.", 1, 2)]);
        reseal(directory.path(), |segment| {
            for (index, value) in &edits {
                let at = HEADER_BYTES + index.index(segment.len() - HEADER_BYTES);
                segment[at] = *value;
            }
        });
        if let Ok(generation) = open(directory.path()) {
            for index in 0..60 {
                look(&generation, &format!("www.d{index}.example."));
            }
            look(&generation, "example.");
            look(&generation, "d1.two.");
            generation.zones();
        }
    }
}

mod changes;
mod parked;
mod proofs;
mod segments;
mod shipment;
mod tangled;
mod threads;
