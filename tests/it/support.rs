//! The `meridian` binary in a folder of its own, for the tests that run it.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A zone of which everything says its serial.
pub(crate) fn zone_text(serial: u32) -> String {
    format!(
        "$ORIGIN example.\n$TTL 3600\n\
         @ SOA ns1.example. hostmaster.example. {serial} 7200 900 1209600 600\n\
         @ NS ns1\n@ TXT \"stamp {serial}\"\nns1 A 192.0.2.53\n\
         www A 192.0.2.80\n\
         inside NS ns.inside\nns.inside A 192.0.2.99\nns.inside AAAA 2001:db8::99\n\
         outside NS ns.elsewhere.test.\n"
    )
}

/// A folder with configuration, zone file and image.
pub(crate) struct Folder {
    directory: TempDir,
}

impl Folder {
    /// With a configuration for ports that the system picks.
    pub(crate) fn new() -> Self {
        let folder = Self {
            directory: TempDir::new().unwrap(),
        };
        folder.configure("listen = [\"127.0.0.1:0\", \"[::1]:0\"]\nworkers = 2");
        folder
    }

    /// With `example.` compiled at `serial`.
    pub(crate) fn with_image(serial: u32) -> Self {
        let folder = Self::new();
        folder.compile(serial);
        folder
    }

    /// Writes the configuration with these lines in `[dns]`, without a limit of
    /// rates unless they set one.
    pub(crate) fn configure(&self, dns: &str) {
        let rates = match dns.contains("rate-limit") {
            true => "",
            false => "rate-limit.responses-per-second = 0\n",
        };
        let path = |name| self.path(name).display().to_string();
        let text = format!(
            "[dns]\n{rates}{dns}\n[image]\ndirectory = \"{}\"\n[control]\nsocket = \"{}\"\n\
             [metrics]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
            path("image"),
            path("control.sock"),
        );
        self.write("meridian.toml", &text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.current_dir(self.directory.path());
        command
            .args(["--config", "meridian.toml"])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must work; gives its standard output.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with status 1 and one line that has `parts`.
    #[track_caller]
    pub(crate) fn fail(&self, arguments: &[&str], parts: &[&str]) {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        let last = error.lines().last().unwrap_or_default();
        assert!(last.starts_with("meridian: "), "{error}");
        for part in parts {
            assert!(last.contains(part), "`{part}` is not in: {last}");
        }
    }

    /// Compiles and installs `example.` at `serial`.
    #[track_caller]
    pub(crate) fn compile(&self, serial: u32) {
        self.write("example.zone", &zone_text(serial));
        self.succeed(&["compile", "--zone-file", "example.zone"]);
    }

    /// Starts the server and waits until it serves.
    pub(crate) fn serve(&self) -> Running {
        self.serve_by(self.command(&["serve"]))
    }

    /// The same by a command of the test's own, which becomes the server.
    pub(crate) fn serve_by(&self, mut command: Command) -> Running {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = Vec::new();
        let metrics = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("ended at start: {log:#?}"))
                .unwrap();
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            log.push(line);
            if entry["message"] == "serving" {
                break entry["metrics"].as_str().unwrap().parse().unwrap();
            }
        };
        // Reads on, so that the server never waits for us to.
        let log = std::thread::spawn(move || {
            log.extend(lines.map_while(Result::ok));
            log
        });
        let mut running = Running {
            child,
            log: Some(log),
            metrics,
            addresses: Vec::new(),
        };
        let listen = &self.status()["listen"];
        running.addresses = serde_json::from_value(listen.clone()).unwrap();
        running
    }

    /// What `meridian status --json` says.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.succeed(&["status", "--json"])).unwrap()
    }
}

/// A server, killed when the test ends before it.
pub(crate) struct Running {
    child: Child,
    log: Option<JoinHandle<Vec<String>>>,
    pub(crate) metrics: SocketAddr,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The value of a metric without labels, or with these; 0 where it is not there.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let (_, page) = self.page("/metrics");
        let value = page.lines().find_map(|line| {
            let (found, value) = line.rsplit_once(' ')?;
            (found == name).then(|| value.parse().unwrap())
        });
        value.unwrap_or_default()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(name)
            .arg(self.child.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end; gives the exit status and the log.
    pub(crate) fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().unwrap();
        (status.code(), self.log.take().unwrap().join().unwrap())
    }

    /// One page of the metrics port: status line and body.
    pub(crate) fn page(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A query as hickory writes it.
pub(crate) fn query(id: u16, name: &str, rtype: RecordType) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype));
    message.to_vec().unwrap()
}

/// Asks over UDP; hickory reads the reply.
#[track_caller]
pub(crate) fn ask(server: SocketAddr, name: &str, rtype: RecordType) -> Message {
    let socket = UdpSocket::bind((if server.is_ipv4() { "127.0.0.1" } else { "::1" }, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(server).unwrap();
    socket.send(&query(77, name, rtype)).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

/// The serial that the server answers.
#[track_caller]
pub(crate) fn serial(server: SocketAddr) -> u32 {
    match ask(server, "example.", RecordType::SOA)
        .answers
        .first()
        .map(|soa| &soa.data)
    {
        Some(RData::SOA(soa)) => soa.serial,
        other => panic!("no SOA: {other:?}"),
    }
}
