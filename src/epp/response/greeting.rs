//! The greeting (RFC 5730 section 2.4): who this is, what it offers, and what it does with
//! personal data.

use super::super::namespace::EPP;
use super::super::services::{Offer, VERSION};
use super::super::xml::Writer;
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;

/// What a server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Its name: 3 to 64 characters.
    pub server: String,
    /// When it says so.
    pub at: Timestamp,
    /// What it offers.
    pub offer: Offer,
}

impl Greeting {
    /// As the XML of a frame.
    pub fn write(&self) -> String {
        let mut out = Writer::document();
        out.open("epp", &[("xmlns", EPP)]);
        out.open("greeting", &[]);
        out.leaf("svID", &[], &self.server);
        out.leaf("svDate", &[], &to_text(self.at));
        out.open("svcMenu", &[]);
        out.leaf("version", &[], VERSION);
        for language in &self.offer.languages {
            out.leaf("lang", &[], language);
        }
        for uri in &self.offer.objects {
            out.leaf("objURI", &[], uri);
        }
        if !self.offer.extensions.is_empty() {
            out.open("svcExtension", &[]);
            for uri in &self.offer.extensions {
                out.leaf("extURI", &[], uri);
            }
            out.close();
        }
        out.close();
        write_policy(&mut out);
        out.close();
        out.close();
        out.finish()
    }
}

/// Registrars see their own data; it is collected to register names and kept as long as
/// they are registered.
fn write_policy(out: &mut Writer) {
    out.open("dcp", &[]);
    out.open("access", &[]);
    out.empty("personal", &[]);
    out.close();
    out.open("statement", &[]);
    out.open("purpose", &[]);
    out.empty("admin", &[]);
    out.empty("prov", &[]);
    out.close();
    out.open("recipient", &[]);
    out.empty("ours", &[]);
    out.empty("public", &[]);
    out.close();
    out.open("retention", &[]);
    out.empty("stated", &[]);
    out.close();
    out.close();
    out.close();
}
