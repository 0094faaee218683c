//! Allocation tokens (RFC 8495): a text that lets one registrar have a name that is held.
//!
//! The registry gives no names out by token yet, so a token fits no object: it is read,
//! and refused with 2201 where it would have to fit.

use super::super::fault::Fault;
use super::super::request::Secret;
use super::super::xml::Element;

/// Longest token that is looked at.
const CHARACTERS_MAX: usize = 255;

pub(super) fn read(element: &Element) -> Result<Secret, Fault> {
    let text = element.token(&[], 1..CHARACTERS_MAX + 1)?;
    Ok(Secret::new(text))
}
