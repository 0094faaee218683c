//! `role`, `[distribution]`, `[edge]` and `[s3]`: what each role needs and must not have.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Spec;
use super::check::Checker;
use super::spec::{EdgeSpec, Role};
use crate::distribution::depot::{Place, is_guarded};
use crate::distribution::key::{PublicKey, TRUSTED_KEYS_MAX};

/// Sources that an edge asks.
const SOURCES_MAX: usize = 8;
/// Octets of a node's name.
const NAME_BYTES_MAX: usize = 63;

/// What a primary puts out, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The store that is written to.
    pub store: Place,
    /// Holds the sealed key that signs manifests.
    pub signing_key_file: PathBuf,
    /// Shortest time between two manifests.
    pub interval: Duration,
    /// How long one may be installed.
    pub expiry: Duration,
    /// After how long one is made though nothing changed.
    pub refresh: Duration,
    /// How long packs stay that no manifest names any more.
    pub keep: Duration,
    /// Least epoch.
    pub epoch_min: u64,
    /// The one manifest of a stranger that may be overwritten.
    pub replace_manifest: Option<String>,
    /// Addresses for edges; empty is none.
    pub listen: Vec<SocketAddr>,
    /// Chain of certificates and private key; without them it listens on loopback only.
    pub credentials: Option<(PathBuf, PathBuf)>,
    /// What edges have to show, a token a line.
    pub token_file: Option<PathBuf>,
}

/// Whom an edge asks and believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Its name in reports.
    pub name: String,
    /// Where manifests and packs are, the best first.
    pub sources: Vec<Place>,
    /// Pause between two looks at a store.
    pub poll: Duration,
    /// How long the primary is asked to hold its answer.
    pub wait: Duration,
    /// How often it reports; zero is never.
    pub report_interval: Duration,
}

/// How stores are reached, and who is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores {
    /// Authorities whose certificates are taken; without them there is no TLS.
    pub ca_file: Option<PathBuf>,
    /// The token that is shown to the primary, if any.
    pub token_file: Option<PathBuf>,
    /// Who may sign manifests.
    pub trusted_keys: Vec<PublicKey>,
    /// URL of the server of S3; `None` is Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Access key and secret, if there are any.
    pub credentials_file: Option<PathBuf>,
}

/// A path that was named.
fn named(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

pub(super) fn check_distribution(spec: &Spec, checker: &mut Checker<'_>) -> Option<Distribution> {
    let own = &spec.distribution;
    let minutes = |minutes: u64| Duration::from_secs(minutes.saturating_mul(60));
    for (key, value, range) in [
        (
            "interval-milliseconds",
            own.interval_milliseconds,
            0..=60_000,
        ),
        ("expiry-hours", own.expiry_hours, 1..=8_760),
        ("refresh-minutes", own.refresh_minutes, 1..=10_080),
        ("keep-minutes", own.keep_minutes, 1..=525_600),
    ] {
        checker.range(&format!("distribution.{key}"), value, range);
    }
    if own.refresh_minutes.saturating_mul(2) > own.expiry_hours.saturating_mul(60) {
        let message = "a manifest has to be made anew before half of its time is over; \
                       lower it or raise distribution.expiry-hours";
        checker.fault("distribution.refresh-minutes", message);
    }
    if spec.role != Role::Primary {
        if !own.store.is_empty() {
            checker.fault(
                "distribution.store",
                "only role = \"primary\" puts anything out",
            );
        }
        return None;
    }
    let signing_key_file = named(&own.signing_key_file);
    if signing_key_file.is_none() {
        let message = "a primary signs what it puts out; make a key by `meridian edge key`";
        checker.fault("distribution.signing-key-file", message);
    } else if spec.keys.secret_file.as_os_str().is_empty() {
        let message = "distribution.signing-key-file is sealed with this secret; name its file";
        checker.fault("keys.secret-file", message);
    }
    let store = match parse_place(&own.store) {
        Some(Place::Primary(_)) | None => {
            let message = "a primary writes to file:///PATH or s3://BUCKET/PREFIX";
            checker.fault("distribution.store", message);
            return None;
        }
        Some(store) => store,
    };
    let credentials = check_listen(spec, checker);
    Some(Distribution {
        listen: own.listen.clone(),
        credentials,
        token_file: named(&own.token_file),
        store,
        signing_key_file: signing_key_file?,
        interval: Duration::from_millis(own.interval_milliseconds),
        expiry: minutes(own.expiry_hours.saturating_mul(60)),
        refresh: minutes(own.refresh_minutes),
        keep: minutes(own.keep_minutes),
        epoch_min: own.epoch_min,
        replace_manifest: Some(own.replace_manifest.clone()).filter(|name| !name.is_empty()),
    })
}

/// Beyond loopback nothing is served without TLS and tokens: segments hold a secret.
fn check_listen(spec: &Spec, checker: &mut Checker<'_>) -> Option<(PathBuf, PathBuf)> {
    let own = &spec.distribution;
    let credentials = named(&own.certificate_file).zip(named(&own.key_file));
    if own.listen.iter().all(|address| address.ip().is_loopback()) {
        return credentials;
    }
    if credentials.is_none() {
        let message = "name certificate-file and key-file, or listen on loopback only";
        checker.fault("distribution.listen", message);
    }
    if named(&own.token_file).is_none() {
        let message = "name what edges have to show, or listen on loopback only";
        checker.fault("distribution.token-file", message);
    }
    credentials
}

pub(super) fn check_edge(spec: &Spec, checker: &mut Checker<'_>) -> Option<Edge> {
    let own = &spec.edge;
    checker.range(
        "edge.poll-milliseconds",
        own.poll_milliseconds,
        10..=3_600_000,
    );
    checker.range("edge.wait-seconds", own.wait_seconds, 0..=300);
    checker.range("edge.report-seconds", own.report_seconds, 0..=86_400);
    let sources: Vec<_> = own
        .sources
        .iter()
        .filter_map(|text| parse_place(text))
        .collect();
    if sources.len() != own.sources.len() || sources.len() > SOURCES_MAX {
        let message = format!(
            "write https://HOST:PORT, s3://BUCKET/PREFIX or file:///PATH, at most {SOURCES_MAX}; \
             http:// is for loopback only"
        );
        checker.fault("edge.sources", message);
    }
    let name = match own.name.as_str() {
        "" => spec.dns.identity.clone(),
        name => name.to_owned(),
    };
    if spec.role != Role::Edge {
        return None;
    }
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'.';
    let is_good = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name);
    if !is_good || name.starts_with('.') {
        let message = format!(
            "an edge needs a name of 1 to {NAME_BYTES_MAX} letters, digits, dots and hyphens, \
             here or in dns.identity"
        );
        checker.fault("edge.name", message);
    }
    if own.sources.is_empty() {
        checker.fault("edge.sources", "an edge needs somebody to ask");
    }
    if own.trusted_keys.is_empty() {
        let message = "an edge needs the key of its primary; `meridian edge key` prints it";
        checker.fault("edge.trusted-keys", message);
    }
    check_absent(spec, checker);
    Some(Edge {
        name,
        sources,
        poll: Duration::from_millis(own.poll_milliseconds),
        wait: Duration::from_secs(own.wait_seconds),
        report_interval: Duration::from_secs(own.report_seconds),
    })
}

