//! Frames on a stream (RFC 5734 section 4): four octets of length, which count
//! themselves, then XML.
//!
//! Pure and incremental: octets in any pieces go in, whole frames come out. Never holds
//! more than one frame of the longest allowed size and the piece that was given last.

/// Octets of the length.
pub const HEADER_BYTES: usize = 4;
/// Longest frame with its header, where nothing else is configured.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// A stream that cannot be followed any more: answer 2500 and close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame has {HEADER_BYTES} to {most} octets with its length, not {length}")]
pub struct LengthError {
    /// What the header says.
    pub length: u32,
    /// The most that is taken.
    pub most: usize,
}

/// Takes a stream apart.
#[derive(Debug)]
pub struct Decoder {
    most: usize,
    header: [u8; HEADER_BYTES],
    /// Octets of the header that are there.
    header_length: usize,
    body: Vec<u8>,
    broken: Option<LengthError>,
}

impl Decoder {
    /// For frames of up to `most` octets, their header included.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            header: [0; HEADER_BYTES],
            header_length: 0,
            body: Vec::new(),
            broken: None,
        }
    }

    /// Takes octets from the front of `input` until a frame is whole or `input` is used
    /// up. After an error there is only the error.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, LengthError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let missing = HEADER_BYTES - self.header_length;
        let (head, rest) = input.split_at(missing.min(input.len()));
        self.header[self.header_length..][..head.len()].copy_from_slice(head);
        self.header_length += head.len();
        *input = rest;
        if self.header_length < HEADER_BYTES {
            return Ok(None);
        }
        let length = self.length()?;
        let missing = length - self.body.len();
        let (body, rest) = input.split_at(missing.min(input.len()));
        self.body.extend_from_slice(body);
        *input = rest;
        if self.body.len() < length {
            return Ok(None);
        }
        self.header_length = 0;
        Ok(Some(std::mem::take(&mut self.body)))
    }

    /// Whether a frame has begun and not ended: a peer that goes away now was cut off.
    pub fn is_within_frame(&self) -> bool {
        self.header_length > 0
    }

    /// Octets of XML that the header promises.
    fn length(&mut self) -> Result<usize, LengthError> {
        let length = u32::from_be_bytes(self.header);
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        match whole.checked_sub(HEADER_BYTES) {
            Some(body) if whole <= self.most => Ok(body),
            _ => {
                let most = self.most;
                let error = LengthError { length, most };
                self.broken = Some(error);
                Err(error)
            }
        }
    }
}

/// XML with its header before it.
pub fn encode(xml: &str) -> Vec<u8> {
    let length = u32::try_from(xml.len() + HEADER_BYTES).expect("frames of ours are short");
    let mut frame = Vec::with_capacity(xml.len() + HEADER_BYTES);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(xml.as_bytes());
    frame
}

#[cfg(test)]
mod tests;
