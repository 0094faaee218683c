//! Any octets in any pieces on a connection: the replies are those to each message.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/stream.rs"]
mod stream;
#[path = "../checks/subject.rs"]
mod subject;

thread_local! {
    static SERVER: stream::Server = stream::Server::start();
}

fuzz_target!(|input: &[u8]| {
    SERVER.with(|server| server.check(input));
});
