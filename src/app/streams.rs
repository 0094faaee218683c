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

use crate::config;
use crate::dns::counters::StreamCounters;
use crate::dns::engine::Engine;
use crate::dns::net::tcp::{self, Limits, Service};
use crate::dns::net::tls::WATCH_INTERVAL;

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

impl Streams {
    /// Starts the threads, named `name`; says on `failed` when they cannot go on.
    pub(super) fn start(
        name: &'static str,
        threads: usize,
        service: Service<Engine>,
        listeners: Vec<(SocketAddr, TcpListener)>,
        drain: Duration,
        failed: mpsc::Sender<String>,
    ) -> anyhow::Result<Self> {
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
        Ok(Self {
            addresses,
            counters,
            runtime,
            stop,
            task,
        })
    }

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
pub(super) fn limits(tcp: &config::Tcp) -> Limits {
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

/// The limits of TLS, which has places of its own: whoever takes all of them keeps
/// nobody from TCP.
pub(super) fn limits_of_tls(tcp: &config::Tcp, tls: &config::Tls) -> Limits {
    Limits {
        connections_max: tls.connections_max,
        connections_per_prefix_max: tls.connections_per_prefix_max,
        ..limits(tcp)
    }
}
