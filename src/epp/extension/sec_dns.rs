//! Delegation signers (RFC 5910), by the interface of DS data.
//!
//! Keys beside a DS are read, and not kept: RFC 5910 section 4.1 leaves it to the server.
//! The interface of key data is refused with 2306, as its section 4 asks for; so are both
//! in one command. Signatures' lives and urgent changes are not offered (2102).

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::namespace::SEC_DNS;
use super::super::request::boolean;
use super::super::xml::{Element, Sequence, Writer};
use crate::registry::types::DsData;

/// Most records that are read; the registry keeps fewer.
const RECORDS_MAX: usize = 64;
/// Longest digest or key that is looked at, in characters.
const TEXT_CHARACTERS_MAX: usize = 16 * 1024;

/// Delegation signers that come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecDns {
    /// The records.
    pub ds: Vec<DsData>,
    /// What policy forbids about it.
    pub refusal: Option<Fault>,
}

/// A change to the delegation signers of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecDnsUpdate {
    /// Those that are there all go.
    pub removes_all: bool,
    /// These go.
    pub remove: Vec<DsData>,
    /// These come.
    pub add: Vec<DsData>,
    /// What policy forbids about it.
    pub refusal: Option<Fault>,
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
            let data = records(&mut within)?;
            (update.remove, update.refusal) = (data.ds, data.refusal);
        }
        within.end()?;
    }
    if let Some(element) = add {
        let data = create(element)?;
        update.add = data.ds;
        update.refusal = update.refusal.or(data.refusal);
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
            refusal: None,
        });
    }
    let keys = within.many("keyData", RECORDS_MAX);
    let first = *keys.first().ok_or_else(|| within.missing("dsData"))?;
    for key in keys {
        key_data(key)?;
    }
    let reason = "the interface is that of dsData";
    Ok(SecDns {
        ds: Vec::new(),
        refusal: Some(first.fault(Code::ParameterPolicy, reason)),
    })
}

fn ds_data(element: &Element) -> Result<DsData, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let tag = number(within.required("keyTag")?, 0, 65_535)?;
    let algorithm = number(within.required("alg")?, 0, 255)?;
    let digest_type = number(within.required("digestType")?, 0, 255)?;
    let digest = within.required("digest")?;
    let key = within.optional("keyData");
    within.end()?;
    key.map(key_data).transpose()?;
    let text = digest.token(&[], 1..TEXT_CHARACTERS_MAX)?;
    if text.contains(' ') {
        return Err(digest.fault(Code::ParameterSyntax, "the digest is in hexadecimal"));
    }
    let ds = DsData::parse(&format!("{tag} {algorithm} {digest_type} {text}"));
    ds.map_err(|error| digest.fault(error.code.into(), error.reason))
}

fn key_data(element: &Element) -> Result<(), Fault> {
    let mut within = Sequence::of(element, &[])?;
    number(within.required("flags")?, 0, 65_535)?;
    number(within.required("protocol")?, 0, 255)?;
    number(within.required("alg")?, 0, 255)?;
    let key = within.required("pubKey")?;
    within.end()?;
    let text = key.token(&[], 1..TEXT_CHARACTERS_MAX)?;
    match is_base64(&text) {
        true => Ok(()),
        false => Err(key.fault(Code::ParameterSyntax, "a public key is in base 64")),
    }
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
