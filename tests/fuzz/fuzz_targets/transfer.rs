//! Any message where zones may be had: well-formed replies, or none.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../checks/reply.rs"]
mod reply;
#[path = "../checks/subject.rs"]
mod subject;
#[path = "../checks/transfer.rs"]
mod transfer;

static SERVER: LazyLock<transfer::Server> = LazyLock::new(transfer::Server::start);

fuzz_target!(|input: &[u8]| {
    SERVER.check(input);
});
