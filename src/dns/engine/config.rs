//! What an engine is told once, before it answers.

use std::sync::Arc;
use std::time::Duration;

use zone_image::Name;

use super::Aside;
use crate::dns::cookie::CookieSecrets;
use crate::dns::rate::RateLimits;
use crate::dns::secret::Secret;

/// Longest text about this server: one character-string (RFC 1035 section 3.3).
pub const TEXT_BYTES_MAX: usize = 255;

/// The settings of an engine. By default it tells nothing of itself, has no
/// secrets, so that cookies are ignored, and limits no rates.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Largest reply over UDP in octets (RFC 9715 section 3.1: 1232 by default).
    pub udp_payload_bytes_max: u16,
    /// Answers `version.bind` and `version.server` in class CH; empty refuses.
    /// This and the other texts have at most [`TEXT_BYTES_MAX`] octets.
    pub version: String,
    /// Answers `id.server` and `hostname.bind` in class CH; empty refuses.
    pub identity: String,
    /// Answers NSID (RFC 5001); empty does not.
    pub nsid: String,
    /// Where resolvers report errors (RFC 9567).
    pub report_channel: Option<Name>,
    /// How long a stream may be idle, for clients that ask (RFC 7828).
    pub stream_idle_timeout: Duration,
    /// Make and verify server cookies.
    pub cookie_secrets: CookieSecrets,
    /// Limits of replies to clients that may be forged.
    pub rate_limits: Option<RateLimits>,
    /// Keeps apart in the table of rates what an attacker would bring together.
    pub rate_key: Secret,
    /// Answers what is no plain question; without it such requests are refused.
    pub aside: Option<Arc<dyn Aside>>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            udp_payload_bytes_max: 1232,
            version: String::new(),
            identity: String::new(),
            nsid: String::new(),
            report_channel: None,
            stream_idle_timeout: Duration::from_secs(10),
            cookie_secrets: CookieSecrets::none(),
            rate_limits: None,
            rate_key: Secret::new([0; 16]),
            aside: None,
        }
    }
}
