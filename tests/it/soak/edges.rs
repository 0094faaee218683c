//! From an acknowledged create on the primary to the last of three edges that answers it,
//! and a minute of a hundred changes a second. `MERIDIAN_EDGE_DOMAINS` says how many
//! delegations there are beside it.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;

use super::wanted;
use crate::edges::{edge, primary};
use crate::publish::eventually;
use crate::support::{Folder, PATIENCE, Running, query, zone_text};

/// Creates that are followed one by one.
const RUNS: usize = 200;
/// Changes a second, and seconds.
const RATE: u32 = 100;
const SECONDS: u32 = 60;

/// `meridian registry apply`, command by command.
struct Apply {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Apply {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command(&["registry", "apply"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn say(&mut self, name: &str) {
        let command = format!(
            "{{\"domain\":{{\"create\":{{\"name\":\"{name}\",\"registrar\":\"reg-a\",\"hosts\":\
             [\"ns1.ext.test\",\"ns2.ext.test\"]}}}}}}\n"
        );
        self.input.write_all(command.as_bytes()).unwrap();
    }

    /// The next acknowledgement.
    fn hear(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.contains("\"event\""), "{line}");
    }
}

impl Drop for Apply {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a server refers to the name's servers.
fn is_delegated(socket: &UdpSocket, server: SocketAddr, name: &str) -> bool {
    socket
        .send_to(&query(7, name, RecordType::A), server)
        .unwrap();
    let mut buffer = [0; 1500];
    let length = socket.recv(&mut buffer).unwrap();
    let answer = Message::from_vec(&buffer[..length]).unwrap();
    answer.response_code == ResponseCode::NoError && !answer.authorities.is_empty()
}

fn percentile(sorted: &[Duration], part: usize) -> Duration {
    sorted[(sorted.len() * part / 100).min(sorted.len() - 1)]
}

/// A primary with a registry, and three edges that it serves.
fn start(domains: u32) -> (Folder, Running, Vec<(Folder, Running)>) {
    let (main, key) = primary("listen = [\"127.0.0.1:0\"]\n");
    let path = main.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let database = main.path("registry.db").display().to_string();
    let registry = format!("{text}[registry]\ndatabase = \"sqlite:{database}\"\n");
    std::fs::write(&path, registry).unwrap();
    main.succeed(&["registry", "init"]);
    let mut zone = zone_text(1);
    for number in 0..domains {
        zone.push_str(&format!(
            "d{number} NS ns{}.elsewhere.test.\n",
            number % 1000
        ));
    }
    main.write("example.zone", &zone);
    main.succeed(&["registry", "import", "--zone-file", "example.zone"]);
    main.succeed(&["registry", "registrar", "create", "reg-a", "--name", "A"]);
    for host in ["ns1.ext.test", "ns2.ext.test"] {
        main.succeed(&["registry", "host", "create", host, "--registrar", "reg-a"]);
    }
    let server = main.serve();
    let listen = &main.status()["distribution"]["listen"];
    let source = format!("http://{}", listen[0].as_str().unwrap());
    let edges = ["east", "south", "west"].map(|name| {
        let folder = edge(name, &source, &key, "");
        let server = folder.serve();
        (folder, server)
    });
    (main, server, edges.into())
}

#[test]
fn creates_are_answered_by_all_edges() {
    if !wanted() {
        return;
    }
    let domains = std::env::var("MERIDIAN_EDGE_DOMAINS");
    let domains = domains.map_or(100_000, |text| text.parse().unwrap());
    let (main, _server, edges) = start(domains);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let all = |name: &str| {
        let mut servers = edges.iter().map(|(_, server)| server.addresses[0]);
        servers.all(|server| is_delegated(&socket, server, name))
    };
    let mut apply = Apply::start(&main);
    apply.say("first.example");
    apply.hear();
    eventually("the first create", || all("first.example."));
    let fetched = || -> u64 {
        let name = "meridian_distribution_transferred_bytes_total";
        edges.iter().map(|(_, server)| server.metric(name)).sum()
    };
    let before = fetched();
    let mut times = Vec::new();
    for run in 0..RUNS {
        let name = format!("run{run}.example");
        apply.say(&name);
        apply.hear();
        let begun = Instant::now();
        let absolute = format!("{name}.");
        eventually(&name, || all(&absolute));
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let each = (fetched() - before) / (RUNS * edges.len()) as u64;
    eprintln!(
        "{domains} delegations, {RUNS} creates, from the acknowledgement to the last of 3 edges: \
         p50 {:?}, p99 {:?}; {each} octets fetched by an edge for each",
        percentile(&times, 50),
        percentile(&times, 99)
    );
    let before = fetched();
    let begun = Instant::now();
    for number in 0..RATE * SECONDS {
        let due = begun + Duration::from_secs(1) * number / RATE;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        apply.say(&format!("stream{number}.example"));
        apply.hear();
    }
    let said = begun.elapsed();
    let last = format!("stream{}.example.", RATE * SECONDS - 1);
    let ended = Instant::now();
    eventually("the last of the stream", || all(&last));
    let each = (fetched() - before) / u64::from(RATE * SECONDS) / edges.len() as u64;
    eprintln!(
        "{} creates in {said:?}: the last is answered by all {:?} after its acknowledgement; \
         {each} octets fetched by an edge for each",
        RATE * SECONDS,
        ended.elapsed()
    );
}
