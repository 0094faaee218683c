//! Wire format to presentation format, field by field.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::table::{self, Codes, Field, Form};
use super::{bitmap, encoding, location, measure, prefixes, service, time};
use crate::RecordType;

/// RDATA to be written.
#[derive(Debug)]
pub(super) struct Presentation<'r> {
    pub(super) rtype: RecordType,
    pub(super) rdata: &'r [u8],
}

impl fmt::Display for Presentation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match table::form(self.rtype) {
            Form::Fields(fields) if measure::validate(self.rtype, self.rdata).is_ok() => {
                write_fields(f, fields, self.rdata)
            }
            _ => write_generic(f, self.rdata),
        }
    }
}

/// RFC 3597 section 5.
fn write_generic(f: &mut fmt::Formatter<'_>, rdata: &[u8]) -> fmt::Result {
    write!(f, "\\# {}", rdata.len())?;
    if !rdata.is_empty() {
        f.write_char(' ')?;
        encoding::write_hex(f, rdata)?;
    }
    Ok(())
}

/// Writes valid RDATA.
fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[Field], rdata: &[u8]) -> fmt::Result {
    let mut at = 0;
    for (number, &field) in fields.iter().enumerate() {
        let end = measure::field_end(field, rdata, at).expect("validated before it is written");
        // A field that may be empty brings its own blank.
        if number > 0 && !brings_blank(field) {
            f.write_char(' ')?;
        }
        write_field(f, field, rdata, at, &rdata[at..end])?;
        at = end;
    }
    Ok(())
}

fn brings_blank(field: Field) -> bool {
    matches!(
        field,
        Field::Names(_)
            | Field::StringOption
            | Field::Base64(_)
            | Field::Bitmap
            | Field::A6Suffix
            | Field::A6Name
            | Field::Ports
            | Field::Prefixes
            | Field::ServiceParameters
    )
}

fn write_field(
    f: &mut fmt::Formatter<'_>,
    field: Field,
    rdata: &[u8],
    at: usize,
    octets: &[u8],
) -> fmt::Result {
    match field {
        Field::Name(_) => write!(f, "{}", measure::name_at(rdata, at)),
        Field::Names(_) => write_names(f, octets),
        Field::U8 | Field::U16 | Field::U32 | Field::U64 | Field::Period => {
            write!(f, "{}", big_endian(octets))
        }
        Field::Type => write!(f, "{}", RecordType(short(octets))),
        Field::Time => time::write(f, u32::from_be_bytes(array(octets))),
        Field::Code(codes) => write_code(f, codes, octets),
        Field::Ipv4 => write!(f, "{}", Ipv4Addr::from(array(octets))),
        Field::Ipv6 => write!(f, "{}", Ipv6Addr::from(array(octets))),
        Field::Groups64 => write_groups(f, octets),
        Field::Eui(_) => write_pairs(f, octets),
        Field::String => encoding::write_quoted(f, &octets[1..]),
        Field::StringOption | Field::Strings => write_strings(f, field, octets),
        Field::Text => encoding::write_quoted(f, octets),
        Field::Tag => encoding::write_escaped(f, &octets[1..]),
        Field::Hex(_) | Field::Digest(_) => encoding::write_hex(f, octets),
        Field::Base64(_) if octets.is_empty() => Ok(()),
        Field::Base64(_) => {
            // The only field of some types and the last of the others.
            if at > 0 {
                f.write_char(' ')?;
            }
            encoding::write_base64(f, octets)
        }
        Field::Base64OrDash | Field::Salt if is_none(field, octets) => f.write_char('-'),
        Field::Base64OrDash => encoding::write_base64(f, octets),
        Field::Salt => encoding::write_hex(f, &octets[1..]),
        Field::Hash => encoding::write_base32hex(f, &octets[1..]),
        Field::Bitmap => bitmap::write(f, octets),
        Field::Gateway(_) => write_gateway(f, field, rdata, at, octets),
        Field::Discovery => write!(f, "{} {}", octets[0] >> 7, octets[0] & 0x7f),
        Field::HostIdentity => write_host_identity(f, octets),
        Field::A6Suffix => write_a6_suffix(f, octets),
        Field::A6Name if octets.is_empty() => Ok(()),
        Field::A6Name => write!(f, " {}", measure::name_at(rdata, at)),
        Field::Ports => write_ports(f, octets),
        Field::Nsap => {
            f.write_str("0x")?;
            encoding::write_hex(f, octets)
        }
        Field::Location => location::write(f, octets),
        Field::Prefixes => prefixes::write(f, octets),
        Field::ServiceParameters => service::write(f, octets),
    }
}

