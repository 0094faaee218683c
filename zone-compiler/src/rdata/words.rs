//! Words of master-file text (RFC 1035 section 5.1): what white space, quotes,
//! parentheses and comments leave.
//!
//! A [`Sentence`] is filled line by line until its parentheses are closed; a
//! [`Words`] hands its words out one by one and remembers where it was, so that
//! every message can name line and column. Escapes stay as written: only the
//! reader of a field knows what they mean there.

use super::RdataError;

/// Longest part of a word that a message repeats.
const SHOWN_MAX: usize = 40;

/// Words of one entry and the text they lie in.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    text: Vec<u8>,
    spots: Vec<Spot>,
    depth: u32,
    lines: u32,
    last_line_at: usize,
}

/// Where a word is.
#[derive(Debug, Clone, Copy)]
struct Spot {
    start: u32,
    end: u32,
    line: u32,
    column: u32,
    shape: Shape,
}

/// How a word was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Without quotes.
    Plain,
    /// Between quotes, which are not part of it.
    Quoted,
    /// Without quotes at its start, with a quoted part further on, as in `alpn="h2"`.
    Mixed,
}

/// A line and a column within an entry, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// What is wrong with a line before its words mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// A `"` without its partner on the same line.
    #[error("quote is not closed on its line")]
    OpenQuote,
    /// A `(` without its partner.
    #[error("`(` is not closed")]
    OpenParenthesis,
    /// `)` without `(`.
    #[error("`)` without `(`")]
    StrayParenthesis,
    /// A `\` as the last character of a line.
    #[error("`\\` at the end of a line")]
    DanglingEscape,
}

impl Sentence {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.spots.clear();
        self.depth = 0;
        self.lines = 0;
        self.last_line_at = 0;
    }

    /// Forgets the words but not the open parentheses.
    pub(crate) fn drop_words(&mut self) {
        let depth = self.depth;
        self.clear();
        self.depth = depth;
    }

    /// Takes the line in as one that is not split.
    pub(crate) fn count_line(&mut self) {
        self.lines += 1;
    }

    /// Whether a `(` is still open.
    pub(crate) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Whether there are no words.
    pub(crate) fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// Lines taken in so far.
    pub(crate) fn lines(&self) -> u32 {
        self.lines
    }

    /// Octets kept so far.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text, without comments.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The buffer to append the next line to; [`Self::split`] has to follow.
    pub(crate) fn text_mut(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Whether the entry starts with white space: it has no owner of its own.
    pub(crate) fn starts_blank(&self) -> bool {
        matches!(self.text.first(), Some(b' ' | b'\t'))
    }

    /// Splits the line that was appended last.
    pub(crate) fn split(&mut self) -> Result<(), (SyntaxError, Place)> {
        let line = self.lines;
        let begin = self.last_line_at;
        self.lines += 1;
        let mut at = begin;
        while let Some(&byte) = self.text.get(at) {
            let place = Place {
                line,
                column: narrow(at - begin),
            };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b';' => break,
                b'(' => {
                    self.depth += 1;
                    at += 1;
                }
                b')' => {
                    let less = self.depth.checked_sub(1);
                    self.depth = less.ok_or((SyntaxError::StrayParenthesis, place))?;
                    at += 1;
                }
                _ => {
                    let (shape, start, end, next) = word(&self.text, at).map_err(|e| (e, place))?;
                    self.spots.push(Spot {
                        start: narrow(start),
                        end: narrow(end),
                        line,
                        column: place.column,
                        shape,
                    });
                    at = next;
                }
            }
        }
        // Comments are not kept: only records count against the bound of a record.
        if at < self.text.len() {
            self.text.truncate(at);
            self.text.push(b'\n');
        }
        self.last_line_at = self.text.len();
        Ok(())
    }

    /// The words from the first on.
    pub(crate) fn words(&self) -> Words<'_> {
        Words {
            text: &self.text,
            spots: &self.spots,
            next: 0,
        }
    }
}

/// A record is bounded far below 4 GiB, see `zonefile::ENTRY_BYTES_MAX`.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("an entry is bounded to far less than 4 GiB")
}

/// The octets that a word without quotes cannot simply have.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut rest: &[u8] = b" \t\n\r;()\\\"";
    while let [first, after @ ..] = rest {
        special[*first as usize] = true;
        rest = after;
    }
    special
};

