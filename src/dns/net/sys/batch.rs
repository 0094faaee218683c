//! Batches of datagrams: recvmmsg and sendmmsg over buffers of our own.
//!
//! A batch is 64 slots. A slot has a buffer for what was received, the peer's
//! address, the control message that says which of our addresses was asked, and
//! a buffer for the reply. A reply goes to the slot's peer from that address.

#![expect(unsafe_code, reason = "system calls")]

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::null_mut;

/// Datagrams of one batch.
pub(crate) const BATCH: usize = 64;
/// Octets kept of a datagram; a longer query is no query, and is flagged.
pub(crate) const WIRE_BYTES: usize = 4096 + CACHE_LINE_BYTES;
/// Buffers stand an odd number of cache lines apart: at a power of two the first
/// lines of all of them would contend for the same few places of a cache.
const CACHE_LINE_BYTES: usize = 64;
/// Room for one control message with an address, header included.
const CONTROL_BYTES: usize = 64;
/// Octets of a control message's header.
const CONTROL_HEADER_BYTES: usize = 16;

const _: () = assert!(size_of::<libc::cmsghdr>() == CONTROL_HEADER_BYTES);
const _: () = assert!(size_of::<libc::in_pktinfo>() == 12);
const _: () = assert!(size_of::<libc::in6_pktinfo>() == 20);
const _: () = assert!(size_of::<PeerBytes>() == size_of::<libc::sockaddr_in6>());

/// One control message as the kernel writes it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// A socket address as the kernel writes it: a `sockaddr_in` fits as well.
#[derive(Clone, Copy)]
#[repr(C, align(4))]
struct PeerBytes([u8; 28]);

/// What came in one slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    /// From where; `None` for a family we do not know.
    pub(crate) peer: Option<SocketAddr>,
    /// Whether the datagram was longer than a slot holds.
    pub(crate) truncated: bool,
    length: usize,
}

#[cfg(test)]
impl Received {
    /// As if it had come.
    pub(crate) fn for_tests(peer: Option<SocketAddr>, truncated: bool) -> Self {
        Self {
            peer,
            truncated,
            length: 0,
        }
    }
}

/// What became of the replies of one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Taken by the kernel.
    pub(crate) sent: u64,
    /// Dropped since the socket's buffer was full.
    pub(crate) full: u64,
    /// Refused by the kernel: no route, a bad address.
    pub(crate) failed: u64,
}

/// Buffers of one worker. Not `Send`: it is made in the thread that uses it.
pub(crate) struct Batch {
    wires: Box<[[u8; WIRE_BYTES]]>,
    outs: Box<[u8]>,
    out_bytes: usize,
    /// Octets from one out buffer to the next.
    out_stride: usize,
    peers: Box<[PeerBytes; BATCH]>,
    controls: Box<[Control; BATCH]>,
    received: [Received; BATCH],
    incoming: Headers,
    outgoing: Headers,
    /// Incoming headers that the kernel has written in.
    used: usize,
    /// The room for control messages that they were set up with.
    control_bytes: Option<usize>,
}

/// What the kernel is told of each message.
struct Headers {
    iovecs: Box<[libc::iovec; BATCH]>,
    messages: Box<[libc::mmsghdr; BATCH]>,
}

impl Headers {
    fn new() -> Self {
        let iovec = libc::iovec {
            iov_base: null_mut(),
            iov_len: 0,
        };
        // SAFETY: an mmsghdr is integers and pointers, for which zeroes are valid.
        let message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        Self {
            iovecs: Box::new([iovec; BATCH]),
            messages: Box::new([message; BATCH]),
        }
    }

    /// Makes header `at` again what it was before the kernel wrote in it.
    fn reset(&mut self, at: usize, peer_bytes: usize, control_bytes: usize) {
        let header = &mut self.messages[at].msg_hdr;
        header.msg_namelen = libc::socklen_t::try_from(peer_bytes).expect("28 octets at most");
        header.msg_controllen = control_bytes as _;
        header.msg_flags = 0;
    }

