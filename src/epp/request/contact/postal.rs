//! `postalInfo`: a name and an address, in the two forms that a contact can have.

use super::super::super::code::Code;
use super::super::super::fault::Fault;
use super::super::super::xml::{Element, Sequence};
use super::super::values::value;
use crate::registry::command::contact::{Address, Change, PostalInfo, PostalParts};
use crate::registry::types::{CountryCode, Line, PostalCode};

/// Most lines of a street.
const STREET_MAX: usize = 3;

/// In which letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// ASCII.
    Int,
    /// Those of its place.
    Loc,
}

pub(super) fn form(element: &Element) -> Result<Form, Fault> {
    match element.attribute("type").as_deref() {
        Some("int") => Ok(Form::Int),
        Some("loc") => Ok(Form::Loc),
        Some(_) => Err(element.fault(Code::ParameterSyntax, "type is int or loc")),
        None => Err(element.syntax("attribute type is missing")),
    }
}

/// Each form at most once.
pub(super) fn both<T>(
    elements: Vec<&Element>,
    read: fn(&Element) -> Result<T, Fault>,
) -> Result<[Option<T>; 2], Fault> {
    let mut forms = [None, None];
    for element in elements {
        let form = match form(element)? {
            Form::Int => &mut forms[0],
            Form::Loc => &mut forms[1],
        };
        if form.replace(read(element)?).is_some() {
            return Err(element.fault(Code::ParameterSyntax, "the same type twice"));
        }
    }
    Ok(forms)
}

/// Of a new contact.
pub(super) fn whole(element: &Element) -> Result<PostalInfo, Fault> {
    let mut within = Sequence::of(element, &["type"])?;
    let name = line(within.required("name")?)?;
    let organization = within.optional("org").map(optional_line).transpose()?;
    let address = address(within.required("addr")?)?;
    within.end()?;
    Ok(PostalInfo {
        name,
        organization: organization.flatten(),
        address,
    })
}

/// Of one that is changed: what is not there stays.
pub(super) fn parts(element: &Element) -> Result<PostalParts, Fault> {
    let mut within = Sequence::of(element, &["type"])?;
    let name = within.optional("name").map(line).transpose()?;
    let organization = within.optional("org").map(optional_line).transpose()?;
    let address = within.optional("addr").map(address).transpose()?;
    within.end()?;
    Ok(PostalParts {
        name,
        organization: organization.map(|line| line.map_or(Change::Remove, Change::Set)),
        address,
    })
}

fn line(element: &Element) -> Result<Line, Fault> {
    let text = element.normalized(&[], 1..256)?;
    value(element, &text, Line::parse)
}

/// A line that may be empty, which is none.
fn optional_line(element: &Element) -> Result<Option<Line>, Fault> {
    let text = element.normalized(&[], 0..256)?;
    match text.trim().is_empty() {
        true => Ok(None),
        false => value(element, &text, Line::parse).map(Some),
    }
}

fn address(element: &Element) -> Result<Address, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let street = within.many("street", STREET_MAX);
    let city = line(within.required("city")?)?;
    let province = within.optional("sp").map(optional_line).transpose()?;
    let code = within.optional("pc");
    let country = within.required("cc")?;
    within.end()?;
    let street: Result<Vec<_>, _> = street.into_iter().map(optional_line).collect();
    let postal_code = match code {
        None => None,
        Some(element) => {
            let text = element.token(&[], 0..17)?;
            let code = (!text.is_empty()).then(|| value(element, &text, PostalCode::parse));
            code.transpose()?
        }
    };
    let text = country.token(&[], 2..3)?;
    Ok(Address {
        street: street?.into_iter().flatten().collect(),
        city,
        province: province.flatten(),
        postal_code,
        country: value(country, &text, CountryCode::parse)?,
    })
}
