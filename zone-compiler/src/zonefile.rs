//! Reads zone files: the master format of RFC 1035 section 5.
//!
//! A [`Reader`] gives one record after the other and holds only the one it is at, so
//! that a file of any size is read in constant memory. After a bad record it goes on
//! with the next line outside parentheses; what the bad record left unknown (owner,
//! origin, default TTL) stays unknown until it is said again, so that no later
//! record is quietly read wrong. $ORIGIN, $INCLUDE (RFC 1035) and $TTL (RFC 2308
//! section 4) are followed; $GENERATE, which is BIND's own, is refused.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zone_image::Name;

use crate::Record;
use crate::rdata::words::{Place, Sentence};
use crate::rdata::{self, SyntaxError};

mod entry;
mod error;
mod source;

pub use self::error::{Faults, IncludeError, Reason, ZoneFileError};
pub use self::source::{FAULTS_MAX, ZoneFileSource};

/// Longest line, and longest record over all its lines without comments.
pub const ENTRY_BYTES_MAX: usize = rdata::TEXT_BYTES_MAX;
/// Deepest nesting of `$INCLUDE`, the first file counted.
pub const INCLUDE_DEPTH_MAX: usize = 16;
/// Largest TTL (RFC 2181 section 8).
pub const TTL_MAX: u32 = i32::MAX.unsigned_abs();
/// One read of a file.
const READ_BYTES: usize = 256 * 1024;

/// A stream of records from master-format text.
pub struct Reader {
    /// The files that are open: each was included by the one before.
    frames: Vec<Frame>,
    includes: Includes,
    sentence: Sentence,
    rdata: Vec<u8>,
    ttls: Ttls,
    bytes_read: u64,
    record_at: Position,
    /// A second fault that was met while passing over a bad entry.
    pending: Option<ZoneFileError>,
    /// Text of the entry that was refused last.
    rejected: Vec<u8>,
}

/// A file that is being read.
struct Frame {
    input: Box<dyn BufRead + Send>,
    path: Arc<Path>,
    /// To find cycles; none for input that is no file.
    canonical: Option<PathBuf>,
    /// Lines read.
    lines: u64,
    origin: Option<Name>,
    owner: Option<Name>,
    /// How `owner` was written, to read it only once for all records of a name.
    owner_text: Vec<u8>,
}

/// Whether `$INCLUDE` may open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Includes {
    Followed,
    Refused,
}

/// Where a TTL comes from that a record leaves out.
#[derive(Debug, Default)]
struct Ttls {
    /// `$TTL` (RFC 2308 section 4).
    default: Option<u32>,
    /// The last one a record stated (RFC 1035 section 5.1).
    last: Option<u32>,
    /// MINIMUM of the SOA, where neither of the others is known.
    minimum: Option<u32>,
}

/// Where in which file something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file.
    pub path: Arc<Path>,
    /// The line, from 1.
    pub line: u64,
}

/// What reading an entry came to.
enum Step {
    Entry,
    EndOfFile,
}

impl Reader {
    /// Opens a file. Without an origin, relative names are errors until `$ORIGIN`.
    pub fn open(path: &Path, origin: Option<Name>) -> Result<Self, ZoneFileError> {
        let fault = |source| ZoneFileError::at_start(path, Reason::Io(source));
        let file = File::open(path).map_err(fault)?;
        let canonical = path.canonicalize().map_err(fault)?;
        let input = Box::new(BufReader::with_capacity(READ_BYTES, file));
        let mut reader = Self::new(input, path, origin);
        reader.frames[0].canonical = Some(canonical);
        reader.includes = Includes::Followed;
        Ok(reader)
    }

    /// Reads from any input; `path` is what messages call it. `$INCLUDE` is refused,
    /// since there is no file that it could be relative to.
    pub fn new(input: Box<dyn BufRead + Send>, path: &Path, origin: Option<Name>) -> Self {
        let path: Arc<Path> = path.into();
        let frame = Frame {
            input,
            path: path.clone(),
            canonical: None,
            lines: 0,
            origin,
            owner: None,
            owner_text: Vec::new(),
        };
        Self {
            frames: vec![frame],
            includes: Includes::Refused,
            sentence: Sentence::default(),
            rdata: Vec::new(),
            ttls: Ttls::default(),
            bytes_read: 0,
            record_at: Position { path, line: 0 },
            pending: None,
            rejected: Vec::new(),
        }
    }

    /// Where the record starts that was given last.
    pub fn position(&self) -> &Position {
        &self.record_at
    }

    /// The lines of the entry that the last fault is about, comments cut, for a file of
    /// rejects. Of a line over the bound only the start is there.
    pub fn rejected_text(&self) -> &[u8] {
        &self.rejected
    }

