//! From [`Spec`] to [`Config`]: ranges, and what must fit together.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use zone_image::Name;

use super::read::Document;
use super::{
    Config, Control, Dns, Fault, Image, Keys, Log, Metrics, Publish, Registry, Scan, Spec, Tcp, Tls,
};
use crate::dns::engine::TEXT_BYTES_MAX;
use crate::dns::net::{bind, udp};
use crate::dns::rate::{self, RateLimits};
use crate::keys::token::TokenSettings;
use crate::registry::signing::{IN_DATABASE, OFFLINE};

/// Sockets have paths of at most 107 octets and a final zero (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Sessions beyond what any token signs faster with.
const TOKEN_SESSIONS_MAX: usize = 64;
/// Larger socket buffers only add delay to what will be dropped anyway.
const BUFFER_BYTES_MAX: usize = 1 << 30;

/// Notes faults with the lines of their keys.
pub(super) struct Checker<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) faults: &'d mut Vec<Fault>,
}

impl Checker<'_> {
    pub(super) fn fault(&mut self, key: &str, message: impl std::fmt::Display) {
        let line = self.document.line(key);
        self.faults.push(Fault {
            line,
            message: format!("{key}: {message}"),
        });
    }

    pub(super) fn range<T>(&mut self, key: &str, value: T, range: RangeInclusive<T>)
    where
        T: PartialOrd + std::fmt::Display,
    {
        if !range.contains(&value) {
            let (low, high) = (range.start(), range.end());
            self.fault(key, format_args!("{value} is not from {low} to {high}"));
        }
    }

    /// What is on at this key works with a registry.
    pub(super) fn needs_registry(&mut self, key: &str, is_on: bool, spec: &Spec) {
        if is_on && spec.registry.database.is_empty() {
            let message = "there is no registry; name one in registry.database";
            self.fault(key, message);
        }
    }

    /// A section whose `listen` is not empty needs its certificate and key.
    pub(super) fn needs_files(
        &mut self,
        section: &str,
        is_on: bool,
        certificate: &Path,
        key: &Path,
    ) {
        let files = [
            ("certificate-file", certificate, "certificate"),
            ("key-file", key, "private key"),
        ];
        for (name, path, what) in files {
            if is_on && path.as_os_str().is_empty() {
                let message =
                    format!("name the file of the {what}, or leave {section}.listen empty");
                self.fault(&format!("{section}.{name}"), message);
            }
        }
    }

    /// Threads and connections of a service of the control plane.
    pub(super) fn service(&mut self, section: &str, threads: usize, connections: [usize; 2]) {
        self.range(&format!("{section}.threads"), threads, 1..=64);
        let keys = ["connections-max", "connections-per-prefix-max"];
        for (key, count) in keys.iter().zip(connections) {
            self.range(&format!("{section}.{key}"), count, 1..=100_000);
        }
    }
}

/// Checks everything and notes every fault; the result counts only without any.
pub(super) fn check(spec: &Spec, document: &Document<'_>, faults: &mut Vec<Fault>) -> Config {
    let mut checker = Checker { document, faults };
    let dns = check_dns(spec, &mut checker);
    if spec.image.directory.as_os_str().is_empty() {
        checker.fault("image.directory", "name a directory");
    }
    let database = &spec.registry.database;
    let is_url = ["sqlite:", "postgres:", "postgresql:"]
        .iter()
        .any(|scheme| database.starts_with(scheme));
    if !database.is_empty() && !is_url {
        // The value may hold a password and is not repeated.
        checker.fault(
            "registry.database",
            "write sqlite:PATH or postgres://HOST/NAME",
        );
    }
    let socket_bytes = spec.control.socket.as_os_str().len();
    if !(1..=SOCKET_PATH_BYTES_MAX).contains(&socket_bytes) {
        let message = format!("a path of 1 to {SOCKET_PATH_BYTES_MAX} octets is needed");
        checker.fault("control.socket", message);
    }
    Config {
        role: spec.role,
        dns,
        image: Image {
            directory: spec.image.directory.clone(),
            memory: spec.image.memory,
        },
        registry: Registry {
            database: Some(database.clone()).filter(|database| !database.is_empty()),
            timers: spec.registry.timers,
            scan: check_scan(spec, &mut checker),
        },
        publish: check_publish(spec, &mut checker),
        keys: check_keys(spec, &mut checker),
        transfer: super::transfer::check(spec, &mut checker),
        epp: super::epp::check(spec, &mut checker),
        lookup: super::lookup::check_lookup(spec, &mut checker),
        whois: super::lookup::check_whois(spec, &mut checker),
        rdap: super::lookup::check_rdap(spec, &mut checker),
        web: super::lookup::check_web(spec, &mut checker),
        distribution: super::distribution::check_distribution(spec, &mut checker),
        edge: super::distribution::check_edge(spec, &mut checker),
        stores: super::distribution::check_stores(spec, &mut checker),
        routes: super::routes::check(spec, &mut checker),
        drain: Duration::from_secs(spec.routes.drain_seconds),
        control: Control {
            socket: spec.control.socket.clone(),
        },
        metrics: Metrics {
            listen: spec.metrics.listen,
        },
        log: Log {
            format: spec.log.format,
            level: spec.log.level,
        },
    }
}

