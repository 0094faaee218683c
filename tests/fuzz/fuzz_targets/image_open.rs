//! Any image on disk: refused, or served without a panic.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../checks/image.rs"]
mod image;
#[path = "../checks/subject.rs"]
mod subject;

static BASES: LazyLock<image::Bases> = LazyLock::new(|| {
    image::Bases::compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/query"))
});

fuzz_target!(|input: &[u8]| {
    BASES.check(input);
});
