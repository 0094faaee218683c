//! What the registry did to an object (RFC 8590), beside the object in a poll message.

use super::super::namespace::CHANGE_POLL;
use super::super::response::brief;
use super::super::xml::Writer;
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;

/// Which state of the object stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it was.
    Before,
    /// As it is.
    After,
}

/// A change that the client did not make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which state is shown.
    pub state: State,
    /// The operation (RFC 8590 section 2.1).
    pub operation: String,
    /// Its `op` attribute.
    pub op: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The server's transaction.
    pub transaction: String,
    /// Who did it.
    pub who: String,
    /// Number of the case.
    pub case: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Longest `who`.
const WHO_CHARACTERS_MAX: usize = 255;

pub(super) fn write(change: &Change, out: &mut Writer) {
    let state = match change.state {
        State::Before => "before",
        State::After => "after",
    };
    let attributes = [("xmlns:changePoll", CHANGE_POLL), ("state", state)];
    out.open("changePoll:changeData", &attributes);
    let op: Vec<_> = change.op.iter().map(|op| ("op", op.as_str())).collect();
    out.leaf("changePoll:operation", &op, &change.operation);
    out.leaf("changePoll:date", &[], &to_text(change.at));
    out.leaf("changePoll:svTRID", &[], &change.transaction);
    let who: String = change.who.chars().take(WHO_CHARACTERS_MAX).collect();
    out.leaf("changePoll:who", &[], &who);
    if let Some(case) = &change.case {
        let word = case.to_ascii_lowercase();
        let kind: &[(&str, &str)] = match () {
            () if word.starts_with("udrp") => &[("type", "udrp")],
            () if word.starts_with("urs") => &[("type", "urs")],
            () => &[("type", "custom"), ("name", "case")],
        };
        out.leaf("changePoll:caseId", kind, case);
    }
    if let Some(reason) = &change.reason {
        out.leaf("changePoll:reason", &[], &brief(reason));
    }
    out.close();
}
