//! What the tests of the data plane share: an image without zones, and an
//! engine that echoes, so that the network side is tested alone.

use std::path::Path;

use tempfile::TempDir;
use zone_image::writer::Installer;
use zone_image::{Generation, Memory};

use super::engine::{Action, DropReason, Outcome, Request};
use super::generations::{Generations, Source};
use super::net::Answer;

/// Makes [`Echo`] panic when it is the thirteenth octet.
pub(crate) const POISON: u8 = b'!';
/// Makes [`Echo`] reply with as much as its buffer holds.
pub(crate) const LONG: u8 = b'+';
/// Makes [`Echo`] stay silent.
pub(crate) const SILENT: u8 = b'-';

/// Replies with the message itself.
#[derive(Debug, Clone)]
pub(crate) struct Echo;

impl Answer for Echo {
    fn answer(&self, _: &Generation, request: &Request<'_>, out: &mut [u8]) -> Action {
        let length = match request.wire.get(12) {
            Some(&POISON) => panic!("poison"),
            Some(&SILENT) => return Action::Drop(DropReason::Response),
            Some(&LONG) => out.len(),
            _ => request.wire.len(),
        };
        let copied = request.wire.len().min(length);
        out[..copied].copy_from_slice(&request.wire[..copied]);
        Action::Reply {
            length,
            outcome: Outcome::Answer,
        }
    }
}

/// A message whose thirteenth octet is `kind`, told apart by `id`.
pub(crate) fn message(id: u16, kind: u8) -> Vec<u8> {
    let mut wire = vec![0; 13];
    wire[..2].copy_from_slice(&id.to_be_bytes());
    wire[12] = kind;
    wire
}

/// Installs a generation without zones; gives its number.
pub(crate) fn install(directory: &Path) -> u64 {
    Installer::update(directory)
        .unwrap()
        .commit()
        .unwrap()
        .number
}

/// The first generation of a new directory.
pub(crate) fn generation() -> Generation {
    let directory = TempDir::new().unwrap();
    install(directory.path());
    Generation::open(directory.path(), Memory::Sealed).unwrap()
}

/// Generations over a new directory that has one.
pub(crate) fn generations() -> (Generations, TempDir) {
    let directory = TempDir::new().unwrap();
    install(directory.path());
    let source = Source {
        directory: directory.path().to_owned(),
        memory: Memory::Mapped,
        check: Box::new(|_| Ok(())),
        clock: || 1000,
    };
    (Generations::open(source).unwrap(), directory)
}

/// Waits for something that another thread is about to do.
#[track_caller]
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !done() {
        assert!(begin.elapsed().as_secs() < 20, "never: {what}");
        std::thread::yield_now();
    }
}
