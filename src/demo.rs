//! `meridian demo`: a sample registry, compiled and served, in one command.
//!
//! Goes the whole way: a made-up zone file is imported into a new registry
//! database, beside the real root zone where its file is there; the registry is
//! compiled; the image is served on loopback, over TLS too, until Ctrl-C, registrars come by
//! EPP, anybody asks by WHOIS, RDAP and web pages, and what is written to the registry meanwhile is
//! published. Everything is in one temporary folder, which goes
//! away with the demo.

mod certificate;
mod public;
mod registrars;
mod sample;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;
use tokio::sync::oneshot;
use zone_compiler::install::Input;

use crate::app;
use crate::cli::{compile, output, registry};
use crate::clock::unix_microseconds;
use crate::config::{Config, LogLevel};
use crate::keys::seal::Secret;
use crate::registry::command::KeysCommand;
use crate::registry::command::keys::KeysPolicy;
use crate::registry::signing::PolicyChange;
use crate::registry::{Actor, Command, Database, ImportOptions, Location, Request, Timestamp};

/// Ports tried from the first one on.
const PORT_TRIES: u16 = 100;
/// Attempts at removing the folder while files may still be made in it.
const REMOVE_TRIES: usize = 100;
/// The registry database in the demo's folder.
const DATABASE_FILE: &str = "registry.db";
/// The secret that seals its key.
const SECRET_FILE: &str = "secret";
/// The folder of reference data where `MERIDIAN_REFERENCE` does not name one.
const REFERENCE_DEFAULT: &str = "../shared/reference";

