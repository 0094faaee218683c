//! What this server says of itself in class CH (RFC 4892).
//!
//! Only configured texts are given; without one the question is refused, as if
//! the name were anybody's.

use super::engine::{EngineConfig, Outcome};
use super::query::{Query, rtype};
use super::response::{Full, Response};

pub(super) const CLASS_CHAOS: u16 = 3;

/// The text that answers a question in class CH.
pub(super) fn find<'c>(config: &'c EngineConfig, query: &Query<'_>) -> Option<&'c [u8]> {
    if !matches!(query.qtype, rtype::TXT | rtype::ANY) {
        return None;
    }
    let text = match query.name.suffix(query.name.labels()) {
        b"\x07version\x04bind\x00" | b"\x07version\x06server\x00" => &config.version,
        b"\x02id\x06server\x00" | b"\x08hostname\x04bind\x00" => &config.identity,
        _ => return None,
    };
    (!text.is_empty()).then_some(text.as_bytes())
}

/// Writes the answer.
pub(super) fn answer(text: &[u8], response: &mut Response<'_>) -> Result<Outcome, Full> {
    response.authoritative = true;
    response.text(CLASS_CHAOS, text)?;
    Ok(Outcome::Answer)
}
