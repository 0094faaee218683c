//! `[lookup]`, `[whois]`, `[rdap]` and `[web]`: ranges, and what they need beside them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Spec;
use super::check::Checker;

/// Longest name of the pages.
const SITE_NAME_MAX: usize = 64;

/// What look-ups by the public have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Questions of one client network in a second; 0 is no limit.
    pub queries_per_second: u32,
    /// Questions that it may ask at once after a pause.
    pub burst: u32,
    /// Connections to the registry.
    pub readers: usize,
    /// Longest time for an answer.
    pub time_limit: Duration,
    /// Where the terms of use are; empty is nowhere.
    pub terms_url: String,
    /// Whether questions are noted in the log, without what was asked and by whom.
    pub access_log: bool,
}

/// WHOIS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whois {
    /// Addresses to answer on; empty is none.
    pub listen: Vec<SocketAddr>,
    /// Its name, told by RDAP; empty is none.
    pub server_name: String,
    /// Threads that serve it.
    pub threads: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network.
    pub connections_per_prefix_max: usize,
    /// For the line to arrive.
    pub read_timeout: Duration,
    /// For a client to take the answer.
    pub write_timeout: Duration,
}

/// RDAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rdap {
    /// Addresses with TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses without, on loopback.
    pub listen_plain: Vec<SocketAddr>,
    /// The chain of certificates.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
    /// Address of the service with its final slash; empty is that of the first listener.
    pub base_url: String,
    /// Threads that serve it.
    pub threads: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network.
    pub connections_per_prefix_max: usize,
    /// For a handshake, and for the head of a request.
    pub read_timeout: Duration,
    /// For a connection as a whole.
    pub connection_timeout: Duration,
    /// Objects of a page.
    pub page_size: usize,
    /// How long others may keep an answer.
    pub cache_seconds: u32,
}

/// The pages for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Addresses with TLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses without, on loopback.
    pub listen_plain: Vec<SocketAddr>,
    /// The chain of certificates.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
    /// What the pages are called.
    pub site_name: String,
    /// Threads that serve them.
    pub threads: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network.
    pub connections_per_prefix_max: usize,
    /// For a handshake, and for the head of a request.
    pub read_timeout: Duration,
    /// For a connection as a whole.
    pub connection_timeout: Duration,
    /// How long others may keep a page.
    pub cache_seconds: u32,
}

impl Web {
    /// Whether it listens anywhere.
    pub fn is_on(&self) -> bool {
        !self.listen.is_empty() || !self.listen_plain.is_empty()
    }
}

impl Rdap {
    /// Whether it listens anywhere.
    pub fn is_on(&self) -> bool {
        !self.listen.is_empty() || !self.listen_plain.is_empty()
    }
}

pub(super) fn check_lookup(spec: &Spec, checker: &mut Checker<'_>) -> Lookup {
    let lookup = &spec.lookup;
    let rate = lookup.queries_per_second;
    checker.range("lookup.queries-per-second", rate, 0..=1_000_000);
    checker.range("lookup.burst", lookup.burst, 1..=1_000_000);
    checker.range("lookup.readers", lookup.readers, 1..=64);
    let limit = lookup.time_limit_milliseconds;
    checker.range("lookup.time-limit-milliseconds", limit, 10..=60_000);
    check_url("lookup.terms-url", &lookup.terms_url, checker);
    Lookup {
        queries_per_second: rate,
        burst: lookup.burst,
        readers: lookup.readers,
        time_limit: Duration::from_millis(limit),
        terms_url: lookup.terms_url.clone(),
        access_log: lookup.access_log,
    }
}

pub(super) fn check_whois(spec: &Spec, checker: &mut Checker<'_>) -> Whois {
    let whois = &spec.whois;
    checker.needs_registry("whois.listen", !whois.listen.is_empty(), spec);
    let connections = [whois.connections_max, whois.connections_per_prefix_max];
    checker.service("whois", whois.threads, connections);
    let read = whois.read_timeout_seconds;
    checker.range("whois.read-timeout-seconds", read, 1..=3_600);
    let write = whois.write_timeout_seconds;
    checker.range("whois.write-timeout-seconds", write, 1..=3_600);
    Whois {
        listen: whois.listen.clone(),
        server_name: whois.server_name.clone(),
        threads: whois.threads,
        connections_max: whois.connections_max,
        connections_per_prefix_max: whois.connections_per_prefix_max,
        read_timeout: Duration::from_secs(read),
        write_timeout: Duration::from_secs(write),
    }
}

