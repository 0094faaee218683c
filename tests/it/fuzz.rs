//! The corpora of the fuzz targets `image_open` and `tcp_stream` as plain tests, with
//! what the targets check; those of `query` and `zone_file` are tested beside what
//! they are about.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::{Path, PathBuf};

#[path = "../fuzz/checks/image.rs"]
mod image;
#[path = "../fuzz/checks/stream.rs"]
mod stream;
#[path = "../fuzz/checks/subject.rs"]
mod subject;

fn corpus(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fuzz/corpus").join(target)
}

/// The inputs of a target and their names.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(corpus(target)).unwrap();
    let mut inputs: Vec<_> = files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn changed_images_are_refused_or_served() {
    let bases = image::Bases::compile(&corpus("query"));
    let (mut refused, mut served) = (0, 0);
    for (name, input) in inputs("image_open") {
        match bases.check(&input) {
            Some(replies) => {
                assert!(replies > 0, "{name}");
                served += 1;
            }
            None => {
                assert!(!name.starts_with("served-"), "{name} is refused");
                refused += 1;
            }
        }
    }
    // The inputs reach both ends.
    assert!(refused >= 10 && served >= 5, "{refused} and {served}");
}

#[test]
fn streams_in_any_pieces_get_the_replies_to_each_message() {
    let server = stream::Server::start();
    let mut octets = 0;
    for (_, input) in inputs("tcp_stream") {
        octets += server.check(&input);
        // The same octets one by one, by twos and by threes, and cut off.
        let lengths = usize::from(input.first().unwrap_or(&0) & 0x0f);
        let stream = input.get(1 + lengths..).unwrap_or_default();
        for length in 0..3 {
            octets += server.check(&[&[1, length], stream].concat());
        }
        server.check(&[&[1, 200], &stream[..stream.len() / 2]].concat());
    }
    assert!(octets > 10_000, "{octets}");
}
