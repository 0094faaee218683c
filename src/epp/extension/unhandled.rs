//! Data of a namespace that the client did not declare at its login (RFC 9038 section 3):
//! it goes into an `extValue`, which no parser looks into, and its reason says why.

use super::super::xml::Writer;

pub(in super::super) fn write(namespace: &str, fragment: &str, out: &mut Writer) {
    out.open("extValue", &[]);
    out.open("value", &[]);
    out.raw(fragment);
    out.close();
    out.leaf("reason", &[], &reason(namespace));
    out.close();
}

/// The reason in the form of RFC 9038 section 3.
pub fn reason(namespace: &str) -> String {
    format!("{namespace} not in login services")
}