/// Runs the demo until Ctrl-C.
pub(crate) fn run(listen: SocketAddr, domains: u32, progress: bool) -> anyhow::Result<()> {
    let listen = free_address(listen)?;
    let folder =
        TempDir::with_prefix("meridian-demo-").context("cannot make a temporary folder")?;
    let config = configure(folder.path(), listen)?;
    app::init_logs(config.log);
    let prepared = {
        let (path, config) = (folder.path().to_owned(), config.clone());
        unless_interrupted(move || prepare(&path, &config, domains, progress))?
    };
    let outcome = match prepared {
        Some(Ok(has_root)) => {
            app::serve_with(&config, |server| invite(server, has_root, folder.path()))
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    remove(&folder)?;
    outcome
}

/// Runs `work` on a thread of its own; `None` if Ctrl-C came first.
fn unless_interrupted<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let (done, result) = oneshot::channel();
    registry::runtime()?.block_on(async {
        let interrupt = tokio::signal::ctrl_c();
        // Whoever was interrupted does not wait for the result.
        std::thread::spawn(move || done.send(work()).is_ok());
        tokio::select! {
            biased;
            interrupted = interrupt => interrupted.map(|()| None).context("cannot wait for Ctrl-C"),
            result = result => result.map(Some).context("the demo's preparation panicked"),
        }
    })
}

/// Removes the folder, where an interrupted preparation may still be at work.
fn remove(folder: &TempDir) -> anyhow::Result<()> {
    let mut tries = REMOVE_TRIES;
    loop {
        tries -= 1;
        match std::fs::remove_dir_all(folder.path()) {
            Err(_) if tries > 0 => {}
            result => {
                let path = folder.path().display();
                return result.with_context(|| format!("cannot remove {path}; remove it by hand"));
            }
        }
    }
}

/// Makes the registry, fills it and compiles it; says whether it has the root zone.
fn prepare(folder: &Path, config: &Config, domains: u32, progress: bool) -> anyhow::Result<bool> {
    let zone_file = folder.join("demo.zone");
    std::fs::write(&zone_file, sample::zone(domains))
        .with_context(|| format!("cannot write {}", zone_file.display()))?;
    let mut zone_files = vec![zone_file];
    zone_files.extend(root_zone());
    let location = Location::File(folder.join(DATABASE_FILE));
    let now = Timestamp(unix_microseconds());
    registry::runtime()?.block_on(async {
        let mut database = Database::init(&location, now).await?;
        for file in &zone_files {
            // The root zone's folder may not be ours to write rejects into.
            let options = ImportOptions {
                rejects_file: Some(folder.join("rejects")),
                actor: "demo".into(),
                ..ImportOptions::new(file, now)
            };
            let report = registry::import(&mut database, &options, progress).await?;
            output::line(format_args!(
                "imported {}: {} domains, {} records in {:.1} s",
                report.zone, report.domains, report.records, report.seconds
            ));
        }
        sign(&mut database, now).await?;
        registrars::make(&mut database, folder, now).await?;
        public::make(&mut database, now).await
    })?;
    if let Some(path) = &config.keys.secret_file {
        Secret::create(path)?;
    }
    let input = Input::Database(location.as_source());
    let (_, installed) = compile::compile(&input, &config.image.directory, progress)?;
    output::line(format_args!(
        "compiled {} zones: {} octets",
        installed.zones, installed.segment_bytes
    ));
    Ok(zone_files.len() > 1)
}

/// Gives the sample zone a policy: the server makes its key and signs it at once.
async fn sign(database: &mut Database, now: Timestamp) -> anyhow::Result<()> {
    let policy = KeysPolicy {
        apex: sample::APEX.parse()?,
        change: PolicyChange::default(),
    };
    let request = Request {
        actor: Actor::operator("demo"),
        at: now,
        lab: true,
        command: Command::Keys(KeysCommand::Policy(Box::new(policy))),
    };
    Box::pin(database.execute(&request)).await?;
    Ok(())
}

/// Everything in `folder`, on loopback, on ports that nobody else has.
fn configure(folder: &Path, listen: SocketAddr) -> anyhow::Result<Config> {
    let mut config = Config::default();
    config.dns.listen = vec![listen];
    config.dns.tls = Some(certificate::tls(folder, listen)?);
    config.image.directory = folder.join("image");
    config.registry.database = Some(format!("sqlite:{}", folder.join(DATABASE_FILE).display()));
    config.epp = Some(registrars::settings(folder, listen)?);
    config.keys.secret_file = Some(folder.join(SECRET_FILE));
    config.control.socket = folder.join("control.sock");
    config.metrics.listen = SocketAddr::new(listen.ip(), 0);
    config.log.level = LogLevel::Warn;
    public::configure(&mut config, listen);
    Ok(config)
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
fn invite(server: &app::Server, has_root: bool, folder: &Path) {
    let address = server.addresses()[0];
    let (ip, port) = (address.ip(), address.port());
    output::line(format_args!("serving on {address}; try:"));
    let mut tries = vec![
        format!("{} SOA", sample::APEX),
        format!("www.{} A", sample::domain(1)),
        format!("{} DS", sample::domain(sample::SECURE_EVERY)),
        format!("no-such-name.{} A", sample::APEX),
        format!("{} DNSKEY +dnssec", sample::APEX),
        format!("{} NS +tcp", sample::domain(2)),
    ];
    if has_root {
        tries.extend(["www.example.com. A".to_owned(), ". SOA".to_owned()]);
    }
    for question in tries {
        output::line(format_args!("  dig @{ip} -p {port} +norec {question}"));
    }
    for tls in server.tls_addresses() {
        output::line(format_args!(
            "  kdig @{ip} -p {} +tls +norec {} SOA",
            tls.port(),
            sample::APEX
        ));
    }
    for epp in server.epp_addresses() {
        let (command, name) = registrars::example(folder, *epp);
        output::line(format_args!(
            "EPP on {epp}; register a name, then ask for it:"
        ));
        output::line(format_args!("  {command}"));
        output::line(format_args!("  dig @{ip} -p {port} +norec {name} NS"));
    }
    public::invite(server);
    output::line("Ctrl-C ends it and leaves nothing behind.");
}
