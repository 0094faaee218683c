//! Waiting on several sockets, and waking the thread that waits.

#![expect(unsafe_code, reason = "system calls")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Most events taken from one wait.
const EVENTS: usize = 64;

/// Wakes the worker that polls it; many wakes before it looks are one.
#[derive(Debug)]
pub struct Wake {
    event: OwnedFd,
}

impl Wake {
    /// A wake-up that nobody waits for yet.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before use.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor and nobody else has it.
        let event = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { event })
    }

    /// Wakes the waiting thread.
    pub fn wake(&self) {
        let one = 1u64.to_ne_bytes();
        // The only possible failure is a full counter, and then it is awake anyway.
        // SAFETY: eight octets are read from `one`.
        let _ = unsafe { libc::write(self.event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes the next wait sleep again.
    pub(crate) fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: at most eight octets are written into `count`.
        let _ = unsafe {
            libc::read(
                self.event.as_raw_fd(),
                count.as_mut_ptr().cast(),
                count.len(),
            )
        };
    }
}

/// Readiness of a few sockets and one wake-up, level triggered.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Box<[libc::epoll_event; EVENTS]>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before use.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor and nobody else has it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = Box::new([libc::epoll_event { events: 0, u64: 0 }; EVENTS]);
        Ok(Self { epoll, events })
    }

    /// Reports `token` while `fd` is readable.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = u32::try_from(libc::EPOLLIN).expect("a small constant");
        let mut event = libc::epoll_event {
            events: interest,
            u64: token,
        };
        // SAFETY: both descriptors are open; the kernel reads one event.
        let result = unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                fd.as_raw_fd(),
                &raw mut event,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Reports `token` when woken.
    pub(crate) fn add_wake(&self, wake: &Wake, token: u64) -> io::Result<()> {
        use std::os::fd::AsFd;
        self.add(wake.event.as_fd(), token)
    }

    /// Waits until something is ready and gives the tokens.
    pub(crate) fn wait(&mut self) -> io::Result<impl Iterator<Item = u64> + '_> {
        let capacity = i32::try_from(EVENTS).expect("a small constant");
        // SAFETY: the kernel writes at most EVENTS events into the array.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                self.events.as_mut_ptr(),
                capacity,
                -1,
            )
        };
        let count = match usize::try_from(count) {
            Ok(count) => count,
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => 0,
                error => return Err(error),
            },
        };
        Ok(self.events[..count].iter().map(|event| event.u64))
    }
}

impl Wake {
    /// Whether a wake-up is pending, without clearing it.
    #[cfg(test)]
    pub(crate) fn is_pending(&self) -> bool {
        let mut poll = libc::pollfd {
            fd: self.event.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one pollfd, no waiting.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
    }
}
