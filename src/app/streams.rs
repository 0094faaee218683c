//! The threads of one stream service, TCP or TLS, from start to drain.
//!
//! Each has a runtime of its own: handshakes take a lot of a processor, and TCP is
//! where clients go that are over a rate limit.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::unix_seconds;
use crate::config;
use crate::dns::counters::StreamCounters;
use crate::dns::engine::Engine;
use crate::dns::generations::Generations;
use crate::dns::net::failure::Offences;
use crate::dns::net::tcp::{self, Limits, Service};
use crate::dns::net::tls::Tls;
use crate::net::credentials::{Credentials, WATCH_INTERVAL};
use crate::transfer::Outgoing;

/// Time that ending a connection may take beyond the drain itself.
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(1);

/// A running service.
#[derive(Debug)]
pub(super) struct Streams {
    addresses: Vec<SocketAddr>,
    counters: Arc<StreamCounters>,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What both services are made of.
pub(super) struct Shared<'c> {
    pub(super) config: &'c config::Dns,
    pub(super) engine: Engine,
    pub(super) transfers: Option<Arc<Outgoing>>,
    pub(super) generations: Arc<Generations>,
    pub(super) offences: Arc<Offences>,
    /// Told when a service cannot go on.
    pub(super) failed: mpsc::Sender<String>,
}

type Listeners = Vec<(SocketAddr, TcpListener)>;

impl Shared<'_> {
    pub(super) fn start_tcp(&self, listeners: Listeners) -> anyhow::Result<Streams> {
        let tcp = &self.config.tcp;
        self.start(
            "tcp",
            tcp.threads,
            self.service(limits(tcp), None),
            listeners,
        )
    }

    pub(super) fn start_tls(
        &self,
        settings: &config::Tls,
        credentials: Arc<Credentials>,
        listeners: Listeners,
    ) -> anyhow::Result<Streams> {
        // Places of its own: whoever takes all of them keeps nobody from TCP.
        let limits = Limits {
            connections_max: settings.connections_max,
            connections_per_prefix_max: settings.connections_per_prefix_max,
            ..limits(&self.config.tcp)
        };
        let tls = Tls {
            credentials,
            handshake_timeout: settings.handshake_timeout,
        };
        let service = self.service(limits, Some(tls));
        self.start("tls", settings.threads, service, listeners)
    }

    fn service(&self, limits: Limits, tls: Option<Tls>) -> Service<Engine> {
        Service {
            engine: self.engine.clone(),
            generations: Arc::clone(&self.generations),
            counters: Arc::default(),
            offences: Arc::clone(&self.offences),
            limits,
            tls,
            transfers: self.transfers.clone().map(|transfers| transfers as _),
            clock: unix_seconds,
        }
    }

    /// Starts the threads, which have this name.
    fn start(
        &self,
        name: &'static str,
        threads: usize,
        service: Service<Engine>,
        listeners: Listeners,
    ) -> anyhow::Result<Streams> {
        let (drain, failed) = (self.config.drain_timeout, self.failed.clone());
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(name)
            .enable_all()
            .build()
            .with_context(|| format!("cannot start the threads of {name}"))?;
        let (stop, stopped) = watch::channel(false);
        if let Some(tls) = &service.tls {
            let credentials = Arc::clone(&tls.credentials);
            runtime.spawn(credentials.watch(WATCH_INTERVAL, stopped.clone()));
        }
        let counters = Arc::clone(&service.counters);
        let (addresses, listeners) = listeners.into_iter().unzip();
        let task = runtime.spawn(async move {
            let served = tcp::serve(Arc::new(service), listeners, stopped, drain);
            if let Err(error) = served.await {
                // A full channel already has a reason to stop.
                let _ = failed.try_send(format!("{name}: {error}"));
            }
        });
        Ok(Streams {
            addresses,
            counters,
            runtime,
            stop,
            task,
        })
    }
}

impl Streams {
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(super) fn counters(&self) -> Arc<StreamCounters> {
        Arc::clone(&self.counters)
    }

    /// Takes no further connection and answers what has arrived.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for the end of what `stop` began.
    pub(super) fn join(self) {
        self.stop();
        // `serve` bounds itself by the drain; a panic in it was reported already.
        let _ = self.runtime.block_on(self.task);
        self.runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    }
}

/// The limits of TCP.
fn limits(tcp: &config::Tcp) -> Limits {
    Limits {
        connections_max: tcp.connections_max,
        connections_per_prefix_max: tcp.connections_per_prefix_max,
        prefix_length_v4: tcp.prefix_length_v4,
        prefix_length_v6: tcp.prefix_length_v6,
        idle_timeout: tcp.idle_timeout,
        write_timeout: tcp.write_timeout,
        queries_per_connection_max: tcp.queries_per_connection_max,
    }
}
