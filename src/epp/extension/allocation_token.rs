//! Allocation tokens (RFC 8495): a text that lets one registrar have a name that is held.
//!
//! The registry says whether it fits a label that a create or a check names. No object
//! changes hands by token: with a transfer it is read, and refused with 2201.

use super::super::fault::Fault;
use super::super::request::Secret;
use super::super::xml::Element;

/// Longest token that is looked at.
const CHARACTERS_MAX: usize = 255;

pub(super) fn read(element: &Element) -> Result<Secret, Fault> {
    let text = element.token(&[], 1..CHARACTERS_MAX + 1)?;
    Ok(Secret::new(text))
}
