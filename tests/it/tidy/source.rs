//! A Rust file with its comments and literals blanked out.

/// A source file.
pub(super) struct Source {
    /// Path from the root of the repository.
    pub(super) path: String,
    /// As written.
    pub(super) text: String,
    /// The same with spaces for comments and for what stands in literals; lines and
    /// offsets stay.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    /// Whether it holds only tests, benchmarks or tables.
    pub(super) fn is_test_or_table(&self) -> bool {
        let parts: Vec<_> = self.path.split('/').collect();
        let file = parts.last().expect("a path has a last part");
        parts
            .iter()
            .any(|part| ["tests", "benches", "fuzz"].contains(part))
            || ["tests.rs", "testing.rs"].contains(file)
            || file.starts_with("table")
    }

    /// The number of the line at `offset`, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        1 + self.text[..offset].matches('\n').count()
    }

    /// Offsets at which `word` stands in the code, not within a longer word.
    pub(super) fn words<'s>(&'s self, word: &'s str) -> impl Iterator<Item = usize> + 's {
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code
            .match_indices(word)
            .map(|(offset, _)| offset)
            .filter(move |offset| {
                let before = self.code[..*offset].chars().next_back();
                let after = self.code[offset + word.len()..].chars().next();
                let starts_word = word.starts_with(in_word);
                let ends_word = word.ends_with(in_word);
                let within_word = starts_word && before.is_some_and(in_word)
                    || ends_word && after.is_some_and(in_word);
                !within_word
            })
    }
}

/// Blanks comments, and what stands in strings and characters.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (skip, keep_ends) = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => (line_comment(bytes, at), 0),
            b'/' if bytes[at..].starts_with(b"/*") => (block_comment(bytes, at), 0),
            b'"' => (string(bytes, at + 1), 1),
            b'r' if !after_word(bytes, at) => match raw_string(bytes, at) {
                Some(end) => (end, 1),
                None => (at, 0),
            },
            b'\'' => match character(bytes, at) {
                Some(end) => (end, 1),
                None => (at, 0),
            },
            _ => (at, 0),
        };
        if skip == at {
            at += 1;
            continue;
        }
        for byte in &mut code[at + keep_ends..skip - keep_ends] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = skip;
    }
    // Blanks replace whole characters, so what is left is still UTF-8.
    String::from_utf8(code).expect("only whole literals and comments were blanked")
}

fn after_word(bytes: &[u8], at: usize) -> bool {
    // `br"` starts a raw string, `for"` does not.
    let before = bytes[..at]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_');
    let before: Vec<_> = before.collect();
    !before.is_empty() && before != [&b'b']
}

fn line_comment(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| at + length)
}

fn block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    let start = at + 1 + hashes;
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let length = bytes[start + 1..]
        .windows(end.len())
        .position(|window| window == end)?;
    Some(start + 1 + length + end.len())
}

/// The end of a character literal, or nothing where a lifetime starts.
fn character(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'\\') {
        let length = bytes[at + 3..].iter().position(|byte| *byte == b'\'')?;
        return Some(at + 3 + length + 1);
    }
    let text = std::str::from_utf8(&bytes[at + 1..(at + 6).min(bytes.len())])
        .or_else(|error| std::str::from_utf8(&bytes[at + 1..at + 1 + error.valid_up_to()]))
        .ok()?;
    let length = text.chars().next()?.len_utf8();
    (bytes.get(at + 1 + length) == Some(&b'\'')).then_some(at + 2 + length)
}
