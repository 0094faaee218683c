//! One change as a file: a digest, then when, from where to where, and the records.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zone_image::Name;

use crate::transfer::difference::{Difference, Flat};
use crate::transfer::message::soa_serial;

/// Starts every file; the last octet is the version.
const MAGIC: [u8; 8] = *b"MRDNchg\x01";
const DIGEST_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + DIGEST_BYTES;
/// Octets before the records: time, two numbers of records.
const FIXED_BYTES: usize = 8 + 4 + 4;
const ENDING: &str = "change";
const UNFINISHED: &str = "new";
/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 32;

/// A change that is kept.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) created_at: u64,
    pub(super) bytes: u64,
    pub(super) path: PathBuf,
}

impl Entry {
    pub(super) fn remove(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

/// The folder of a zone: its apex in hexadecimal digits, since names can have any octets.
pub(super) fn folder_name(apex: &Name) -> String {
    let digits = apex.as_wire().iter().map(|octet| format!("{octet:02x}"));
    digits.collect()
}

/// The zone of a folder.
pub(super) fn apex_of(folder: &OsStr) -> Option<Name> {
    let digits = folder.to_str()?;
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    let octets = pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok());
    Name::from_wire(&octets.collect::<Option<Vec<_>>>()?).ok()
}

/// The changes in a folder that join each other up to the newest; others are removed.
pub(super) fn list(folder: &Path, apex: &Name) -> io::Result<VecDeque<Entry>> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let change = match path.extension().and_then(OsStr::to_str) {
            Some(ENDING) => open(&path).map(|(_, entry)| entry),
            _ => Err(io::ErrorKind::InvalidData.into()),
        };
        match change {
            Ok(entry) => found.push(entry),
            Err(error) => {
                let file = path.display();
                tracing::warn!(zone = %apex, %file, %error, "change of a zone removed");
                std::fs::remove_file(&path)?;
            }
        }
    }
    // Serials wrap; the numbers of files do not.
    found.sort_by(|one, two| one.path.cmp(&two.path));
    let mut chain: VecDeque<Entry> = VecDeque::new();
    for entry in found {
        if chain.back().is_some_and(|last| last.to != entry.from) {
            chain.drain(..).try_for_each(|entry| entry.remove())?;
        }
        chain.push_back(entry);
    }
    Ok(chain)
}

/// Writes a change and makes it last.
pub(super) fn write(
    folder: &Path,
    apex: &Name,
    difference: &Difference,
    now: u64,
) -> io::Result<Entry> {
    std::fs::create_dir_all(folder)?;
    let octets = encode(difference, now);
    let (from, to) = serials(difference).ok_or(io::ErrorKind::InvalidData)?;
    let number = next_number(folder)?;
    let path = folder.join(format!("{number:020}.{ENDING}"));
    let unfinished = path.with_extension(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(&MAGIC)?;
    file.write_all(blake3::hash(&octets).as_bytes())?;
    file.write_all(&octets)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &path)?;
    File::open(folder)?.sync_all()?;
    tracing::debug!(zone = %apex, from, to, octets = octets.len(), "change of a zone kept");
    Ok(Entry {
        from,
        to,
        created_at: now,
        bytes: (HEADER_BYTES + octets.len()) as u64,
        path,
    })
}

/// The number after that of the last file.
fn next_number(folder: &Path) -> io::Result<u64> {
    let mut last = 0;
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let number = path.file_stem().and_then(OsStr::to_str);
        last = last.max(number.and_then(|number| number.parse().ok()).unwrap_or(0));
    }
    Ok(last + 1)
}

/// Reads a change.
pub(in crate::transfer) fn read(path: &Path) -> io::Result<Difference> {
    open(path).map(|(difference, _)| difference)
}

fn open(path: &Path) -> io::Result<(Difference, Entry)> {
    let mut octets = Vec::new();
    File::open(path)?
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut octets)?;
    let broken = || io::Error::other("not a change, or a broken one");
    let (header, rest) = octets.split_at_checked(HEADER_BYTES).ok_or_else(broken)?;
    let (magic, digest) = header.split_at(MAGIC.len());
    if *magic != MAGIC || *digest != blake3::hash(rest).as_bytes()[..] {
        return Err(broken());
    }
    let (difference, created_at) = decode(rest).ok_or_else(broken)?;
    let (from, to) = serials(&difference).ok_or_else(broken)?;
    let entry = Entry {
        from,
        to,
        created_at,
        bytes: octets.len() as u64,
        path: path.to_owned(),
    };
    Ok((difference, entry))
}

fn serials(difference: &Difference) -> Option<(u32, u32)> {
    let serial = |soa: &Flat| soa_serial(&soa.record().rdata);
    Some((serial(&difference.from)?, serial(&difference.to)?))
}

fn encode(difference: &Difference, now: u64) -> Vec<u8> {
    let mut octets = now.to_be_bytes().to_vec();
    let sets = [&difference.removed, &difference.added];
    for set in sets {
        let count = u32::try_from(set.len()).expect("a change is bounded in octets");
        octets.extend_from_slice(&count.to_be_bytes());
    }
    let soas = [&difference.from, &difference.to].into_iter();
    for record in soas.chain(sets.into_iter().flatten()) {
        let length = u32::try_from(record.octets().len()).expect("a record has 64 KiB or so");
        octets.extend_from_slice(&length.to_be_bytes());
        octets.extend_from_slice(record.octets());
    }
    octets
}

fn decode(octets: &[u8]) -> Option<(Difference, u64)> {
    let (fixed, mut rest) = octets.split_first_chunk::<FIXED_BYTES>()?;
    let (created_at, counts) = fixed.split_first_chunk::<8>()?;
    let count = |at: usize| Some(u32::from_be_bytes(counts.get(at..at + 4)?.try_into().ok()?));
    let mut next = || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (record, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(Flat::new(&Flat::read(record)?))
    };
    let (from, to) = (next()?, next()?);
    let (removed, added) = (count(0)?, count(4)?);
    let removed = (0..removed)
        .map(|_| next())
        .collect::<Option<BTreeSet<_>>>()?;
    let added = (0..added)
        .map(|_| next())
        .collect::<Option<BTreeSet<_>>>()?;
    let difference = Difference {
        from,
        to,
        removed,
        added,
    };
    rest.is_empty()
        .then(|| (difference, u64::from_be_bytes(*created_at)))
}
