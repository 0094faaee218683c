//! Login security (RFC 8807): passwords of any length, the client's software, and what is
//! to be said about passwords, certificates and sessions.

use super::super::fault::Fault;
use super::super::namespace::LOGIN_SEC;
use super::super::request::{LoginSecurity, Secret, UserAgent};
use super::super::xml::{Element, Sequence, Writer};
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;

/// Longest password that is looked at.
const PASSWORD_CHARACTERS_MAX: usize = 256;
/// Longest text that a client says of itself.
const AGENT_CHARACTERS_MAX: usize = 255;

pub(super) fn read(element: &Element) -> Result<LoginSecurity, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let agent = within.optional("userAgent");
    let (password, new_password) = (within.optional("pw"), within.optional("newPW"));
    within.end()?;
    let secret = |element: &Element| {
        let text = element.token(&[], 6..PASSWORD_CHARACTERS_MAX + 1);
        text.map(Secret::new)
    };
    Ok(LoginSecurity {
        user_agent: agent.map(read_agent).transpose()?,
        password: password.map(secret).transpose()?,
        new_password: new_password.map(secret).transpose()?,
    })
}

fn read_agent(element: &Element) -> Result<UserAgent, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let mut text = |name| {
        let element = within.optional(name);
        let text = element.map(|element| element.token(&[], 0..AGENT_CHARACTERS_MAX + 1));
        text.transpose()
    };
    let agent = UserAgent {
        application: text("app")?,
        technology: text("tech")?,
        system: text("os")?,
    };
    if agent == UserAgent::default() {
        return Err(within.missing("app, tech or os"));
    }
    within.end()?;
    Ok(agent)
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the RFC")]
pub enum Subject {
    Password,
    Certificate,
    Cipher,
    TlsProtocol,
    NewPassword,
    Statistic,
    Custom,
}

impl Subject {
    fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Certificate => "certificate",
            Self::Cipher => "cipher",
            Self::TlsProtocol => "tlsProtocol",
            Self::NewPassword => "newPW",
            Self::Statistic => "stat",
            Self::Custom => "custom",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It will be an error.
    Warning,
    /// It is one.
    Error,
}

/// What is to be said about a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What it is about.
    pub subject: Subject,
    /// How bad it is.
    pub level: Level,
    /// Name of a statistic or of an event of one's own.
    pub name: Option<String>,
    /// When a warning becomes, or became, an error.
    pub expires_at: Option<Timestamp>,
    /// The value that it is about.
    pub value: Option<String>,
    /// What a statistic covers, as `P1D`.
    pub duration: Option<String>,
    /// In words.
    pub text: String,
}

impl SecurityEvent {
    /// An event without further attributes.
    pub fn new(subject: Subject, level: Level, text: impl Into<String>) -> Self {
        Self {
            subject,
            level,
            name: None,
            expires_at: None,
            value: None,
            duration: None,
            text: text.into(),
        }
    }
}

pub(super) fn write(events: &[SecurityEvent], out: &mut Writer) {
    out.open("loginSec:loginSecData", &[("xmlns:loginSec", LOGIN_SEC)]);
    for event in events {
        let expires_at = event.expires_at.map(to_text);
        let level = match event.level {
            Level::Warning => "warning",
            Level::Error => "error",
        };
        let attributes = [
            ("type", Some(event.subject.word())),
            ("name", event.name.as_deref()),
            ("level", Some(level)),
            ("exDate", expires_at.as_deref()),
            ("value", event.value.as_deref()),
            ("duration", event.duration.as_deref()),
        ];
        let attributes = attributes.into_iter();
        let attributes: Vec<_> = attributes
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        out.leaf("loginSec:event", &attributes, &event.text);
    }
    out.close();
}
