//! System calls that the standard library does not have.
//!
//! The only module of the data plane with unsafe code: batches of datagrams,
//! epoll with a wake-up, and a few options. Everything it hands out is safe.
//! Addresses and control messages are read and written as octets, so that no
//! pointer is followed but by the kernel.

mod batch;
mod options;
mod poll;

pub(crate) use batch::{BATCH, Batch, Received};
#[cfg(test)]
pub(crate) use options::option;
pub(crate) use options::{
    allowed_cpus, grow_receive_buffer, lower_priority, omit_path_mtu_discovery, pin_current_thread,
    raise_open_files, receive_address, refuse_new_datagrams, steer_by_cpu,
};
pub(crate) use poll::Poller;
pub use poll::Wake;
