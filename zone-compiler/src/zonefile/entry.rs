//! What the words of an entry mean: a directive or a record (RFC 1035 section 5.1).

use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;

use super::{Frame, INCLUDE_DEPTH_MAX, Includes, READ_BYTES, Reader, Reason, TTL_MAX};
use crate::rdata::words::{Shape, Words};
use crate::rdata::{self, RdataError};
use crate::{Record, RecordType};

impl Reader {
    /// Carries out a directive or gives a record.
    pub(super) fn entry(
        &mut self,
        starts_blank: bool,
        words: &mut Words<'_>,
    ) -> Result<Option<Record>, Reason> {
        let first = words.peek().expect("an entry has words");
        if !starts_blank && first.shape == Shape::Plain && first.raw.starts_with(b"$") {
            return self.directive(words).map(|()| None);
        }
        if starts_blank {
            if self.frame().owner.is_none() {
                return Err(Reason::NoOwner);
            }
        } else {
            self.read_owner(words)?;
        }
        self.record(words).map(Some)
    }

    fn read_owner(&mut self, words: &mut Words<'_>) -> Result<(), Reason> {
        let frame = self.frame();
        let known = frame.owner.take();
        let word = words.plain("an owner name")?;
        frame.owner = match known {
            Some(owner) if frame.owner_text == word.raw => Some(owner),
            _ => {
                let owner = rdata::read_name(&word, frame.origin.as_ref())?;
                frame.owner_text.clear();
                frame.owner_text.extend_from_slice(word.raw);
                Some(owner)
            }
        };
        Ok(())
    }

    /// TTL and class in either order, type, RDATA.
    fn record(&mut self, words: &mut Words<'_>) -> Result<Record, Reason> {
        const EXPECTED: &str = "a TTL, a class or a record type";
        let (mut stated, mut class) = (None, false);
        let rtype = loop {
            let word = words.plain(EXPECTED)?;
            let is_number = word.raw.first().is_some_and(u8::is_ascii_digit);
            if is_number && stated.is_none() {
                // Until a good one is read, records without a TTL have none to inherit.
                self.ttls.last = None;
                stated = Some(ttl(word.raw).ok_or_else(|| not_a_ttl(word.raw, &word.shown()))?);
            } else if !class && is_class(word.raw) {
                if !word.raw.eq_ignore_ascii_case(b"IN")
                    && !word.raw.eq_ignore_ascii_case(b"CLASS1")
                {
                    return Err(Reason::Class(word.shown()));
                }
                class = true;
            } else {
                let rtype = RecordType::from_mnemonic(word.raw);
                break rtype.map_err(|_| word.expected(EXPECTED))?;
            }
        };
        self.ttls.last = stated.or(self.ttls.last);
        let frame = self
            .frames
            .last()
            .expect("an entry comes from an open file");
        self.rdata.clear();
        rdata::scan(rtype, words, frame.origin.as_ref(), &mut self.rdata)?;
        if rtype == RecordType::SOA {
            let minimum = self.rdata.last_chunk().expect("an SOA ends with 32 bits");
            self.ttls.minimum = Some(u32::from_be_bytes(*minimum));
        }
        let ttls = &self.ttls;
        let ttl = stated.or(ttls.default).or(ttls.last).or(ttls.minimum);
        let ttl = ttl.ok_or(Reason::NoTtl)?;
        if ttl > TTL_MAX {
            return Err(Reason::TtlRange);
        }
        Ok(Record {
            owner: frame.owner.clone().expect("read or inherited before this"),
            rtype,
            ttl,
            rdata: self.rdata.as_slice().into(),
        })
    }

    fn directive(&mut self, words: &mut Words<'_>) -> Result<(), Reason> {
        let name = words.plain("a directive")?;
        match name.raw.to_ascii_uppercase().as_slice() {
            b"$ORIGIN" => self.set_origin(words),
            b"$TTL" => self.set_default_ttl(words),
            b"$INCLUDE" => self.include(words),
            b"$GENERATE" => Err(Reason::Generate),
            _ => Err(Reason::Directive(name.shown())),
        }
    }

    fn set_origin(&mut self, words: &mut Words<'_>) -> Result<(), Reason> {
        let frame = self.frame();
        // An owner that is written the same is another name from here on.
        frame.owner_text.clear();
        let known = frame.origin.take();
        let word = words.plain("a domain name")?;
        let origin = rdata::read_name(&word, known.as_ref())?;
        no_more(words)?;
        frame.origin = Some(origin);
        Ok(())
    }

