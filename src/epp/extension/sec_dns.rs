//! Delegation signers (RFC 5910), as DS or as keys: which of them a zone takes is the
//! registry's to say, with 2306 for the other.
//!
//! Keys beside a DS are read, and not kept: RFC 5910 section 4.1 leaves it to the server.
//! Signatures' lives and urgent changes are not offered (2102).

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::namespace::SEC_DNS;
use super::super::request::boolean;
use super::super::xml::{Element, Sequence, Writer};
use crate::registry::types::{DnskeyData, DsData};

/// Most records that are read; the registry keeps fewer.
const RECORDS_MAX: usize = 64;
/// Longest digest or key that is looked at, in characters.
const TEXT_CHARACTERS_MAX: usize = 16 * 1024;

/// Delegation signers that come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecDns {
    /// The records.
    pub ds: Vec<DsData>,
    /// Or keys.
    pub keys: Vec<DnskeyData>,
    /// What policy forbids about it.
    pub refusal: Option<Fault>,
}

/// A change to the delegation signers of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecDnsUpdate {
    /// Those that are there all go.
    pub removes_all: bool,
    /// These go.
    pub remove: SecDns,
    /// These come.
    pub add: SecDns,
}

pub(super) fn create(element: &Element) -> Result<SecDns, Fault> {
    let mut within = Sequence::of(element, &[])?;
    signature_life(&mut within)?;
    let data = records(&mut within)?;
    within.end()?;
    Ok(data)
}

pub(super) fn update(element: &Element) -> Result<SecDnsUpdate, Fault> {
    let mut within = Sequence::of(element, &["urgent"])?;
    if let Some(urgent) = element.attribute("urgent")
        && boolean(element, &urgent)?
    {
        let reason = "every change is made at once, none is urgent";
        return Err(element.fault(Code::UnimplementedOption, reason));
    }
    let (remove, add) = (within.optional("rem"), within.optional("add"));
    let change = within.optional("chg");
    within.end()?;
    let mut update = SecDnsUpdate::default();
    if let Some(element) = remove {
        let mut within = Sequence::of(element, &[])?;
        if let Some(all) = within.optional("all") {
            update.removes_all = boolean(all, &all.token(&[], 1..6)?)?;
        } else {
            update.remove = records(&mut within)?;
        }
        within.end()?;
    }
    if let Some(element) = add {
        update.add = create(element)?;
    }
    if let Some(element) = change {
        let mut within = Sequence::of(element, &[])?;
        signature_life(&mut within)?;
        within.end()?;
    }
    Ok(update)
}

fn signature_life(within: &mut Sequence<'_>) -> Result<(), Fault> {
    let Some(element) = within.optional("maxSigLife") else {
        return Ok(());
    };
    number(element, 1, i64::from(i32::MAX))?;
    let reason = "signatures are the child's; no life of theirs is kept";
    Err(element.fault(Code::UnimplementedOption, reason))
}

/// One kind of records, at least one.
fn records(within: &mut Sequence<'_>) -> Result<SecDns, Fault> {
    let elements = within.many("dsData", RECORDS_MAX);
    if !elements.is_empty() {
        let ds: Result<_, _> = elements.into_iter().map(ds_data).collect();
        return Ok(SecDns {
            ds: ds?,
            ..SecDns::default()
        });
    }
    let elements = within.many("keyData", RECORDS_MAX);
    if elements.is_empty() {
        return Err(within.missing("dsData"));
    }
    let mut data = SecDns::default();
    for element in elements {
        match key_data(element)? {
            Ok(key) => data.keys.push(key),
            Err(fault) => drop(data.refusal.get_or_insert(fault)),
        }
    }
    Ok(data)
}

