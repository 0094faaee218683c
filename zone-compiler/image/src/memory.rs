//! Where the octets of a segment live while it is served.
//!
//! Sealed memory is a memfd that nobody can write, grow or shrink any more: a
//! file that is truncated under us cannot raise SIGBUS. It is mapped at a 2 MiB
//! boundary and collapsed to huge pages, which more than halves the cost of a
//! random look-up. Where the kernel gives a memfd none, anonymous memory on huge
//! pages takes its place, made read-only. Never serves a byte before it is sealed.
#![expect(
    unsafe_code,
    reason = "memfd, seals and madvise exist only as system calls"
)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::team::Team;

/// Huge pages have this size on x86-64 and, by default, on AArch64.
const HUGE_PAGE: usize = 2 << 20;
/// Small ones are at least as large.
const SMALL_PAGE: usize = 4096;

/// How often a huge page is asked for: the kernel may have to move others first.
const COLLAPSE_TRIES: usize = 2;
/// Huge pages refused one after the other, after which no more are asked for: to
/// find room costs the kernel milliseconds each.
const COLLAPSE_MISSES_MAX: usize = 16;

/// Where the pages of an opened image live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// Copied into sealed memory on huge pages where the kernel gives them:
    /// fastest, and no truncated file can raise SIGBUS.
    #[default]
    Sealed,
    /// Mapped straight from the file: least memory. Who truncates the file
    /// kills the process; installs never do.
    Mapped,
}

/// The octets of one segment, constant for as long as they live.
#[derive(Debug)]
pub(crate) enum Octets {
    Sealed(Sealed),
    Mapped(memmap2::Mmap),
}

impl Octets {
    pub(crate) fn load(file: &File, memory: Memory, team: Team) -> io::Result<Self> {
        match memory {
            Memory::Sealed => Sealed::copy(file, team).map(Self::Sealed),
            // SAFETY: segment files are written under another name, renamed into
            // place and never written again; `Memory::Mapped` documents the rest.
            Memory::Mapped => unsafe { memmap2::Mmap::map(file) }.map(Self::Mapped),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Sealed(sealed) => sealed.as_slice(),
            Self::Mapped(map) => map,
        }
    }

    /// Octets that the kernel put on huge pages.
    pub(crate) fn huge_bytes(&self) -> u64 {
        match self {
            Self::Sealed(sealed) => sealed.huge_bytes,
            Self::Mapped(_) => 0,
        }
    }
}

/// A read-only mapping of a sealed memfd, or of memory that only we have.
#[derive(Debug)]
pub(crate) struct Sealed {
    mapping: Mapping,
    length: usize,
    huge_bytes: u64,
}

