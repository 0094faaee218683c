//! The threads and sockets of the data plane, from start to drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::clock::unix_seconds;
use crate::config;
use crate::dns::counters::{StreamCounters, WorkerCounters};
use crate::dns::engine::{Engine, UDP_BUFFER_BYTES};
use crate::dns::generations::Generations;
use crate::dns::net::bind::{self, BindError, Bound, SocketOptions};
use crate::dns::net::failure::Offences;
use crate::dns::net::tcp::{self, Limits};
use crate::dns::net::udp::Worker;
use crate::dns::net::{self, Wake};

/// Time that ending a connection may take beyond the drain itself.
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(1);

/// The running data plane.
#[derive(Debug)]
pub(super) struct Plane {
    addresses: Vec<SocketAddr>,
    counters: Vec<Arc<WorkerCounters>>,
    stream: Arc<StreamCounters>,
    offences: Arc<Offences>,
    stop: Arc<AtomicBool>,
    wakes: Vec<Arc<Wake>>,
    workers: Vec<JoinHandle<()>>,
    tcp: Runtime,
    tcp_stop: watch::Sender<bool>,
    tcp_task: tokio::task::JoinHandle<()>,
}

impl Plane {
    /// Binds every address, then starts every thread; says on `failed` when one
    /// ends by itself.
    pub(super) fn start(
        config: &config::Dns,
        engine: Engine,
        generations: &Arc<Generations>,
        failed: &mpsc::Sender<String>,
    ) -> anyhow::Result<Self> {
        let cpus = net::allowed_cpus();
        let count = config.workers.unwrap_or_else(|| cpus.len().max(1));
        let mut bound = bind_all(config, count)?;
        let offences = Arc::new(Offences::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (mut workers, mut wakes, mut counters) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let cpu = cpus.get(number % cpus.len().max(1)).copied();
            let worker = Worker {
                engine: engine.clone(),
                reply_bytes_max: UDP_BUFFER_BYTES,
                generation: generations.handle(),
                sockets: bound
                    .iter_mut()
                    .filter_map(|bound| bound.udp.pop())
                    .collect(),
                counters: Arc::default(),
                offences: Arc::clone(&offences),
                wake: Arc::new(Wake::new().context("cannot make a worker's wake-up")?),
                stop: Arc::clone(&stop),
                drain: config.drain_timeout,
                cpu: cpu.filter(|_| config.pin_workers),
                clock: unix_seconds,
            };
            counters.push(Arc::clone(&worker.counters));
            generations.wake_on_swap(Arc::clone(&worker.wake));
            wakes.push(Arc::clone(&worker.wake));
            workers.push(spawn_worker(number, worker, failed.clone())?);
        }
        let stream = Arc::new(StreamCounters::default());
        let service = tcp::Service {
            engine,
            generations: Arc::clone(generations),
            counters: Arc::clone(&stream),
            offences: Arc::clone(&offences),
            limits: limits(&config.tcp),
            clock: unix_seconds,
        };
        let addresses = bound.iter().map(|bound| bound.address).collect();
        let tcp = tcp_runtime(config.tcp.threads)?;
        let (tcp_stop, stopped) = watch::channel(false);
        let tcp_task = spawn_tcp(
            &tcp,
            service,
            bound,
            stopped,
            config.drain_timeout,
            failed.clone(),
        );
        Ok(Self {
            addresses,
            counters,
            stream,
            offences,
            stop,
            wakes,
            workers,
            tcp,
            tcp_stop,
            tcp_task,
        })
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(super) fn worker_counters(&self) -> Vec<Arc<WorkerCounters>> {
        self.counters.clone()
    }

    pub(super) fn stream_counters(&self) -> Arc<StreamCounters> {
        Arc::clone(&self.stream)
    }

    pub(super) fn offences(&self) -> Arc<Offences> {
        Arc::clone(&self.offences)
    }

    /// Answers what was asked until now and waits for every thread.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.tcp_stop.send_replace(true);
        for wake in &self.wakes {
            wake.wake();
        }
        // `serve` bounds itself by the drain; a panic in it was reported already.
        let _ = self.tcp.block_on(self.tcp_task);
        self.tcp.shutdown_timeout(RUNTIME_SHUTDOWN);
        for worker in self.workers {
            let _ = worker.join();
        }
    }
}

fn bind_all(config: &config::Dns, workers: usize) -> Result<Vec<Bound>, BindError> {
    let options = SocketOptions {
        workers,
        receive_buffer_bytes: config.receive_buffer_bytes,
        send_buffer_bytes: config.send_buffer_bytes,
    };
    config
        .listen
        .iter()
        .map(|&address| bind::bind(address, &options))
        .collect()
}

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

fn spawn_worker(
    number: usize,
    worker: Worker<Engine>,
    failed: mpsc::Sender<String>,
) -> anyhow::Result<JoinHandle<()>> {
    let stop = Arc::clone(&worker.stop);
    std::thread::Builder::new()
        .name(format!("udp-{number}"))
        .spawn(move || {
            // Panics of the engine are caught within; this is for our own.
            let body = std::panic::AssertUnwindSafe(|| worker.run());
            let reason = match std::panic::catch_unwind(body) {
                Ok(Ok(())) if stop.load(Ordering::Acquire) => return,
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it panicked, see the log".to_owned(),
            };
            // A full channel already has a reason to stop.
            let _ = failed.try_send(format!("UDP worker {number}: {reason}"));
        })
        .context("cannot start a worker's thread")
}

fn tcp_runtime(threads: usize) -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("tcp")
        .enable_all()
        .build()
        .context("cannot start the threads of TCP")
}

fn spawn_tcp(
    runtime: &Runtime,
    service: tcp::Service<Engine>,
    bound: Vec<Bound>,
    stopped: watch::Receiver<bool>,
    drain: Duration,
    failed: mpsc::Sender<String>,
) -> tokio::task::JoinHandle<()> {
    let listeners = bound.into_iter().map(|bound| bound.tcp).collect();
    runtime.spawn(async move {
        if let Err(error) = tcp::serve(Arc::new(service), listeners, stopped, drain).await {
            let _ = failed.try_send(format!("TCP: {error}"));
        }
    })
}
