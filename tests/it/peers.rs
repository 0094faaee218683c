//! Tests against other programs: `tests/run --peers` installs and selects them.
//!
//! Without it they say that they were skipped. Under CI an oracle that is missing is
//! a failure, so that no gate passes by leaving out what it should check.

pub(crate) mod alone;
pub(crate) mod anycast;
mod changes;
mod client;
mod compare;
mod consents;
pub(crate) mod differential;
mod epp;
mod epp_models;
pub(crate) mod faults;
mod idn;
mod keygen;
mod knot_and_nsd;
mod lookup;
mod offline;
mod parked;
mod probes;
mod registrars;
pub(crate) mod rollovers;
mod root_zone;
mod rows;
mod signed;
mod tls;
mod token;
mod transfer;
mod validators;
mod web;

use std::path::{Path, PathBuf};
use std::time::Duration;

use loadtest::peer::{Zone, find_program};
use zone_image::Name;

/// Longest time a server may take to load a zone.
pub(crate) const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Whether a test that needs `programs` is to run.
fn wanted(programs: &[&str]) -> bool {
    if std::env::var_os("MERIDIAN_PEERS").is_none() {
        eprintln!("SKIPPED: run it by tests/run --peers");
        return false;
    }
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| find_program(program).is_none())
        .collect();
    assert!(
        missing.is_empty() || std::env::var_os("CI").is_none(),
        "{missing:?} not installed: run tests/peers/install as root"
    );
    if !missing.is_empty() {
        eprintln!("SKIPPED: {missing:?} not installed, run tests/peers/install as root");
    }
    missing.is_empty()
}

/// The binary under test.
pub(crate) fn meridian() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_meridian"))
}

/// A file of the reference data, or nothing where there is none.
pub(crate) fn reference(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MERIDIAN_REFERENCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference"),
        PathBuf::from,
    );
    let file = root.join(name);
    if !file.is_file() {
        eprintln!("SKIPPED: no {}, set MERIDIAN_REFERENCE", file.display());
        return None;
    }
    Some(file)
}

/// The real root zone.
fn root_zone() -> Option<Zone> {
    let file = reference("zones/root-2018-03-12.zone")?
        .canonicalize()
        .ok()?;
    Some(Zone {
        apex: Name::root(),
        file,
    })
}
