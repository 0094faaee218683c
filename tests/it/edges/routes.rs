//! `meridian edge announce` as ExaBGP runs it: its lines say when the routes are there.

use std::io::{BufRead, BufReader, Lines};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Command, Stdio};

use hickory_proto::rr::RecordType;
use meridian::routes::probe::Probe;
use zone_image::Name;

use crate::publish::eventually;
use crate::support::{Folder, PATIENCE, Running, query, serial};

/// The process that is started by ExaBGP; killed when the test ends before it.
struct Announcer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Announcer {
    fn start(folder: &Folder, server: &Running) -> Self {
        let path = folder.path("meridian.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let routes = format!(
            "[routes]\naddresses = [\"{}\"]\nzone = \"example.\"\ninterval-milliseconds = 50\n\
             timeout-milliseconds = 200\nfall = 2\nrise = 3\n",
            server.addresses[0]
        );
        folder.write("announce.toml", &(text + &routes));
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command
            .current_dir(folder.path("."))
            .args(["--config", "announce.toml", "edge", "announce"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    #[track_caller]
    fn says(&mut self, verb: &str) {
        let line = self.lines.next().unwrap().unwrap();
        assert_eq!(line, format!("{verb} route 127.0.0.1/32 next-hop self"));
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn routes_follow_the_server() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let mut announcer = Announcer::start(&folder, &server);
    announcer.says("withdraw");
    announcer.says("announce");
    // One that is stopped by a signal does not even say that it is.
    server.signal("-STOP");
    announcer.says("withdraw");
    server.signal("-CONT");
    announcer.says("announce");
    server.signal("-KILL");
    server.wait();
    announcer.says("withdraw");
}

#[test]
fn routes_go_before_a_server_that_stops() {
    let folder = Folder::with_image(1);
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[routes]\ndrain-seconds = 60\n")).unwrap();
    let server = folder.serve();
    std::fs::write(&path, text).unwrap();
    let mut announcer = Announcer::start(&folder, &server);
    announcer.says("withdraw");
    announcer.says("announce");
    server.signal("-TERM");
    announcer.says("withdraw");
    // It answers for as long as routers may still send queries here.
    assert_eq!(serial(server.addresses[0]), 1);
    server.signal("-TERM");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_flood_in_the_name_of_the_probes_network_is_no_reason_to_withdraw() {
    let folder = Folder::with_image(1);
    folder.configure("listen = [\"127.0.0.1:0\"]\nrate-limit.responses-per-second = 1");
    let server = folder.serve();
    let flood = UdpSocket::bind("127.0.0.2:0").unwrap();
    let wire = query(1, "example.", RecordType::SOA);
    for _ in 0..400 {
        flood.send_to(&wire, server.addresses[0]).unwrap();
    }
    let slipped = "meridian_dns_responses_total{transport=\"udp\",outcome=\"slipped\"}";
    eventually("nothing is left of the limit", || {
        server.metric(slipped) > 100
    });
    let probe = Probe {
        zone: Name::parse_absolute("example.").unwrap(),
        timeout: PATIENCE,
    };
    let before = server.metric(slipped);
    for look in 0..4 {
        probe.look(server.addresses[0], look * 100).unwrap();
    }
    assert!(server.metric(slipped) > before, "the limit was met");
}
