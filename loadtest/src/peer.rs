//! Other name servers on loopback, as Debian has them, for comparison.
//!
//! Each runs in the foreground in a temporary folder on a free port, without root,
//! control socket of the system or rate limits, and ends when its [`Server`] is
//! dropped. Several apexes and files can be served.

mod configuration;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use zone_image::Name;

use crate::blast::Queries;
use crate::target::Target;

/// How often a server that starts is asked whether it serves.
const ASK_EVERY: Duration = Duration::from_millis(5);
/// How often a port that was free may have been taken when the server binds it.
const PORT_TRIES: usize = 3;
/// How long a server may take to end by itself.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A zone to serve.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its apex.
    pub apex: Name,
    /// Its master file.
    pub file: PathBuf,
}

/// Servers that we know how to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// Knot DNS, Debian package `knot`.
    Knot,
    /// NSD, Debian package `nsd`.
    Nsd,
    /// BIND 9, Debian package `bind9`.
    Bind,
    /// PowerDNS Authoritative Server with its BIND back end, Debian packages
    /// `pdns-server` and `pdns-backend-bind`.
    PowerDns,
}

impl Software {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Knot, Self::Nsd, Self::Bind, Self::PowerDns];
    /// The two that are made for nothing but authoritative service.
    pub const AUTHORITATIVE: [Self; 2] = [Self::Knot, Self::Nsd];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Knot => "Knot",
            Self::Nsd => "NSD",
            Self::Bind => "BIND",
            Self::PowerDns => "PowerDNS",
        }
    }

    /// Its daemon, if it is installed.
    pub fn find(self) -> Option<PathBuf> {
        find_program(match self {
            Self::Knot => "knotd",
            Self::Nsd => "nsd",
            Self::Bind => "named",
            Self::PowerDns => "pdns_server",
        })
    }

    /// Starts it with `workers` UDP workers and waits until it serves every zone.
    pub fn start(
        self,
        zones: &[Zone],
        workers: usize,
        timeout: Duration,
    ) -> anyhow::Result<Server> {
        self.start_on(None, zones, workers, timeout)
    }

    /// The same on one CPU.
    pub fn start_on(
        self,
        cpu: Option<usize>,
        zones: &[Zone],
        workers: usize,
        timeout: Duration,
    ) -> anyhow::Result<Server> {
        let program = self.find().with_context(|| {
            format!(
                "{} is not installed: apt install {}",
                self.name(),
                self.package()
            )
        })?;
        Server::start(zones, timeout, |directory, address| {
            let setup = configuration::Setup {
                directory,
                address,
                zones,
                workers,
            };
            Ok(pinned(setup.command(self, &program)?, cpu))
        })
        .with_context(|| format!("starting {}", self.name()))
    }

    fn package(self) -> &'static str {
        match self {
            Self::Knot => "knot",
            Self::Nsd => "nsd",
            Self::Bind => "bind9",
            Self::PowerDns => "pdns-server pdns-backend-bind",
        }
    }
}

/// The command on one CPU, by taskset of util-linux; its process stays the same.
pub fn pinned(command: Command, cpu: Option<usize>) -> Command {
    let Some(cpu) = cpu else {
        return command;
    };
    let mut pinned = Command::new("taskset");
    pinned
        .args(["-c", &cpu.to_string()])
        .arg(command.get_program())
        .args(command.get_args());
    pinned
}

/// Looks for `program` in `PATH` and where Debian puts daemons.
pub fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// A running server with its temporary folder. Dropping it ends the server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    target: Target,
    load_time: Duration,
    directory: TempDir,
}

impl Server {
    /// Starts the command that `prepare` makes for a folder and an address, and waits
    /// until it answers for the SOA of every zone.
    pub fn start(
        zones: &[Zone],
        timeout: Duration,
        prepare: impl Fn(&Path, SocketAddr) -> anyhow::Result<Command>,
    ) -> anyhow::Result<Self> {
        let mut tries = PORT_TRIES;
        loop {
            tries -= 1;
            let directory = tempfile::tempdir().context("making a temporary folder")?;
            let address = free_address()?;
            let command = prepare(directory.path(), address)?;
            let mut server = Self::spawn(command, directory, address)?;
            match server.wait_until_serving(zones, timeout) {
                Ok(()) => return Ok(server),
                Err(error) if tries == 0 || !server.log().contains("in use") => {
                    return Err(error.context(server.log()));
                }
                Err(_) => {}
            }
        }
    }

    fn spawn(
        mut command: Command,
        directory: TempDir,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let log = File::create(directory.path().join("log")).context("making the log file")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log file")?)
            .stderr(log)
            // A group of its own: NSD has child processes that must end with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self {
            child,
            target: Target::new(address)?,
            load_time: Duration::ZERO,
            directory,
        })
    }

    fn wait_until_serving(&mut self, zones: &[Zone], timeout: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        for zone in zones {
            let mut query = Queries::new(false);
            query.push(&zone.apex, 6);
            while !self.answers(query.message(0))? {
                if let Some(status) = self.child.try_wait().context("waiting for the server")? {
                    bail!("it ended with {status}");
                }
                if start.elapsed() > timeout {
                    bail!("it does not serve {} after {timeout:?}", zone.apex);
                }
            }
        }
        self.load_time = start.elapsed();
        Ok(())
    }

    /// Whether a query gets NOERROR with an answer within [`ASK_EVERY`].
    fn answers(&self, query: &[u8]) -> anyhow::Result<bool> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a socket")?;
        socket
            .connect(self.target.address())
            .context("connecting a socket")?;
        socket
            .set_read_timeout(Some(ASK_EVERY))
            .context("setting a timeout")?;
        let mut reply = [0; 512];
        let asked = Instant::now();
        let answered = socket.send(query).is_ok()
            && matches!(socket.recv(&mut reply), Ok(length) if length > 12)
            && reply[3] & 0x0f == 0
            && reply[7] > 0;
        if !answered {
            // A refused datagram comes back at once; do not ask again before the time.
            std::thread::sleep(ASK_EVERY.saturating_sub(asked.elapsed()));
        }
        Ok(answered)
    }

    /// Where it listens.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Time from its start until it answered for every zone.
    pub fn load_time(&self) -> Duration {
        self.load_time
    }

    /// Its folder.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Sends a signal to the server alone.
    pub fn signal(&self, signal: i32) -> std::io::Result<()> {
        send_signal(self.pid().cast_signed(), signal)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = -self.pid().cast_signed();
        // Errors mean that the group is gone already.
        let _ = send_signal(group, libc::SIGTERM);
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < END_TIMEOUT {
            std::thread::sleep(ASK_EVERY);
        }
        let _ = send_signal(group, libc::SIGKILL);
        let _ = self.child.wait();
    }
}

#[expect(unsafe_code, reason = "std can only send SIGKILL")]
fn send_signal(pid: i32, signal: i32) -> std::io::Result<()> {
    // SAFETY: kill touches no memory.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// A loopback address whose port is free for UDP and TCP at this moment.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    // The system gives one in a few tens of thousands; a clash of the two is rare.
    for _ in 0..16 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a UDP port")?;
        let address = udp.local_addr().context("reading the port")?;
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port is free for UDP and TCP on 127.0.0.1")
}
