//! Our own binary, run like any other server: by its command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::peer::{Server, Zone, pinned};

/// Between two looks for the control socket.
const CONTROL_PAUSE: Duration = Duration::from_millis(10);

/// A `meridian` binary with a folder for its configuration, database and image.
#[derive(Debug, Clone)]
pub struct Meridian {
    binary: PathBuf,
    directory: PathBuf,
    metrics: SocketAddr,
    /// More of the configuration of a server with a registry.
    more: String,
    /// A database elsewhere than in the folder.
    database: Option<String>,
}

impl Meridian {
    /// Uses `binary` with everything of it in `directory`, which exists. The
    /// configuration is written at once, for a server that is not started yet.
    pub fn new(binary: &Path, directory: &Path) -> anyhow::Result<Self> {
        let meridian = Self {
            binary: binary.to_owned(),
            directory: directory.to_owned(),
            metrics: SocketAddr::from(([127, 0, 0, 1], 0)),
            more: String::new(),
            database: None,
        };
        meridian.configure(SocketAddr::from(([127, 0, 0, 1], 0)), 1)?;
        Ok(meridian)
    }

    /// With its metrics at an address, and more tables of configuration where there is a
    /// registry.
    pub fn with(mut self, metrics: SocketAddr, more: &str) -> anyhow::Result<Self> {
        (self.metrics, self.more) = (metrics, more.to_owned());
        self.configure(SocketAddr::from(([127, 0, 0, 1], 0)), 1)?;
        Ok(self)
    }

    /// With its registry in this database, where one is named.
    pub fn with_database(mut self, database: Option<&str>) -> Self {
        self.database = database.map(str::to_owned);
        self
    }

    /// Its registry's database.
    pub fn database(&self) -> String {
        let own = || format!("sqlite:{}", self.path("registry.db").display());
        self.database.clone().unwrap_or_else(own)
    }

    /// Compiles `zones` from their files and serves them with `workers` UDP workers.
    pub fn serve_zones(
        binary: &Path,
        zones: &[Zone],
        workers: usize,
        timeout: Duration,
    ) -> anyhow::Result<Server> {
        Server::start(zones, timeout, |directory, address| {
            let meridian = Self::new(binary, directory)?;
            meridian.compile_zone_files(zones)?;
            meridian.configure(address, workers)?;
            Ok(meridian.command(&["serve"]))
        })
    }

    /// The same, with these tables of configuration as well and no registry.
    pub fn serve_zones_with(
        binary: &Path,
        zones: &[Zone],
        workers: usize,
        timeout: Duration,
        more: &str,
    ) -> anyhow::Result<Server> {
        Server::start(zones, timeout, |directory, address| {
            let meridian = Self::new(binary, directory)?;
            meridian.compile_zone_files(zones)?;
            let text = meridian.configuration(address, workers);
            meridian.write(&format!("{text}\n{more}"))?;
            Ok(meridian.command(&["serve"]))
        })
    }

    /// Compiles `zones` from their files and installs the image.
    pub fn compile_zone_files(&self, zones: &[Zone]) -> anyhow::Result<()> {
        let mut command = self.command(&["compile"]);
        for zone in zones {
            command.arg("--zone-file").arg(&zone.file);
        }
        succeed(&mut command).map(|_| ())
    }

    /// Serves the installed image until the server is dropped.
    pub fn serve(
        &self,
        zones: &[Zone],
        workers: usize,
        timeout: Duration,
    ) -> anyhow::Result<Server> {
        let server = Server::start(zones, timeout, |_, address| {
            self.configure(address, workers)?;
            Ok(self.command(&["serve"]))
        })?;
        // It answers DNS a moment before it takes commands.
        let socket = self.path("control.sock");
        let begin = Instant::now();
        while !socket.exists() {
            if begin.elapsed() >= timeout {
                bail!("no control socket: {}", socket.display());
            }
            std::thread::sleep(CONTROL_PAUSE);
        }
        Ok(server)
    }

    /// Serves the installed image, without a registry, on one CPU until the server
    /// is dropped.
    pub fn serve_image(
        &self,
        zones: &[Zone],
        cpu: Option<usize>,
        timeout: Duration,
    ) -> anyhow::Result<Server> {
        Server::start(zones, timeout, |_, address| {
            self.write(&self.configuration(address, 1))?;
            Ok(pinned(self.command(&["serve"]), cpu))
        })
    }

    /// Runs a command to its end, wants success, and returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        succeed(&mut self.command(arguments))
    }

    /// The command with its configuration, for a caller that starts it itself.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .arg("--config")
            .arg(self.path("meridian.toml"))
            .args(arguments);
        command
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The image directory.
    pub fn image(&self) -> PathBuf {
        self.path("image")
    }

    fn configure(&self, address: SocketAddr, workers: usize) -> anyhow::Result<()> {
        let text = self.configuration(address, workers);
        self.write(&format!(
            "{text}\n[registry]\ndatabase = \"{}\"\n\n{}",
            self.database(),
            self.more
        ))
    }

    fn configuration(&self, address: SocketAddr, workers: usize) -> String {
        let here = self.directory.display();
        format!(
            "[dns]\nlisten = [\"{address}\"]\nworkers = {workers}\n\
             rate-limit.responses-per-second = 0\n\n\
             [image]\ndirectory = \"{here}/image\"\n\n\
             [control]\nsocket = \"{here}/control.sock\"\n\n\
             [metrics]\nlisten = \"{}\"\n",
            self.metrics
        )
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        let file = self.path("meridian.toml");
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
    }
}

/// Runs a command to its end and wants success.
fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    if !output.status.success() {
        let arguments: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        bail!(
            "{} {}: {}\n{}",
            command.get_program().display(),
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
