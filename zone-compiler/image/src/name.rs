//! Domain names in wire format (RFC 1035 section 3.1).
//!
//! A [`Name`] is absolute, at most 255 octets, and keeps the case it was given;
//! comparison, hashing and order fold ASCII case (RFC 4343). The order is the
//! canonical one of RFC 4034 section 6.1.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest name in wire format, root label included (RFC 1035 section 2.3.4).
pub const NAME_BYTES_MAX: usize = 255;
/// Longest label (RFC 1035 section 2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;
/// Most labels in a name, not counting the root.
pub const LABELS_MAX: usize = 127;

/// Why some text or bytes are no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// More than 255 octets in wire format.
    #[error("name is longer than 255 octets")]
    NameTooLong,
    /// A label of more than 63 octets.
    #[error("label is longer than 63 octets")]
    LabelTooLong,
    /// Two dots in a row, or a dot at the start.
    #[error("empty label")]
    EmptyLabel,
    /// `\` at the end, or `\DDD` over 255.
    #[error("bad escape, write \\DDD with three digits up to 255 or \\X")]
    BadEscape,
    /// A relative name where an absolute one is needed.
    #[error("relative name without an origin to complete it")]
    Relative,
    /// Wire bytes that end early, go on after the root, or use compression.
    #[error("malformed wire format")]
    Malformed,
}

/// An absolute domain name in wire format, case kept.
#[derive(Clone)]
pub struct Name {
    wire: Box<[u8]>,
}

impl Name {
    /// The root name.
    pub fn root() -> Self {
        Self {
            wire: Box::new([0]),
        }
    }

    /// Takes uncompressed wire format that ends with the root label.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        if wire_length(wire)? != wire.len() {
            return Err(NameError::Malformed);
        }
        Ok(Self { wire: wire.into() })
    }

    /// Reads presentation format (RFC 1035 section 5.1). A name without a final
    /// dot is completed by `origin`; `@` alone is the origin.
    pub fn parse(text: &[u8], origin: Option<&Self>) -> Result<Self, NameError> {
        if text == b"." {
            return Ok(Self::root());
        }
        if text == b"@" {
            return origin.cloned().ok_or(NameError::Relative);
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        let absolute = parse_labels(text, &mut wire)?;
        if absolute {
            wire.push(0);
        } else {
            wire.extend_from_slice(origin.ok_or(NameError::Relative)?.as_wire());
        }
        if wire.len() > NAME_BYTES_MAX {
            return Err(NameError::NameTooLong);
        }
        Ok(Self { wire: wire.into() })
    }

    /// Reads an absolute name whether or not the final dot is written: for the
    /// command line and for registry columns.
    pub fn parse_absolute(text: &str) -> Result<Self, NameError> {
        Self::parse(text.as_bytes(), Some(&Self::root()))
    }

    /// The wire format, root label included.
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// Number of labels, not counting the root.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The labels from left to right, without the root.
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: &self.wire }
    }

    /// The name without its leftmost label; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let first = usize::from(self.wire[0]);
        (first != 0).then(|| Self {
            wire: self.wire[first + 1..].into(),
        })
    }

    /// This name and its ancestors, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// Whether this name is `other` or lies below it.
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        let (own, theirs) = (self.label_count(), other.label_count());
        own >= theirs && suffix_of(&self.wire, own - theirs).eq_ignore_ascii_case(&other.wire)
    }

    /// Whether this name lies below `other` and is not equal to it.
    pub fn is_below(&self, other: &Self) -> bool {
        self.wire.len() > other.wire.len() && self.is_at_or_below(other)
    }

    /// Whether the leftmost label is `*` (RFC 4592 section 2.1.1).
    pub fn is_wildcard(&self) -> bool {
        self.wire.starts_with(&[1, b'*'])
    }

    /// The name with ASCII letters in lower case (RFC 4034 section 6.2).
    pub fn to_lowercase(&self) -> Self {
        // Length octets are at most 63 and so never look like letters.
        Self {
            wire: self.wire.to_ascii_lowercase().into(),
        }
    }

    /// The name `label.self`.
    pub fn child(&self, label: &[u8]) -> Result<Self, NameError> {
        let length = u8::try_from(label.len()).map_err(|_| NameError::LabelTooLong)?;
        match length {
            0 => return Err(NameError::EmptyLabel),
            64.. => return Err(NameError::LabelTooLong),
            _ => {}
        }
        let wire = [&[length], label, &self.wire].concat();
        if wire.len() > NAME_BYTES_MAX {
            return Err(NameError::NameTooLong);
        }
        Ok(Self { wire: wire.into() })
    }
}

