//! Where the octets of a segment live while it is served.
//!
//! Sealed memory is a memfd that nobody can write, grow or shrink any more: a
//! file that is truncated under us cannot raise SIGBUS. It is mapped at a 2 MiB
//! boundary and collapsed to huge pages, which more than halves the cost of a
//! random look-up. Never serves a byte before it is sealed.
#![expect(
    unsafe_code,
    reason = "memfd, seals and madvise exist only as system calls"
)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::{self, NonNull};

/// Huge pages have this size on x86-64 and, by default, on AArch64.
const HUGE_PAGE: usize = 2 << 20;

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
    pub(crate) fn load(file: &File, memory: Memory) -> io::Result<Self> {
        match memory {
            Memory::Sealed => Sealed::copy(file).map(Self::Sealed),
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

/// A read-only mapping of a sealed memfd.
#[derive(Debug)]
pub(crate) struct Sealed {
    mapping: Mapping,
    length: usize,
    huge_bytes: u64,
}

impl Sealed {
    fn copy(mut file: &File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len())
            .map_err(|_| io::Error::other("file is larger than the address space"))?;
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
        let mut huge_bytes = 0;
        {
            let mut writable = Mapping::of(&memory, capacity, libc::PROT_READ | libc::PROT_WRITE)?;
            file.read_exact(&mut writable.as_mut_slice()[..length])?;
            if length >= HUGE_PAGE && writable.collapse() {
                huge_bytes = capacity as u64;
            }
        }
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

    fn as_slice(&self) -> &[u8] {
        // SAFETY: the mapping has at least `length` octets, lives as long as
        // `self`, and its seals forbid every change.
        unsafe { std::slice::from_raw_parts(self.mapping.address.as_ptr(), self.length) }
    }
}

/// A shared mapping that starts at a huge-page boundary.
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
    fn of(memory: &File, capacity: usize, protection: i32) -> io::Result<Self> {
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
                libc::MAP_SHARED | libc::MAP_FIXED,
                memory.as_raw_fd(),
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

    /// Asks for huge pages now; says whether the kernel gave them (Linux 6.1).
    fn collapse(&self) -> bool {
        const MADV_COLLAPSE: i32 = 25;
        // SAFETY: the range is exactly our mapping; its contents stay the same.
        unsafe { libc::madvise(self.address.as_ptr().cast(), self.capacity, MADV_COLLAPSE) == 0 }
    }
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
