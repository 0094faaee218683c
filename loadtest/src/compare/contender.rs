//! A server in the comparison.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

use super::{LOAD_TIMEOUT, Start};
use crate::meridian::Meridian;
use crate::peer::{Server, Software, Zone, pinned};
use crate::process;

/// The name of our own server in tables.
pub(super) const MERIDIAN: &str = "Meridian";
/// The name of the program that only replies.
pub(super) const ECHO: &str = "echo";

/// A server that runs.
pub(super) struct Contender {
    pub(super) server: Server,
    pub(super) start: Start,
    /// Our own server's folder, which a new image goes to.
    pub(super) meridian: Option<Meridian>,
}

impl Contender {
    /// Compiles the zone into an image and serves that.
    pub(super) fn meridian(
        binary: &Path,
        home: &Path,
        zone: &Zone,
        cpu: Option<usize>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(home).with_context(|| format!("making {}", home.display()))?;
        let zones = std::slice::from_ref(zone);
        let meridian = Meridian::new(binary, home)?;
        let begin = Instant::now();
        meridian.compile_zone_files(zones)?;
        let compile_seconds = begin.elapsed().as_secs_f64();
        let server = meridian
            .serve_image(zones, cpu, LOAD_TIMEOUT)
            .context("starting Meridian")?;
        let mut contender = Self::new(MERIDIAN, server, compile_seconds);
        contender.start.image_bytes = directory_bytes(&meridian.image())?;
        contender.meridian = Some(meridian);
        Ok(contender)
    }

    /// Serves an image that was made before, and only reads it.
    pub(super) fn image(
        binary: &Path,
        home: &Path,
        image: &Path,
        zone: &Zone,
        cpu: Option<usize>,
    ) -> anyhow::Result<Self> {
        let image = image
            .canonicalize()
            .with_context(|| format!("image {}", image.display()))?;
        std::fs::create_dir_all(home).with_context(|| format!("making {}", home.display()))?;
        let meridian = Meridian::new(binary, home)?;
        std::os::unix::fs::symlink(&image, meridian.image())
            .with_context(|| format!("linking to {}", image.display()))?;
        let server = meridian
            .serve_image(std::slice::from_ref(zone), cpu, LOAD_TIMEOUT)
            .context("starting Meridian")?;
        let mut contender = Self::new(MERIDIAN, server, 0.0);
        contender.start.image_bytes = directory_bytes(&image)?;
        Ok(contender)
    }

    pub(super) fn peer(
        software: Software,
        zone: &Zone,
        cpu: Option<usize>,
    ) -> anyhow::Result<Self> {
        let zones = std::slice::from_ref(zone);
        let server = software.start_on(cpu, zones, 1, LOAD_TIMEOUT)?;
        Ok(Self::new(software.name(), server, 0.0))
    }

    fn new(name: &str, server: Server, compile_seconds: f64) -> Self {
        let start = Start {
            server: name.to_owned(),
            compile_seconds,
            load_seconds: server.load_time().as_secs_f64(),
            memory_bytes: process::memory_bytes(server.pid()),
            image_bytes: 0,
        };
        Self {
            server,
            start,
            meridian: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.start.server
    }
}

/// Octets of the files in a folder of ours, which has no folders in it.
fn directory_bytes(directory: &Path) -> anyhow::Result<u64> {
    let entries = std::fs::read_dir(directory);
    let sizes = entries.and_then(|mut entries| {
        entries.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
    });
    sizes.with_context(|| format!("reading {}", directory.display()))
}

/// Starts the program that only replies, as a process of its own.
pub(super) fn echo(reply_bytes: usize, cpu: Option<usize>) -> anyhow::Result<Server> {
    let program = std::env::current_exe().context("finding this program")?;
    let zone = Zone {
        apex: zone_image::Name::root(),
        file: "none".into(),
    };
    Server::start(&[zone], LOAD_TIMEOUT, |_, address| {
        let mut command = Command::new(&program);
        command.args(["echo", "--listen", &address.to_string()]);
        command.args(["--reply-bytes", &reply_bytes.to_string()]);
        Ok(pinned(command, cpu))
    })
    .context("starting the echo program")
}
