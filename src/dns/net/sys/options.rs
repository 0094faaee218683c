//! Socket and thread options by plain system calls.

#![expect(unsafe_code, reason = "system calls")]

use std::io;
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use libc::{c_int, c_void};

/// CPUs that a filter names one by one: it has at most 4096 instructions, two for each.
const CPUS_APART_MAX: usize = 2000;

/// Sets one option of a socket.
fn set_option<T: Copy>(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: &T,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(value)).expect("options are a few octets");
    // SAFETY: the descriptor is borrowed and so open; pointer and length are
    // those of `value`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const *value).cast::<c_void>(),
            length,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Reads one option of a socket that is a number.
#[cfg(test)]
pub(crate) fn option(socket: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut length =
        libc::socklen_t::try_from(size_of::<c_int>()).expect("options are a few octets");
    // SAFETY: the descriptor is borrowed and so open; the kernel writes at most
    // `length` octets into `value`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw mut value).cast::<c_void>(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(value)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets the receive buffer, past the system's limit where we may (CAP_NET_ADMIN):
/// at that limit's usual default a pause of some milliseconds loses queries.
pub(crate) fn grow_receive_buffer(socket: &socket2::Socket, bytes: usize) -> io::Result<()> {
    let forced = c_int::try_from(bytes)
        .map_err(io::Error::other)
        .and_then(|bytes| {
            set_option(
                socket.as_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUFFORCE,
                &bytes,
            )
        });
    forced.or_else(|_| socket.set_recv_buffer_size(bytes))
}

/// Asks the kernel to say to which address each datagram was sent.
pub(crate) fn receive_address(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    let on: c_int = 1;
    if ipv6 {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, &on)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, &on)
    }
}

/// Ignores path MTU messages, which anybody can forge to make us fragment
/// (RFC 9715 section 3.1); our replies are small enough for every path.
pub(crate) fn omit_path_mtu_discovery(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        let omit = libc::IPV6_PMTUDISC_OMIT;
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, &omit)
    } else {
        let omit = libc::IP_PMTUDISC_OMIT;
        set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &omit)
    }
}

/// Lets no further datagram into the socket; what is queued stays. A drain
/// would not end otherwise while queries keep coming.
pub(crate) fn refuse_new_datagrams(socket: BorrowedFd<'_>) -> io::Result<()> {
    // One instruction: accept zero octets of every packet.
    let mut code = libc::BPF_RET | libc::BPF_K;
    code &= 0xffff;
    let mut filter = [libc::sock_filter {
        code: u16::try_from(code).expect("masked to 16 bits"),
        jt: 0,
        jf: 0,
        k: 0,
    }];
    let program = libc::sock_fprog {
        len: 1,
        filter: filter.as_mut_ptr(),
    };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Gives each datagram for the group that the socket shares its port with to the
/// member, by the order of binding, whose worker is on the CPU that took it: the first
/// is on the first of `cpus` and so on. What another CPU takes goes to any of them.
pub(crate) fn steer_by_cpu(
    socket: BorrowedFd<'_>,
    members: usize,
    cpus: &[usize],
) -> io::Result<()> {
    /// Where a filter reads the CPU's number (SKF_AD_OFF + SKF_AD_CPU of linux/filter.h).
    const CPU: u32 = (-0x1000i32 + 36).cast_unsigned();
    let instruction = |code: u32, k: u32| libc::sock_filter {
        code: u16::try_from(code).expect("codes have 16 bits"),
        jt: 0,
        jf: 0,
        k,
    };
    let members = members.max(1);
    let number = |value: usize| u32::try_from(value).map_err(io::Error::other);
    let mut filter = vec![instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, CPU)];
    // Where CPUs have the numbers from 0 on, the remainder alone says it.
    let apart = cpus.iter().enumerate();
    let apart = apart.filter(|(place, cpu)| place % members != *cpu % members);
    for (place, cpu) in apart.take(CPUS_APART_MAX) {
        let is_it = instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number(*cpu)?);
        filter.push(libc::sock_filter { jf: 1, ..is_it });
        let place = number(place % members)?;
        filter.push(instruction(libc::BPF_RET | libc::BPF_K, place));
    }
    let remainder = libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K;
    filter.push(instruction(remainder, number(members)?));
    filter.push(instruction(libc::BPF_RET | libc::BPF_A, 0));
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).expect("bounded above"),
        filter: filter.as_mut_ptr(),
    };
    let option = libc::SO_ATTACH_REUSEPORT_CBPF;
    set_option(socket, libc::SOL_SOCKET, option, &program)
}

/// The CPUs this process may run on, as numbers.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    // SAFETY: a cpu_set_t of zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most the given size into `set`.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if result != 0 {
        return Vec::new();
    }
    let capacity = usize::try_from(libc::CPU_SETSIZE).expect("a small constant");
    // SAFETY: every index is below CPU_SETSIZE.
    (0..capacity)
        .filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) })
        .collect()
}

/// Keeps the calling thread on one CPU.
pub(crate) fn pin_current_thread(cpu: usize) -> io::Result<()> {
    // SAFETY: a cpu_set_t of zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: CPU_SET checks the index against the size of the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the kernel reads the given size from `set`; 0 is this thread.
    let result =
        unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Lowers the priority of the calling thread; threads that it starts inherit it.
pub(crate) fn lower_priority(nice: c_int) -> io::Result<()> {
    // SAFETY: takes three integers; on Linux process 0 is the calling thread.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Raises the soft limit of open files to the hard one; gives the limit.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes one rlimit.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the kernel reads one rlimit.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(limit.rlim_cur)
}