pub(super) fn check_rdap(spec: &Spec, checker: &mut Checker<'_>) -> Rdap {
    let rdap = &spec.rdap;
    let http = HttpKeys {
        table: "rdap",
        listen: &rdap.listen,
        listen_plain: &rdap.listen_plain,
        files: [&rdap.certificate_file, &rdap.key_file],
        threads: rdap.threads,
        places: [rdap.connections_max, rdap.connections_per_prefix_max],
        seconds: [rdap.read_timeout_seconds, rdap.connection_seconds_max],
        cache_seconds: rdap.cache_seconds,
    };
    http.check(spec, checker);
    check_url("rdap.base-url", &rdap.base_url, checker);
    if !rdap.base_url.is_empty() && !rdap.base_url.ends_with('/') {
        checker.fault("rdap.base-url", "write it with a slash at its end");
    }
    checker.range("rdap.page-size", rdap.page_size, 1..=500);
    Rdap {
        listen: rdap.listen.clone(),
        listen_plain: rdap.listen_plain.clone(),
        certificate_file: rdap.certificate_file.clone(),
        key_file: rdap.key_file.clone(),
        base_url: rdap.base_url.clone(),
        threads: rdap.threads,
        connections_max: rdap.connections_max,
        connections_per_prefix_max: rdap.connections_per_prefix_max,
        read_timeout: Duration::from_secs(rdap.read_timeout_seconds),
        connection_timeout: Duration::from_secs(rdap.connection_seconds_max),
        page_size: rdap.page_size,
        cache_seconds: rdap.cache_seconds,
    }
}

pub(super) fn check_web(spec: &Spec, checker: &mut Checker<'_>) -> Web {
    let web = &spec.web;
    let http = HttpKeys {
        table: "web",
        listen: &web.listen,
        listen_plain: &web.listen_plain,
        files: [&web.certificate_file, &web.key_file],
        threads: web.threads,
        places: [web.connections_max, web.connections_per_prefix_max],
        seconds: [web.read_timeout_seconds, web.connection_seconds_max],
        cache_seconds: web.cache_seconds,
    };
    http.check(spec, checker);
    let length = web.site_name.chars().count();
    if !(1..=SITE_NAME_MAX).contains(&length) || web.site_name.chars().any(char::is_control) {
        let message = format!("write 1 to {SITE_NAME_MAX} characters, none of them for control");
        checker.fault("web.site-name", message);
    }
    Web {
        listen: web.listen.clone(),
        listen_plain: web.listen_plain.clone(),
        certificate_file: web.certificate_file.clone(),
        key_file: web.key_file.clone(),
        site_name: web.site_name.clone(),
        threads: web.threads,
        connections_max: web.connections_max,
        connections_per_prefix_max: web.connections_per_prefix_max,
        read_timeout: Duration::from_secs(web.read_timeout_seconds),
        connection_timeout: Duration::from_secs(web.connection_seconds_max),
        cache_seconds: web.cache_seconds,
    }
}

/// What the tables of services over HTTP have alike.
struct HttpKeys<'s> {
    table: &'static str,
    listen: &'s [SocketAddr],
    listen_plain: &'s [SocketAddr],
    /// Of the certificate, and of its key.
    files: [&'s Path; 2],
    threads: usize,
    /// In all, and of one client network.
    places: [usize; 2],
    /// For the head of a request, and for a connection.
    seconds: [u64; 2],
    cache_seconds: u32,
}

impl HttpKeys<'_> {
    fn check(&self, spec: &Spec, checker: &mut Checker<'_>) {
        let key = |name: &str| format!("{}.{name}", self.table);
        let (listen, plain) = (key("listen"), key("listen-plain"));
        let is_tls = !self.listen.is_empty();
        checker.needs_registry(&listen, is_tls, spec);
        checker.needs_registry(&plain, !self.listen_plain.is_empty(), spec);
        let [certificate, own_key] = self.files;
        checker.needs_files(self.table, is_tls, certificate, own_key);
        let elsewhere = self
            .listen_plain
            .iter()
            .filter(|one| !one.ip().is_loopback());
        for address in elsewhere {
            let message = format!("{address} is not on loopback; elsewhere it needs TLS: {listen}");
            checker.fault(&plain, message);
        }
        checker.service(self.table, self.threads, self.places);
        checker.range(&key("read-timeout-seconds"), self.seconds[0], 1..=3_600);
        checker.range(&key("connection-seconds-max"), self.seconds[1], 1..=86_400);
        checker.range(&key("cache-seconds"), self.cache_seconds, 0..=86_400);
    }
}

/// Empty, or an address of a page that can stand in JSON and in a line of text.
fn check_url(key: &str, text: &str, checker: &mut Checker<'_>) {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}?#".contains(&byte);
    let has_path = text.splitn(4, '/').count() == 4;
    let is_whole = is_url && has_path && text.bytes().all(is_plain);
    if !text.is_empty() && !is_whole {
        checker.fault(key, "write https://HOST/ with a path, without a query");
    }
}
