//! The namespaces that are spoken here (RFC 5730 section 2.4 and the RFC of each).
//!
//! Own extensions have a second profile and stand nowhere in these lists.

/// EPP itself.
pub const EPP: &str = "urn:ietf:params:xml:ns:epp-1.0";
/// Domains (RFC 5731).
pub const DOMAIN: &str = "urn:ietf:params:xml:ns:domain-1.0";
/// Hosts (RFC 5732).
pub const HOST: &str = "urn:ietf:params:xml:ns:host-1.0";
/// Contacts (RFC 5733).
pub const CONTACT: &str = "urn:ietf:params:xml:ns:contact-1.0";
/// Delegation signers (RFC 5910).
pub const SEC_DNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";
/// Grace periods (RFC 3915).
pub const RGP: &str = "urn:ietf:params:xml:ns:rgp-1.0";
/// What the registry changed (RFC 8590).
pub const CHANGE_POLL: &str = "urn:ietf:params:xml:ns:changePoll-1.0";
/// Login security (RFC 8807).
pub const LOGIN_SEC: &str = "urn:ietf:params:xml:ns:epp:loginSec-1.0";
/// Tokens for names that are held (RFC 8495).
pub const ALLOCATION_TOKEN: &str = "urn:ietf:params:xml:ns:allocationToken-1.0";
/// Data of namespaces that the client did not declare (RFC 9038).
pub const UNHANDLED: &str = "urn:ietf:params:xml:ns:epp:unhandled-namespaces-1.0";
/// Authorization information that is kept as a digest (RFC 9154).
pub const SECURE_AUTH: &str = "urn:ietf:params:xml:ns:epp:secure-authinfo-transfer-1.0";
/// Attributes that any element may have.
pub const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Objects that may be offered.
pub const OBJECTS: [&str; 3] = [DOMAIN, HOST, CONTACT];
/// Extensions that may be offered, each registered with IANA.
pub const EXTENSIONS: [&str; 7] = [
    SEC_DNS,
    RGP,
    CHANGE_POLL,
    LOGIN_SEC,
    ALLOCATION_TOKEN,
    UNHANDLED,
    SECURE_AUTH,
];

/// The prefix that frames of ours give a namespace.
pub fn prefix(namespace: &str) -> &'static str {
    match namespace {
        DOMAIN => "domain",
        HOST => "host",
        CONTACT => "contact",
        SEC_DNS => "secDNS",
        RGP => "rgp",
        CHANGE_POLL => "changePoll",
        LOGIN_SEC => "loginSec",
        ALLOCATION_TOKEN => "allocationToken",
        _ => "x",
    }
}
