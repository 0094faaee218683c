//! Wire format walked field by field: checks and the names inside.

use std::slice;

use zone_image::name::wire_length;
use zone_image::{Name, NameError};

use super::table::{self, Digests, Field, Form, NameUse};
use super::{RDATA_BYTES_MAX, WireError, bitmap, location, prefixes, service};
use crate::RecordType;

pub(super) const GATEWAY_KINDS: &str = "gateway type is none of 0, 1, 2 and 3";

/// Checks all fields and that nothing follows them.
pub(super) fn validate(rtype: RecordType, rdata: &[u8]) -> Result<(), WireError> {
    if rdata.len() > RDATA_BYTES_MAX {
        return Err(WireError::TooLong);
    }
    let fields = match table::form(rtype) {
        Form::Fields(fields) => fields,
        Form::Opaque => return Ok(()),
        Form::Meta => return Err(WireError::Meta),
    };
    let end = fields
        .iter()
        .try_fold(0, |at, &field| field_end(field, rdata, at))?;
    match rdata.len() - end {
        0 => Ok(()),
        octets => Err(WireError::Trailing { octets }),
    }
}

/// Where the field that starts at `at` ends, its value checked.
pub(super) fn field_end(field: Field, rdata: &[u8], at: usize) -> Result<usize, WireError> {
    let fixed = |octets: usize| {
        let end = at + octets;
        (end <= rdata.len())
            .then_some(end)
            .ok_or(WireError::Truncated { at })
    };
    let rest = &rdata[at..];
    let to_end = |check: Result<(), WireError>| check.map(|()| rdata.len());
    match field {
        Field::Name(_) => Ok(at + wire_length(rest)?),
        Field::Names(_) => names_end(rdata, at),
        Field::U8 => fixed(1),
        Field::U16 | Field::Type => fixed(2),
        Field::U32 | Field::Period | Field::Time | Field::Ipv4 => fixed(4),
        Field::U64 | Field::Groups64 => fixed(8),
        Field::Code(codes) => fixed(codes.octets),
        Field::Ipv6 => fixed(16),
        Field::Eui(octets) => fixed(octets),
        Field::String | Field::Salt => string_end(rdata, at),
        Field::StringOption if rest.is_empty() => Ok(at),
        Field::StringOption => string_end(rdata, at),
        Field::Strings => strings_end(rdata, at),
        Field::Text | Field::Base64OrDash => Ok(rdata.len()),
        Field::Tag => tag_end(rdata, at),
        Field::Hex(least) | Field::Base64(least) => {
            fixed(least)?;
            Ok(rdata.len())
        }
        Field::Digest(digests) => to_end(check_digest(digests, rdata, at)),
        Field::Hash => match rest.first() {
            Some(0) => Err(WireError::Value("hash of no octets")),
            _ => string_end(rdata, at),
        },
        Field::Bitmap => to_end(bitmap::check(rest)),
        Field::Gateway(mask) => match rdata[1] & mask {
            0 => Ok(at),
            1 => fixed(4),
            2 => fixed(16),
            3 => Ok(at + wire_length(rest)?),
            _ => Err(WireError::Value(GATEWAY_KINDS)),
        },
        Field::Discovery => fixed(1),
        Field::HostIdentity => host_identity_end(rdata, at),
        Field::A6Suffix => a6_suffix_end(rdata),
        Field::A6Name if rdata[0] == 0 => Ok(at),
        Field::A6Name => Ok(at + wire_length(rest)?),
        Field::Ports => match rest {
            [.., 0] => Err(WireError::Value("port bit map ends with a zero octet")),
            _ if rest.len() > 8_192 => Err(WireError::Value("port bit map is too long")),
            _ => Ok(rdata.len()),
        },
        Field::Nsap => fixed(1).map(|_| rdata.len()),
        Field::Location => {
            let end = fixed(location::OCTETS)?;
            location::check(&rdata[at..end]).map(|()| end)
        }
        Field::Prefixes => to_end(prefixes::check(rest)),
        Field::ServiceParameters => to_end(service::check(rest)),
    }
}

fn names_end(rdata: &[u8], mut at: usize) -> Result<usize, WireError> {
    while at < rdata.len() {
        at += wire_length(&rdata[at..])?;
    }
    Ok(at)
}

fn string_end(rdata: &[u8], at: usize) -> Result<usize, WireError> {
    let length = rdata.get(at).ok_or(WireError::Truncated { at })?;
    let end = at + 1 + usize::from(*length);
    (end <= rdata.len())
        .then_some(end)
        .ok_or(WireError::Truncated { at })
}