    /// Octets read so far, of all files.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("asked only while a file is open")
    }

    /// Reads lines until an entry is whole. The first word may be on a later line than
    /// the first line: blank lines and comments are passed over.
    fn read_entry(&mut self) -> Result<Step, ZoneFileError> {
        self.sentence.clear();
        loop {
            let octets = match self.read_line() {
                Ok(octets) => octets,
                Err(error) => return Err(self.give_up(error)),
            };
            if octets == 0 {
                return self.end_of_file();
            }
            if let Err((error, place)) = self.sentence.split() {
                let error = self.error(place, error.into());
                return Err(self.give_up(error));
            }
            if self.sentence.len() > ENTRY_BYTES_MAX {
                let error = self.error(Place::default(), Reason::EntryTooLong);
                return Err(self.give_up(error));
            }
            if !self.sentence.is_open() {
                if !self.sentence.is_empty() {
                    return Ok(Step::Entry);
                }
                self.sentence.clear();
            }
        }
    }

    /// Appends a line to the sentence; 0 octets are the end of the file.
    fn read_line(&mut self) -> Result<usize, ZoneFileError> {
        let frame = self
            .frames
            .last_mut()
            .expect("asked only while a file is open");
        let text = self.sentence.text_mut();
        let limit = ENTRY_BYTES_MAX as u64 + 1;
        let read = (&mut *frame.input).take(limit).read_until(b'\n', text);
        let octets = read.map_err(|error| self.io(error))?;
        self.bytes_read += octets as u64;
        if octets == 0 {
            return Ok(0);
        }
        self.frame().lines += 1;
        if octets > ENTRY_BYTES_MAX {
            if self.sentence.text_mut().last() != Some(&b'\n') {
                let skipped = self.frame().input.skip_until(b'\n');
                self.bytes_read += skipped.map_err(|error| self.io(error))? as u64;
            }
            self.sentence.count_line();
            return Err(self.error(Place::default(), Reason::EntryTooLong));
        }
        Ok(octets)
    }

    fn end_of_file(&mut self) -> Result<Step, ZoneFileError> {
        if !self.sentence.is_open() {
            return Ok(Step::EndOfFile);
        }
        let error = self.error(Place::default(), SyntaxError::OpenParenthesis.into());
        self.sentence.clear();
        Err(error)
    }

    /// Prepares to go on after an entry that could not be read whole.
    fn give_up(&mut self, error: ZoneFileError) -> ZoneFileError {
        self.keep_rejected();
        if self.frames.is_empty() {
            return error;
        }
        // Its owner is not known, so later entries cannot inherit it.
        if !self.sentence.starts_blank() {
            self.frame().owner = None;
        }
        self.pending = self.skip_to_end_of_entry().err();
        error
    }

    /// Passes over the lines that still belong to a bad entry, by its parentheses.
    fn skip_to_end_of_entry(&mut self) -> Result<(), ZoneFileError> {
        let begin = self.bytes_read;
        while self.sentence.is_open() {
            self.sentence.drop_words();
            // A parenthesis that nothing closes must not hide the rest of the file.
            let skipped = self.bytes_read - begin;
            if skipped > ENTRY_BYTES_MAX as u64 || self.read_line()? == 0 {
                break;
            }
            // The entry is reported already: what else is wrong with it is not.
            let _ = self.sentence.split();
            self.rejected.extend_from_slice(self.sentence.text());
        }
        Ok(())
    }

    fn keep_rejected(&mut self) {
        self.rejected.clear();
        self.rejected.extend_from_slice(self.sentence.text());
    }

    /// An input that cannot be read ends everything: what follows would lack a part.
    fn io(&mut self, error: io::Error) -> ZoneFileError {
        let error = self.error(Place::default(), Reason::Io(error));
        self.frames.clear();
        error
    }

    fn error(&self, place: Place, reason: Reason) -> ZoneFileError {
        let frame = self.frames.last().expect("asked only while a file is open");
        let first_line = frame.lines + 1 - u64::from(self.sentence.lines()).min(frame.lines);
        ZoneFileError {
            path: frame.path.clone(),
            line: first_line + u64::from(place.line),
            column: u64::from(place.column) + 1,
            reason,
        }
    }

    /// Understands the entry that was read: a directive gives nothing.
    fn understand(&mut self) -> Result<Option<Record>, ZoneFileError> {
        let sentence = mem::take(&mut self.sentence);
        let mut words = sentence.words();
        let understood = self.entry(sentence.starts_blank(), &mut words);
        let place = words.place();
        self.sentence = sentence;
        match understood {
            Ok(None) => Ok(None),
            Ok(Some(record)) => {
                let place = self.sentence.words().next_place();
                let frame = self
                    .frames
                    .last()
                    .expect("a record comes from an open file");
                let first_line = frame.lines + 1 - u64::from(self.sentence.lines());
                self.record_at.line = first_line + u64::from(place.line);
                if !Arc::ptr_eq(&self.record_at.path, &frame.path) {
                    self.record_at.path = frame.path.clone();
                }
                Ok(Some(record))
            }
            Err(reason) => {
                self.keep_rejected();
                Err(self.error(place, reason))
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Record, ZoneFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.pending.take() {
            return Some(Err(error));
        }
        while !self.frames.is_empty() {
            let step = match self.read_entry() {
                Ok(step) => step,
                Err(error) => return Some(Err(error)),
            };
            match step {
                Step::EndOfFile => {
                    self.frames.pop();
                }
                Step::Entry => {
                    if let Some(result) = self.understand().transpose() {
                        return Some(result);
                    }
                }
            }
        }
        None
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("files", &self.frames.len())
            .field("bytes_read", &self.bytes_read)
            .field("record_at", &self.record_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
