//! Values that several commands have.

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::xml::{Element, Sequence};
use crate::registry::types::{
    Address, AuthInfo, DomainName, Handle, HostName, Status, ValueError, Years,
};

/// Most objects that one check may name; more is 2306.
pub(crate) const CHECK_MAX: usize = 100;

fn parsed<T>(element: &Element, parsed: Result<T, ValueError>) -> Result<T, Fault> {
    parsed.map_err(|error| Fault::of_value(element.place(), error).at(element.line))
}

/// `labelType`: a text of 1 to 255 characters, which need not be a name.
pub(super) fn label(element: &Element, attributes: &[&str]) -> Result<String, Fault> {
    element.token(attributes, 1..256)
}

pub(super) fn domain_name(element: &Element, attributes: &[&str]) -> Result<DomainName, Fault> {
    let text = label(element, attributes)?;
    parsed(element, DomainName::parse(&text))
}

pub(super) fn host_name(element: &Element) -> Result<HostName, Fault> {
    let text = label(element, &[])?;
    parsed(element, HostName::parse(&text))
}

/// `clIDType`.
pub(super) fn handle(element: &Element, attributes: &[&str]) -> Result<Handle, Fault> {
    let text = element.token(attributes, 3..17)?;
    parsed(element, Handle::parse(&text))
}

/// A value of the registry from the text of an element.
pub(super) fn value<T>(
    element: &Element,
    text: &str,
    parse: fn(&str) -> Result<T, ValueError>,
) -> Result<T, Fault> {
    parsed(element, parse(text))
}

/// An address of a host with its family.
pub(super) fn address(element: &Element) -> Result<Address, Fault> {
    let text = element.token(&["ip"], 3..46)?;
    let address = parsed(element, Address::parse(&text))?;
    let family = element.attribute("ip");
    let expected = match family.as_deref() {
        None | Some("v4") => false,
        Some("v6") => true,
        Some(_) => return Err(element.fault(Code::ParameterSyntax, "ip is v4 or v6")),
    };
    match expected == text.contains(':') {
        true => Ok(address),
        false => Err(element.fault(Code::ParameterSyntax, "an address of the other family")),
    }
}

/// A status that somebody wants to set or remove. Those that EPP has and nobody can set are
/// policy (2306), other words are none.
pub(super) fn status(element: &Element, known: &[&str]) -> Result<Result<Status, Fault>, Fault> {
    element.normalized(&["s", "lang"], 0..256)?;
    let Some(word) = element.attribute("s") else {
        return Err(element.syntax("attribute s is missing"));
    };
    let fault = |code, reason: &str| {
        Fault::new(code, element.place(), &word, reason.to_owned()).at(element.line)
    };
    if !known.contains(&&*word) {
        return Err(fault(Code::ParameterSyntax, "not a status of this object"));
    }
    Ok(match Status::parse(&word) {
        Ok(status) => Ok(status),
        Err(_) => Err(fault(
            Code::ParameterPolicy,
            "a status that nobody can set or remove",
        )),
    })
}

/// A period: years here, months are refused.
pub(super) fn period(element: &Element) -> Result<Result<Years, Fault>, Fault> {
    let text = element.token(&["unit"], 1..8)?;
    let fault = |code, reason: &str| Err(element.fault(code, reason));
    let is_years = match element.attribute("unit").as_deref() {
        Some("y") => true,
        Some("m") => false,
        Some(_) => return fault(Code::ParameterSyntax, "unit is y or m"),
        None => return Err(element.syntax("attribute unit is missing")),
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return fault(Code::ParameterSyntax, "a whole number");
    }
    let count = text.trim_start_matches('+').parse::<u8>().ok();
    let Some(count) = count.filter(|count| (1..=99).contains(count)) else {
        return fault(Code::ParameterRange, "a period is 1 to 99");
    };
    if !is_years {
        let reason = "periods are in years here";
        return Ok(Err(element.fault(Code::ParameterPolicy, reason)));
    }
    parsed(element, Years::new(count)).map(Ok)
}

/// Authorization information with what may refuse it later.
pub(super) struct Authorization {
    pub(super) info: AuthInfo,
    pub(super) refusal: Option<Fault>,
}

/// `authInfo`: a password, or nothing where `null` is allowed.
pub(super) fn authorization(element: &Element, may_be_null: bool) -> Result<Authorization, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let unset = || AuthInfo::parse("").expect("nothing is authorization information");
    let read = if let Some(password) = within.optional("pw") {
        password.only_attributes(&["roid"])?;
        let text = password.normalized(&["roid"], 0..usize::MAX)?;
        let info = parsed(password, AuthInfo::parse(&text))?;
        let object = password.attribute("roid");
        if !object.iter().all(|roid| is_object(roid)) {
            let reason = "roid is an object as 12-REPOSITORY";
            return Err(password.fault(Code::ParameterSyntax, reason));
        }
        let refusal = object.map(|_| {
            let reason = "authorization by another object is not kept here";
            password.fault(Code::InvalidAuthorization, reason)
        });
        Authorization { info, refusal }
    } else if let Some(other) = within.optional("ext") {
        let mut extension = Sequence::of(other, &[])?;
        extension
            .any()
            .ok_or_else(|| extension.missing("an extension"))?;
        extension.end()?;
        let reason = "authorization information is a password here";
        return Err(other.fault(Code::UnimplementedOption, reason));
    } else if let Some(null) = within.optional("null").filter(|_| may_be_null) {
        null.only_attributes(&[])?;
        Authorization {
            info: unset(),
            refusal: None,
        }
    } else {
        return Err(within.missing("pw"));
    };
    within.end()?;
    Ok(read)
}

/// `roidType`: an object and the repository that it is in.
fn is_object(text: &str) -> bool {
    let of = |part: &str, most| {
        let letters = |c: char| c.is_alphanumeric() || c == '_';
        (1..=most).contains(&part.chars().count()) && part.chars().all(letters)
    };
    text.split_once('-')
        .is_some_and(|(object, repository)| of(object, 80) && of(repository, 8))
}

/// `boolean` of XML Schema.
pub(in super::super) fn boolean(element: &Element, text: &str) -> Result<bool, Fault> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(element.fault(Code::ParameterSyntax, "true, false, 1 or 0")),
    }
}
