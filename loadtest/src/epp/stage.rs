//! A server with EPP and a generated registry, which can be killed and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustls::ClientConfig;
use serde::Deserialize;
use tempfile::TempDir;
use zone_image::Name;

use super::client::{self, Client};
use super::frames::{Frames, HOSTS};
use crate::generate::{self, Parameters, Registry};
use crate::meridian::Meridian;
use crate::peer::{Server, Zone, free_address};

/// The registrar of all sessions.
pub const ACCOUNT: &str = "load-a";
const PASSWORD: &str = "load-PASS-1";
/// What the server's certificate is for.
pub(super) const SERVER_NAME: &str = "epp.example";
/// Longest wait for the first image.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Longest wait for a server that serves to be asked.
const STATUS_TIMEOUT: Duration = Duration::from_secs(30);
/// Names of the generated registry that are looked at.
const KNOWN_MAX: u64 = 10_000;
/// Logins under way at once: a password takes the server tens of milliseconds.
const LOGINS_AT_ONCE: usize = 8;

/// Room for all sessions, which are of one network.
const CONNECTIONS: &str = "connections-max = 2000\nconnections-per-prefix-max = 2000";

/// What is served.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The `meridian` binary.
    pub meridian: PathBuf,
    /// An empty PostgreSQL database as `postgres://..`; without it there is one on SQLite.
    pub database: Option<String>,
    /// Delegations.
    pub domains: u64,
    /// Lines of `[epp]` about connections and times; by default there is room for 2000.
    pub config: String,
}

/// A registry and the server in front of it.
#[derive(Debug)]
pub struct Stage {
    folder: TempDir,
    meridian: Meridian,
    engine: &'static str,
    known: Vec<String>,
    identity: Arc<ClientConfig>,
    server: Option<Server>,
    epp: SocketAddr,
}

/// What of a status is looked at.
#[derive(Deserialize)]
struct Status {
    epp: Epp,
}

#[derive(Deserialize)]
struct Epp {
    listen: Vec<SocketAddr>,
}

impl Stage {
    /// Makes the registry and serves it.
    pub fn new(setup: &Setup) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        let here = folder.path();
        for name in ["server", ACCOUNT] {
            make_certificate(here, name)?;
        }
        let path = |name: &str| here.join(name).display().to_string();
        let more = format!(
            "[epp]\nlisten = [\"127.0.0.1:0\"]\ncertificate-file = \"{}\"\nkey-file = \"{}\"\n\
             commands-per-second-max = 1000000\ntransforms-per-second-max = 1000000\n{}\n",
            path("server.pem"),
            path("server.key"),
            match setup.config.as_str() {
                "" => CONNECTIONS,
                lines => lines,
            }
        );
        let meridian = Meridian::new(&setup.meridian, here)?
            .with_database(setup.database.as_deref())
            .with(free_address()?, &more)?;
        let known = prepare(setup, &meridian, here)?;
        let mut stage = Self {
            identity: client::config(here, ACCOUNT)?,
            folder,
            meridian,
            engine: match setup.database {
                None => "SQLite",
                Some(_) => "PostgreSQL",
            },
            known,
            server: None,
            epp: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        stage.start()?;
        let mut client = stage.client()?;
        for host in HOSTS {
            let answer = client.say(&host_create(host))?;
            anyhow::ensure!(answer.code == 1000, "no host: {}", answer.xml);
        }
        Ok(stage)
    }

