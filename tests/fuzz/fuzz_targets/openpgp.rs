//! Any octets as a key and as a signature of OpenPGP: taken, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/openpgp.rs"]
mod openpgp;

fuzz_target!(|input: &[u8]| {
    openpgp::key(input);
    openpgp::signature(input);
});
