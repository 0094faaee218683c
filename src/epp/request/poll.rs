//! `poll` (RFC 5730 section 2.9.2.3).

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::xml::Element;

/// What is done about messages that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// Show the oldest.
    Next,
    /// Remove the one with this number.
    Acknowledge(String),
}

pub(super) fn read(element: &Element) -> Result<Poll, Fault> {
    element.only_attributes(&["op", "msgID"])?;
    if !element.children.is_empty() || !super::xml::collapsed(&element.text).is_empty() {
        return Err(element.syntax("nothing may be in it"));
    }
    let op = element.attribute("op");
    let id = element.attribute("msgID");
    match (op.as_deref(), id) {
        (Some("req"), None) => Ok(Poll::Next),
        (Some("req"), Some(_)) => Err(element.syntax("msgID belongs to op=\"ack\"")),
        (Some("ack"), Some(id)) => Ok(Poll::Acknowledge(id)),
        (Some("ack"), None) => {
            let reason = "msgID says which message was read";
            Err(element.fault(Code::ParameterMissing, reason))
        }
        (Some(_), _) => Err(element.syntax("op is req or ack")),
        (None, _) => Err(element.syntax("op is missing")),
    }
}