fn check_scan(spec: &Spec, checker: &mut Checker<'_>) -> Option<Scan> {
    let registry = &spec.registry;
    let questions_per_second_max = registry.scan_questions_per_second_max;
    checker.range(
        "registry.scan-questions-per-second-max",
        questions_per_second_max,
        0..=10_000,
    );
    checker.range(
        "registry.scan-interval-hours",
        registry.scan_interval_hours,
        1..=8_760,
    );
    let key = "registry.scan-questions-per-second-max";
    checker.needs_registry(key, questions_per_second_max > 0, spec);
    (questions_per_second_max > 0).then(|| Scan {
        questions_per_second_max,
        interval_seconds: registry.scan_interval_hours.saturating_mul(3600),
    })
}

fn check_keys(spec: &Spec, checker: &mut Checker<'_>) -> Keys {
    let keys = &spec.keys;
    checker.range(
        "keys.look-interval-milliseconds",
        keys.look_interval_milliseconds,
        10..=60_000,
    );
    checker.range(
        "keys.parent-interval-seconds",
        keys.parent_interval_seconds,
        1..=86_400,
    );
    let token = check_token(spec, checker);
    let has_secret = !keys.secret_file.as_os_str().is_empty();
    Keys {
        secret_file: has_secret.then(|| keys.secret_file.clone()),
        token,
        look_interval: Duration::from_millis(keys.look_interval_milliseconds),
        parent_interval: Duration::from_secs(keys.parent_interval_seconds),
    }
}

fn check_token(spec: &Spec, checker: &mut Checker<'_>) -> Option<TokenSettings> {
    let token = &spec.keys.token;
    checker.range(
        "keys.token.sessions-max",
        token.sessions_max,
        1..=TOKEN_SESSIONS_MAX,
    );
    let named = [
        ("keys.token.module", token.module.as_os_str().is_empty()),
        ("keys.token.label", token.label.is_empty()),
        ("keys.token.pin-file", token.pin_file.as_os_str().is_empty()),
    ];
    if named.iter().all(|(_, is_empty)| *is_empty) {
        return None;
    }
    for (key, _) in named.iter().filter(|(_, is_empty)| *is_empty) {
        checker.fault(
            key,
            "a token needs its module, its label and the file of its PIN",
        );
    }
    if [IN_DATABASE, OFFLINE].contains(&token.label.as_str()) {
        let message = format!("{:?} means another place for keys here", token.label);
        checker.fault("keys.token.label", message);
    }
    Some(TokenSettings {
        module: token.module.clone(),
        label: token.label.clone(),
        pin_file: token.pin_file.clone(),
        sessions_max: token.sessions_max,
    })
}

