//! Any octets in any pieces as a stream of EPP: the same frames, and each is read.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/epp.rs"]
mod epp;

fuzz_target!(|input: &[u8]| {
    epp::frames(input);
});