fn strings_end(rdata: &[u8], at: usize) -> Result<usize, WireError> {
    let mut end = string_end(rdata, at)?;
    while end < rdata.len() {
        end = string_end(rdata, end)?;
    }
    Ok(end)
}

fn tag_end(rdata: &[u8], at: usize) -> Result<usize, WireError> {
    let end = string_end(rdata, at)?;
    let tag = &rdata[at + 1..end];
    if tag.is_empty() || !tag.iter().all(u8::is_ascii_alphanumeric) {
        return Err(WireError::Value("tag is not of ASCII letters and digits"));
    }
    Ok(end)
}

/// The digest from `at` on has the length that its type says.
pub(super) fn check_digest(digests: &Digests, rdata: &[u8], at: usize) -> Result<(), WireError> {
    let found = rdata.len() - at;
    let kind = rdata[digests.at];
    match digests.lengths.iter().find(|(known, _)| *known == kind) {
        Some((_, length)) if found != *length => Err(WireError::Value(
            "digest has not the length of its digest type",
        )),
        None if found < digests.least => Err(WireError::Value("digest is too short")),
        _ => Ok(()),
    }
}

fn host_identity_end(rdata: &[u8], at: usize) -> Result<usize, WireError> {
    let Some(&[tag, _, high, low]) = rdata.get(at..at + 4) else {
        return Err(WireError::Truncated { at });
    };
    let key = u16::from_be_bytes([high, low]);
    if tag == 0 || key == 0 {
        return Err(WireError::Value("host identity without a HIT or a key"));
    }
    let end = at + 4 + usize::from(tag) + usize::from(key);
    (end <= rdata.len())
        .then_some(end)
        .ok_or(WireError::Truncated { at })
}

/// RFC 2874 section 3.1.1: as many octets as hold the bits, padded with zero bits.
fn a6_suffix_end(rdata: &[u8]) -> Result<usize, WireError> {
    let prefix = *rdata.first().ok_or(WireError::Truncated { at: 0 })?;
    if prefix > 128 {
        return Err(WireError::Value("prefix length is over 128"));
    }
    let end = 1 + 16 - usize::from(prefix / 8);
    let suffix = rdata.get(1..end).ok_or(WireError::Truncated { at: 1 })?;
    match suffix.first() {
        Some(first) if first & !(0xff >> (prefix % 8)) != 0 => {
            Err(WireError::Value("address suffix has bits of its prefix"))
        }
        _ => Ok(end),
    }
}

/// A name inside RDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameAt {
    /// Offset of its first octet.
    pub at: usize,
    /// Its octets, root label included.
    pub length: usize,
    /// What may be done to it.
    pub usage: NameUse,
}

/// Iterator over the names inside RDATA.
#[derive(Debug, Clone)]
pub struct NamesIn<'r> {
    fields: slice::Iter<'static, Field>,
    rdata: &'r [u8],
    at: usize,
    /// The use of the names that fill the rest.
    listed: Option<NameUse>,
}

/// The names inside `rdata`; it ends early where `rdata` is not valid.
pub(super) fn names_in(rtype: RecordType, rdata: &[u8]) -> NamesIn<'_> {
    let fields: &[Field] = match table::form(rtype) {
        Form::Fields(fields) => fields,
        Form::Opaque | Form::Meta => &[],
    };
    NamesIn {
        fields: fields.iter(),
        rdata,
        at: 0,
        listed: None,
    }
}

impl NamesIn<'_> {
    fn name(&mut self, usage: NameUse) -> Result<NameAt, NameError> {
        let at = self.at;
        let length = wire_length(&self.rdata[at..])?;
        self.at += length;
        Ok(NameAt { at, length, usage })
    }
}

impl Iterator for NamesIn<'_> {
    type Item = NameAt;

    fn next(&mut self) -> Option<NameAt> {
        if let Some(usage) = self.listed {
            return self.name(usage).ok();
        }
        loop {
            let usage = match *self.fields.next()? {
                Field::Name(usage) => usage,
                Field::Names(usage) => {
                    self.listed = Some(usage);
                    usage
                }
                // RFC 4034 section 6.2 lists A6.
                Field::A6Name if *self.rdata.first()? > 0 => NameUse::Folded,
                Field::Gateway(mask) if *self.rdata.get(1)? & mask == 3 => NameUse::Kept,
                field => {
                    self.at = field_end(field, self.rdata, self.at).ok()?;
                    continue;
                }
            };
            return self.name(usage).ok();
        }
    }
}

/// A name that a check has found valid.
pub(super) fn name_at(rdata: &[u8], at: usize) -> Name {
    let rest = &rdata[at..];
    let length = wire_length(rest).expect("valid RDATA");
    Name::from_wire(&rest[..length]).expect("valid RDATA")
}
