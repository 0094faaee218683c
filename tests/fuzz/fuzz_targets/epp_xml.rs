//! Any octets as a frame of EPP: a request, or a fault that is answered.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/epp.rs"]
mod epp;

fuzz_target!(|input: &[u8]| {
    epp::request(input);
});
