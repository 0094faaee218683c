//! Keeps the frames of the live tests for xmllint.
//!
//! `tests/run --peers` names a folder in `MERIDIAN_FRAMES` while it runs the core, and
//! `peers::epp` validates what it finds there; without it nothing is kept. All that is
//! heard is kept. Of what is said it is what the server's own reader takes: the rest is
//! meant to be bad, and is answered as that.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use meridian::epp::Request;
use meridian::epp::frame::{Decoder, FRAME_BYTES_MAX};
use meridian::epp::request::Command;
use meridian::epp::services::VERSION;

/// Names the folder.
pub(crate) const FOLDER: &str = "MERIDIAN_FRAMES";

/// Both directions of a connection.
pub(crate) struct Recorder {
    folder: Option<PathBuf>,
    /// What was said, in whatever pieces; none once it cannot be followed.
    said: Option<Decoder>,
    heard: Option<Decoder>,
}

impl Recorder {
    /// Into the folder that the environment names.
    pub(crate) fn new() -> Self {
        Self::to(std::env::var_os(FOLDER).map(PathBuf::from))
    }

    /// Into a folder, or nowhere.
    pub(crate) fn to(folder: Option<PathBuf>) -> Self {
        let decoder = || Some(Decoder::new(FRAME_BYTES_MAX));
        Self {
            folder,
            said: decoder(),
            heard: decoder(),
        }
    }

    /// Octets that the client writes.
    pub(crate) fn said(&mut self, octets: &[u8]) {
        let Self { folder, said, .. } = self;
        follow(said, octets, |xml| {
            if Request::read(xml).is_ok_and(|request| is_of_this_version(&request)) {
                keep(folder.as_deref(), "said", xml);
            }
        });
    }

    /// Octets that it reads.
    pub(crate) fn heard(&mut self, octets: &[u8]) {
        let Self { folder, heard, .. } = self;
        follow(heard, octets, |xml| keep(folder.as_deref(), "heard", xml));
    }
}

/// Logins of another version are answered as what they are (2100), and no schema has them.
fn is_of_this_version(request: &Request) -> bool {
    match &request.command {
        Command::Login(login) => login.version == VERSION,
        _ => true,
    }
}

fn follow(decoder: &mut Option<Decoder>, mut octets: &[u8], mut whole: impl FnMut(&[u8])) {
    while let Some(reader) = decoder {
        match reader.read(&mut octets) {
            Ok(None) => return,
            Ok(Some(xml)) => whole(&xml),
            Err(_) => *decoder = None,
        }
    }
}

fn keep(folder: Option<&Path>, side: &str, xml: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Some(folder) = folder else {
        return;
    };
    let (process, thread) = (std::process::id(), std::thread::current());
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let test = thread.name().unwrap_or("test").replace("::", "-");
    let file = folder.join(format!("{test}-{process}-{number:06}-{side}"));
    // Whoever looks for frames sees whole ones.
    std::fs::write(&file, xml).unwrap();
    std::fs::rename(&file, file.with_extension("xml")).unwrap();
}