    fn set_default_ttl(&mut self, words: &mut Words<'_>) -> Result<(), Reason> {
        // Until a good one is read, records without a TTL have none.
        (self.ttls.default, self.ttls.last, self.ttls.minimum) = (None, None, None);
        let word = words.plain("a TTL")?;
        let default = ttl(word.raw).ok_or_else(|| not_a_ttl(word.raw, &word.shown()))?;
        no_more(words)?;
        self.ttls.default = Some(default);
        Ok(())
    }

    /// RFC 1035 section 5.1: the file may have an origin of its own, and changes
    /// neither origin nor owner of the file that includes it.
    fn include(&mut self, words: &mut Words<'_>) -> Result<(), Reason> {
        let written = words.string("a file name")?;
        let name = rdata::unescaped(written.raw)?;
        let name = String::from_utf8(name).map_err(|_| written.expected("a file name in UTF-8"))?;
        let opened = self.open_include(&name);
        let mut frame = opened.map_err(|reason| Reason::Include { name, reason })?;
        let including = self.frame();
        frame.owner = including.owner.clone();
        frame.origin = including.origin.clone();
        if !words.is_empty() {
            let word = words.plain("a domain name")?;
            frame.origin = Some(rdata::read_name(&word, including.origin.as_ref())?);
        }
        no_more(words)?;
        self.frames.push(frame);
        Ok(())
    }

    fn open_include(&mut self, name: &str) -> Result<Frame, IncludeError> {
        if self.includes == Includes::Refused {
            return Err(IncludeError::Refused);
        }
        if self.frames.len() >= INCLUDE_DEPTH_MAX {
            return Err(IncludeError::TooDeep);
        }
        let folder = self.frame().path.parent().map(PathBuf::from);
        let path = folder.unwrap_or_default().join(name);
        let canonical = path.canonicalize().map_err(IncludeError::Io)?;
        if self
            .frames
            .iter()
            .any(|frame| frame.canonical.as_ref() == Some(&canonical))
        {
            return Err(IncludeError::Cycle);
        }
        if !canonical.is_file() {
            return Err(IncludeError::NotAFile);
        }
        let file = File::open(&canonical).map_err(IncludeError::Io)?;
        Ok(Frame {
            input: Box::new(BufReader::with_capacity(READ_BYTES, file)),
            path: path.into(),
            canonical: Some(canonical),
            lines: 0,
            origin: None,
            owner: None,
            owner_text: Vec::new(),
        })
    }
}

/// Why a file cannot be included.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IncludeError {
    /// The input is no file.
    #[error("only a zone file that is opened by its path may include others")]
    Refused,
    /// Too many files inside each other.
    #[error("more than {INCLUDE_DEPTH_MAX} files inside each other")]
    TooDeep,
    /// A file inside itself.
    #[error("the file includes itself")]
    Cycle,
    /// A folder or a device.
    #[error("not a regular file")]
    NotAFile,
    /// What the system says.
    #[error(transparent)]
    Io(io::Error),
}

/// A TTL from 0 to 2^31 - 1 (RFC 2181 section 8).
fn ttl(text: &[u8]) -> Option<u32> {
    rdata::period(text).filter(|&seconds| seconds <= TTL_MAX)
}

fn not_a_ttl(text: &[u8], shown: &str) -> Reason {
    // More than 32 bits of digits are a number out of range as well.
    let is_number = rdata::period(text).is_some() || text.iter().all(u8::is_ascii_digit);
    match is_number {
        true => Reason::TtlRange,
        false => Reason::Rdata(RdataError::Expected {
            expected: "a TTL in seconds or as in 1h30m",
            found: shown.to_owned(),
        }),
    }
}

/// Whether a word stands for a class (RFC 1035 section 3.2.4, RFC 3597 section 5).
fn is_class(text: &[u8]) -> bool {
    let named: [&[u8]; 4] = [b"IN", b"CS", b"CH", b"HS"];
    if text.len() == 2 {
        return named.iter().any(|name| text.eq_ignore_ascii_case(name));
    }
    text.split_at_checked(5).is_some_and(|(prefix, digits)| {
        prefix.eq_ignore_ascii_case(b"CLASS")
            && !digits.is_empty()
            && digits.iter().all(u8::is_ascii_digit)
    })
}

fn no_more(words: &mut Words<'_>) -> Result<(), Reason> {
    words.end().map_err(Reason::Rdata)
}
