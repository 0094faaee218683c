//! Sockets that the service manager keeps while no process of ours runs.
//!
//! systemd hands them over at the start (sd_listen_fds(3)): those of a `.socket` unit, and
//! those that an earlier process left with it (`FileDescriptorStoreMax=` of the unit). What
//! comes between the end of one process and the first answer of the next waits in them.
//! What a socket is for is its kind and its address; names of descriptors only tell whose
//! they are. A socket that is kept and read by nobody would swallow its share of the
//! queries, so what is no longer configured is given up.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use sd_notify::NotifyState;
use socket2::{Socket, Type};

use crate::dns::net::bind;

/// Name of what we leave with the service manager.
const NAME: &str = "meridian";
/// Most descriptors in one message: the kernel takes 253.
const MESSAGE_MAX: usize = 200;

/// What was handed over, until somebody asks for it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    udp: Vec<(SocketAddr, UdpSocket)>,
    tcp: Vec<(SocketAddr, TcpListener)>,
    /// Sockets of these are of a `.socket` unit, which hands them over each time.
    of_units: BTreeSet<SocketAddr>,
}

impl Kept {
    /// Takes what the service manager handed to this process; nothing the second time.
    pub(super) fn take() -> anyhow::Result<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let mut kept = Self::default();
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Ok(kept);
        }
        let handed = sd_notify::listen_fds_with_names()
            .context("cannot read what the service manager handed over")?;
        let mut has_ours = false;
        for (fd, name) in handed {
            let socket = Socket::from(own(fd));
            has_ours |= name == NAME;
            kept.add(socket, name == NAME)
                .with_context(|| format!("descriptor {fd} ({name}) of the service manager"))?;
        }
        if has_ours {
            // What of them is still wanted is left again, so that nothing else stays.
            tell(
                &[NotifyState::FdStoreRemove, NotifyState::FdName(NAME)],
                &[],
            );
        }
        Ok(kept)
    }

    fn add(&mut self, socket: Socket, is_ours: bool) -> anyhow::Result<()> {
        let address = socket.local_addr()?.as_socket();
        let address = address.context("is no socket of IPv4 or IPv6: remove it from the unit")?;
        if !is_ours {
            self.of_units.insert(address);
        }
        socket.set_nonblocking(true)?;
        if socket.r#type()? == Type::DGRAM {
            self.udp.push((address, socket.into()));
        } else if socket.is_listener()? {
            self.tcp.push((address, socket.into()));
        } else {
            anyhow::bail!("{address}: does not listen: the unit needs Accept=no");
        }
        Ok(())
    }

    /// Whether somebody reads the sockets after us: what comes while we end waits for that.
    pub(super) fn has_successor(&self) -> bool {
        !self.of_units.is_empty() || std::env::var_os("NOTIFY_SOCKET").is_some()
    }

    /// What there is for an address over UDP and TCP.
    pub(super) fn sockets(&mut self, address: SocketAddr) -> bind::Kept {
        let udp = self.udp.extract_if(.., |(own, _)| *own == address);
        bind::Kept {
            udp: udp.map(|(_, socket)| socket).collect(),
            tcp: self.listener(address),
        }
    }

    /// A listener of an address.
    pub(super) fn listener(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let place = self.tcp.iter().position(|(own, _)| *own == address)?;
        Some(self.tcp.swap_remove(place).1)
    }

    /// Leaves copies of an address's sockets with the service manager, where there is one.
    pub(super) fn leave(&self, address: SocketAddr, sockets: &[BorrowedFd<'_>]) {
        if self.of_units.contains(&address) {
            return;
        }
        for some in sockets.chunks(MESSAGE_MAX) {
            tell(&[NotifyState::FdStore, NotifyState::FdName(NAME)], some);
        }
    }

    /// Says what nobody asked for, and closes it.
    pub(super) fn close_rest(self) {
        let udp = self.udp.iter().map(|(address, _)| address);
        let tcp = self.tcp.iter().map(|(address, _)| address);
        for address in udp.chain(tcp) {
            tracing::warn!(
                %address,
                "a socket of the service manager is in no `listen`: closed"
            );
        }
    }
}

/// A descriptor of the service manager's; asked once for each.
#[expect(unsafe_code, reason = "a number becomes what owns it")]
fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: the service manager opened it for this process, and `take` hands each on once.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn tell(states: &[NotifyState<'_>], sockets: &[BorrowedFd<'_>]) {
    if let Err(error) = sd_notify::notify_with_fds(states, sockets) {
        tracing::warn!(%error, "sockets not left with the service manager");
    }
}
