//! `[routes]`: what is announced, how it is looked at, who is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zone_image::Name;

use super::Spec;
use super::check::Checker;

/// Addresses that are announced.
const ADDRESSES_MAX: usize = 16;

/// How routes are announced, where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// Addresses that are announced, and asked.
    pub addresses: Vec<SocketAddr>,
    /// The zone whose SOA is asked for.
    pub zone: Name,
    /// BIRD's control socket, and the protocol that has the routes.
    pub bird: Option<(PathBuf, String)>,
    /// Between two looks.
    pub interval: Duration,
    /// For the answers of a look.
    pub timeout: Duration,
    /// Bad looks in a row until routes go.
    pub fall: u32,
    /// Good ones until they come.
    pub rise: u32,
}

pub(super) fn check(spec: &Spec, checker: &mut Checker<'_>) -> Option<Routes> {
    let own = &spec.routes;
    checker.range(
        "routes.interval-milliseconds",
        own.interval_milliseconds,
        50..=60_000,
    );
    checker.range(
        "routes.timeout-milliseconds",
        own.timeout_milliseconds,
        10..=60_000,
    );
    checker.range("routes.fall", own.fall, 1..=1000);
    checker.range("routes.rise", own.rise, 1..=1000);
    checker.range("routes.drain-seconds", own.drain_seconds, 0..=300);
    if own.addresses.is_empty() {
        return None;
    }
    if own.addresses.len() > ADDRESSES_MAX {
        checker.fault(
            "routes.addresses",
            format_args!("more than {ADDRESSES_MAX} addresses"),
        );
    }
    if let Some(address) = own
        .addresses
        .iter()
        .find(|address| address.ip().is_unspecified())
    {
        let message = format!("{address} is no address that can be asked or announced");
        checker.fault("routes.addresses", message);
    }
    let Ok(zone) = Name::parse_absolute(&own.zone) else {
        let message = "name a zone that is served, such as \"example.\"; its SOA is asked for";
        checker.fault("routes.zone", message);
        return None;
    };
    // It stands within quotes in what BIRD is told.
    let is_word = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
    if !own.bird_protocol.bytes().all(is_word) {
        checker.fault(
            "routes.bird-protocol",
            "letters, digits, hyphens and underscores",
        );
    }
    let bird = (!own.bird_protocol.is_empty())
        .then(|| (own.bird_socket.clone(), own.bird_protocol.clone()));
    Some(Routes {
        addresses: own.addresses.clone(),
        zone,
        bird,
        interval: Duration::from_millis(own.interval_milliseconds),
        timeout: Duration::from_millis(own.timeout_milliseconds),
        fall: own.fall,
        rise: own.rise,
    })
}