    /// Starts the server, which is not running.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let zone = Zone {
            apex: apex(),
            file: self.folder.path().join("none"),
        };
        self.server = Some(self.meridian.serve(&[zone], 1, PATIENCE)?);
        let status = self.status()?;
        self.epp = *status.epp.listen.first().context("EPP is not served")?;
        Ok(())
    }

    /// What the server says of itself; DNS is answered before it can be asked.
    fn status(&self) -> anyhow::Result<Status> {
        let start = Instant::now();
        loop {
            match self.meridian.run(&["status", "--json"]) {
                Ok(text) => return serde_json::from_str(&text).context("reading the status"),
                Err(error) if start.elapsed() > STATUS_TIMEOUT => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Kills the server where it stands.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let server = self.server.take().context("no server runs")?;
        server.signal(libc::SIGKILL).context("killing the server")
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.server.as_ref().map_or(0, Server::pid)
    }

    /// Where EPP is.
    pub fn address(&self) -> SocketAddr {
        self.epp
    }

    /// Where DNS is; the server runs.
    pub fn dns(&self) -> SocketAddr {
        let server = self.server.as_ref().expect("asked while it runs");
        server.target().address()
    }

    /// The registry's database, as sqlx takes it.
    pub fn database(&self) -> String {
        self.meridian.database()
    }

    /// In words.
    pub fn engine(&self) -> &'static str {
        self.engine
    }

    /// How the registrar's connections are made.
    pub fn identity(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.identity)
    }

    /// Runs a command of `meridian` beside the server.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.meridian.run(arguments)
    }

    /// Frames about names of this prefix, and about those that are there.
    pub fn frames(&self, prefix: &str) -> Frames {
        Frames::new(prefix, self.known.clone())
    }

    /// One more session.
    pub fn client(&self) -> anyhow::Result<Client> {
        let mut client = Client::connect(self.identity(), self.epp)?;
        client.log_in(ACCOUNT, PASSWORD)?;
        Ok(client)
    }

    /// So many sessions.
    pub fn log_in(&self, count: usize) -> anyhow::Result<Vec<Client>> {
        let mut clients = Vec::with_capacity(count);
        while clients.len() < count {
            let batch = LOGINS_AT_ONCE.min(count - clients.len());
            let new: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..batch).map(|_| scope.spawn(|| self.client())).collect();
                let joined = threads.into_iter();
                let joined = joined.map(|thread| thread.join().expect("a login does not panic"));
                joined.collect()
            });
            for client in new {
                clients.push(client?);
            }
        }
        Ok(clients)
    }
}

fn apex() -> Name {
    Name::parse_absolute("example.").expect("a name")
}

/// Makes the registry with its registrar; gives names that are in it.
fn prepare(setup: &Setup, meridian: &Meridian, here: &Path) -> anyhow::Result<Vec<String>> {
    let registry = Registry::new(Parameters {
        apex: apex(),
        domains: setup.domains,
        seed: 1,
        queries: 0,
        exponent: 1.0,
        signed: false,
    })?;
    let files = here.join("registry");
    generate::write_csv(&registry, &files)?;
    meridian.run(&["registry", "init"])?;
    meridian.run(&["registry", "import", "--csv", &files.display().to_string()])?;
    std::fs::remove_dir_all(&files).context("removing the files of the registry")?;
    let registrar = ["registry", "registrar"];
    let run = |words: &[&str]| meridian.run(&[&registrar, words].concat());
    run(&["create", ACCOUNT, "--name", "Load"])?;
    run(&["limit", ACCOUNT, "--sessions-max", "2000"])?;
    let certificate = here.join(format!("{ACCOUNT}.pem"));
    run(&["pin", ACCOUNT, &certificate.display().to_string()])?;
    let password = here.join("password");
    std::fs::write(&password, PASSWORD).context("writing the password")?;
    run(&[
        "set-password",
        ACCOUNT,
        "--file",
        &password.display().to_string(),
    ])?;
    let count = setup.domains.min(KNOWN_MAX);
    let step = (setup.domains / count).max(1);
    let names = (0..count).map(|number| {
        let label = registry.domain(number * step % setup.domains).label;
        format!("{label}.example")
    });
    Ok(names.collect())
}

/// A certificate that signs itself, and its key.
fn make_certificate(folder: &Path, name: &str) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(vec![SERVER_NAME.to_owned()])
        .context("making a certificate")?;
    for (kind, text) in [
        ("pem", made.cert.pem()),
        ("key", made.signing_key.serialize_pem()),
    ] {
        let file = folder.join(format!("{name}.{kind}"));
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn host_create(host: &str) -> String {
    format!(
        "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><create><host:create \
         xmlns:host=\"urn:ietf:params:xml:ns:host-1.0\"><host:name>{host}</host:name>\
         </host:create></create><clTRID>load</clTRID></command></epp>"
    )
}