    /// Sets header `at` up for these octets and addresses.
    fn set(&mut self, at: usize, octets: &mut [u8], peer: &mut [u8], control: &mut [u8]) {
        let iovec = &mut self.iovecs[at];
        iovec.iov_base = octets.as_mut_ptr().cast();
        iovec.iov_len = octets.len();
        let header = &mut self.messages[at].msg_hdr;
        header.msg_iov = iovec;
        header.msg_iovlen = 1;
        header.msg_name = peer.as_mut_ptr().cast();
        header.msg_namelen = libc::socklen_t::try_from(peer.len()).expect("28 octets at most");
        header.msg_controllen = control.len() as _;
        header.msg_control = match control.len() {
            0 => null_mut(),
            _ => control.as_mut_ptr().cast(),
        };
        header.msg_flags = 0;
    }
}

impl Batch {
    /// A batch whose replies have at most `out_bytes` octets.
    pub(crate) fn new(out_bytes: usize) -> Self {
        let nothing = Received {
            peer: None,
            truncated: false,
            length: 0,
        };
        let out_stride = (out_bytes.div_ceil(CACHE_LINE_BYTES) | 1) * CACHE_LINE_BYTES;
        Self {
            wires: vec![[0; WIRE_BYTES]; BATCH].into(),
            outs: vec![0; BATCH * out_stride].into(),
            out_bytes,
            out_stride,
            peers: Box::new([PeerBytes([0; 28]); BATCH]),
            controls: Box::new([Control([0; CONTROL_BYTES]); BATCH]),
            received: [nothing; BATCH],
            incoming: Headers::new(),
            outgoing: Headers::new(),
            used: 0,
            control_bytes: None,
        }
    }

