//! Wiring: puts the parts together and takes them apart again.
//!
//! Only this module sees every layer. [`Server`] is a running data plane with
//! its image; [`serve`] adds what a service has around it: control socket,
//! metrics, signals, and word to systemd.

mod addresses;
pub(crate) mod distribution;
mod epp;
mod kept;
mod logs;
mod lookup;
mod plane;
mod signals;
mod streams;
mod transfer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;

use crate::clock::{unix_microseconds, unix_seconds};
use crate::config::{self, Config, MemoryKind, Publish};
use crate::control::http::Exporter;
use crate::control::socket::ControlSocket;
use crate::control::{Reloads, Vitals, VitalsParts};
use crate::dns::cookie::CookieSecrets;
use crate::dns::engine::{Engine, EngineConfig};
use crate::dns::generations::{Check, Generations, InstallError, Installer, Source};
use crate::dns::net;
use crate::dns::secret::Secret;
use crate::inquiry::{self, scan::Scanner};
use crate::keys::keeper::{self, Keeper};
use crate::keys::seal;
use crate::keys::signers::Signers;
use crate::keys::token::Token;
use crate::keys::vault::Vault;
use crate::net::credentials::{Credentials, Use};
use crate::publish::{self, Publisher, Settings, Timing, canary};
use crate::registry::Location;
use crate::registry::timekeeper::{self, Timekeeper};
use crate::registry::types::AnyName;

pub use logs::init as init_logs;
use plane::Plane;
use signals::Signals;
use transfer::Transfers;

/// Longest wait for the control plane's thread at the end.
const CONTROL_SHUTDOWN: Duration = Duration::from_secs(1);

/// How often it is looked whether a registration has something due.
const TIMERS_INTERVAL: Duration = Duration::from_secs(1);

/// A running data plane.
#[derive(Debug)]
pub struct Server {
    plane: Plane,
    installer: Installer,
    publisher: Option<Publisher>,
    distribution: Option<distribution::Distribution>,
    credentials: Option<Arc<Credentials>>,
    keeper: Option<Keeper>,
    timekeeper: Option<Timekeeper>,
    scanner: Option<Scanner>,
    epp: Option<crate::epp::server::Server>,
    public: Option<lookup::Public>,
    history: Option<crate::transfer::history::Keeper>,
    vitals: Arc<Vitals>,
    /// Workers that ended by themselves say why.
    failures: mpsc::Receiver<String>,
}

impl Server {
    /// Opens the image, binds every address and starts the workers.
    pub fn start(config: &Config) -> anyhow::Result<Self> {
        let engine_config = engine_config(&config.dns)?;
        let engine = Engine::new(engine_config.clone());
        let credentials = transfer::credentials(config)?;
        let vault = open_vault(config)?;
        let settings = publish_settings(config, vault.as_ref());
        let generations = Arc::new(open(config, &engine, settings.as_ref())?);
        let transfers = Transfers::open(config, &generations)?;
        raise_open_files();
        let (failed, failures) = mpsc::channel(1);
        let web_engine = engine.clone();
        let plane = Plane::start(
            &config.dns,
            transfer::engine(engine_config, transfers.as_ref()),
            transfers.as_ref().map(|own| Arc::clone(&own.outgoing)),
            credentials.clone(),
            &generations,
            &failed,
        )?;
        let installer = Installer::spawn(Arc::clone(&generations))
            .context("cannot start the installer's thread")?;
        let publisher = settings
            .as_ref()
            .map(|settings| Publisher::spawn(settings, Arc::clone(&generations), engine))
            .transpose()
            .context("cannot start the publisher's thread")?;
        let distribution = distribution::start(config, &generations, publisher.as_ref())?;
        let timekeeper = spawn_timekeeper(config, settings.as_ref(), publisher.as_ref())
            .context("cannot start the thread of timers")?;
        let scanner = spawn_scanner(config, settings.as_ref())
            .context("cannot start the thread that scans name servers")?;
        let epp = epp::start(config, settings.as_ref(), publisher.as_ref())?;
        let dns = lookup::web::dns(web_engine, &generations, publisher.as_ref());
        let public = lookup::start(config, settings.as_ref().map(|of| &of.location), dns)?;
        let keeper = spawn_keeper(config, settings, vault, publisher.as_ref(), &generations)
            .context("cannot start the thread that looks after keys")?;
        let history = Transfers::spawn_keeper(transfers.as_ref())?;
        let vitals = Arc::new(Vitals::new(VitalsParts {
            started: Instant::now(),
            generations,
            workers: plane.worker_counters(),
            tcp: plane.tcp_counters(),
            tls: plane.tls_vitals(credentials.as_ref()),
            offences: plane.offences(),
            listen: plane.addresses().to_vec(),
            publish: publisher.as_ref().map(Publisher::state),
            keys: keeper.as_ref().map(Keeper::state),
            timers: timekeeper.as_ref().map(Timekeeper::state),
            scan: scanner.as_ref().map(Scanner::state),
            epp: epp.as_ref().map(epp::vitals),
            lookup: public.as_ref().map(lookup::Public::vitals),
            transfer: transfers.as_ref().map(Transfers::vitals),
            distribution: distribution.as_ref().map(|of| of.vitals()),
        }));
        Ok(Self {
            plane,
            installer,
            publisher,
            distribution,
            credentials,
            keeper,
            timekeeper,
            scanner,
            epp,
            public,
            history,
            vitals,
            failures,
        })
    }