/// Bytes of the uncompressed name at the start of `wire`, root label included.
pub fn wire_length(wire: &[u8]) -> Result<usize, NameError> {
    let mut at = 0;
    loop {
        let length = *wire.get(at).ok_or(NameError::Malformed)?;
        at += 1 + usize::from(length);
        if at > NAME_BYTES_MAX {
            return Err(NameError::NameTooLong);
        }
        match length {
            0 => return Ok(at),
            64.. => return Err(NameError::Malformed),
            _ if at >= wire.len() => return Err(NameError::Malformed),
            _ => {}
        }
    }
}

/// What is left of valid wire format after `labels` labels are taken off.
fn suffix_of(wire: &[u8], labels: usize) -> &[u8] {
    (0..labels).fold(wire, |rest, _| &rest[1 + usize::from(rest[0])..])
}

/// Appends the labels of presentation format to `wire`; says whether the text
/// ended with a dot.
fn parse_labels(text: &[u8], wire: &mut Vec<u8>) -> Result<bool, NameError> {
    let mut at = 0;
    while at < text.len() {
        let length_at = wire.len();
        wire.push(0);
        while at < text.len() && text[at] != b'.' {
            let (byte, used) = parse_octet(&text[at..])?;
            wire.push(byte);
            at += used;
        }
        let length = wire.len() - length_at - 1;
        match length {
            0 => return Err(NameError::EmptyLabel),
            64.. => return Err(NameError::LabelTooLong),
            _ => wire[length_at] = u8::try_from(length).expect("at most 63 here"),
        }
        if wire.len() > NAME_BYTES_MAX {
            return Err(NameError::NameTooLong);
        }
        if at < text.len() {
            at += 1;
            if at == text.len() {
                return Ok(true);
            }
        }
    }
    if wire.is_empty() {
        Err(NameError::EmptyLabel)
    } else {
        Ok(false)
    }
}

/// One octet of presentation format, escapes undone, and the bytes it took.
fn parse_octet(text: &[u8]) -> Result<(u8, usize), NameError> {
    match text {
        [b'\\', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
            let digits = digits.get(..3).ok_or(NameError::BadEscape)?;
            let value = digits.iter().try_fold(0u16, |value, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| value * 10 + u16::from(digit - b'0'))
            });
            let value = value.and_then(|value| u8::try_from(value).ok());
            Ok((value.ok_or(NameError::BadEscape)?, 4))
        }
        [b'\\', byte, ..] => Ok((*byte, 2)),
        [b'\\'] | [] => Err(NameError::BadEscape),
        [byte, ..] => Ok((*byte, 1)),
    }
}

/// Iterator over the labels of a name, root excluded.
#[derive(Debug, Clone)]
pub struct Labels<'n> {
    rest: &'n [u8],
}

impl<'n> Iterator for Labels<'n> {
    type Item = &'n [u8];

    fn next(&mut self) -> Option<&'n [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at(usize::from(length));
        self.rest = rest;
        Some(label)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    /// As [`Name::parse_absolute`].
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse_absolute(text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in &self.wire {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    /// RFC 4034 section 6.1: label by label from the root, as lower-case octets.
    fn cmp(&self, other: &Self) -> Ordering {
        let own: Vec<_> = self.labels().collect();
        let theirs: Vec<_> = other.labels().collect();
        for (a, b) in own.iter().rev().zip(theirs.iter().rev()) {
            let folded = a.iter().map(u8::to_ascii_lowercase);
            let order = folded.cmp(b.iter().map(u8::to_ascii_lowercase));
            if order.is_ne() {
                return order;
            }
        }
        own.len().cmp(&theirs.len())
    }
}

impl fmt::Display for Name {
    /// Presentation format with a final dot; everything that a zone file would
    /// read otherwise is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(byte))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests;