fn is_none(field: Field, octets: &[u8]) -> bool {
    match field {
        Field::Salt => octets == [0],
        _ => octets.is_empty(),
    }
}

fn array<const N: usize>(octets: &[u8]) -> [u8; N] {
    octets.try_into().expect("a field of fixed length")
}

fn short(octets: &[u8]) -> u16 {
    u16::from_be_bytes(array(octets))
}

fn big_endian(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0, |value, &octet| value << 8 | u64::from(octet))
}

fn write_names(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let mut at = 0;
    while at < octets.len() {
        let name = measure::name_at(octets, at);
        write!(f, " {name}")?;
        at += name.as_wire().len();
    }
    Ok(())
}

fn write_code(f: &mut fmt::Formatter<'_>, codes: &Codes, octets: &[u8]) -> fmt::Result {
    let value = big_endian(octets);
    let named = codes
        .names
        .iter()
        .find(|(_, named)| u64::from(*named) == value);
    match named {
        Some((name, _)) if codes.printed => f.write_str(name),
        _ => write!(f, "{value}"),
    }
}

fn write_groups(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for (number, group) in octets.chunks_exact(2).enumerate() {
        let separator = if number > 0 { ":" } else { "" };
        write!(f, "{separator}{:04x}", short(group))?;
    }
    Ok(())
}

fn write_pairs(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for (number, octet) in octets.iter().enumerate() {
        let separator = if number > 0 { "-" } else { "" };
        write!(f, "{separator}{octet:02x}")?;
    }
    Ok(())
}

fn write_strings(f: &mut fmt::Formatter<'_>, field: Field, octets: &[u8]) -> fmt::Result {
    let mut rest = octets;
    let mut blank = matches!(field, Field::StringOption);
    while let Some((&length, after)) = rest.split_first() {
        let (string, next) = after.split_at(usize::from(length));
        if blank {
            f.write_char(' ')?;
        }
        encoding::write_quoted(f, string)?;
        blank = true;
        rest = next;
    }
    Ok(())
}

fn write_gateway(
    f: &mut fmt::Formatter<'_>,
    field: Field,
    rdata: &[u8],
    at: usize,
    octets: &[u8],
) -> fmt::Result {
    let Field::Gateway(mask) = field else {
        return Ok(());
    };
    match rdata[1] & mask {
        1 => write!(f, "{}", Ipv4Addr::from(array(octets))),
        2 => write!(f, "{}", Ipv6Addr::from(array(octets))),
        3 => write!(f, "{}", measure::name_at(rdata, at)),
        _ => f.write_char('.'),
    }
}

fn write_host_identity(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let (head, body) = octets.split_at(4);
    let (tag, key) = body.split_at(usize::from(head[0]));
    write!(f, "{} ", head[1])?;
    encoding::write_hex(f, tag)?;
    f.write_char(' ')?;
    encoding::write_base64(f, key)
}

fn write_a6_suffix(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let (prefix, suffix) = octets.split_at(1);
    write!(f, "{}", prefix[0])?;
    if prefix[0] == 128 {
        return Ok(());
    }
    let bits = suffix
        .iter()
        .fold(0_u128, |bits, &octet| bits << 8 | u128::from(octet));
    write!(f, " {}", Ipv6Addr::from(bits))
}

fn write_ports(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for (number, octet) in octets.iter().enumerate() {
        for bit in (0..8).filter(|bit| octet & (0x80 >> bit) != 0) {
            write!(f, " {}", number * 8 + bit)?;
        }
    }
    Ok(())
}
