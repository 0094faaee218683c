//! A running `meridian registry apply`, fed without end and listened to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Registry;

/// Longest wait for anything that works.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) name: String,
    pub(super) event: i64,
}

pub(super) struct Apply {
    child: Child,
    acknowledged: Receiver<Acknowledged>,
    refused: Receiver<String>,
    feeder: Option<JoinHandle<()>>,
    listener: Option<JoinHandle<()>>,
    complaints: Option<JoinHandle<String>>,
}

/// Each command writes rows of three tables, an event and a changed name.
fn line(name: &str) -> String {
    let digest = "ab".repeat(32);
    format!(
        "{{\"domain\":{{\"create\":{{\"name\":\"{name}\",\"registrar\":\"reg-a\",\"hosts\":\
         [\"ns1.ext.example\",\"ns2.ext.example\"],\"ds\":[\"1 13 2 {digest}\"]}}}}}}\n"
    )
}

impl Apply {
    /// Starts it, to create `PREFIX-N.tld` for ever.
    pub(super) fn start(registry: &Registry, prefix: &str) -> Self {
        let command = registry.command(&["apply", "--lab", "--standby"]);
        Self::start_by(command, prefix)
    }

    /// The same by a command of the test's own, which becomes it.
    pub(super) fn start_by(mut command: std::process::Command, prefix: &str) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let names = prefix.to_owned();
        let feeder = std::thread::spawn(move || {
            // Ends when nobody reads any more.
            let mut number = 1_u64;
            while input
                .write_all(line(&format!("{names}-{number}.tld")).as_bytes())
                .is_ok()
            {
                number += 1;
            }
        });
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, acknowledged) = channel();
        let (refusal, refused) = channel();
        let names = prefix.to_owned();
        let listener = std::thread::spawn(move || {
            for text in output.lines() {
                let Ok(text) = text else { break };
                // A line that was cut off by a kill says nothing.
                let Ok(said) = serde_json::from_str::<serde_json::Value>(&text) else {
                    break;
                };
                let Some(event) = said["event"].as_i64() else {
                    let _ = refusal.send(said.to_string());
                    continue;
                };
                let name = format!("{names}-{}.tld", said["line"]);
                let _ = sender.send(Acknowledged { name, event });
            }
        });
        let errors = child.stderr.take().unwrap();
        let complaints =
            std::thread::spawn(move || std::io::read_to_string(errors).unwrap_or_default());
        Self {
            child,
            acknowledged,
            refused,
            feeder: Some(feeder),
            listener: Some(listener),
            complaints: Some(complaints),
        }
    }

    /// The next acknowledgement.
    pub(super) fn next(&self) -> Acknowledged {
        self.acknowledged.recv_timeout(PATIENCE).unwrap()
    }

    /// The next refusal.
    pub(super) fn next_refused(&self) -> String {
        self.refused.recv_timeout(PATIENCE).unwrap()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Acknowledgements that came and were not taken yet.
    pub(super) fn so_far(&self) -> Vec<Acknowledged> {
        self.acknowledged.try_iter().collect()
    }

    pub(super) fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let status = kill.arg(name).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end, for so long as anything that works takes; all that it
    /// acknowledged and was not taken yet, and its last words.
    pub(super) fn ended(mut self) -> (Vec<Acknowledged>, String) {
        let start = std::time::Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "still running");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        self.feeder.take().unwrap().join().unwrap();
        self.listener.take().unwrap().join().unwrap();
        let words = self.complaints.take().unwrap().join().unwrap();
        (self.so_far(), words)
    }
}

impl Drop for Apply {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything acknowledged is there at its event, nothing is there in part, and no
/// event number is missing or twice.
pub(super) fn check(registry: &Registry, acknowledged: &[Acknowledged]) {
    let there: std::collections::BTreeSet<String> = registry
        .query(
            "SELECT e.number || ' ' || e.object FROM events e JOIN domains d ON d.name = e.object \
             WHERE e.kind = 'domain-create'",
        )
        .into_iter()
        .collect();
    for Acknowledged { name, event } in acknowledged {
        let row = format!("{event} {name}");
        assert!(there.contains(&row), "acknowledged and lost: {row}");
    }
    let whole: Vec<i64> = registry.query(
        "SELECT COUNT(*) FROM domains d JOIN events e ON e.object = d.name \
         JOIN changed_names c ON c.event = e.number AND c.owner = d.name \
         JOIN ds s ON s.domain_id = d.id WHERE d.published = 1 AND \
         (SELECT COUNT(*) FROM delegations n WHERE n.domain_id = d.id) = 2",
    );
    let domains: Vec<i64> = registry.query("SELECT COUNT(*) FROM domains");
    assert_eq!(whole, domains, "a command that is half there");
    let events: Vec<i64> = registry.query("SELECT number FROM events ORDER BY number");
    let expected: Vec<i64> = (1..=i64::try_from(events.len()).unwrap()).collect();
    assert_eq!(events, expected, "event numbers");
    let last: Vec<i64> = registry.query("SELECT last_event FROM registry");
    assert_eq!(last.first(), events.last());
    registry.audit(&[]);
}
