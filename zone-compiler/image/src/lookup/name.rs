//! Names as look-ups need them: in lower case, with the places of their labels.
//!
//! Read from a message into a place that is kept; never follows a pointer, never
//! reads past 255 octets (RFC 1035 section 2.3.4).

use crate::NameError;
use crate::name::{LABELS_MAX, NAME_BYTES_MAX};

/// A name in lower case with the places of its labels, for look-ups.
#[derive(Debug, Clone)]
pub struct LookupName {
    wire: [u8; NAME_BYTES_MAX],
    length: u8,
    /// `starts[i]` is where the name without its first `i` labels starts.
    starts: [u8; LABELS_MAX + 1],
    labels: u8,
}

impl LookupName {
    /// The root, and a place to read other names to.
    pub const ROOT: Self = Self {
        wire: [0; NAME_BYTES_MAX],
        length: 1,
        starts: [0; LABELS_MAX + 1],
        labels: 0,
    };

    /// Reads the uncompressed name at the start of `message`.
    pub fn parse(message: &[u8]) -> Result<Self, NameError> {
        let mut name = Self::ROOT;
        name.read(message)?;
        Ok(name)
    }

    /// Takes on the uncompressed name at the start of `message`; after an error it
    /// is the root.
    pub fn read(&mut self, message: &[u8]) -> Result<(), NameError> {
        self.read_labels(message)
            .inspect_err(|_| *self = Self::ROOT)
    }

    fn read_labels(&mut self, message: &[u8]) -> Result<(), NameError> {
        self.labels = 0;
        let mut at = 0;
        loop {
            let length = usize::from(*message.get(at).ok_or(NameError::Malformed)?);
            self.starts[usize::from(self.labels)] = u8::try_from(at).expect("below 255");
            at += 1 + length;
            if length > 63 {
                return Err(NameError::Malformed);
            }
            if at > NAME_BYTES_MAX {
                return Err(NameError::NameTooLong);
            }
            if length == 0 {
                break;
            }
            self.labels += 1;
        }
        let wire = message.get(..at).ok_or(NameError::Malformed)?;
        self.length = u8::try_from(at).expect("at most 255");
        // Length octets are at most 63 and so never look like letters.
        copy_lowercase(wire, &mut self.wire[..at]);
        Ok(())
    }

    /// Octets of the name in wire format.
    pub fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// Labels, not counting the root.
    pub fn labels(&self) -> usize {
        usize::from(self.labels)
    }

    /// The last `labels` labels and the root, lower case.
    pub fn suffix(&self, labels: usize) -> &[u8] {
        &self.wire[self.suffix_start(labels)..self.length()]
    }

    /// The last `labels` labels without the last `apex_labels` of them and the root.
    pub fn relative(&self, labels: usize, apex_labels: usize) -> &[u8] {
        &self.wire[self.suffix_start(labels)..self.suffix_start(apex_labels)]
    }

    /// Where the last `labels` labels start in the name.
    pub fn suffix_start(&self, labels: usize) -> usize {
        usize::from(self.starts[self.labels() - labels])
    }
}

/// Copies octets with ASCII letters in lower case, eight at a time; the last eight
/// overlap those before. Both slices have one length.
#[inline]
fn copy_lowercase(from: &[u8], to: &mut [u8]) {
    if let (Some(last), Some(target)) = (from.last_chunk::<8>(), to.last_chunk_mut::<8>()) {
        *target = lowercase(*last);
        let words = from.as_chunks::<8>().0.iter();
        for (word, target) in words.zip(to.as_chunks_mut::<8>().0) {
            *target = lowercase(*word);
        }
    } else {
        for (octet, target) in from.iter().zip(to) {
            *target = octet.to_ascii_lowercase();
        }
    }
}

/// Eight octets with ASCII letters in lower case.
#[inline]
fn lowercase(octets: [u8; 8]) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let word = u64::from_le_bytes(octets);
    let low = word & !HIGH;
    // The high bit of each octet that is at or after A, and of each that is after Z.
    let from_a = low + (0x80 - b'A' as u64) * ONES;
    let after_z = low + (0x7f - b'Z' as u64) * ONES;
    let letters = (from_a ^ after_z) & !word & HIGH;
    (word | letters >> 2).to_le_bytes()
}

#[cfg(test)]
mod tests;