    /// What can be seen of it.
    pub fn vitals(&self) -> Arc<Vitals> {
        Arc::clone(&self.vitals)
    }

    /// Asks for reloads.
    pub fn reloads(&self) -> Reloads {
        Reloads {
            image: self.installer.reloader(),
            credentials: self.credentials.clone(),
            epp: self.epp.as_ref().map(|epp| epp.credentials()),
            rdap: self
                .public
                .as_ref()
                .and_then(|public| public.rdap_credentials()),
            web: self
                .public
                .as_ref()
                .and_then(|public| public.web_credentials()),
        }
    }

    /// Answers what was asked until now, and ends.
    pub fn stop(self) {
        self.vitals.drain();
        // First: what is answered here is still published.
        if let Some(epp) = self.epp {
            epp.stop();
        }
        if let Some(public) = self.public {
            public.stop();
        }
        drop(self.history);
        drop(self.scanner);
        drop(self.timekeeper);
        drop(self.keeper);
        drop(self.publisher);
        if let Some(distribution) = self.distribution {
            distribution.stop();
        }
        self.plane.stop();
        drop(self.installer);
    }
}

fn raise_open_files() {
    if let Err(error) = net::raise_open_files() {
        tracing::warn!(%error, "limit of open files not raised");
    }
}

/// The engine's settings, with secrets that stand in a file or in no place.
fn engine_config(dns: &config::Dns) -> anyhow::Result<EngineConfig> {
    let random = || Secret::random().context("cannot get random octets from the system");
    let cookie_secrets = match &dns.cookie_secrets_file {
        None => CookieSecrets::one(random()?),
        Some(path) => std::fs::read_to_string(path)
            .map_err(anyhow::Error::from)
            .and_then(|text| Ok(CookieSecrets::parse(&text)?))
            .with_context(|| format!("cannot read dns.cookie-secrets-file: {}", path.display()))?,
    };
    Ok(EngineConfig {
        udp_payload_bytes_max: dns.udp_payload_bytes_max,
        version: dns.version.clone(),
        identity: dns.identity.clone(),
        nsid: dns.nsid.clone(),
        report_channel: dns.report_channel.clone(),
        stream_idle_timeout: dns.tcp.idle_timeout,
        cookie_secrets,
        rate_limits: dns.rate_limits,
        rate_key: random()?,
        aside: None,
    })
}

