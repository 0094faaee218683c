//! Batches over the socket: sendmmsg, recvmmsg, poll, and the few options that std
//! does not set.

#![expect(unsafe_code, reason = "system calls that std does not have")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};

/// Messages of one system call.
pub(super) const BATCH: usize = 64;
/// Room for one reply: more than the 1232 octets that we ask for.
const REPLY_BYTES_MAX: usize = 2048;
/// Receive buffer asked of the kernel, for the bursts after a pause.
const BUFFER_BYTES: libc::c_int = 8 << 20;

/// A non-blocking socket that is connected to `server`, from `source` if it is given.
pub(super) fn connect(server: SocketAddr, source: Option<IpAddr>) -> anyhow::Result<UdpSocket> {
    let open = || {
        let socket = Socket::new(
            Domain::for_address(server),
            Type::DGRAM.nonblocking(),
            Some(Protocol::UDP),
        )?;
        let local = source.unwrap_or_else(|| match server {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
        if !local.is_loopback() {
            return Err(io::Error::other("load is sent from loopback only"));
        }
        socket.bind(&SocketAddr::from((local, 0)).into())?;
        socket.connect(&server.into())?;
        grow_buffer(&socket)?;
        Ok::<UdpSocket, io::Error>(socket.into())
    };
    open().with_context(|| format!("opening a socket towards {server}"))
}

/// Asks for [`BUFFER_BYTES`], past the limit of the system where we may.
fn grow_buffer(socket: &Socket) -> io::Result<()> {
    // SAFETY: the option's value is an int of the size given.
    let forced = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            std::ptr::from_ref(&BUFFER_BYTES).cast(),
            socklen(size_of::<libc::c_int>()),
        )
    };
    if forced == 0 {
        return Ok(());
    }
    socket.set_recv_buffer_size(usize::try_from(BUFFER_BYTES).expect("a positive size"))
}

fn socklen(size: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(size).expect("a small size")
}

/// Pins the calling thread to one CPU.
pub(super) fn pin_thread(cpu: usize) -> io::Result<()> {
    if cpu >= usize::try_from(libc::CPU_SETSIZE).expect("a positive constant") {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: a set of zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `cpu` is below CPU_SETSIZE.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the set is valid for its size; 0 is this thread.
    check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) })?;
    Ok(())
}

/// Lets the calling thread wake on time: the default slack of 50 us would show in
/// every latency.
pub(super) fn sharpen_timers() {
    // SAFETY: PR_SET_TIMERSLACK takes one number and touches no memory. Its failure
    // only makes timers coarser.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}

fn check(result: libc::c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Waits until one of `sockets` is readable, at most `timeout`.
pub(super) fn wait_readable(polls: &mut [libc::pollfd], timeout: Duration) -> io::Result<usize> {
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos().cast_signed()),
    };
    let count = polls.len() as libc::nfds_t;
    // SAFETY: the pointer and count are those of one slice; no signal mask is given.
    let ready = unsafe {
        libc::ppoll(
            polls.as_mut_ptr(),
            count,
            &raw const timeout,
            std::ptr::null(),
        )
    };
    match check(ready) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        result => result,
    }
}

/// Poll entries for `sockets`.
pub(super) fn poll_set(sockets: &[UdpSocket]) -> Vec<libc::pollfd> {
    let entry = |socket: &UdpSocket| libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    sockets.iter().map(entry).collect()
}

/// Buffers for batches. The message headers are filled anew before each call and
/// point into buffers of this value.
pub(super) struct Batch {
    replies: Box<[[u8; REPLY_BYTES_MAX]]>,
    lengths: [usize; BATCH],
    queries: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            replies: vec![[0; REPLY_BYTES_MAX]; BATCH].into(),
            lengths: [0; BATCH],
            queries: Vec::with_capacity(BATCH * 300),
            ends: Vec::with_capacity(BATCH),
        }
    }

    /// Forgets the queries of the last call.
    pub(super) fn clear(&mut self) {
        self.queries.clear();
        self.ends.clear();
    }

    /// Queries to be sent.
    pub(super) fn queued(&self) -> usize {
        self.ends.len()
    }

    /// Adds a copy of `message` with its id.
    pub(super) fn push(&mut self, message: &[u8], id: u16) {
        assert!(self.ends.len() < BATCH, "a full batch is sent first");
        self.queries.extend_from_slice(&id.to_be_bytes());
        self.queries.extend_from_slice(&message[2..]);
        self.ends.push(self.queries.len());
    }

    /// Sends what was pushed; returns how many the socket took.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let mut slices = [EMPTY_SLICE; BATCH];
        let mut start = 0;
        for (slice, end) in slices.iter_mut().zip(&self.ends) {
            slice.iov_base = self.queries[start..].as_mut_ptr().cast();
            slice.iov_len = end - start;
            start = *end;
        }
        let mut headers = headers(&mut slices);
        let count = u32::try_from(self.ends.len()).expect("at most BATCH");
        // SAFETY: `count` headers point at slices, and these into `queries`; all three
        // outlive the call and the kernel only reads them.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
        blocked_as_zero(check(sent))
    }

    /// Receives up to [`BATCH`] replies; returns how many came.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let mut slices = [EMPTY_SLICE; BATCH];
        for (slice, reply) in slices.iter_mut().zip(self.replies.iter_mut()) {
            slice.iov_base = reply.as_mut_ptr().cast();
            slice.iov_len = REPLY_BYTES_MAX;
        }
        let mut headers = headers(&mut slices);
        let count = u32::try_from(BATCH).expect("small");
        // SAFETY: each header points at a slice over its own reply buffer; all outlive
        // the call, nothing else refers to the buffers, and no timeout is given.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let received = blocked_as_zero(check(received))?;
        for (length, header) in self.lengths.iter_mut().zip(&headers[..received]) {
            *length = header.msg_len as usize;
        }
        Ok(received)
    }

    /// The reply at `index` of the last batch.
    pub(super) fn reply(&self, index: usize) -> &[u8] {
        &self.replies[index][..self.lengths[index]]
    }
}

const EMPTY_SLICE: libc::iovec = libc::iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

fn headers(slices: &mut [libc::iovec; BATCH]) -> [libc::mmsghdr; BATCH] {
    // SAFETY: zeros are a valid header without address, data or control messages.
    let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
    for (header, slice) in headers.iter_mut().zip(slices) {
        header.msg_hdr.msg_iov = slice;
        header.msg_hdr.msg_iovlen = 1;
    }
    headers
}

/// A full or empty queue, or a server that is not there (the kernel hands us its ICMP
/// message), moves no datagram: the loss is counted where the reply stays away.
fn blocked_as_zero(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock
                    | io::ErrorKind::Interrupted
                    | io::ErrorKind::ConnectionRefused
            ) || error.raw_os_error() == Some(libc::ENOBUFS) =>
        {
            Ok(0)
        }
        result => result,
    }
}