/// An edge has nothing that is worth stealing.
fn check_absent(spec: &Spec, checker: &mut Checker<'_>) {
    for (key, is_there, what) in [
        (
            "registry.database",
            !spec.registry.database.is_empty(),
            "database",
        ),
        (
            "keys.secret-file",
            named(&spec.keys.secret_file).is_some(),
            "keys of zones",
        ),
        (
            "keys.token.module",
            named(&spec.keys.token.module).is_some(),
            "keys of zones",
        ),
        ("epp.listen", !spec.epp.listen.is_empty(), "registry"),
    ] {
        if is_there {
            checker.fault(
                key,
                format_args!("role is \"edge\", and an edge has no {what}"),
            );
        }
    }
}

pub(super) fn check_stores(spec: &Spec, checker: &mut Checker<'_>) -> Stores {
    let (edge, s3) = (&spec.edge, &spec.s3);
    let mut trusted_keys = Vec::new();
    for text in &edge.trusted_keys {
        match text.parse::<PublicKey>() {
            Ok(key) => trusted_keys.push(key),
            Err(error) => checker.fault("edge.trusted-keys", error),
        }
    }
    // Its default may be missing where nothing is asked over TLS; one that was named may not.
    let is_there = edge.ca_file.exists();
    if !is_there && edge.ca_file != EdgeSpec::default().ca_file {
        let message = format!("{}: cannot be read", edge.ca_file.display());
        checker.fault("edge.ca-file", message);
    }
    if trusted_keys.len() > TRUSTED_KEYS_MAX {
        let message = format!("more than {TRUSTED_KEYS_MAX} keys");
        checker.fault("edge.trusted-keys", message);
    }
    if !s3.endpoint.is_empty() && !is_guarded(&s3.endpoint) {
        let message = "write https://HOST:PORT, or nothing for Amazon's; http:// is for \
                       loopback only";
        checker.fault("s3.endpoint", message);
    }
    Stores {
        ca_file: is_there.then(|| edge.ca_file.clone()),
        token_file: named(&edge.token_file),
        trusted_keys,
        endpoint: Some(s3.endpoint.clone()).filter(|url| !url.is_empty()),
        region: s3.region.clone(),
        credentials_file: named(&s3.credentials_file),
    }
}

/// Where a depot is, as it is written in a configuration.
fn parse_place(text: &str) -> Option<Place> {
    if let Some(path) = text.strip_prefix("file://") {
        return path.starts_with('/').then(|| Place::Folder(path.into()));
    }
    if let Some(rest) = text.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/').to_owned();
        let bucket = bucket.to_owned();
        return (!bucket.is_empty()).then_some(Place::Bucket { bucket, prefix });
    }
    let (scheme, rest) = text.split_once("://")?;
    let rest = rest.trim_end_matches('/');
    let is_host = !rest.is_empty() && !rest.contains(['/', '@', '?', '#', ' ']);
    let url = format!("{scheme}://{rest}");
    (is_host && is_guarded(&url)).then_some(Place::Primary(url))
}

#[cfg(test)]
mod tests;