/// Certificate and key of DNS over TLS.
fn credentials(purpose: Use, tls: &config::Tls) -> anyhow::Result<Arc<Credentials>> {
    let credentials = Credentials::load(purpose, &tls.certificate_file, &tls.key_file)
        .context("cannot use dns.tls.certificate-file with dns.tls.key-file")?;
    let expires_at = credentials.expires_at();
    if expires_at <= unix_seconds() {
        // Clients that do not look at it are served all the same (RFC 7858 section 4.1).
        tracing::warn!(expires_at, "certificate of dns.tls is over, replace it");
    }
    Ok(Arc::new(credentials))
}

fn memory(config: &Config) -> zone_image::Memory {
    match config.image.memory {
        MemoryKind::Sealed => zone_image::Memory::Sealed,
        MemoryKind::Mapped => zone_image::Memory::Mapped,
    }
}

/// The generation that is installed; where a registry is published and there is none
/// to serve, one is compiled first.
fn open(
    config: &Config,
    engine: &Engine,
    registry: Option<&Settings>,
) -> anyhow::Result<Generations> {
    let source = || Source {
        directory: config.image.directory.clone(),
        memory: memory(config),
        check: canaries(engine),
        clock: unix_seconds,
    };
    match (Generations::open(source()), registry) {
        (Err(InstallError::Open { error, .. }), Some(settings)) => {
            tracing::warn!(%error, "no image to serve, compiling the registry");
            publish::install_first(settings).context("cannot compile the first image")?;
            Ok(Generations::open(source())?)
        }
        (Err(error), None) if config.edge.is_some() => {
            tracing::warn!(%error, "no image to serve, all is refused until one is fetched");
            Ok(Generations::empty(source()))
        }
        (opened, _) => Ok(opened?),
    }
}

/// The private keys of a registry that this server signs, if it does.
pub(crate) fn open_vault(config: &Config) -> anyhow::Result<Option<Arc<Vault>>> {
    let secret = match &config.keys.secret_file {
        Some(path) => Some(seal::Secret::load(path).context("cannot read keys.secret-file")?),
        None => None,
    };
    let token = config.keys.token.clone().map(Token::new);
    let has_keys = secret.is_some() || token.is_some();
    Ok(has_keys.then(|| Arc::new(Vault::new(secret, token))))
}

fn spawn_keeper(
    config: &Config,
    settings: Option<Settings>,
    vault: Option<Arc<Vault>>,
    publisher: Option<&Publisher>,
    generations: &Arc<Generations>,
) -> std::io::Result<Option<Keeper>> {
    let (Some(settings), Some(vault), Some(publisher)) = (settings, vault, publisher) else {
        return Ok(None);
    };
    let (published, woken) = (publisher.state(), publisher.state());
    let generations = Arc::clone(generations);
    let served = move |apex: &AnyName| {
        let apex = apex.to_name().to_lowercase();
        let image = generations.current();
        let zone = image.zone(apex.as_wire());
        keeper::Served {
            everything: published.served_event(),
            zone: zone.map(|zone| (zone.event(), zone.serial())),
        }
    };
    let keeper = Keeper::spawn(keeper::Settings {
        location: settings.location,
        vault,
        interval: config.keys.look_interval,
        parent_interval: config.keys.parent_interval,
        clock: Box::new(unix_microseconds),
        served: Box::new(served),
        wake: Box::new(move || woken.wake()),
    });
    keeper.map(Some)
}

fn spawn_timekeeper(
    config: &Config,
    settings: Option<&Settings>,
    publisher: Option<&Publisher>,
) -> std::io::Result<Option<Timekeeper>> {
    let (Some(settings), Some(publisher), true) = (settings, publisher, config.registry.timers)
    else {
        return Ok(None);
    };
    let woken = publisher.state();
    let timekeeper = Timekeeper::spawn(timekeeper::Settings {
        location: settings.location.clone(),
        interval: TIMERS_INTERVAL,
        clock: Box::new(unix_microseconds),
        wake: Box::new(move || woken.wake()),
    });
    timekeeper.map(Some)
}

