//! Values of commands, each checked once where it is made.
//!
//! Whoever holds a [`DomainName`], a [`DsData`] or a [`Ttl`] need not ask again
//! whether it is one. What only policy forbids (a reserved address, an algorithm
//! that nobody validates) is for the command to say, since it comes later in the
//! order of checks. Labels follow RFC 1123 section 2.1.

mod address;
mod auth;
mod contact;
mod date;
mod dnskey;
mod ds;
mod label;
mod record;
mod statuses;

use std::fmt;

use serde::{Deserialize, Serialize};
use zone_image::Name;

use super::code::ResultCode;
use super::names::stored;

pub use address::{Address, AddressFault};
pub use auth::AuthInfo;
pub(crate) use auth::salt;
pub use contact::{CountryCode, Email, Line, PhoneExtension, PhoneNumber, PostalCode};
pub use date::CalendarDate;
pub use dnskey::DnskeyData;
pub use ds::DsData;
pub use label::Label;
pub use record::ZoneRecord;
pub use statuses::{Status, Statuses};

/// Why a text is no value of its type: [`ResultCode::ParameterSyntax`] or
/// [`ResultCode::ParameterRange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
pub struct ValueError {
    /// The code to answer.
    pub code: ResultCode,
    /// The text.
    pub value: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl ValueError {
    pub(crate) fn syntax(value: &str, reason: impl Into<String>) -> Self {
        Self::new(ResultCode::ParameterSyntax, value, reason.into())
    }

    pub(crate) fn range(value: &str, reason: impl Into<String>) -> Self {
        Self::new(ResultCode::ParameterRange, value, reason.into())
    }

    fn new(code: ResultCode, value: &str, reason: String) -> Self {
        // A value is echoed to whoever sent it, and to logs: bounded.
        let value = value.chars().take(255).collect();
        Self {
            code,
            value,
            reason,
        }
    }
}

/// A text that is checked on its way in and shown as it is stored.
macro_rules! text_value {
    ($type:ident) => {
        impl TryFrom<String> for $type {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $type {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                Self::parse(text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
pub(crate) use text_value;

macro_rules! name_value {
    ($(#[doc = $doc:literal])+ $type:ident) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Reads a name of letters, digits and hyphens, with or without its
            /// final dot.
            pub fn parse(text: &str) -> Result<Self, ValueError> {
                host_syntax(text).map(Self)
            }

            /// As the registry stores it: lower case, no final dot.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_value!($type);
    };
}

name_value!(
    /// The name of a domain.
    DomainName
);
name_value!(
    /// The name of a host object.
    HostName
);

impl DomainName {
    /// A name that a registry holds already, whatever its labels, as it is stored.
    pub(crate) fn held(stored: &str) -> Self {
        Self(stored.to_owned())
    }
}

impl HostName {
    /// A name that a registry holds already, whatever its labels.
    pub(crate) fn held(name: &Name) -> Self {
        Self(stored(name))
    }
}

/// RFC 1123 section 2.1 and RFC 5891 section 4.2.3.1.
fn host_syntax(text: &str) -> Result<String, ValueError> {
    let bad = |reason: &str| ValueError::syntax(text, reason);
    let name = Name::parse_absolute(text).map_err(|error| bad(&error.to_string()))?;
    if name.is_root() {
        return Err(bad("the root is no name to register"));
    }
    for label in name.labels() {
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if !label
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        {
            return Err(bad("a label has letters, digits and hyphens only"));
        }
        if !ends(label.first()) || !ends(label.last()) {
            return Err(bad("a label begins and ends with a letter or digit"));
        }
        let tagged = label.get(2..4) == Some(b"--");
        if tagged && !label[..2].eq_ignore_ascii_case(b"xn") {
            return Err(bad("hyphens as third and fourth character only after xn"));
        }
    }
    Ok(stored(&name))
}

/// An absolute name without rules about its labels: apexes, SOA fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnyName(String);

impl AnyName {
    /// Reads a name in presentation format; without a final dot it is absolute too.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let name = Name::parse_absolute(text);
        let name = name.map_err(|error| ValueError::syntax(text, error.to_string()))?;
        Ok(Self(stored(&name)))
    }

    /// As the registry stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a name.
    pub fn to_name(&self) -> Name {
        Name::parse_absolute(&self.0).expect("was made of a name")
    }
}

impl fmt::Display for AnyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(AnyName);

/// What a registrar is called in commands (`clIDType` of RFC 5730: 3 to 16
/// characters).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// Reads 3 to 16 letters, digits, dots, hyphens and underscores.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(3..=16).contains(&text.len()) || !text.bytes().all(plain) {
            let reason = "a handle has 3 to 16 letters, digits, dots, hyphens or underscores";
            return Err(ValueError::syntax(text, reason));
        }
        Ok(Self(text.to_owned()))
    }

    /// The handle.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(Handle);

/// A time to live (RFC 2181 section 8: at most 2^31 - 1 seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ttl(u32);

impl Ttl {
    /// Takes seconds.
    pub fn new(seconds: u32) -> Result<Self, ValueError> {
        if seconds > i32::MAX.unsigned_abs() {
            let reason = "a TTL is at most 2147483647 seconds";
            return Err(ValueError::range(&seconds.to_string(), reason));
        }
        Ok(Self(seconds))
    }

    /// Its seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    pub(crate) fn column(self) -> i64 {
        self.0.into()
    }
}

impl TryFrom<u32> for Ttl {
    type Error = ValueError;

    fn try_from(seconds: u32) -> Result<Self, ValueError> {
        Self::new(seconds)
    }
}

impl From<Ttl> for u32 {
    fn from(ttl: Ttl) -> Self {
        ttl.0
    }
}

/// Years of a registration (RFC 5731: 1 to 99; this registry: to 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Years(u8);

impl Years {
    /// Most years from now that a domain can be registered for.
    pub const MAX: u8 = 10;

    /// Takes 1 to 10.
    pub fn new(years: u8) -> Result<Self, ValueError> {
        if !(1..=Self::MAX).contains(&years) {
            return Err(ValueError::range(
                &years.to_string(),
                "a period is 1 to 10 years",
            ));
        }
        Ok(Self(years))
    }

    /// How many.
    pub fn count(self) -> u8 {
        self.0
    }
}

impl Default for Years {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<u8> for Years {
    type Error = ValueError;

    fn try_from(years: u8) -> Result<Self, ValueError> {
        Self::new(years)
    }
}

impl From<Years> for u8 {
    fn from(years: Years) -> Self {
        years.0
    }
}

#[cfg(test)]
mod tests;
