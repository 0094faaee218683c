//! A pack on its way into the store.
//!
//! A small one is one request; a large one goes part by part, each with its own bound of
//! time, and what is not ended is taken back, since a store bills parts that nobody sees.
//! A pack that is there whole is not sent again by this process, whatever fails after it.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hyper::body::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, UploadPart};
use tokio::time::timeout;
use zone_image::Generation;
use zone_image::layout::SegmentRef;

use super::super::depot::hex;
use super::super::manifest::{Pack, Part};
use super::super::pack::Compressor;
use super::super::state::{Failure, Trouble};
use super::Work;
use super::store::read_only;

/// Octets of a part: S3 has at most 10,000 of at least 5 MiB.
const PART_BYTES: usize = 16 << 20;
/// Pieces of a part that are given to the connection one by one.
const PIECE_BYTES: usize = 64 << 10;
/// Parts under way at once.
const PARTS_AT_ONCE: usize = 4;
/// Longest time for one part, tries included; that it goes on at all is looked at by the
/// client.
const PART_TIMEOUT: Duration = Duration::from_secs(900);
/// Longest time to take back what was not ended.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

impl Work {
    pub(super) async fn upload(
        &self,
        generation: &Generation,
        group: &[SegmentRef],
    ) -> Result<Pack, Failure> {
        let mut hasher = blake3::Hasher::new();
        for segment in group {
            hasher.update(&segment.digest);
        }
        let name = *hasher.finalize().as_bytes();
        let depot = self.depot();
        let store =
            |error: String| Failure::new(Trouble::Store, format!("{}: {error}", depot.place()));
        let objects = depot.objects();
        let (objects, prefix) = objects.ok_or_else(|| store(read_only().to_string()))?;
        let path = prefix.clone().join("packs").join(hex(&name));
        let mut output = Output::new(objects.as_ref(), path);
        let written = write(&mut output, name, generation, group).await;
        let pack = match written {
            Ok(pack) => pack,
            Err(error) => {
                output.abort().await;
                return Err(store(error));
            }
        };
        self.state.count_pack();
        self.state.count_bytes(pack.bytes);
        Ok(pack)
    }
}

async fn write(
    output: &mut Output<'_>,
    name: [u8; 32],
    generation: &Generation,
    group: &[SegmentRef],
) -> Result<Pack, String> {
    let mut pack = Pack {
        name,
        bytes: 0,
        parts: Vec::new(),
    };
    for segment in group {
        let octets = generation.segment_octets(&segment.digest);
        let octets = octets.expect("a generation has the segments that its file names");
        let offset = pack.bytes;
        let mut pieces = Compressor::new(octets).map_err(|error| error.to_string())?;
        while let Some(piece) = pieces.next().map_err(|error| error.to_string())? {
            pack.bytes += piece.len() as u64;
            output.write(&piece).await?;
        }
        pack.parts.push(Part {
            segment: segment.digest,
            offset,
            bytes: pack.bytes - offset,
        });
    }
    output.end().await?;
    Ok(pack)
}

/// An object that is written.
struct Output<'o> {
    objects: &'o dyn ObjectStore,
    path: Path,
    buffer: Vec<u8>,
    /// Begun with the first full part.
    upload: Option<Box<dyn MultipartUpload>>,
    under_way: FuturesUnordered<UploadPart>,
}

impl<'o> Output<'o> {
    fn new(objects: &'o dyn ObjectStore, path: Path) -> Self {
        Self {
            objects,
            path,
            buffer: Vec::new(),
            upload: None,
            under_way: FuturesUnordered::new(),
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), String> {
        self.buffer.extend_from_slice(octets);
        while self.buffer.len() >= PART_BYTES {
            let rest = self.buffer.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.put_part(part).await?;
        }
        Ok(())
    }

    async fn put_part(&mut self, part: Vec<u8>) -> Result<(), String> {
        while self.under_way.len() >= PARTS_AT_ONCE {
            self.end_one().await?;
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let begun = in_time(self.objects.put_multipart(&self.path)).await?;
                none.insert(begun)
            }
        };
        self.under_way.push(upload.put_part(payload(part)));
        Ok(())
    }

    /// Waits for one of the parts.
    async fn end_one(&mut self) -> Result<(), String> {
        let ended = timeout(PART_TIMEOUT, self.under_way.next()).await;
        match ended.map_err(|_| LATE.to_owned())? {
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(())) | None => Ok(()),
        }
    }

    async fn end(&mut self) -> Result<(), String> {
        let rest = std::mem::take(&mut self.buffer);
        if self.upload.is_none() {
            let put = self.objects.put(&self.path, payload(rest));
            return in_time(put).await.map(drop);
        }
        if !rest.is_empty() {
            self.put_part(rest).await?;
        }
        while !self.under_way.is_empty() {
            self.end_one().await?;
        }
        let upload = self.upload.as_mut().expect("it is there");
        in_time(upload.complete()).await.map(drop)
    }

    /// Takes back what was sent of it.
    async fn abort(mut self) {
        self.under_way.clear();
        if let Some(mut upload) = self.upload.take()
            && !matches!(timeout(ABORT_TIMEOUT, upload.abort()).await, Ok(Ok(())))
        {
            tracing::warn!(path = %self.path, "an upload that failed is not taken back");
        }
    }
}

const LATE: &str = "a pack takes too long to upload";

async fn in_time<T>(work: impl Future<Output = object_store::Result<T>>) -> Result<T, String> {
    let done = timeout(PART_TIMEOUT, work).await;
    done.map_err(|_| LATE.to_owned())?
        .map_err(|error| error.to_string())
}

/// In small pieces, so that it is seen how they go.
fn payload(octets: Vec<u8>) -> PutPayload {
    let octets = Bytes::from(octets);
    let pieces = (0..octets.len()).step_by(PIECE_BYTES);
    pieces
        .map(|begin| octets.slice(begin..octets.len().min(begin + PIECE_BYTES)))
        .collect()
}

#[cfg(test)]
mod tests;
