//! Grace periods and restores (RFC 3915).
//!
//! Texts of a report may hold XML of any namespace: they are kept as they were written.

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::namespace::RGP;
use super::super::xml::{Element, Sequence, Writer, collapsed};
use crate::registry::Timestamp;
use crate::registry::calendar::from_text;
use crate::registry::command::domain::RestoreReport;

/// A deleted domain is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The report; without one it is the request.
    pub report: Option<RestoreReport>,
}

pub(super) fn read(element: &Element, octets: &[u8]) -> Result<Restore, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let restore = within.required("restore")?;
    within.end()?;
    let mut within = Sequence::of(restore, &["op"])?;
    let report = within.optional("report");
    within.end()?;
    match (restore.attribute("op").as_deref(), report) {
        (Some("request"), None) => Ok(Restore { report: None }),
        (Some("request"), Some(report)) => {
            Err(report.fault(Code::CommandUse, "a report belongs to op=\"report\""))
        }
        (Some("report"), Some(report)) => Ok(Restore {
            report: Some(read_report(report, octets)?),
        }),
        (Some("report"), None) => {
            Err(restore.fault(Code::ParameterMissing, "the report is missing"))
        }
        (Some(_), _) => Err(restore.fault(Code::ParameterSyntax, "op is request or report")),
        (None, _) => Err(restore.syntax("attribute op is missing")),
    }
}

fn read_report(element: &Element, octets: &[u8]) -> Result<RestoreReport, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let mixed = |element: &Element, attributes: &[&str]| {
        element.only_attributes(attributes)?;
        Ok::<_, Fault>(content(element, octets))
    };
    let pre_data = mixed(within.required("preData")?, &[])?;
    let post_data = mixed(within.required("postData")?, &[])?;
    let deleted_at = moment(within.required("delTime")?)?;
    let restored_at = moment(within.required("resTime")?)?;
    let reason = mixed(within.required("resReason")?, &["lang"])?;
    let statements = within.some("statement", 2)?;
    let other = within.optional("other");
    let other = other.map(|element| mixed(element, &[])).transpose()?;
    within.end()?;
    let statement = |index: usize| match statements.get(index) {
        Some(element) => mixed(element, &["lang"]),
        // The schema lets one statement stand for both.
        None => Ok(String::new()),
    };
    let statements = [statement(0)?, statement(1)?];
    Ok(RestoreReport {
        pre_data,
        post_data,
        deleted_at,
        restored_at,
        reason,
        statements,
        other,
    })
}

/// Text, or XML as it was written.
fn content(element: &Element, octets: &[u8]) -> String {
    if element.children.is_empty() {
        return collapsed(&element.text);
    }
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let written = octets.get(element.content.clone()).unwrap_or_default();
    String::from_utf8_lossy(written).trim().to_owned()
}

fn moment(element: &Element) -> Result<Timestamp, Fault> {
    let text = element.token(&[], 1..64)?;
    let moment = from_text(&text);
    moment.ok_or_else(|| element.fault(Code::ParameterSyntax, "a time as 2026-01-31T12:00:00Z"))
}

pub(super) fn write(name: &str, statuses: &[String], out: &mut Writer) {
    out.open(name, &[("xmlns:rgp", RGP)]);
    for status in statuses {
        out.empty("rgp:rgpStatus", &[("s", status)]);
    }
    out.close();
}
