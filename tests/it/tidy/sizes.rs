//! Sizes: lines of a file, of a function, of module docs.

use super::source::Source;

/// Most lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Most lines of code in a function, as clippy counts them: without blank lines and
/// comments.
const FUNCTION_LINES_MAX: usize = 70;
/// Most lines of module docs.
const DOC_LINES_MAX: usize = 15;

pub(super) fn faults(source: &Source) -> Vec<String> {
    let mut faults = module_docs(source);
    if source.is_test_or_table() {
        return faults;
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!(
            "{}: {lines} lines, at most {FILE_LINES_MAX}",
            source.path
        ));
    }
    for start in source.words("fn") {
        let Some(lines) = function_lines(&source.code[start..]) else {
            continue;
        };
        if lines > FUNCTION_LINES_MAX {
            let line = source.line(start);
            faults.push(format!(
                "{}:{line}: function of {lines} lines, at most {FUNCTION_LINES_MAX}",
                source.path
            ));
        }
    }
    faults
}

/// Files of tests beside a module say by their name what they are.
fn module_docs(source: &Source) -> Vec<String> {
    if source.path.ends_with("tests.rs") && !source.path.starts_with("tests/") {
        return Vec::new();
    }
    let docs = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .count();
    match docs {
        0 => vec![format!(
            "{}: no module docs (`//!`) in the first line",
            source.path
        )],
        1..=DOC_LINES_MAX => Vec::new(),
        _ => vec![format!(
            "{}: {docs} lines of module docs, at most {DOC_LINES_MAX}",
            source.path
        )],
    }
}

/// Lines of code between the braces of the function whose `fn` starts `code`; none for
/// a declaration without a body or a function pointer type.
fn function_lines(code: &str) -> Option<usize> {
    let mut depth = 0i32;
    let mut body = None;
    for (offset, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' | b',' | b'=' if depth <= 0 && body.is_none() && !in_generics(code, offset) => {
                return None;
            }
            b'{' => {
                body = body.or(Some(offset));
                depth += 1;
            }
            b'}' => {
                depth -= 1;
                let start = body?;
                if depth <= 0 {
                    let lines = code[start + 1..offset].lines();
                    return Some(lines.filter(|line| !line.trim().is_empty()).count());
                }
            }
            _ => {}
        }
    }
    None
}

/// Within a signature `,` and `=` stand between angle brackets, as in
/// `fn f<A, B>` and `Iterator<Item = u8>`: they end it only where none is open.
fn in_generics(code: &str, offset: usize) -> bool {
    let head = &code[..offset];
    let arrows = head.matches("->").count() + head.matches("=>").count();
    head.matches('<').count() > head.matches('>').count() - arrows
        || code[offset..].starts_with("=>")
}
