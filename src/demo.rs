//! `meridian demo`: a sample registry, compiled and served, in one command.
//!
//! Goes the whole way: a made-up zone file is imported into a new registry
//! database, beside the real root zone where its file is there; the registry is
//! compiled; the image is served on loopback until Ctrl-C. Everything is in one
//! temporary folder, which goes away with the demo.

mod sample;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;
use zone_compiler::install::Input;

use crate::app;
use crate::cli::{compile, output, registry};
use crate::clock::unix_microseconds;
use crate::config::{Config, LogLevel};
use crate::registry::{Database, ImportOptions, Location, Timestamp};

/// Ports tried from the first one on.
const PORT_TRIES: u16 = 100;
/// The folder of reference data where `MERIDIAN_REFERENCE` does not name one.
const REFERENCE_DEFAULT: &str = "../shared/reference";

/// Runs the demo until Ctrl-C.
pub(crate) fn run(listen: SocketAddr, domains: u32, progress: bool) -> anyhow::Result<()> {
    let listen = free_address(listen)?;
    let folder =
        TempDir::with_prefix("meridian-demo-").context("cannot make a temporary folder")?;
    let config = configure(folder.path(), listen);
    app::init_logs(config.log);

    let zone_file = folder.path().join("demo.zone");
    std::fs::write(&zone_file, sample::zone(domains))
        .with_context(|| format!("cannot write {}", zone_file.display()))?;
    let mut zone_files = vec![zone_file];
    zone_files.extend(root_zone());
    let location = Location::parse(&config.registry.database);
    let now = Timestamp(unix_microseconds());
    registry::runtime()?.block_on(async {
        let mut database = Database::init(&location, now).await?;
        for file in &zone_files {
            // The root zone's folder may not be ours to write rejects into.
            let options = ImportOptions {
                rejects_file: Some(folder.path().join("rejects")),
                actor: "demo".into(),
                ..ImportOptions::new(file, now)
            };
            let report = registry::import(&mut database, &options, progress).await?;
            output::line(format_args!(
                "imported {}: {} domains, {} records in {:.1} s",
                report.zone, report.domains, report.records, report.seconds
            ));
        }
        anyhow::Ok(())
    })?;
    let input = Input::Database(location.as_source());
    let (_, installed) = compile::compile(&input, &config.image.directory, progress)?;
    output::line(format_args!(
        "compiled {} zones: {} octets",
        installed.zones, installed.segment_bytes
    ));
    let has_root = zone_files.len() > 1;
    let outcome = app::serve_with(&config, |server| invite(server.addresses()[0], has_root));
    // Where the temporary folder cannot be removed, somebody should know.
    let path = folder.path().to_owned();
    folder
        .close()
        .with_context(|| format!("cannot remove {}", path.display()))?;
    outcome
}

/// Everything in `folder`, on loopback, on ports that nobody else has.
fn configure(folder: &Path, listen: SocketAddr) -> Config {
    let mut config = Config::default();
    config.dns.listen = vec![listen];
    config.image.directory = folder.join("image");
    config.registry.database = format!("sqlite:{}", folder.join("registry.db").display());
    config.control.socket = folder.join("control.sock");
    config.metrics.listen = SocketAddr::new(listen.ip(), 0);
    config.log.level = LogLevel::Warn;
    config
}

/// The address, or the same one with the next port that is free.
fn free_address(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    let is_free = |address: &SocketAddr| {
        UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok()
    };
    let last = listen.port().saturating_add(PORT_TRIES);
    (listen.port()..=last)
        .map(|port| SocketAddr::new(listen.ip(), port))
        .find(is_free)
        .with_context(|| {
            format!("no free port: {listen} and {PORT_TRIES} after it; name another by --listen")
        })
}

/// The file of the real root zone, where it is there.
fn root_zone() -> Option<PathBuf> {
    let reference = std::env::var_os("MERIDIAN_REFERENCE");
    let reference = reference.map_or_else(|| REFERENCE_DEFAULT.into(), PathBuf::from);
    let entries = std::fs::read_dir(reference.join("zones")).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("root-") && name.ends_with(".zone")
        })
        .max()
}

/// Says what to try.
fn invite(address: SocketAddr, has_root: bool) {
    let (ip, port) = (address.ip(), address.port());
    output::line(format_args!("serving on {address}; try:"));
    let mut tries = vec![
        format!("{} SOA", sample::APEX),
        format!("www.{} A", sample::domain(1)),
        format!("{} DS", sample::domain(sample::SECURE_EVERY)),
        format!("no-such-name.{} A", sample::APEX),
        format!("{} NS +tcp", sample::domain(2)),
    ];
    if has_root {
        tries.extend(["www.example.com. A".to_owned(), ". SOA".to_owned()]);
    }
    for question in tries {
        output::line(format_args!("  dig @{ip} -p {port} +norec {question}"));
    }
    output::line("Ctrl-C ends it and leaves nothing behind.");
}