impl Sealed {
    fn copy(file: &File, team: Team) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len())
            .map_err(|_| io::Error::other("file is larger than the address space"))?;
        let sealed = Self::copy_to_memfd(file, length, team)?;
        if length < HUGE_PAGE || sealed.huge_bytes > 0 {
            return Ok(sealed);
        }
        // Here the kernel gives a memfd none. Small pages are slow, not wrong: what
        // fails from here on leaves us with them.
        match Self::copy_to_anonymous(file, length, team) {
            Ok(anonymous) if anonymous.huge_bytes > 0 => Ok(anonymous),
            _ => Ok(sealed),
        }
    }

    fn copy_to_memfd(file: &File, length: usize, team: Team) -> io::Result<Self> {
        // SAFETY: the name is a C string; the call touches no memory of ours.
        let fd = unsafe {
            libc::memfd_create(
                c"meridian-segment".as_ptr(),
                libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING,
            )
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else owns it.
        let memory = unsafe { File::from_raw_fd(fd) };
        let capacity = length.max(1).next_multiple_of(HUGE_PAGE);
        memory.set_len(capacity as u64)?;
        let huge_bytes = {
            let mut writable = Mapping::of(&memory, capacity, libc::PROT_READ | libc::PROT_WRITE)?;
            writable.fill(file, length, team)?
        };
        let seals =
            libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
        // SAFETY: takes two integers; the writable mapping is gone, as F_SEAL_WRITE wants.
        if unsafe { libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let mapping = Mapping::of(&memory, capacity, libc::PROT_READ)?;
        Ok(Self {
            mapping,
            length,
            huge_bytes,
        })
    }

    fn copy_to_anonymous(file: &File, length: usize, team: Team) -> io::Result<Self> {
        let capacity = length.max(1).next_multiple_of(HUGE_PAGE);
        let mut mapping = Mapping::anonymous(capacity)?;
        mapping.prefer_huge_pages();
        let huge_bytes = mapping.fill(file, length, team)?;
        mapping.make_read_only()?;
        Ok(Self {
            mapping,
            length,
            huge_bytes,
        })
    }

    fn as_slice(&self) -> &[u8] {
        // SAFETY: the mapping has at least `length` octets, lives as long as
        // `self`, and its seals forbid every change.
        unsafe { std::slice::from_raw_parts(self.mapping.address.as_ptr(), self.length) }
    }
}

/// A mapping that starts at a huge-page boundary.
#[derive(Debug)]
struct Mapping {
    address: NonNull<u8>,
    capacity: usize,
}

// SAFETY: the mapping is plain memory; who may write is decided by the borrow
// of `Mapping` before sealing, and nobody may after it.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared references only read.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// A shared mapping of a memfd.
    fn of(memory: &File, capacity: usize, protection: i32) -> io::Result<Self> {
        Self::place(capacity, protection, libc::MAP_SHARED, memory.as_raw_fd())
    }

    /// Fresh memory that can be written.
    fn anonymous(capacity: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        Self::place(capacity, libc::PROT_READ | libc::PROT_WRITE, flags, -1)
    }

    fn place(capacity: usize, protection: i32, flags: i32, fd: i32) -> io::Result<Self> {
        let reserved = capacity + HUGE_PAGE;
        // SAFETY: asks for fresh address space anywhere; nothing of ours is replaced.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                reserved,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let before = start.align_offset(HUGE_PAGE);
        let aligned = start.wrapping_byte_add(before);
        // SAFETY: `aligned..aligned + capacity` lies in the reservation just made.
        let mapped = unsafe {
            libc::mmap(
                aligned,
                capacity,
                protection,
                flags | libc::MAP_FIXED,
                fd,
                0,
            )
        };
        let failure = (mapped == libc::MAP_FAILED).then(io::Error::last_os_error);
        // The ends of the reservation that the mapping does not use go back.
        unmap(start, if failure.is_some() { reserved } else { before });
        if let Some(failure) = failure {
            return Err(failure);
        }
        unmap(aligned.wrapping_byte_add(capacity), HUGE_PAGE - before);
        let address = NonNull::new(mapped.cast()).expect("mmap never returns null on success");
        Ok(Self { address, capacity })
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: callers map with PROT_WRITE before sealing; the exclusive
        // borrow makes this the only view.
        unsafe { std::slice::from_raw_parts_mut(self.address.as_ptr(), self.capacity) }
    }

    /// Asks for huge pages when this memory is touched for the first time.
    fn prefer_huge_pages(&self) {
        // SAFETY: the range is exactly our mapping. A refusal shows in `collapse`.
        unsafe {
            libc::madvise(
                self.address.as_ptr().cast(),
                self.capacity,
                libc::MADV_HUGEPAGE,
            )
        };
    }

    /// Nobody writes here from now on.
    fn make_read_only(&self) -> io::Result<()> {
        // SAFETY: the range is exactly our mapping, and no mutable borrow of it lives.
        let result =
            unsafe { libc::mprotect(self.address.as_ptr().cast(), self.capacity, libc::PROT_READ) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Reads `length` octets of a file into the start of this memory, which can be
    /// written; gives the octets that the kernel put on huge pages. By parts, which all
    /// cores share. Each becomes a huge page when one small page of it is there, which the
    /// kernel asks for: then it has neither 512 faults to serve nor a copy to make.
    fn fill(&mut self, file: &File, length: usize, team: Team) -> io::Result<u64> {
        let misses = AtomicUsize::new(0);
        let parts = self.as_mut_slice().chunks_exact_mut(HUGE_PAGE);
        let parts: Vec<_> = parts.map(Mutex::new).collect();
        let work = |huge_bytes: &mut u64, item: usize| {
            let mut part = parts[item].lock().unwrap_or_else(PoisonError::into_inner);
            let start = item * HUGE_PAGE;
            let end = length.saturating_sub(start).min(HUGE_PAGE);
            file.read_exact_at(&mut part[..end.min(SMALL_PAGE)], start as u64)?;
            let is_worth_it = length >= HUGE_PAGE;
            if is_worth_it && misses.load(Ordering::Relaxed) < COLLAPSE_MISSES_MAX {
                if collapse(&mut part) {
                    *huge_bytes += HUGE_PAGE as u64;
                    misses.store(0, Ordering::Relaxed);
                } else {
                    misses.fetch_add(1, Ordering::Relaxed);
                }
            }
            file.read_exact_at(&mut part[..end], start as u64)
        };
        let (_, huge_bytes) = team.share_out(parts.len(), || 0, work)?;
        Ok(huge_bytes.into_iter().sum())
    }
}

/// Asks for a huge page now, in the place of small ones (Linux 6.1); one at a time:
/// where memory is in pieces, some are had and others not.
fn collapse(part: &mut [u8]) -> bool {
    const MADV_COLLAPSE: i32 = 25;
    (0..COLLAPSE_TRIES).any(|_| {
        // SAFETY: the range is a part of a mapping of ours that nobody else has borrowed;
        // its contents stay the same.
        unsafe { libc::madvise(part.as_mut_ptr().cast(), part.len(), MADV_COLLAPSE) == 0 }
    })
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unmap(self.address.as_ptr().cast(), self.capacity);
    }
}

fn unmap(start: *mut libc::c_void, length: usize) {
    if length > 0 {
        // SAFETY: callers pass ranges of their own mappings that nothing refers to.
        unsafe { libc::munmap(start, length) };
    }
}

#[cfg(test)]
mod tests;
