//! `login` (RFC 5730 section 2.9.1.1) with the long passwords of RFC 8807.

use std::fmt;

use zeroize::Zeroizing;

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::xml::{Element, Sequence, is_language};

/// What stands in the place of a password that the extension has.
const IN_EXTENSION: &str = "[LOGIN-SECURITY]";
/// Most URIs that a login declares.
const URIS_MAX: usize = 64;
/// Longest URI that is looked at.
const URI_CHARACTERS_MAX: usize = 255;

/// A text that nobody may see: no `Debug` of it, and it is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Who comes, and what it can speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The account.
    pub client: String,
    /// Its password; that of the extension, where there is one.
    pub password: Secret,
    /// Its password from now on.
    pub new_password: Option<Secret>,
    /// Version of the protocol.
    pub version: String,
    /// Language of texts for people.
    pub language: String,
    /// URIs of objects.
    pub objects: Vec<String>,
    /// URIs of extensions.
    pub extensions: Vec<String>,
    /// What the client says of itself (RFC 8807 section 3.1.1).
    pub user_agent: Option<UserAgent>,
}

/// The extension of a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginSecurity {
    /// What the client says of itself.
    pub user_agent: Option<UserAgent>,
    /// The password, of any length.
    pub password: Option<Secret>,
    /// The new one.
    pub new_password: Option<Secret>,
}

/// A client's software, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserAgent {
    /// The program.
    pub application: Option<String>,
    /// What it is built with.
    pub technology: Option<String>,
    /// What it runs on.
    pub system: Option<String>,
}

pub(super) fn read(element: &Element, security: Option<LoginSecurity>) -> Result<Login, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let client = within.required("clID")?.token(&[], 3..17)?;
    let password = within.required("pw")?;
    let new_password = within.optional("newPW");
    let options = within.required("options")?;
    let services = within.required("svcs")?;
    within.end()?;

    let security = security.unwrap_or_default();
    let missing = |element: &Element| {
        let reason = "the password is said to be in loginSec and is not";
        element.fault(Code::ParameterMissing, reason)
    };
    let chosen = |element: &Element, long: Option<Secret>| -> Result<Secret, Fault> {
        let short = Secret::new(element.token(&[], 6..17)?);
        match (short.reveal() == IN_EXTENSION, long) {
            (true, Some(long)) => Ok(long),
            (true, None) => Err(missing(element)),
            // RFC 8807 section 4.1: the extension has one only where it is referred to.
            (false, Some(_)) => {
                let reason = format!("{IN_EXTENSION} says that loginSec has it");
                Err(element.fault(Code::ParameterPolicy, reason))
            }
            (false, None) => Ok(short),
        }
    };
    let password = chosen(password, security.password)?;
    let new_password = match new_password {
        Some(element) => Some(chosen(element, security.new_password)?),
        None => None,
    };
    let (version, language) = read_options(options)?;
    let (objects, extensions) = read_services(services)?;
    Ok(Login {
        client,
        password,
        new_password,
        version,
        language,
        objects,
        extensions,
        user_agent: security.user_agent,
    })
}

fn read_options(options: &Element) -> Result<(String, String), Fault> {
    let mut within = Sequence::of(options, &[])?;
    let (version, language) = (within.required("version")?, within.required("lang")?);
    within.end()?;
    let text = version.token(&[], 3..17)?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once('.');
    if !parts.is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
        return Err(version.fault(Code::ParameterSyntax, "a version as 1.0"));
    }
    let tag = language.token(&[], 1..36)?;
    if !is_language(&tag) {
        return Err(language.fault(Code::ParameterSyntax, "a language as en"));
    }
    Ok((text, tag))
}

fn read_services(services: &Element) -> Result<(Vec<String>, Vec<String>), Fault> {
    let mut within = Sequence::of(services, &[])?;
    let objects = within.some("objURI", URIS_MAX)?;
    let extension = within.optional("svcExtension");
    within.end()?;
    let extensions = match extension {
        None => Vec::new(),
        Some(element) => {
            let mut within = Sequence::of(element, &[])?;
            let uris = within.some("extURI", URIS_MAX)?;
            within.end()?;
            uris
        }
    };
    let uris = |elements: Vec<&Element>| -> Result<Vec<String>, Fault> {
        let uri = |element: &&Element| element.token(&[], 1..URI_CHARACTERS_MAX + 1);
        elements.iter().map(uri).collect()
    };
    Ok((uris(objects)?, uris(extensions)?))
}
