//! Segments in transit: zstd, a frame for each.
//!
//! What comes out is bounded by what the manifest says, whatever goes in: a frame that
//! unfolds to more is an error at the first octet too many.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

/// Fast, and half a second a GiB from the size of higher ones: pages are dense already.
const LEVEL: i32 = 3;
/// Window of the decoder, as an exponent of two: what `LEVEL` needs and room above it.
const WINDOW_LOG_MAX: u32 = 27;
/// Octets of a segment that are compressed before what came out is sent.
const STEP_BYTES: usize = 1 << 20;
/// Octets gathered before a write to disk.
const BUFFER_BYTES: usize = 1 << 20;

/// Gives a compressed segment piece by piece.
pub(super) struct Compressor<'s> {
    rest: &'s [u8],
    encoder: Option<Encoder<'static, Vec<u8>>>,
}

impl<'s> Compressor<'s> {
    pub(super) fn new(segment: &'s [u8]) -> io::Result<Self> {
        Ok(Self {
            rest: segment,
            encoder: Some(Encoder::new(Vec::new(), LEVEL)?),
        })
    }

    /// The next piece, which may be empty; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(mut encoder) = self.encoder.take() else {
            return Ok(None);
        };
        if self.rest.is_empty() {
            return encoder.finish().map(Some);
        }
        let (step, rest) = self.rest.split_at(self.rest.len().min(STEP_BYTES));
        self.rest = rest;
        encoder.write_all(step)?;
        let piece = std::mem::take(encoder.get_mut());
        self.encoder = Some(encoder);
        Ok(Some(piece))
    }
}

/// Writes to `target` what is compressed in `source`: exactly so many octets, on disk.
pub(super) fn expand(source: &Path, target: &Path, bytes: u64) -> io::Result<()> {
    let input = BufReader::with_capacity(BUFFER_BYTES, File::open(source)?);
    let mut decoder = Decoder::with_buffer(input)?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, File::create(target)?);
    let copied = io::copy(&mut decoder.take(bytes.saturating_add(1)), &mut output)?;
    if copied != bytes {
        let what = format!("a segment of {bytes} octets unfolds to {copied}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    output.flush()?;
    output.get_ref().sync_all()
}

#[cfg(test)]
mod tests;
