//! Extensions, one file each, with what a client says in them and what it is told.
//!
//! Places of those that come later, each a file beside these: `launch` (RFC 8334: phases,
//! applications, signed marks), `claims` (RFC 8334 section 2.3 with RFC 9361 notices),
//! `fee` (RFC 8748), `ttl` (RFC 9803: the registry has `ns_ttl` and `ds_ttl` already) and
//! `maintenance` (RFC 9167). A new one is a variant here, its namespace in
//! `namespace::EXTENSIONS`, and the commands that take it in `request`. What a server does
//! not offer is refused with 2103 before it is read.

pub mod allocation_token;
pub mod change_poll;
pub mod login_sec;
pub mod rgp;
pub mod sec_dns;
pub mod unhandled;

use super::code::Code;
use super::fault::Fault;
use super::namespace::{ALLOCATION_TOKEN, CHANGE_POLL, LOGIN_SEC, RGP, SEC_DNS};
use super::request::{LoginSecurity, Secret};
use super::xml::{Element, Writer};
use crate::registry::types::{DnskeyData, DsData};

pub use change_poll::{Change, State};
pub use login_sec::{Level, SecurityEvent, Subject};
pub use rgp::Restore;
pub use sec_dns::{SecDns, SecDnsUpdate};

/// What a client says in an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionData {
    /// Delegation signers of a new domain.
    SecDnsCreate(SecDns),
    /// A change to those of a domain.
    SecDnsUpdate(Box<SecDnsUpdate>),
    /// A deleted domain is to come back.
    Restore(Box<Restore>),
    /// Long passwords of a login.
    LoginSecurity(LoginSecurity),
    /// A token for a name that is held.
    Token(Secret),
    /// The token is asked for.
    AsksToken,
}

impl ExtensionData {
    /// Its namespace.
    pub fn namespace(&self) -> &'static str {
        match self {
            Self::SecDnsCreate(_) | Self::SecDnsUpdate(_) => SEC_DNS,
            Self::Restore(_) => RGP,
            Self::LoginSecurity(_) => LOGIN_SEC,
            Self::Token(_) | Self::AsksToken => ALLOCATION_TOKEN,
        }
    }

    /// Its element.
    pub fn element(&self) -> &'static str {
        match self {
            Self::SecDnsCreate(_) => "create",
            Self::SecDnsUpdate(_) | Self::Restore(_) => "update",
            Self::LoginSecurity(_) => "loginSec",
            Self::Token(_) => "allocationToken",
            Self::AsksToken => "info",
        }
    }
}

/// Reads an element of `extension`; `octets` is the frame that it stands in.
pub(super) fn read(element: &Element, octets: &[u8]) -> Result<ExtensionData, Fault> {
    match (&*element.namespace, &*element.name) {
        (SEC_DNS, "create") => sec_dns::create(element).map(ExtensionData::SecDnsCreate),
        (SEC_DNS, "update") => {
            let update = sec_dns::update(element)?;
            Ok(ExtensionData::SecDnsUpdate(Box::new(update)))
        }
        (RGP, "update") => {
            let restore = rgp::read(element, octets)?;
            Ok(ExtensionData::Restore(Box::new(restore)))
        }
        (LOGIN_SEC, "loginSec") => login_sec::read(element).map(ExtensionData::LoginSecurity),
        (ALLOCATION_TOKEN, "allocationToken") => {
            allocation_token::read(element).map(ExtensionData::Token)
        }
        (ALLOCATION_TOKEN, "info") => {
            element.empty()?;
            Ok(ExtensionData::AsksToken)
        }
        (SEC_DNS | RGP | LOGIN_SEC | ALLOCATION_TOKEN | CHANGE_POLL, _) => {
            Err(element.syntax("no element of a command"))
        }
        _ => {
            let reason = "no extension of this server; the greeting lists them";
            Err(element.fault(Code::UnimplementedExtension, reason))
        }
    }
}

/// What a client is told in an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionReply {
    /// Delegation signers of a domain.
    SecDns(Vec<DsData>),
    /// Its keys, where it was given keys.
    Keys(Vec<DnskeyData>),
    /// Where a domain is in its life, as `info` tells it.
    RgpInfo(Vec<String>),
    /// The same as a restore tells it.
    RgpUpdate(Vec<String>),
    /// What the registry changed.
    Change(Box<Change>),
    /// What is to be said about a login.
    LoginSecurity(Vec<SecurityEvent>),
}

impl ExtensionReply {
    /// Its namespace.
    pub fn namespace(&self) -> &'static str {
        match self {
            Self::SecDns(_) | Self::Keys(_) => SEC_DNS,
            Self::RgpInfo(_) | Self::RgpUpdate(_) => RGP,
            Self::Change(_) => CHANGE_POLL,
            Self::LoginSecurity(_) => LOGIN_SEC,
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Self::SecDns(ds) => sec_dns::write(ds, out),
            Self::Keys(keys) => sec_dns::write_keys(keys, out),
            Self::RgpInfo(statuses) => rgp::write("rgp:infData", statuses, out),
            Self::RgpUpdate(statuses) => rgp::write("rgp:upData", statuses, out),
            Self::Change(change) => change_poll::write(change, out),
            Self::LoginSecurity(events) => login_sec::write(events, out),
        }
    }
}
