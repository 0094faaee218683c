//! `[epp]`: ranges, and what it needs beside it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Spec;
use super::check::Checker;
use crate::epp::server::{Expiry, Limits};

/// Shortest and longest frame that may be the limit: a login has some thousand octets.
const FRAME_BYTES: std::ops::RangeInclusive<usize> = 4096..=16 << 20;

/// EPP for registrars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epp {
    /// Addresses to answer on.
    pub listen: Vec<SocketAddr>,
    /// The chain of certificates.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
    /// What the greeting says of who this is.
    pub server_name: String,
    /// Whether addresses for documentation are good enough.
    pub lab: bool,
    /// Threads that serve sessions.
    pub threads: usize,
    /// What bounds the sessions.
    pub limits: Limits,
    /// How long passwords are good.
    pub expiry: Expiry,
}

pub(super) fn check(spec: &Spec, checker: &mut Checker<'_>) -> Option<Epp> {
    let epp = &spec.epp;
    check_ranges(spec, checker);
    let is_on = !epp.listen.is_empty();
    checker.needs_registry("epp.listen", is_on, spec);
    checker.needs_files("epp", is_on, &epp.certificate_file, &epp.key_file);
    let name = epp.server_name.as_str();
    let collapsed: Vec<_> = name.split_whitespace().collect();
    if !(3..=64).contains(&name.chars().count()) || collapsed.join(" ") != name {
        checker.fault("epp.server-name", "3 to 64 characters with single blanks");
    }
    is_on.then(|| Epp {
        listen: epp.listen.clone(),
        certificate_file: epp.certificate_file.clone(),
        key_file: epp.key_file.clone(),
        server_name: epp.server_name.clone(),
        lab: epp.lab,
        threads: epp.threads,
        limits: Limits {
            connections_max: epp.connections_max,
            connections_per_prefix_max: epp.connections_per_prefix_max,
            commands_per_second_max: epp.commands_per_second_max,
            transforms_per_second_max: epp.transforms_per_second_max,
            frame_bytes_max: epp.frame_bytes_max,
            handshake_timeout: Duration::from_secs(epp.handshake_timeout_seconds),
            login_timeout: Duration::from_secs(epp.login_timeout_seconds),
            idle_timeout: Duration::from_secs(epp.idle_timeout_seconds),
            write_timeout: Duration::from_secs(epp.write_timeout_seconds),
            session_timeout: Duration::from_secs(epp.session_seconds_max),
        },
        expiry: Expiry {
            password: (epp.password_days_max > 0).then(|| days(epp.password_days_max)),
            password_warning: days(epp.password_warning_days),
            certificate_warning: days(epp.certificate_warning_days),
        },
    })
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

fn check_ranges(spec: &Spec, checker: &mut Checker<'_>) {
    let epp = &spec.epp;
    let connections = [epp.connections_max, epp.connections_per_prefix_max];
    checker.service("epp", epp.threads, connections);
    checker.range("epp.frame-bytes-max", epp.frame_bytes_max, FRAME_BYTES);
    let rate = epp.commands_per_second_max;
    checker.range("epp.commands-per-second-max", rate, 1..=1_000_000);
    let rate = epp.transforms_per_second_max;
    checker.range("epp.transforms-per-second-max", rate, 1..=1_000_000);
    for (key, days) in [
        ("epp.password-days-max", epp.password_days_max),
        ("epp.password-warning-days", epp.password_warning_days),
        ("epp.certificate-warning-days", epp.certificate_warning_days),
    ] {
        checker.range(key, days, 0..=3650);
    }
    let times = [
        (
            "epp.handshake-timeout-seconds",
            epp.handshake_timeout_seconds,
        ),
        ("epp.login-timeout-seconds", epp.login_timeout_seconds),
        ("epp.idle-timeout-seconds", epp.idle_timeout_seconds),
        ("epp.write-timeout-seconds", epp.write_timeout_seconds),
    ];
    for (key, seconds) in times {
        checker.range(key, seconds, 1..=86_400);
    }
    let session = epp.session_seconds_max;
    checker.range("epp.session-seconds-max", session, 60..=7 * 86_400);
}