fn check_dns(spec: &Spec, checker: &mut Checker<'_>) -> Dns {
    let dns = &spec.dns;
    if dns.listen.is_empty() || dns.listen.len() > udp::ADDRESSES_MAX {
        let message = format!("1 to {} addresses are needed", udp::ADDRESSES_MAX);
        checker.fault("dns.listen", message);
    }
    check_twice("dns.listen", &dns.listen, checker);
    checker.range("dns.workers", dns.workers, 0..=bind::WORKERS_MAX);
    checker.range(
        "dns.udp-payload-bytes-max",
        dns.udp_payload_bytes_max,
        512..=4096,
    );
    checker.range(
        "dns.receive-buffer-bytes",
        dns.receive_buffer_bytes,
        0..=BUFFER_BYTES_MAX,
    );
    checker.range(
        "dns.send-buffer-bytes",
        dns.send_buffer_bytes,
        0..=BUFFER_BYTES_MAX,
    );
    checker.range(
        "dns.drain-timeout-seconds",
        dns.drain_timeout_seconds,
        0..=300,
    );
    Dns {
        listen: dns.listen.clone(),
        workers: (dns.workers != 0).then_some(dns.workers),
        pin_workers: dns.pin_workers,
        steer_by_cpu: dns.steer_by_cpu,
        udp_payload_bytes_max: dns.udp_payload_bytes_max,
        version: check_text("dns.version", &dns.version, checker),
        identity: check_text("dns.identity", &dns.identity, checker),
        nsid: check_text("dns.nsid", &dns.nsid, checker),
        report_channel: check_report_channel(&dns.report_channel, checker),
        cookie_secrets_file: (!dns.cookie_secrets_file.as_os_str().is_empty())
            .then(|| dns.cookie_secrets_file.clone()),
        rate_limits: check_rate_limit(spec, checker),
        receive_buffer_bytes: dns.receive_buffer_bytes,
        send_buffer_bytes: dns.send_buffer_bytes,
        drain_timeout: Duration::from_secs(dns.drain_timeout_seconds),
        tcp: check_tcp(spec, checker),
        tls: check_tls(spec, checker),
    }
}

fn check_twice(key: &str, listen: &[SocketAddr], checker: &mut Checker<'_>) {
    for (at, address) in listen.iter().enumerate() {
        if address.port() != 0 && listen[..at].contains(address) {
            checker.fault(key, format_args!("{address} is there twice"));
        }
    }
}

fn check_publish(spec: &Spec, checker: &mut Checker<'_>) -> Publish {
    let publish = &spec.publish;
    let poll = publish.poll_interval_milliseconds;
    checker.range("publish.poll-interval-milliseconds", poll, 10..=60_000);
    let debounce = publish.debounce_milliseconds;
    checker.range("publish.debounce-milliseconds", debounce, 0..=60_000);
    let debounce_max = publish.debounce_milliseconds_max;
    checker.range(
        "publish.debounce-milliseconds-max",
        debounce_max,
        debounce.min(60_000)..=60_000,
    );
    let retry = publish.retry_seconds_max;
    checker.range("publish.retry-seconds-max", retry, 1..=3600);
    let vanished = publish.vanished_percent_max;
    checker.range("publish.vanished-percent-max", vanished, 0..=100);
    Publish {
        poll_interval: Duration::from_millis(poll),
        debounce: Duration::from_millis(debounce),
        debounce_max: Duration::from_millis(debounce_max),
        retry_max: Duration::from_secs(retry),
        vanished_percent_max: vanished,
    }
}

/// A text about this server, which has to fit one character-string.
fn check_text(key: &str, text: &str, checker: &mut Checker<'_>) -> String {
    if text.len() > TEXT_BYTES_MAX {
        checker.fault(key, format_args!("more than {TEXT_BYTES_MAX} octets"));
    }
    text.to_owned()
}

fn check_report_channel(text: &str, checker: &mut Checker<'_>) -> Option<Name> {
    if text.is_empty() {
        return None;
    }
    match Name::parse_absolute(text) {
        Ok(name) if name.is_root() => {
            checker.fault("dns.report-channel", "the root is no agent domain");
            None
        }
        Ok(name) => Some(name),
        Err(error) => {
            checker.fault("dns.report-channel", error);
            None
        }
    }
}

