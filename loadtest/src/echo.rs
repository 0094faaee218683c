//! The least that a reply can cost: a server that does nothing but reply.
//!
//! Takes datagrams and sends each back with QR set, cut or filled to one length,
//! by the same system calls as a worker of Meridian. What it takes is the kernel's
//! share; no server on sockets can be cheaper.

#![expect(unsafe_code, reason = "system calls that std does not have")]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use anyhow::Context;

use crate::target::Target;

/// Datagrams of one system call.
const BATCH: usize = 64;
/// Octets of a datagram, received or sent.
const BUFFER_BYTES: usize = 4096;
/// Octets of a header.
const HEADER_BYTES: usize = 12;

/// Replies on `target` with `reply_bytes` octets until it is killed.
pub fn serve(target: Target, reply_bytes: usize) -> anyhow::Result<()> {
    anyhow::ensure!(
        (HEADER_BYTES..=BUFFER_BYTES).contains(&reply_bytes),
        "replies of {reply_bytes} octets, between {HEADER_BYTES} and {BUFFER_BYTES} can be sent"
    );
    let address: SocketAddr = target.address();
    let socket = UdpSocket::bind(address).with_context(|| format!("binding {address}"))?;
    let mut buffers = vec![[0u8; BUFFER_BYTES]; BATCH];
    let mut peers = [[0u8; 28]; BATCH];
    loop {
        let count = receive(&socket, &mut buffers, &mut peers).context("receiving")?;
        for buffer in &mut buffers[..count] {
            buffer[2] |= 0x80;
            // One answer, so that whoever waits for a server takes it for one.
            buffer[7] = 1;
        }
        send(&socket, &mut buffers[..count], &mut peers, reply_bytes);
    }
}

/// Waits for datagrams; says how many came.
fn receive(
    socket: &UdpSocket,
    buffers: &mut [[u8; BUFFER_BYTES]],
    peers: &mut [[u8; 28]; BATCH],
) -> io::Result<usize> {
    let mut slices = slices(buffers, BUFFER_BYTES);
    let mut headers = headers(&mut slices, peers);
    let count = u32::try_from(headers.len()).expect("a batch");
    // SAFETY: every header points at its own slice and address; all outlive the call.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            libc::MSG_WAITFORONE,
            std::ptr::null_mut(),
        )
    };
    match usize::try_from(received) {
        Ok(received) => Ok(received),
        Err(_) => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            error => Err(error),
        },
    }
}

/// Sends the buffers back. What the kernel does not take is lost.
fn send(
    socket: &UdpSocket,
    buffers: &mut [[u8; BUFFER_BYTES]],
    peers: &mut [[u8; 28]; BATCH],
    reply_bytes: usize,
) {
    let mut slices = slices(buffers, reply_bytes);
    let mut headers = headers(&mut slices, peers);
    let count = u32::try_from(headers.len()).expect("a batch");
    // SAFETY: as above; the kernel only reads.
    unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
}

fn slices(buffers: &mut [[u8; BUFFER_BYTES]], length: usize) -> Vec<libc::iovec> {
    let slice = |buffer: &mut [u8; BUFFER_BYTES]| libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: length,
    };
    buffers.iter_mut().map(slice).collect()
}

fn headers(slices: &mut [libc::iovec], peers: &mut [[u8; 28]; BATCH]) -> Vec<libc::mmsghdr> {
    let header = |(slice, peer): (&mut libc::iovec, &mut [u8; 28])| {
        // SAFETY: zeros are a valid header without address, data or control messages.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_iov = slice;
        header.msg_hdr.msg_iovlen = 1;
        header.msg_hdr.msg_name = peer.as_mut_ptr().cast();
        // Load is sent over IPv4: a reply has the address that was received.
        header.msg_hdr.msg_namelen = 16;
        header
    };
    slices.iter_mut().zip(peers).map(header).collect()
}
