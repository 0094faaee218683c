//! A client that asks without a pause and counts what is not answered.
//!
//! It has to be a process in the router's namespace, so it is this binary of tests once
//! more, with a variable that says so.

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;
use serde::{Deserialize, Serialize};

use super::lab::{ANYCAST, Lab};
use crate::support::query;

/// Says that a process is the client.
const VARIABLE: &str = "MERIDIAN_ANYCAST_CLIENT";
/// Between two queries.
const PAUSE: Duration = Duration::from_millis(4);
/// After that an answer does not count any more.
const LATE: Duration = Duration::from_secs(1);
/// Queries that are waited for at once.
const WAITING_MAX: usize = 1024;

/// What came of the queries since the last mark.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) sent: u64,
    pub(super) lost: u64,
    /// Longest time without an answer to anything.
    pub(super) silent_milliseconds: u64,
}

pub(super) struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    pub(super) fn start(lab: &Lab) -> Self {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &lab.router])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "peers::anycast::client", "--nocapture"])
            .env(VARIABLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Counts until now, and from now on anew.
    pub(super) fn mark(&mut self) -> Report {
        self.input.write_all(b"mark\n").unwrap();
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "client ended"
            );
            // What the harness of tests prints stands before it.
            if let Some(at) = line.find('{') {
                return serde_json::from_str(&line[at..]).unwrap();
            }
        }
    }

    #[track_caller]
    pub(super) fn lost_none(&mut self, when: &str) {
        let report = self.mark();
        eprintln!("{when}: {report:?}");
        assert_eq!(report.lost, 0, "{when}: {report:?}");
        assert!(report.sent > 0, "{when}: {report:?}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    lost: AtomicU64,
    silent: AtomicU64,
    last: Mutex<Option<Instant>>,
}

/// The client itself; nothing where this is just a test.
pub(super) fn run() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let counts = Arc::new(Counts::default());
    let stop = Arc::new(AtomicBool::new(false));
    let asking = {
        let (counts, stop) = (Arc::clone(&counts), Arc::clone(&stop));
        std::thread::spawn(move || ask(&counts, &stop))
    };
    for line in std::io::stdin().lines() {
        assert_eq!(line.unwrap(), "mark");
        // What is under way is either answered or late by then.
        std::thread::sleep(LATE + PAUSE);
        let report = Report {
            sent: counts.sent.swap(0, Ordering::Relaxed),
            lost: counts.lost.swap(0, Ordering::Relaxed),
            silent_milliseconds: counts.silent.swap(0, Ordering::Relaxed),
        };
        let report = serde_json::to_string(&report).unwrap();
        let mut output = std::io::stdout();
        writeln!(output, "{report}").unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    asking.join().unwrap();
}

fn ask(counts: &Counts, stop: &AtomicBool) {
    let mut waiting: Vec<(Instant, UdpSocket)> = Vec::new();
    let message = query(1, "example.", RecordType::SOA);
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now >= next && waiting.len() < WAITING_MAX {
            next = now + PAUSE;
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            counts.sent.fetch_add(1, Ordering::Relaxed);
            let sent = socket
                .connect((ANYCAST, 53))
                .and_then(|()| socket.send(&message));
            match sent {
                Ok(_) => waiting.push((now, socket)),
                // No route at all.
                Err(_) => drop(counts.lost.fetch_add(1, Ordering::Relaxed)),
            }
        }
        waiting.retain(|(since, socket)| settle(counts, *since, socket));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a query still waits.
fn settle(counts: &Counts, since: Instant, socket: &UdpSocket) -> bool {
    let mut buffer = [0; 1500];
    match socket.recv(&mut buffer) {
        Ok(_) => {
            let now = Instant::now();
            let mut last = counts.last.lock().unwrap();
            let silent = last.map_or(Duration::ZERO, |last| now - last);
            *last = Some(now);
            let silent = u64::try_from(silent.as_millis()).unwrap();
            counts.silent.fetch_max(silent, Ordering::Relaxed);
            false
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && since.elapsed() < LATE => {
            true
        }
        Err(_) => {
            counts.lost.fetch_add(1, Ordering::Relaxed);
            false
        }
    }
}