fn check_rate_limit(spec: &Spec, checker: &mut Checker<'_>) -> Option<RateLimits> {
    let limit = &spec.dns.rate_limit;
    checker.range(
        "dns.rate-limit.responses-per-second",
        limit.responses_per_second,
        0..=rate::RESPONSES_PER_SECOND_MAX,
    );
    checker.range("dns.rate-limit.slip", limit.slip, 0..=100);
    checker.range(
        "dns.rate-limit.prefix-length-v4",
        limit.prefix_length_v4,
        1..=32,
    );
    checker.range(
        "dns.rate-limit.prefix-length-v6",
        limit.prefix_length_v6,
        1..=64,
    );
    checker.range("dns.rate-limit.entries", limit.entries, rate::ENTRIES_RANGE);
    (limit.responses_per_second > 0).then_some(RateLimits {
        responses_per_second: limit.responses_per_second,
        slip: limit.slip,
        prefix_length_v4: limit.prefix_length_v4,
        prefix_length_v6: limit.prefix_length_v6,
        entries: limit.entries,
    })
}

fn check_tcp(spec: &Spec, checker: &mut Checker<'_>) -> Tcp {
    let tcp = &spec.dns.tcp;
    let per_prefix = tcp.connections_per_prefix_max;
    checker.range("dns.tcp.threads", tcp.threads, 1..=bind::WORKERS_MAX);
    checker.range(
        "dns.tcp.connections-max",
        tcp.connections_max,
        1..=1_000_000,
    );
    checker.range(
        "dns.tcp.connections-per-prefix-max",
        per_prefix,
        1..=1_000_000,
    );
    checker.range("dns.tcp.prefix-length-v4", tcp.prefix_length_v4, 1..=32);
    checker.range("dns.tcp.prefix-length-v6", tcp.prefix_length_v6, 1..=128);
    checker.range(
        "dns.tcp.idle-timeout-seconds",
        tcp.idle_timeout_seconds,
        1..=3600,
    );
    checker.range(
        "dns.tcp.write-timeout-seconds",
        tcp.write_timeout_seconds,
        1..=3600,
    );
    let queries = tcp.queries_per_connection_max;
    checker.range(
        "dns.tcp.queries-per-connection-max",
        queries,
        1..=u64::from(u32::MAX),
    );
    Tcp {
        threads: tcp.threads,
        connections_max: tcp.connections_max,
        connections_per_prefix_max: per_prefix,
        prefix_length_v4: tcp.prefix_length_v4,
        prefix_length_v6: tcp.prefix_length_v6,
        idle_timeout: Duration::from_secs(tcp.idle_timeout_seconds),
        write_timeout: Duration::from_secs(tcp.write_timeout_seconds),
        queries_per_connection_max: queries,
    }
}

fn check_tls(spec: &Spec, checker: &mut Checker<'_>) -> Option<Tls> {
    let tls = &spec.dns.tls;
    if tls.listen.len() > udp::ADDRESSES_MAX {
        let message = format!("more than {} addresses", udp::ADDRESSES_MAX);
        checker.fault("dns.tls.listen", message);
    }
    check_twice("dns.tls.listen", &tls.listen, checker);
    for address in &tls.listen {
        // TCP has a listener on each address of `dns.listen`.
        if address.port() != 0 && spec.dns.listen.contains(address) {
            let message = format!("{address} is in dns.listen; TLS has a port of its own, 853");
            checker.fault("dns.tls.listen", message);
        }
    }
    let (certificate, key) = (&tls.certificate_file, &tls.key_file);
    checker.needs_files("dns.tls", !tls.listen.is_empty(), certificate, key);
    checker.range("dns.tls.threads", tls.threads, 1..=bind::WORKERS_MAX);
    let limits = [
        ("dns.tls.connections-max", tls.connections_max),
        (
            "dns.tls.connections-per-prefix-max",
            tls.connections_per_prefix_max,
        ),
    ];
    for (key, limit) in limits {
        checker.range(key, limit, 1..=1_000_000);
    }
    let handshake = tls.handshake_timeout_seconds;
    checker.range("dns.tls.handshake-timeout-seconds", handshake, 1..=3600);
    (!tls.listen.is_empty()).then(|| Tls {
        listen: tls.listen.clone(),
        certificate_file: tls.certificate_file.clone(),
        key_file: tls.key_file.clone(),
        threads: tls.threads,
        connections_max: tls.connections_max,
        connections_per_prefix_max: tls.connections_per_prefix_max,
        handshake_timeout: Duration::from_secs(handshake),
    })
}
