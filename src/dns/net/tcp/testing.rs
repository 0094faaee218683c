//! A service of the echoing engine on a port of its own, with or without TLS.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener as StdTcpListener, TcpStream as Client};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Limits, Service, serve};
use crate::dns::counters::StreamCounters;
use crate::dns::net::tls::Tls;
use crate::dns::testing::{self, Echo};

pub(in crate::dns::net) const PATIENCE: Duration = Duration::from_secs(20);

pub(in crate::dns::net) const LIMITS: Limits = Limits {
    connections_max: 100,
    connections_per_prefix_max: 100,
    prefix_length_v4: 24,
    prefix_length_v6: 48,
    idle_timeout: PATIENCE,
    write_timeout: PATIENCE,
    queries_per_connection_max: 1000,
};

pub(in crate::dns::net) struct Server {
    pub(in crate::dns::net) address: SocketAddr,
    pub(in crate::dns::net) counters: Arc<StreamCounters>,
    pub(in crate::dns::net) stop: watch::Sender<bool>,
    pub(in crate::dns::net) task: JoinHandle<std::io::Result<()>>,
    pub(in crate::dns::net) runtime: Runtime,
    _directory: TempDir,
}

pub(in crate::dns::net) fn server(limits: Limits) -> Server {
    server_with(limits, None)
}

pub(in crate::dns::net) fn server_with(limits: Limits, tls: Option<Tls>) -> Server {
    let (generations, directory) = testing::generations();
    let counters = Arc::new(StreamCounters::default());
    let service = Service {
        engine: Echo,
        generations: Arc::new(generations),
        counters: Arc::clone(&counters),
        offences: Arc::default(),
        limits,
        tls,
        transfers: None,
        clock: || 5,
    };
    let listener = StdTcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (stop, stopped) = watch::channel(false);
    let task = runtime.spawn(serve(Arc::new(service), vec![listener], stopped, PATIENCE));
    Server {
        address,
        counters,
        stop,
        task,
        runtime,
        _directory: directory,
    }
}

impl Server {
    pub(in crate::dns::net) fn connect(&self) -> Client {
        let client = Client::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_nodelay(true).unwrap();
        client
    }

    /// From an address of this machine that is not the usual one.
    pub(in crate::dns::net) fn connect_from(&self, own: &str) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let own = SocketAddr::new(own.parse().unwrap(), 0);
        socket.bind(&own.into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let client = Client::from(socket);
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_nodelay(true).unwrap();
        client
    }
}

pub(in crate::dns::net) fn framed(wire: &[u8]) -> Vec<u8> {
    [&u16::try_from(wire.len()).unwrap().to_be_bytes(), wire].concat()
}

pub(in crate::dns::net) fn read_frame(client: &mut impl Read) -> Vec<u8> {
    let mut prefix = [0; 2];
    client.read_exact(&mut prefix).unwrap();
    let mut wire = vec![0; u16::from_be_bytes(prefix).into()];
    client.read_exact(&mut wire).unwrap();
    wire
}

/// Whether the server closed, with nothing more to read; a reset counts.
pub(in crate::dns::net) fn is_closed(client: &mut impl Read) -> bool {
    match client.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}
