//! Binding the listen addresses, with options set and conflicts found first.
//!
//! Each UDP worker has a socket of its own for every address (SO_REUSEPORT), so
//! that the kernel spreads clients over workers without a lock. TCP has one
//! listener an address. Port 0 takes the same free port for UDP and TCP.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::sys;

/// Most workers; each costs a thread and a socket an address.
pub const WORKERS_MAX: usize = 1024;
/// Connections the kernel keeps for us until we accept them.
const TCP_BACKLOG: i32 = 1024;
/// How often a free port is looked for that is free for UDP and TCP.
const PORT_TRIES: usize = 16;

/// How sockets are to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOptions {
    /// UDP sockets for each address.
    pub workers: usize,
    /// Receive buffer of each UDP socket in octets; 0 leaves the system's.
    pub receive_buffer_bytes: usize,
    /// Send buffer of each UDP socket in octets; 0 leaves the system's.
    pub send_buffer_bytes: usize,
    /// Whether a datagram goes to the worker of the CPU that took it from the
    /// network, instead of one by the hash of its addresses.
    pub steer_by_cpu: bool,
}

/// The sockets of one listen address.
#[derive(Debug)]
pub struct Bound {
    /// The address with its real port.
    pub address: SocketAddr,
    /// One socket a worker, in the order of their CPUs.
    pub udp: Vec<UdpSocket>,
    /// The listener.
    pub tcp: TcpListener,
}

/// Sockets of an address that are older than this process, and may hold what came
/// before it.
#[derive(Debug, Default)]
pub struct Kept {
    /// Bound, each for a worker.
    pub udp: Vec<UdpSocket>,
    /// The listener.
    pub tcp: Option<TcpListener>,
}

/// Why a listen address cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({transport}): {source}; {way_out}")]
pub struct BindError {
    /// The address as configured.
    pub address: SocketAddr,
    /// "UDP", "TCP" or "TLS".
    pub transport: &'static str,
    /// What the system said.
    pub source: io::Error,
    /// What to do about it.
    pub way_out: String,
}

impl BindError {
    fn new(address: SocketAddr, transport: &'static str, source: io::Error) -> Self {
        let key = match transport {
            "TLS" => "dns.tls.listen",
            _ => "dns.listen",
        };
        let way_out = match source.kind() {
            io::ErrorKind::AddrInUse => {
                format!("stop the process that has it (see `ss -lnutp`) or change {key}")
            }
            io::ErrorKind::PermissionDenied => {
                format!("ports below 1024 need CAP_NET_BIND_SERVICE, or change {key}")
            }
            io::ErrorKind::AddrNotAvailable => {
                format!("give the address to an interface or remove it from {key}")
            }
            _ => format!("remove it from {key} if this machine does not have it"),
        };
        Self {
            address,
            transport,
            source,
            way_out,
        }
    }
}

/// Binds one listen address for TLS, if it was not kept; gives the address with its real
/// port.
pub fn bind_tls(
    address: SocketAddr,
    kept: Option<TcpListener>,
) -> Result<(SocketAddr, TcpListener), BindError> {
    kept.map_or_else(|| tcp_listener(address), Ok)
        .and_then(|listener| Ok((listener.local_addr()?, listener)))
        .map_err(|error| BindError::new(address, "TLS", error))
}

/// Binds one listen address for UDP and TCP.
pub fn bind(address: SocketAddr, options: &SocketOptions) -> Result<Bound, BindError> {
    let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match bind_with(address, options, Kept::default()) {
            Err(error) if tries > 0 && error.source.kind() == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

/// The same with what is open already: only what is missing is bound.
pub fn bind_with(
    address: SocketAddr,
    options: &SocketOptions,
    kept: Kept,
) -> Result<Bound, BindError> {
    let udp_error = |source| BindError::new(address, "UDP", source);
    let workers = options.workers.clamp(1, WORKERS_MAX);
    let mut udp = kept.udp;
    udp.truncate(workers);
    for socket in &udp {
        take_over(socket, address, options, workers).map_err(udp_error)?;
    }
    let address_bound = match udp.first() {
        Some(socket) => socket.local_addr(),
        // A socket without SO_REUSEPORT finds any other process on the port, even
        // one that would share it with us and take a part of our queries.
        None => udp_socket(address, options, false).and_then(|probe| probe.local_addr()),
    };
    let address_bound = address_bound.map_err(udp_error)?;
    while udp.len() < workers {
        udp.push(udp_socket(address_bound, options, true).map_err(udp_error)?);
    }
    if options.steer_by_cpu
        && let Some(first) = udp.first()
    {
        let cpus = sys::allowed_cpus();
        sys::steer_by_cpu(first.as_fd(), udp.len(), &cpus).map_err(udp_error)?;
    }
    let tcp = kept.tcp.map_or_else(|| tcp_listener(address_bound), Ok);
    Ok(Bound {
        address: address_bound,
        udp,
        tcp: tcp.map_err(|e| BindError::new(address, "TCP", e))?,
    })
}

/// Gives a socket that somebody else bound the options that ours have.
fn take_over(
    socket: &UdpSocket,
    address: SocketAddr,
    options: &SocketOptions,
    workers: usize,
) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if workers > 1 && !socket.reuse_port()? {
        return Err(io::Error::other(
            "the socket of the service manager has no ReusePort=yes, which more than one \
             worker needs",
        ));
    }
    set_options(&socket, address, options)
}

fn udp_socket(address: SocketAddr, options: &SocketOptions, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(shared)?;
    set_options(&socket, address, options)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn set_options(socket: &Socket, address: SocketAddr, options: &SocketOptions) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    if options.receive_buffer_bytes > 0 {
        sys::grow_receive_buffer(socket, options.receive_buffer_bytes)?;
    }
    if options.send_buffer_bytes > 0 {
        socket.set_send_buffer_size(options.send_buffer_bytes)?;
    }
    sys::omit_path_mtu_discovery(socket.as_fd(), address.is_ipv6())?;
    if address.ip().is_unspecified() {
        sys::receive_address(socket.as_fd(), address.is_ipv6())?;
    }
    Ok(())
}

fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Without this a restart would wait for the connections of the old process.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(TCP_BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests;
