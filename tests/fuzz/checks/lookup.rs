//! What must hold of any octets that somebody sends to WHOIS, or as path and query to
//! RDAP: they are a question or a fault, and what was read is what can be asked. Shared by
//! the fuzz targets `whois_line` and `rdap_path` and the plain test of their corpora.

use meridian::lookup::search::Servers;
use meridian::lookup::{Names, QueryName};
use meridian::rdap::path::{self, Pattern, Target};
use meridian::whois::question::{self, Question};

/// Reads a line of WHOIS; whether it is a question.
pub(crate) fn line(input: &[u8]) -> bool {
    match question::read(input) {
        Ok(question) => {
            match &question {
                Question::Name(name)
                | Question::Domain(name)
                | Question::Nameserver(name)
                | Question::Availability(name) => is_name(name),
                Question::Registrar(text) | Question::Contact(text) => is_text(text),
                Question::Help | Question::Address(_) => {}
            }
            true
        }
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            false
        }
    }
}

/// Reads a path and a query of RDAP, parted by the first question mark; whether it is a
/// request.
pub(crate) fn target(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    match path::read(path, query) {
        Ok(target) => {
            match &target {
                Target::Help => {}
                Target::Domain(name) | Target::Nameserver(name) => is_name(name),
                Target::Entity(handle) => is_text(handle),
                Target::Search(_, pattern, view) => {
                    match pattern {
                        Pattern::Names(names) | Pattern::Servers(Servers::Like(names)) => {
                            let Names { prefix, suffix } = names;
                            assert!(prefix.len() >= 3 && prefix.is_ascii() && suffix.is_ascii());
                        }
                        Pattern::Exactly(name) | Pattern::Servers(Servers::Named(name)) => {
                            is_name(name);
                        }
                        Pattern::Servers(Servers::At(_))
                        | Pattern::Address(_)
                        | Pattern::Registrars(_) => {}
                    }
                    assert!(view.order.len() <= 4 && view.cursor.1 > 0);
                    is_text(&view.cursor.0);
                }
            }
            true
        }
        Err(fault) => {
            assert!([400, 404, 422, 501].contains(&fault.status), "{fault:?}");
            false
        }
    }
}

fn is_text(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// A name that was read is read as itself.
fn is_name(name: &QueryName) {
    let ascii = name.ascii();
    let is_plain =
        |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"-.".contains(&byte);
    assert!(
        ascii.len() <= 253 && ascii.bytes().all(is_plain),
        "{ascii:?}"
    );
    assert_eq!(QueryName::parse(ascii).as_ref(), Ok(name), "{ascii:?}");
}