    /// Takes what the socket has, up to a full batch, without waiting.
    pub(crate) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        with_address: bool,
    ) -> io::Result<usize> {
        let control_bytes = if with_address { CONTROL_BYTES } else { 0 };
        if self.control_bytes != Some(control_bytes) {
            self.control_bytes = Some(control_bytes);
            for slot in 0..BATCH {
                let control = &mut self.controls[slot].0[..control_bytes];
                let (wire, peer) = (&mut self.wires[slot], &mut self.peers[slot].0);
                self.incoming.set(slot, wire, peer, control);
            }
        }
        // The others are as they were: a lone query does not pay for a batch.
        for slot in 0..self.used {
            self.incoming
                .reset(slot, size_of::<PeerBytes>(), control_bytes);
        }
        self.used = 0;
        let (fd, headers) = (socket.as_raw_fd(), self.incoming.messages.as_mut_ptr());
        let slots = u32::try_from(BATCH).expect("a small constant");
        // SAFETY: every header points at its slot's own buffers with their sizes;
        // these never move and live in `self`, which is borrowed for the call.
        let count = unsafe { libc::recvmmsg(fd, headers, slots, libc::MSG_DONTWAIT, null_mut()) };
        let Ok(count) = usize::try_from(count) else {
            return match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                error => Err(error),
            };
        };
        self.used = count;
        for slot in 0..count {
            let header = &self.incoming.messages[slot];
            if header.msg_hdr.msg_controllen == 0 {
                // Nothing was written: what an earlier batch left must not count.
                self.controls[slot].0[..CONTROL_HEADER_BYTES].fill(0);
            }
            self.received[slot] = Received {
                peer: parse_peer(&self.peers[slot].0),
                truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
                length: (header.msg_len as usize).min(WIRE_BYTES),
            };
        }
        Ok(count)
    }

    /// What came in a slot, its octets, and where its reply goes.
    pub(crate) fn slot(&mut self, slot: usize) -> (Received, &[u8], &mut [u8]) {
        let received = self.received[slot];
        let out = &mut self.outs[slot * self.out_stride..][..self.out_bytes];
        (received, &self.wires[slot][..received.length], out)
    }

    /// As [`Self::slot`], of the first `count` slots.
    pub(crate) fn slots(
        &mut self,
        count: usize,
    ) -> impl Iterator<Item = (Received, &[u8], &mut [u8])> {
        let out_bytes = self.out_bytes;
        let outs = self.outs.chunks_exact_mut(self.out_stride);
        let slots = self.received[..count].iter().zip(&self.wires).zip(outs);
        slots.map(move |((received, wire), out)| {
            (*received, &wire[..received.length], &mut out[..out_bytes])
        })
    }

    /// Sends the first octets of the out buffers of the given slots without
    /// waiting. A message that fails is skipped, not those behind it.
    pub(crate) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        with_address: bool,
        replies: &[(usize, usize)],
    ) -> Sent {
        for (at, &(slot, length)) in replies.iter().enumerate() {
            let out = &mut self.outs[slot * self.out_stride..][..length];
            let control_bytes = if with_address {
                address_back(&mut self.controls[slot].0)
            } else {
                0
            };
            let control = &mut self.controls[slot].0[..control_bytes];
            let is_v6 = self.received[slot].peer.is_some_and(|peer| peer.is_ipv6());
            let peer = &mut self.peers[slot].0[..if is_v6 { 28 } else { 16 }];
            self.outgoing.set(at, out, peer, control);
        }
        self.send_prepared(socket, replies.len())
    }

    /// Hands the first `count` headers to the kernel.
    fn send_prepared(&mut self, socket: BorrowedFd<'_>, count: usize) -> Sent {
        let mut outcome = Sent::default();
        let mut next = 0;
        // Every turn but an interrupted one moves on by at least one message.
        while next < count {
            let left = &mut self.outgoing.messages[next..count];
            let length = u32::try_from(left.len()).expect("at most a batch");
            let fd = socket.as_raw_fd();
            // SAFETY: `send` pointed these headers at buffers of `self`, which
            // is borrowed for the call, with lengths inside of them.
            let sent = unsafe { libc::sendmmsg(fd, left.as_mut_ptr(), length, libc::MSG_DONTWAIT) };
            if let Ok(sent) = usize::try_from(sent) {
                outcome.sent += sent as u64;
                next += sent.max(1);
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock => {
                    outcome.full += (count - next) as u64;
                    break;
                }
                _ => {
                    outcome.failed += 1;
                    next += 1;
                }
            }
        }
        outcome
    }
}

/// Reads a `sockaddr_in` or `sockaddr_in6`.
fn parse_peer(bytes: &[u8; 28]) -> Option<SocketAddr> {
    let family = i32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    match family {
        libc::AF_INET => {
            let octets: [u8; 4] = bytes[4..8].try_into().expect("four octets");
            Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets)), port))
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = bytes[8..24].try_into().expect("sixteen octets");
            let scope = u32::from_ne_bytes(bytes[24..28].try_into().expect("four octets"));
            let address = SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope);
            Some(SocketAddr::V6(address))
        }
        _ => None,
    }
}

/// Turns the control message of a query into that of its reply, so that the
/// reply leaves from the address that was asked; gives its length, 0 for none.
///
/// The interface is left to routing, except for a link-local address, which
/// means nothing without one.
fn address_back(control: &mut [u8; CONTROL_BYTES]) -> usize {
    const V4_BYTES: usize = 12;
    const V6_BYTES: usize = 20;
    let number =
        |at: usize| i32::from_ne_bytes(control[at..at + 4].try_into().expect("four octets"));
    let data = CONTROL_HEADER_BYTES;
    match (number(8), number(12)) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            control[data..data + 4].fill(0);
            // ipi_spec_dst, which follows, already is our address.
            CONTROL_HEADER_BYTES + V4_BYTES.next_multiple_of(8)
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let link_local = control[data] == 0xfe && control[data + 1] & 0xc0 == 0x80;
            if !link_local {
                control[data + 16..data + V6_BYTES].fill(0);
            }
            CONTROL_HEADER_BYTES + V6_BYTES.next_multiple_of(8)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
