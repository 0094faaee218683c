//! Any octets as path and query of a request of RDAP: one that can be asked, or a fault.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/lookup.rs"]
mod lookup;

fuzz_target!(|input: &[u8]| {
    lookup::target(input);
});
