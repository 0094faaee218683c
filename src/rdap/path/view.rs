//! How what is found is shown: which fields (RFC 8982), in which order, which page, and
//! whether it is counted (RFC 8977).
//!
//! A value that is none is answered with 400, as both ask for; words that nobody knows are
//! left alone.

use super::{Class, Fault, fault};
use crate::lookup::search::{Page, Property, Sort};

/// Properties that one order may name.
const SORTS_MAX: usize = 4;

/// How what is found is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Which fields.
    pub fields: FieldSet,
    /// Where the page begins, and its number from 1.
    pub cursor: (String, u32),
    /// In which order.
    pub order: Vec<Sort>,
    /// Whether it is counted.
    pub counts: bool,
    /// The query string without its cursor, for links to other pages.
    pub query: String,
}

/// RFC 8982 section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldSet {
    /// What names the object.
    Id,
    /// Some more.
    Brief,
    /// All.
    Full,
}

impl FieldSet {
    /// All of them with their words.
    pub const ALL: [(&'static str, Self); 3] = [
        ("id", Self::Id),
        ("brief", Self::Brief),
        ("full", Self::Full),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What objects of a class can be sorted by, with the words of RFC 8977 section 2.3.1.
pub(in crate::rdap) fn sorts_of(class: Class) -> &'static [(&'static str, Property)] {
    match class {
        Class::Domain => &[
            ("name", Property::Name),
            ("registrationDate", Property::Created),
            ("lastChangedDate", Property::Updated),
            ("transferDate", Property::Transferred),
            ("expirationDate", Property::Expires),
        ],
        Class::Nameserver => &[
            ("name", Property::Name),
            ("ipv4", Property::V4),
            ("ipv6", Property::V6),
            ("registrationDate", Property::Created),
            ("lastChangedDate", Property::Updated),
            ("transferDate", Property::Transferred),
        ],
        Class::Entity => &[
            ("handle", Property::Handle),
            ("fn", Property::Name),
            ("registrationDate", Property::Created),
            ("lastChangedDate", Property::Updated),
        ],
    }
}

impl View {
    pub(super) fn read(
        class: Class,
        parameters: &[(String, String)],
        query: &str,
    ) -> Result<Self, Fault> {
        let find = |wanted: &str| {
            let found = parameters.iter().find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let fields = match find("fieldSet") {
            None => FieldSet::Full,
            Some(word) => match FieldSet::ALL.iter().find(|(known, _)| *known == word) {
                Some((_, fields)) => *fields,
                // RFC 8982 section 5.
                None => return fault(400, "fieldSet is one of id, brief, full"),
            },
        };
        let cursor = match find("cursor") {
            None => (String::new(), 1),
            Some(text) => match cursor(text) {
                Some(cursor) => cursor,
                None => return fault(400, "not a cursor of this service"),
            },
        };
        let counts = match find("count") {
            None | Some("false" | "no" | "0") => false,
            Some("true" | "yes" | "1") => true,
            Some(_) => return fault(400, "count is true or false"),
        };
        let rest = query.split('&').filter(|pair| !pair.starts_with("cursor="));
        Ok(Self {
            fields,
            cursor,
            order: find("sort").map_or(Ok(Vec::new()), |text| order(class, text))?,
            counts,
            query: rest.collect::<Vec<_>>().join("&"),
        })
    }

    /// As a look-up takes it.
    pub(in crate::rdap) fn page(&self, most: usize) -> Page {
        let (after, number) = &self.cursor;
        Page {
            after: after.clone(),
            before: usize::try_from(number - 1).unwrap_or(usize::MAX),
            most,
            order: self.order.clone(),
            counts: self.counts,
        }
    }

    /// The order in the words that asked for it.
    pub(in crate::rdap) fn order_text(&self, class: Class) -> String {
        let words = self.order.iter().filter_map(|sort| {
            let mut known = sorts_of(class).iter();
            let (word, _) = known.find(|(_, property)| *property == sort.property)?;
            Some(match sort.descends {
                true => format!("{word}:d"),
                false => (*word).to_owned(),
            })
        });
        words.collect::<Vec<_>>().join(",")
    }
}

/// RFC 8977 section 2.3.
fn order(class: Class, text: &str) -> Result<Vec<Sort>, Fault> {
    let known = sorts_of(class);
    let item = |item: &str| {
        let (word, descends) = match item.split_once(':') {
            None | Some((_, "a")) => (item.trim_end_matches(":a"), false),
            Some((word, "d")) => (word, true),
            Some(_) => return fault(400, "an order goes up with :a and down with :d"),
        };
        match known.iter().find(|(name, _)| *name == word) {
            Some((_, property)) => Ok(Sort {
                property: *property,
                descends,
            }),
            None => {
                let words: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                fault(400, format!("sorted by {} only", words.join(", ")))
            }
        }
    };
    let order: Vec<_> = text.split(',').map(item).collect::<Result<_, _>>()?;
    match order.len() {
        ..=SORTS_MAX => Ok(order),
        _ => fault(400, format!("sorted by {SORTS_MAX} properties at most")),
    }
}

/// Number of the page, and where it begins in hexadecimal: letters and digits, as RFC 8977
/// section 2.4 has it.
fn cursor(text: &str) -> Option<(String, u32)> {
    let (number, place) = text.split_once('-')?;
    let number = number.parse::<u32>().ok().filter(|number| *number > 1)?;
    let pairs = place.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let octets: Option<Vec<u8>> = pairs.collect();
    let place = String::from_utf8(octets?).ok()?;
    let is_name = !place.chars().any(char::is_control) && place.len() <= 255;
    is_name.then_some((place, number))
}

/// The cursor of a page that begins behind `place`.
pub(in crate::rdap) fn cursor_text(place: &str, number: u32) -> String {
    let hexadecimal: String = place.bytes().map(|octet| format!("{octet:02x}")).collect();
    format!("{number}-{hexadecimal}")
}