/// Shape, start, end of the word at `at` and where to go on.
fn word(text: &[u8], at: usize) -> Result<(Shape, usize, usize, usize), SyntaxError> {
    if text[at] == b'"' {
        let end = closing_quote(text, at + 1)?;
        return Ok((Shape::Quoted, at + 1, end, end + 1));
    }
    let mut shape = Shape::Plain;
    let mut end = at;
    loop {
        let special = text[end..]
            .iter()
            .position(|&byte| SPECIAL[usize::from(byte)]);
        end = special.map_or(text.len(), |ahead| end + ahead);
        let Some(&byte) = text.get(end) else {
            break;
        };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'(' | b')' => break,
            b'\\' => end = after_escape(text, end)?,
            b'"' => {
                shape = Shape::Mixed;
                end = closing_quote(text, end + 1)? + 1;
            }
            _ => end += 1,
        }
    }
    Ok((shape, at, end, end))
}

/// Where the quote that is open at `at` ends.
fn closing_quote(text: &[u8], mut at: usize) -> Result<usize, SyntaxError> {
    loop {
        match text.get(at) {
            None | Some(b'\n') => return Err(SyntaxError::OpenQuote),
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = after_escape(text, at)?,
            Some(_) => at += 1,
        }
    }
}

fn after_escape(text: &[u8], at: usize) -> Result<usize, SyntaxError> {
    match text.get(at + 1..) {
        None | Some([] | [b'\n', ..] | [b'\r', b'\n', ..]) => Err(SyntaxError::DanglingEscape),
        Some(_) => Ok(at + 2),
    }
}

/// A word as written, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'t> {
    pub(crate) raw: &'t [u8],
    pub(crate) shape: Shape,
}

impl Word<'_> {
    /// This word is not `expected`.
    pub(crate) fn expected(&self, expected: &'static str) -> RdataError {
        let found = self.shown();
        RdataError::Expected { expected, found }
    }

    /// The word as a message repeats it: printable and not too long.
    pub(crate) fn shown(&self) -> String {
        let start = &self.raw[..self.raw.len().min(SHOWN_MAX)];
        let mut shown = String::with_capacity(start.len());
        for &byte in start {
            match byte {
                0x20..=0x7e => shown.push(char::from(byte)),
                _ => shown.push_str(&format!("\\{byte:03}")),
            }
        }
        if start.len() < self.raw.len() {
            shown.push_str("...");
        }
        shown
    }
}

/// A walk over the words of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Words<'t> {
    text: &'t [u8],
    spots: &'t [Spot],
    next: usize,
}

impl<'t> Words<'t> {
    /// The next word without taking it.
    pub(crate) fn peek(&self) -> Option<Word<'t>> {
        let spot = self.spots.get(self.next)?;
        Some(Word {
            raw: &self.text[spot.start as usize..spot.end as usize],
            shape: spot.shape,
        })
    }

    /// Whether all words are taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.next >= self.spots.len()
    }

    /// Takes the next word, of whatever shape.
    pub(crate) fn any(&mut self, expected: &'static str) -> Result<Word<'t>, RdataError> {
        let word = self.peek();
        self.next += 1;
        word.ok_or(RdataError::Missing { expected })
    }

    /// Takes the next word, which must be without quotes.
    pub(crate) fn plain(&mut self, expected: &'static str) -> Result<Word<'t>, RdataError> {
        let word = self.any(expected)?;
        match word.shape {
            Shape::Plain => Ok(word),
            Shape::Quoted | Shape::Mixed => Err(RdataError::Quoted { expected }),
        }
    }

    /// Takes the next word, which must be all in quotes or all without.
    pub(crate) fn string(&mut self, expected: &'static str) -> Result<Word<'t>, RdataError> {
        let word = self.any(expected)?;
        match word.shape {
            Shape::Plain | Shape::Quoted => Ok(word),
            Shape::Mixed => Err(RdataError::Quoted { expected }),
        }
    }

    /// Refuses a word that is left.
    pub(crate) fn end(&mut self) -> Result<(), RdataError> {
        let Some(word) = self.peek() else {
            return Ok(());
        };
        self.next += 1;
        let found = word.shown();
        Err(RdataError::Extra { found })
    }

    /// Where the word is that was taken last; the end if it was missing.
    pub(crate) fn place(&self) -> Place {
        let place = |spot: &Spot, column| Place {
            line: spot.line,
            column,
        };
        match (
            self.spots.get(self.next.saturating_sub(1)),
            self.spots.last(),
        ) {
            (Some(spot), _) => place(spot, spot.column),
            (None, Some(last)) => place(last, last.column + (last.end - last.start)),
            (None, None) => Place::default(),
        }
    }

    /// Where the next word is; the end if there is none.
    pub(crate) fn next_place(&self) -> Place {
        let mut after = self.clone();
        after.next += 1;
        after.place()
    }
}
