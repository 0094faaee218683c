//! Opens images that somebody changed: each must be refused, or be served without a
//! panic. Shared by the fuzz target `image_open` and the plain test of its corpus.
//!
//! An input is an octet that says what is changed, and a list of edits of the
//! segment and of the generation file. Digests are made right again after most
//! edits, as a defect of a writer would, so that what stands behind them is reached.

use std::fs;
use std::path::{Path, PathBuf};

use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport};
use tempfile::TempDir;
use zone_image::{GENERATION_FILE, Generation, Memory};

use super::subject;

/// Octets of a header: magic, version, reserved, digest from 32 on.
const HEADER_BYTES: usize = 64;
const DIGEST_AT: usize = 32;
const DIGEST_BYTES: usize = 32;
/// In the first octet of an input: which image is changed.
const BASE: u8 = 0x07;
/// Copy into sealed memory instead of mapping the files.
const SEALED: u8 = 0x20;
/// Leave the digests as they are.
const AS_IT_IS: u8 = 0x40;
/// The input is the contents of the files, not a list of edits.
const CONTENTS: u8 = 0x80;
/// Most edits of one input.
const EDITS_MAX: usize = 64;
/// Messages asked of an image that opens.
const MESSAGES_MAX: usize = 40;

/// Images to change, each in a folder of its own.
pub(crate) struct Bases {
    images: Vec<Image>,
    engines: [Engine; 2],
}

struct Image {
    directory: TempDir,
    generation: Vec<u8>,
    /// The newest segment, which is the one that is changed.
    segment: Vec<u8>,
    segment_file: PathBuf,
    /// Where the generation file has the digest and the size of that segment.
    digest_at: usize,
    size_at: usize,
    /// What the image was before its last install, if that is to be opened after it.
    previous: Option<Generation>,
    messages: Vec<Vec<u8>>,
}

impl Bases {
    /// Compiles the images; `corpus` is the folder of the messages to ask.
    pub(crate) fn compile(corpus: &Path) -> Self {
        let [plain, nsec, nsec3] = subject::ZONES;
        let engine = |config: EngineConfig| Engine::new(config);
        Self {
            images: vec![
                Image::new(&[plain], &[], corpus, &["type-", "row-"]),
                Image::new(&[nsec], &[], corpus, &["nsec-"]),
                Image::new(&[nsec3], &[], corpus, &["nsec3-"]),
                Image::new(&[plain, nsec], &[nsec], corpus, &["nsec-", "type-"]),
                Image::new(&[plain, nsec3], &[plain], corpus, &["type-", "nsec3-"]),
            ],
            engines: [engine(subject::full()), Engine::default()],
        }
    }

    /// Opens what the input makes; the number of replies where it is not refused.
    pub(crate) fn check(&self, input: &[u8]) -> Option<usize> {
        let (&what, rest) = input.split_first()?;
        let image = &self.images[usize::from(what & BASE) % self.images.len()];
        let (generation, segment) = image.changed(what, rest);
        let file = image.write(&generation, &segment);
        let memory = match what & SEALED {
            0 => Memory::Mapped,
            _ => Memory::Sealed,
        };
        let previous = image.previous.as_ref();
        let opened = Generation::open_after(image.directory.path(), memory, previous);
        let replies = opened
            .ok()
            .map(|generation| self.ask(&generation, &image.messages));
        // Another input would have it as a segment that is not referred to.
        let _ = fs::remove_file(file);
        replies
    }

    fn ask(&self, generation: &Generation, messages: &[Vec<u8>]) -> usize {
        for zone in generation.zones() {
            let wire = zone.apex.as_wire();
            let name = zone_image::LookupName::parse(wire).expect("the verifier read it");
            if let Some(zone) = generation.find_zone(&name, name.labels()) {
                zone.each_entry(&mut |entry| {
                    let _ = (entry.name(), entry.bodies().count());
                });
                let _ = zone.any_delegation();
            }
        }
        let mut out = vec![0; 65_535];
        let mut replies = 0;
        for (engine, transport) in [
            (&self.engines[0], Transport::Tcp),
            (&self.engines[1], Transport::Udp),
        ] {
            for wire in messages {
                let request = Request {
                    peer: ([192, 0, 2, 9], 5300).into(),
                    transport,
                    wire,
                    now: 1_700_000_000,
                };
                let room = if transport == Transport::Udp {
                    meridian::dns::engine::UDP_BUFFER_BYTES
                } else {
                    65_535
                };
                if let Action::Reply { length, .. } =
                    engine.answer(generation, &request, &mut out[..room])
                {
                    assert!(length >= 12);
                    replies += 1;
                }
            }
        }
        replies
    }
}