fn ds_data(element: &Element) -> Result<DsData, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let tag = number(within.required("keyTag")?, 0, 65_535)?;
    let algorithm = number(within.required("alg")?, 0, 255)?;
    let digest_type = number(within.required("digestType")?, 0, 255)?;
    let digest = within.required("digest")?;
    let key = within.optional("keyData");
    within.end()?;
    key.map(|key| key_data(key).map(drop)).transpose()?;
    let text = digest.token(&[], 1..TEXT_CHARACTERS_MAX)?;
    if text.contains(' ') {
        return Err(digest.fault(Code::ParameterSyntax, "the digest is in hexadecimal"));
    }
    let ds = DsData::parse(&format!("{tag} {algorithm} {digest_type} {text}"));
    ds.map_err(|error| digest.fault(error.code.into(), error.reason))
}

/// A key, or why it can be none of a domain.
fn key_data(element: &Element) -> Result<Result<DnskeyData, Fault>, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let flags = number(within.required("flags")?, 0, 65_535)?;
    let protocol = within.required("protocol")?;
    let (three, algorithm) = (
        number(protocol, 0, 255)?,
        number(within.required("alg")?, 0, 255)?,
    );
    let key = within.required("pubKey")?;
    within.end()?;
    let text = key.token(&[], 1..TEXT_CHARACTERS_MAX)?;
    if !is_base64(&text) {
        return Err(key.fault(Code::ParameterSyntax, "a public key is in base 64"));
    }
    if three != 3 {
        let reason = "protocol is 3 (RFC 4034 section 2.1.2)";
        return Ok(Err(protocol.fault(Code::ParameterPolicy, reason)));
    }
    let parsed = DnskeyData::parse(&format!("{flags} {three} {algorithm} {text}"));
    let parsed = parsed.map_err(|error| key.fault(error.code.into(), error.reason))?;
    Ok(Ok(parsed))
}

/// A whole number: 2005 where it is none, 2004 where it is another.
fn number(element: &Element, least: i64, most: i64) -> Result<i64, Fault> {
    let text = element.token(&[], 1..20)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(element.fault(Code::ParameterSyntax, "a whole number"));
    }
    let number = text.trim_start_matches('+').parse::<i64>().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        let reason = format!("a number from {least} to {most}");
        element.fault(Code::ParameterRange, reason)
    })
}

/// RFC 4648 section 4, with the blanks that a token may have.
fn is_base64(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let digits = &text[..text.len() - padding];
    !digits.is_empty()
        && padding <= 2
        && text.len().is_multiple_of(4)
        && digits.iter().all(is_digit)
}

/// Keys of a domain that was given keys.
pub(super) fn write_keys(keys: &[DnskeyData], out: &mut Writer) {
    out.open("secDNS:infData", &[("xmlns:secDNS", SEC_DNS)]);
    for key in keys {
        // `FLAGS 3 ALGORITHM KEY`, as in a zone file.
        let text = key.to_string();
        let mut words = text.split_ascii_whitespace();
        out.open("secDNS:keyData", &[]);
        for name in ["flags", "protocol", "alg"] {
            let word = words.next().unwrap_or_default();
            out.leaf(&format!("secDNS:{name}"), &[], word);
        }
        out.leaf("secDNS:pubKey", &[], &key.public_key_text());
        out.close();
    }
    out.close();
}

pub(super) fn write(ds: &[DsData], out: &mut Writer) {
    out.open("secDNS:infData", &[("xmlns:secDNS", SEC_DNS)]);
    for ds in ds {
        // `TAG ALGORITHM TYPE DIGEST`, as in a zone file.
        let text = ds.to_string();
        let mut words = text.split_ascii_whitespace();
        out.open("secDNS:dsData", &[]);
        for name in ["keyTag", "alg", "digestType"] {
            let word = words.next().unwrap_or_default();
            out.leaf(&format!("secDNS:{name}"), &[], word);
        }
        let digest: String = words.collect();
        out.leaf("secDNS:digest", &[], &digest.to_ascii_uppercase());
        out.close();
    }
    out.close();
}
