//! Brings segments onto the disk: resumed, verified, renamed.
//!
//! What arrives is appended to `DIGEST.part`, so that a fetch that was cut off, or a process
//! that was killed, goes on where it stopped. It gets the name of a segment only when its
//! digest was seen to be right and it is on disk. Files of fetches that are wanted no more
//! go first, so that the disk holds at most what is served and what comes next.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;
use zone_image::layout::SegmentRef;
use zone_image::shipment::{GenerationFile, check_segment_file, segment_file_name};
use zone_image::{Generation, OpenError};

use super::super::depot::{Depot, PIECE_TIMEOUT};
use super::super::manifest::{Manifest, Pack, Part};
use super::super::pack::expand;
use super::super::state::{Failure, State, Trouble};

/// Segments that are fetched at once: a distant source answers each after its round trip.
const AT_ONCE: usize = 6;
/// Ends the names of segments.
const SEGMENT: &str = "segment";
/// What a fetch has so far.
const PART: &str = "part";
/// What was unfolded of it.
const UNFOLDED: &str = "unfolded";

/// One segment to fetch.
struct Wanted<'m> {
    segment: &'m SegmentRef,
    pack: &'m Pack,
    part: Part,
}

/// Fetches all segments of a manifest that are not in `directory`, whole and right; of the
/// depots the first that has a right one.
pub(super) async fn all(
    directory: &Path,
    manifest: &Manifest,
    served: &Generation,
    depots: &[Arc<Depot>],
    state: &State,
) -> Result<(), Failure> {
    clean(directory, manifest, served).map_err(|error| disk(directory, &error))?;
    let mut wanted = Vec::new();
    for (segment, pack, part) in manifest.segments() {
        let path = directory.join(segment_file_name(&segment.digest));
        // What is served was verified when it was opened, and is not read again.
        let is_open = served.segment_octets(&segment.digest).is_some() && path.exists();
        if !is_open && !is_there(&path, segment)? {
            wanted.push(Wanted {
                segment,
                pack,
                part,
            });
        }
    }
    let fetches = wanted
        .iter()
        .map(|wanted| one(directory, wanted, depots, state));
    let fetches = stream::iter(fetches.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    fetches.try_collect::<()>().await
}

/// Whether a segment is on disk as it should be; one that is not goes away.
fn is_there(path: &Path, segment: &SegmentRef) -> Result<bool, Failure> {
    match check_segment_file(path, segment) {
        Ok(()) => Ok(true),
        Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(OpenError::Io { source, .. }) => Err(disk(path, &source)),
        Err(error) => {
            tracing::warn!(%error, "segment on disk is damaged and fetched again");
            std::fs::remove_file(path).map_err(|error| disk(path, &error))?;
            Ok(false)
        }
    }
}

async fn one(
    directory: &Path,
    wanted: &Wanted<'_>,
    depots: &[Arc<Depot>],
    state: &State,
) -> Result<(), Failure> {
    let path = directory.join(segment_file_name(&wanted.segment.digest));
    let part = path.with_extension(PART);
    let mut failure = None;
    for depot in depots {
        match fetch_from(depot, wanted, &part, &path, state).await {
            Ok(()) => {
                if let Some(failure) = failure {
                    tracing::warn!(%failure, "another source had what this one has not");
                }
                state.count_pack();
                return Ok(());
            }
            Err(error) if error.trouble == Trouble::Disk => return Err(error),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let nobody = || Failure::new(Trouble::Store, "no source can be reached");
    Err(failure.unwrap_or_else(nobody))
}

/// From one depot. What others began is gone on with; where that was wrong, all of it is
/// fetched from this one.
async fn fetch_from(
    depot: &Depot,
    wanted: &Wanted<'_>,
    part: &Path,
    path: &Path,
    state: &State,
) -> Result<(), Failure> {
    let is_begun = std::fs::metadata(part).is_ok_and(|part| part.len() > 0);
    let from_start = || async {
        download(depot, wanted, part, state).await?;
        place(wanted, part, path)
    };
    match from_start().await {
        Err(failure) if failure.trouble == Trouble::Segment && is_begun => from_start().await,
        done => done,
    }
}

/// Appends what is not there yet.
async fn download(
    depot: &Depot,
    wanted: &Wanted<'_>,
    part: &Path,
    state: &State,
) -> Result<(), Failure> {
    let Part { offset, bytes, .. } = wanted.part;
    let open = File::options().create(true).append(true).open(part);
    let mut file = open.map_err(|error| disk(part, &error))?;
    let mut have = file.metadata().map_err(|error| disk(part, &error))?.len();
    if have > bytes {
        file.set_len(0).map_err(|error| disk(part, &error))?;
        have = 0;
    }
    if have == bytes {
        return Ok(());
    }
    let store = |error: &dyn std::fmt::Display| {
        Failure::new(Trouble::Store, format!("{}: {error}", depot.place()))
    };
    let range = offset + have..offset + bytes;
    let pieces = depot.pack(&wanted.pack.name, range).await;
    let mut pieces = pieces.map_err(|error| Failure::new(Trouble::Store, error))?;
    loop {
        let next = timeout(PIECE_TIMEOUT, pieces.next()).await;
        let Some(piece) = next.map_err(|_| store(&"a pack stopped on the way"))? else {
            break;
        };
        let piece = piece.map_err(|error| store(&error))?;
        have += piece.len() as u64;
        if have > bytes {
            let _ = std::fs::remove_file(part);
            return Err(store(&"sends more of a pack than was asked for"));
        }
        file.write_all(&piece).map_err(|error| disk(part, &error))?;
        state.count_bytes(piece.len() as u64);
    }
    match have == bytes {
        true => Ok(()),
        false => Err(store(&"a pack ended too early")),
    }
}

/// Unfolds, looks at the digest, and only then gives it its name. What was gathered stays
/// where our own disk is in the way: it need not be fetched again.
fn place(wanted: &Wanted<'_>, part: &Path, path: &Path) -> Result<(), Failure> {
    let unfolded = path.with_extension(UNFOLDED);
    let placed = unfold(wanted, part, &unfolded, path);
    match &placed {
        Ok(()) => std::fs::remove_file(part).map_err(|error| disk(part, &error))?,
        Err(failure) => {
            let _ = std::fs::remove_file(&unfolded);
            if failure.trouble == Trouble::Segment {
                let _ = std::fs::remove_file(part);
            }
        }
    }
    placed
}

fn unfold(wanted: &Wanted<'_>, part: &Path, unfolded: &Path, path: &Path) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        let name = segment_file_name(&wanted.segment.digest);
        let text = format!("{name}: what was fetched is damaged or forged: {error}");
        Failure::new(Trouble::Segment, text)
    };
    expand(part, unfolded, wanted.segment.bytes).map_err(|error| match error.kind() {
        // Of the system's own there are these; all others are zstd's.
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            disk(unfolded, &error)
        }
        _ if error.raw_os_error().is_some() => disk(unfolded, &error),
        _ => wrong(&error),
    })?;
    check_segment_file(unfolded, wanted.segment).map_err(|error| match error {
        OpenError::Io { source, .. } => disk(unfolded, &source),
        error => wrong(&error),
    })?;
    std::fs::rename(unfolded, path).map_err(|error| disk(path, &error))
}

/// Removes what neither this manifest nor what is served has any use for: parts and whole
/// segments of manifests that were given up.
fn clean(directory: &Path, manifest: &Manifest, served: &Generation) -> io::Result<()> {
    let installed = GenerationFile::parse(served.file().to_vec());
    let installed = installed.iter().flat_map(GenerationFile::segments);
    let wanted = manifest.generation.segments().iter();
    let names: BTreeSet<_> = wanted
        .chain(installed)
        .map(|segment| PathBuf::from(segment_file_name(&segment.digest)))
        .collect();
    for file in std::fs::read_dir(directory)? {
        let file = file?;
        let name = PathBuf::from(file.file_name());
        let extension = name.extension().and_then(|extension| extension.to_str());
        let is_stale = match extension {
            Some(PART) => !names.contains(&name.with_extension(SEGMENT)),
            Some(SEGMENT) => !names.contains(&name),
            Some(UNFOLDED) => true,
            _ => false,
        };
        if is_stale {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// Writes a file whole, on disk, or leaves what was there.
pub(super) fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(octets)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

fn disk(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Trouble::Disk, format!("{}: {error}", path.display()))
}