fn spawn_scanner(config: &Config, settings: Option<&Settings>) -> std::io::Result<Option<Scanner>> {
    let (Some(settings), Some(scan)) = (settings, config.registry.scan) else {
        return Ok(None);
    };
    let scanner = Scanner::spawn(inquiry::scan::Settings {
        location: settings.location.clone(),
        questions_per_second_max: scan.questions_per_second_max,
        interval_seconds: scan.interval_seconds,
        lab: false,
        clock: unix_microseconds,
    });
    scanner.map(Some)
}

pub(crate) fn publish_settings(config: &Config, vault: Option<&Arc<Vault>>) -> Option<Settings> {
    let Publish {
        poll_interval,
        debounce,
        debounce_max,
        retry_max,
        vanished_percent_max,
    } = config.publish;
    let database = config.registry.database.as_deref()?;
    let location = Location::parse(database.strip_prefix("sqlite:").unwrap_or(database));
    let signers = Signers::new(
        vault.cloned().unwrap_or_default(),
        location.clone(),
        unix_seconds,
    );
    Some(Settings {
        signers: Some(Arc::new(signers)),
        location,
        directory: config.image.directory.clone(),
        timing: Timing {
            poll_interval,
            debounce,
            debounce_max,
            retry_max,
        },
        vanished_percent_max,
    })
}

/// What a new generation must answer before it is swapped in.
fn canaries(engine: &Engine) -> Check {
    let engine = engine.clone();
    Box::new(move |generation| canary::check(&engine, generation))
}

/// Serves until a signal, with everything around it.
pub fn serve(config: &Config) -> anyhow::Result<()> {
    serve_with(config, |_| {})
}

/// The same; `ready` is called once, when every address is answered.
pub fn serve_with(config: &Config, ready: impl FnOnce(&Server)) -> anyhow::Result<()> {
    let mut server = Server::start(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("control")
        .enable_all()
        .build()
        .context("cannot start the control plane's thread")?;
    let outcome = runtime.block_on(async {
        let control =
            ControlSocket::bind(&config.control.socket, server.vitals(), server.reloads())?;
        let exporter = Exporter::bind(config.metrics.listen, server.vitals()).await?;
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let metrics = exporter.address();
        tokio::spawn(control.run());
        tokio::spawn(exporter.run());
        tracing::info!(
            listen = ?server.addresses(),
            tls = ?server.tls_addresses(),
            epp = ?server.epp_addresses(),
            whois = ?server.whois_addresses(),
            rdap = ?[server.rdap_addresses(), server.rdap_tls_addresses()].concat(),
            web = ?[server.web_addresses(), server.web_tls_addresses()].concat(),
            control = %config.control.socket.display(),
            %metrics,
            "serving"
        );
        ready(&server);
        notify(&[sd_notify::NotifyState::Ready]);
        run(&mut server, &mut signals).await?;
        server.vitals.drain();
        signals.end_or(config.drain).await;
        Ok(())
    });
    notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping");
    server.stop();
    // Whoever still talks to the control socket has had the drain's time. This
    // drops its task, and so removes the socket's file.
    runtime.shutdown_timeout(CONTROL_SHUTDOWN);
    tracing::info!("stopped");
    outcome
}

/// Waits for signals; an error is a worker that ended.
async fn run(server: &mut Server, signals: &mut Signals) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            Some(failure) = server.failures.recv() => anyhow::bail!("{failure}"),
            _ = signals.hangup.recv() => {
                if let Ok(state) = sd_notify::NotifyState::monotonic_usec_now() {
                    notify(&[sd_notify::NotifyState::Reloading, state]);
                }
                // The outcome is logged and kept for status by the installer.
                let outcome = server.reloads().reload().await;
                tracing::info!(?outcome, "reload by SIGHUP");
                notify(&[sd_notify::NotifyState::Ready]);
            }
        }
    }
}

/// Tells systemd, where there is one.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd not told");
    }
}