impl Image {
    fn new(zones: &[&str], again: &[&str], corpus: &Path, prefixes: &[&str]) -> Self {
        let memory = Path::new("/dev/shm");
        let directory = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let directory = directory.expect("a folder");
        subject::install(directory.path(), zones);
        let mut before = segments(directory.path());
        let mut previous = None;
        if again.is_empty() {
            before.clear();
        } else {
            let open = Generation::open(directory.path(), Memory::Sealed);
            previous = Some(open.expect("a generation"));
            subject::update(directory.path(), again);
        }
        let mut new = segments(directory.path());
        new.retain(|file| !before.contains(file));
        let segment_file = new.pop().expect("a new segment");
        let segment = fs::read(&segment_file).expect("a segment");
        let generation = fs::read(directory.path().join(GENERATION_FILE)).expect("a file");
        let digest = &segment[DIGEST_AT..HEADER_BYTES];
        let size = (segment.len() as u64).to_le_bytes();
        let place = |octets: &[u8]| {
            let mut found = generation[HEADER_BYTES..].windows(octets.len());
            let at = found.position(|window| window == octets);
            HEADER_BYTES + at.expect("the generation names its segment")
        };
        let (digest_at, size_at) = (place(digest), place(&size));
        fs::remove_file(&segment_file).expect("a file");
        Self {
            directory,
            generation,
            segment,
            segment_file,
            digest_at,
            size_at,
            previous,
            messages: messages(corpus, prefixes),
        }
    }

    /// The generation file and the segment that an input makes of this image.
    fn changed(&self, what: u8, rest: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut generation, mut segment) = (self.generation.clone(), self.segment.clone());
        if what & CONTENTS != 0 {
            let length = rest.first().map_or(0, |length| usize::from(*length) * 2);
            let contents = rest.get(1..).unwrap_or_default();
            let (first, second) = contents.split_at(length.min(contents.len()));
            generation.splice(HEADER_BYTES.., first.iter().copied());
            segment.splice(HEADER_BYTES.., second.iter().copied());
        }
        let edits = match what & CONTENTS {
            0 => read_edits(rest),
            _ => Vec::new(),
        };
        let start = match what & AS_IT_IS {
            0 => HEADER_BYTES,
            _ => 0,
        };
        let of = |file| edits.iter().filter(move |edit| edit.file == file);
        of(0).for_each(|edit| edit.apply(&mut segment, start));
        if what & AS_IT_IS == 0 {
            let digest = seal(&mut segment);
            let size = (segment.len() as u64).to_le_bytes();
            for (at, octets) in [(self.digest_at, &digest[..]), (self.size_at, &size[..])] {
                if let Some(place) = generation.get_mut(at..at + octets.len()) {
                    place.copy_from_slice(octets);
                }
            }
        }
        of(1).for_each(|edit| edit.apply(&mut generation, start));
        if what & AS_IT_IS == 0 {
            seal(&mut generation);
        }
        (generation, segment)
    }

    /// Writes both files; gives the segment's path.
    fn write(&self, generation: &[u8], segment: &[u8]) -> PathBuf {
        let path = match segment.get(DIGEST_AT..DIGEST_AT + 16) {
            Some(digest) => {
                let name: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
                self.directory.path().join(name + ".segment")
            }
            None => self.segment_file.clone(),
        };
        fs::write(&path, segment).expect("room");
        fs::write(self.directory.path().join(GENERATION_FILE), generation).expect("room");
        path
    }
}

/// One change of a file.
struct Edit {
    /// 0 the segment, 1 the generation file.
    file: u8,
    kind: u8,
    at: u16,
    value: u16,
}

/// Five octets an edit; what is left over is none.
fn read_edits(input: &[u8]) -> Vec<Edit> {
    let edits = input.chunks_exact(5).take(EDITS_MAX).map(|octets| Edit {
        file: octets[0] >> 7,
        kind: octets[0] & 0x7f,
        at: u16::from_le_bytes([octets[1], octets[2]]),
        value: u16::from_le_bytes([octets[3], octets[4]]),
    });
    edits.collect()
}

impl Edit {
    fn apply(&self, octets: &mut Vec<u8>, start: usize) {
        let room = octets.len().saturating_sub(start);
        if room < 8 {
            return;
        }
        let [low, high] = self.value.to_le_bytes();
        let place = |at: u16| start + usize::from(at) % (room - 7);
        let at = place(self.at);
        let from_end = octets.len() - 8 - usize::from(self.at) % (room - 7);
        match self.kind % 9 {
            0 => octets[at] = low,
            1 => octets[at..at + 2].copy_from_slice(&[low, high]),
            2 => octets[at] ^= 1 << (low % 8),
            3 => octets[at] = octets[at].wrapping_add(low),
            // References are eight octets long.
            4 => octets.copy_within(place(self.value)..place(self.value) + 8, at),
            5 => octets[at..at + 8].fill(low),
            6 => octets.truncate(at),
            7 => octets.extend(std::iter::repeat_n(low, usize::from(high))),
            // What rkyv reads first stands at the end.
            _ => octets[from_end] = low,
        }
    }
}

/// Makes the digest of a file right; gives it.
fn seal(file: &mut [u8]) -> [u8; DIGEST_BYTES] {
    let (header, contents) = file.split_at_mut(HEADER_BYTES);
    let digest = *blake3::hash(contents).as_bytes();
    header[DIGEST_AT..].copy_from_slice(&digest);
    digest
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).expect("a folder").flatten();
    files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|name| name == "segment"))
        .collect()
}

fn messages(corpus: &Path, prefixes: &[&str]) -> Vec<Vec<u8>> {
    let files = fs::read_dir(corpus)
        .expect("the corpus of queries")
        .flatten();
    let mut paths: Vec<_> = files
        .filter(|file| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|file| file.path())
        .collect();
    paths.sort();
    // Evenly over all of them.
    let step = paths.len().div_ceil(MESSAGES_MAX).max(1);
    let chosen = paths.iter().step_by(step);
    chosen
        .map(|path| fs::read(path).expect("a message"))
        .collect()
}
