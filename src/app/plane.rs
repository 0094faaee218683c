//! The threads and sockets of the data plane, from start to drain.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::mpsc;

use super::kept::Kept;
use super::streams::{Shared, Streams};

use crate::clock::unix_seconds;
use crate::config;
use crate::control::TlsVitals;
use crate::dns::counters::{StreamCounters, WorkerCounters};
use crate::dns::engine::{Engine, UDP_BUFFER_BYTES};
use crate::dns::generations::Generations;
use crate::dns::net::bind::{self, BindError, Bound, SocketOptions};
use crate::dns::net::failure::Offences;
use crate::dns::net::udp::Worker;
use crate::dns::net::{self, Wake};
use crate::net::credentials::Credentials;
use crate::transfer::Outgoing;

/// The running data plane.
#[derive(Debug)]
pub(super) struct Plane {
    addresses: Vec<SocketAddr>,
    counters: Vec<Arc<WorkerCounters>>,
    offences: Arc<Offences>,
    stop: Arc<AtomicBool>,
    wakes: Vec<Arc<Wake>>,
    workers: Vec<JoinHandle<()>>,
    tcp: Streams,
    tls: Option<Streams>,
}

impl Plane {
    /// Binds every address, then starts every thread; says on `failed` when one
    /// ends by itself.
    pub(super) fn start(
        config: &config::Dns,
        engine: Engine,
        transfers: Option<Arc<Outgoing>>,
        credentials: Option<Arc<Credentials>>,
        generations: &Arc<Generations>,
        failed: &mpsc::Sender<String>,
    ) -> anyhow::Result<Self> {
        let cpus = net::allowed_cpus();
        let count = config.workers.unwrap_or_else(|| cpus.len().max(1));
        let mut kept = Kept::take()?;
        let mut bound = bind_all(config, count, &mut kept)?;
        let tls_bound = bind_tls(config, &mut kept)?;
        let has_successor = kept.has_successor();
        kept.close_rest();
        let mut sockets = deal(&mut bound).into_iter();
        let offences = Arc::new(Offences::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (mut workers, mut wakes, mut counters) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let cpu = cpus.get(number % cpus.len().max(1)).copied();
            let worker = Worker {
                engine: engine.clone(),
                reply_bytes_max: UDP_BUFFER_BYTES,
                generation: generations.handle(),
                sockets: sockets.next().unwrap_or_default(),
                counters: Arc::default(),
                offences: Arc::clone(&offences),
                wake: Arc::new(Wake::new().context("cannot make a worker's wake-up")?),
                stop: Arc::clone(&stop),
                drain: config.drain_timeout,
                has_successor,
                cpu: cpu.filter(|_| config.pin_workers),
                clock: unix_seconds,
            };
            counters.push(Arc::clone(&worker.counters));
            generations.wake_on_swap(Arc::clone(&worker.wake));
            wakes.push(Arc::clone(&worker.wake));
            workers.push(spawn_worker(number, worker, failed.clone())?);
        }
        let shared = Shared {
            config,
            engine,
            transfers,
            generations: Arc::clone(generations),
            offences: Arc::clone(&offences),
            failed: failed.clone(),
        };
        let addresses = bound.iter().map(|bound| bound.address).collect();
        let listeners = bound.into_iter().map(|bound| (bound.address, bound.tcp));
        let tcp = shared.start_tcp(listeners.collect())?;
        let tls = config.tls.as_ref().zip(credentials);
        let tls = tls
            .map(|(settings, credentials)| shared.start_tls(settings, credentials, tls_bound))
            .transpose()?;
        Ok(Self {
            addresses,
            counters,
            offences,
            stop,
            wakes,
            workers,
            tcp,
            tls,
        })
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(super) fn worker_counters(&self) -> Vec<Arc<WorkerCounters>> {
        self.counters.clone()
    }

    pub(super) fn tcp_counters(&self) -> Arc<StreamCounters> {
        self.tcp.counters()
    }

    /// The service over TLS, where there is one.
    pub(super) fn tls(&self) -> Option<&Streams> {
        self.tls.as_ref()
    }

    /// What can be seen of the service over TLS.
    pub(super) fn tls_vitals(&self, credentials: Option<&Arc<Credentials>>) -> Option<TlsVitals> {
        let (streams, credentials) = self.tls().zip(credentials)?;
        Some(TlsVitals {
            listen: streams.addresses().to_vec(),
            counters: streams.counters(),
            credentials: Arc::clone(credentials),
        })
    }

    pub(super) fn offences(&self) -> Arc<Offences> {
        Arc::clone(&self.offences)
    }

    /// Answers what was asked until now and waits for every thread.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        let services = [Some(self.tcp), self.tls];
        services.iter().flatten().for_each(Streams::stop);
        for wake in &self.wakes {
            wake.wake();
        }
        services.into_iter().flatten().for_each(Streams::join);
        for worker in self.workers {
            let _ = worker.join();
        }
    }
}

fn bind_all(
    config: &config::Dns,
    workers: usize,
    kept: &mut Kept,
) -> Result<Vec<Bound>, BindError> {
    let options = SocketOptions {
        workers,
        receive_buffer_bytes: config.receive_buffer_bytes,
        send_buffer_bytes: config.send_buffer_bytes,
        steer_by_cpu: config.steer_by_cpu,
    };
    let bind = |&address| {
        let older = kept.sockets(address);
        let bound = if older.udp.is_empty() && older.tcp.is_none() {
            bind::bind(address, &options)?
        } else {
            bind::bind_with(address, &options, older)?
        };
        let udp = bound.udp.iter().map(AsFd::as_fd);
        let all: Vec<_> = udp.chain([bound.tcp.as_fd()]).collect();
        kept.leave(bound.address, &all);
        Ok(bound)
    };
    config.listen.iter().map(bind).collect()
}

/// The sockets of each worker: those that have its number by the order of binding, which
/// is how datagrams are steered.
fn deal(bound: &mut [Bound]) -> Vec<Vec<UdpSocket>> {
    let mut workers: Vec<Vec<_>> = Vec::new();
    for own in bound {
        for (number, socket) in own.udp.drain(..).enumerate() {
            match workers.get_mut(number) {
                Some(sockets) => sockets.push(socket),
                None => workers.push(vec![socket]),
            }
        }
    }
    workers
}

fn bind_tls(
    config: &config::Dns,
    kept: &mut Kept,
) -> Result<Vec<(SocketAddr, TcpListener)>, BindError> {
    let listen = config.tls.iter().flat_map(|tls| &tls.listen);
    let bind = |&address| {
        let bound = bind::bind_tls(address, kept.listener(address))?;
        kept.leave(bound.0, &[bound.1.as_fd()]);
        Ok(bound)
    };
    listen.map(bind).collect()
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

#[cfg(test)]
mod tests;
