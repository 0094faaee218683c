//! Rollovers with time sped up, seen by a validator that others wrote: unbound asks all
//! the time, with caches of every age, and must never see anything bogus. And kill -9
//! at random moments of a rollover, after which the zone still validates.
//!
//! Parent (`test.`) and child (`child.test.`) are in one registry; the parent changes
//! its DS records only when the served CDS records say so, as RFC 7344 has it.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use serde_json::Value;

use super::wanted;
use crate::support::{Folder, PATIENCE, Running};

/// Longest time for a rollover whose waits are seconds.
const ROLLOVER_TIMEOUT: Duration = Duration::from_secs(90);
/// Seconds of every TTL and wait.
const TIMES: [&str; 16] = [
    "--denial",
    "nsec3",
    "--dnskey-ttl",
    "1",
    "--zone-ttl-max",
    "2",
    "--propagation",
    "1",
    "--ds-ttl",
    "1",
    "--parent-propagation",
    "1",
    "--safety",
    "0",
    "--zsk-lifetime",
    "0",
];
const NAMES: [(&str, RecordType); 5] = [
    ("child.test.", RecordType::SOA),
    ("child.test.", RecordType::DNSKEY),
    ("www.child.test.", RecordType::A),
    ("none.child.test.", RecordType::A),
    ("d7.child.test.", RecordType::DS),
];

pub(super) struct Stage {
    pub(super) folder: Folder,
    pub(super) server: Option<Running>,
    unbound: Option<Child>,
    resolver: SocketAddr,
    pub(super) asked: u64,
}

impl Stage {
    /// A signed parent, and a child that is being signed with these words of policy.
    pub(super) fn new(delegations: u32, policy: &[&str]) -> Self {
        let folder = Folder::new();
        // It stays the same over kills.
        let address = own_address();
        let dns = format!("rate-limit.responses-per-second = 0\nlisten = [\"{address}\"]");
        folder.configure(&dns);
        let path = folder.path("meridian.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let more = format!(
            "[registry]\ndatabase = \"sqlite:{}\"\n[publish]\npoll-interval-milliseconds = 20\n\
             [keys]\nsecret-file = \"{}\"\nlook-interval-milliseconds = 50\n\
             parent-interval-seconds = 1\n",
            folder.path("registry.db").display(),
            folder.path("secret").display()
        );
        std::fs::write(&path, text + &more).unwrap();
        folder.succeed(&["registry", "init"]);
        let import = |file: &str, text: &str| {
            folder.write(file, text);
            folder.succeed(&["registry", "import", "--zone-file", file]);
        };
        import(
            "parent",
            "$ORIGIN test.\n$TTL 1\n@ SOA ns1 h 1 7200 900 604800 1\n@ NS ns1\nns1 A 127.0.0.1\n\
             child NS ns1.child\nns1.child A 127.0.0.1\n",
        );
        let mut child = "$ORIGIN child.test.\n$TTL 2\n@ SOA ns1 h 1 7200 900 604800 1\n@ NS ns1\n\
             ns1 A 127.0.0.1\nwww A 192.0.2.80\n"
            .to_owned();
        for number in 0..delegations {
            child.push_str(&format!(
                "d{number} NS ns.d{number}\nns.d{number} A 192.0.2.1\n"
            ));
        }
        import("child", &child);
        for (zone, ttl) in [("test", "1"), ("child.test", "2")] {
            let mut update = vec!["registry", "zone", "update", zone];
            for option in ["--soa-ttl", "--ns-ttl", "--ds-ttl", "--glue-ttl"] {
                update.extend([option, ttl]);
            }
            folder.succeed(&update);
        }
        folder.succeed(&["keys", "init"]);
        let parent = [&["keys", "policy", "--zone", "test"], &TIMES[..]].concat();
        folder.succeed(&parent);
        let servers = address.to_string();
        let child = [
            "keys",
            "policy",
            "--zone",
            "child.test",
            "--parent-servers",
            &servers,
        ];
        folder.succeed(&[&child, &TIMES[..], policy].concat());
        let server = Some(folder.serve());
        let mut stage = Self {
            folder,
            server,
            unbound: None,
            resolver: SocketAddr::from(([127, 0, 0, 1], 0)),
            asked: 0,
        };
        stage.wait_for("the parent's key", |stage| {
            stage.server_has("test.", RecordType::DNSKEY)
        });
        stage.start_unbound(address);
        stage
    }

    fn start_unbound(&mut self, server: SocketAddr) {
        let ds = self.folder.succeed(&["keys", "export", "--zone", "test"]);
        self.folder.write("anchor", &ds);
        let resolver = own_address();
        let at = |address: SocketAddr| format!("{}@{}", address.ip(), address.port());
        let config = format!(
            "server:\n  interface: {1}\n  outgoing-interface: 127.0.0.1\n  username: \"\"\n  chroot: \"\"\n\
             \x20 directory: \"{0}\"\n  use-syslog: no\n  logfile: \"{0}/unbound.log\"\n\
             \x20 val-log-level: 2\n  do-daemonize: no\n  pidfile: \"\"\n  num-threads: 1\n\
             \x20 module-config: \"validator iterator\"\n  trust-anchor-file: \"{0}/anchor\"\n\
             \x20 do-not-query-localhost: no\n  local-zone: \"test.\" nodefault\n\
             \x20 harden-algo-downgrade: yes\n  cache-max-negative-ttl: 1\n  val-bogus-ttl: 1\n\
             \x20 infra-host-ttl: 1\n\
             remote-control:\n  control-enable: no\n\
             stub-zone:\n  name: \"test.\"\n  stub-addr: {2}\n\
             stub-zone:\n  name: \"child.test.\"\n  stub-addr: {2}\n",
            self.folder.path("").display(),
            at(resolver),
            at(server)
        );
        let file = self.folder.write("unbound.conf", &config);
        let unbound = Command::new("unbound")
            .arg("-d")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.unbound = Some(unbound);
        self.resolver = resolver;
        self.wait_for("unbound", |stage| {
            ask(stage.resolver, "test.", RecordType::SOA)
                .is_some_and(|answer| answer.metadata.authentic_data)
        });
    }

    /// Looks until it is so; what the parent and resolvers do goes on meanwhile.
    #[track_caller]
    pub(super) fn wait_for(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            let status = |stage: &Self| {
                stage
                    .folder
                    .run(&["keys", "status", "--zone", "child.test"])
            };
            assert!(
                begin.elapsed() < ROLLOVER_TIMEOUT,
                "{what}: {}",
                String::from_utf8_lossy(&status(self).stdout)
            );
            std::thread::yield_now();
        }
    }

    fn server_address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().addresses[0]
    }

    fn server_has(&self, name: &str, rtype: RecordType) -> bool {
        ask(self.server_address(), name, rtype).is_some_and(|answer| !answer.answers.is_empty())
    }

    /// The parent's part: its DS set becomes what the child's CDS set says.
    pub(super) fn obey_cds(&self) {
        let wanted = cds(self.server_address(), "child.test.");
        if wanted.is_empty() {
            return;
        }
        let info = self
            .folder
            .succeed(&["--json", "registry", "domain", "info", "child.test"]);
        let info: Value = serde_json::from_str(&info).unwrap();
        let found = &info["info"]["domain"]["ds"];
        let has: Vec<String> = serde_json::from_value(found.clone()).unwrap_or_default();
        let alike = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        let mut arguments = vec!["registry", "domain", "update", "child.test"];
        for ds in wanted
            .iter()
            .filter(|ds| !has.iter().any(|known| alike(known, ds)))
        {
            arguments.extend(["--add-ds", ds]);
        }
        for ds in has
            .iter()
            .filter(|ds| !wanted.iter().any(|known| alike(known, ds)))
        {
            arguments.extend(["--remove-ds", ds]);
        }
        if arguments.len() > 4 {
            self.folder.succeed(&arguments);
        }
    }

    /// Every name once, through the validator. Before the zone has its DS record answers
    /// are insecure; afterwards each is secure.
    pub(super) fn check(&mut self, must_be_secure: bool) {
        for (name, rtype) in NAMES {
            let Some(answer) = ask(self.resolver, name, rtype) else {
                panic!("no answer to {name} {rtype}");
            };
            let code = answer.metadata.response_code;
            assert_ne!(
                code,
                ResponseCode::ServFail,
                "bogus: {name} {rtype} after {} answers: {}",
                self.asked,
                std::fs::read_to_string(self.folder.path("unbound.log")).unwrap_or_default()
            );
            if must_be_secure {
                assert!(answer.metadata.authentic_data, "insecure: {name} {rtype}");
            }
            self.asked += 1;
        }
    }

    pub(super) fn keys(&self) -> Value {
        let keys = self
            .folder
            .succeed(&["--json", "keys", "status", "--zone", "child.test"]);
        serde_json::from_str(&keys).unwrap()
    }

    /// Whether `count` keys are there and each record of each is in every cache.
    pub(super) fn is_settled(&self, count: usize) -> bool {
        let keys = self.keys();
        let states = keys["timeline"]["keys"].as_array().unwrap();
        let settled = |key: &Value| {
            let of_role: &[&str] = match key["role"].as_str().unwrap() {
                "csk" => &["dnskey", "key-signature", "zone-signatures", "ds"],
                "ksk" => &["dnskey", "key-signature", "ds"],
                _ => &["dnskey", "zone-signatures"],
            };
            key["goal"] == "present"
                && of_role
                    .iter()
                    .all(|record| key[record]["state"] == "omnipresent")
        };
        states.len() == count && states.iter().all(settled)
    }

    pub(super) fn settle(&mut self, count: usize, must_be_secure: bool) {
        self.wait_for("a rollover's end", |stage| {
            stage.obey_cds();
            stage.check(must_be_secure);
            stage.is_settled(count)
        });
        // What was validated as insecure before the DS record came stays so in the
        // validator for another TTL.
        self.wait_for("secure answers", |stage| {
            stage.check(false);
            stage.is_secure()
        });
    }

    fn is_secure(&self) -> bool {
        NAMES.iter().all(|(name, rtype)| {
            ask(self.resolver, name, *rtype).is_some_and(|answer| answer.metadata.authentic_data)
        })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut unbound) = self.unbound.take() {
            let _ = unbound.kill();
            let _ = unbound.wait();
        }
    }
}

/// An address for a server of this test alone. On 127.0.0.1 a port that is free now may be
/// some client's by the time that a killed server wants it again; that of an address that
/// nobody else uses stays free, over UDP and TCP.
fn own_address() -> SocketAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    let own = IpAddr::V4(Ipv4Addr::new(127, 53, high, low));
    let socket = UdpSocket::bind((own, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    TcpListener::bind(address).unwrap();
    address
}

/// The CDS set as DS data in presentation format.
fn cds(server: SocketAddr, name: &str) -> Vec<String> {
    let Some(answer) = ask_wire(server, name, RecordType::CDS) else {
        return Vec::new();
    };
    let [answers, ..] = zone_compiler::wire::read_sections(&answer).unwrap().records;
    let of_type = answers
        .iter()
        .filter(|record| record.rtype == zone_compiler::RecordType::CDS);
    let data = |rdata| zone_compiler::rdata::display(zone_compiler::RecordType::DS, rdata);
    of_type
        .map(|record| data(&record.rdata).to_string())
        .collect()
}

/// One question with DO; nothing where no answer comes.
pub(super) fn ask(server: SocketAddr, name: &str, rtype: RecordType) -> Option<Message> {
    Message::from_vec(&ask_wire(server, name, rtype)?).ok()
}

fn ask_wire(server: SocketAddr, name: &str, rtype: RecordType) -> Option<Vec<u8>> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype));
    message.metadata.recursion_desired = true;
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    edns.set_dnssec_ok(true);
    message.edns = Some(edns);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(server).unwrap();
    socket.send(&message.to_vec().unwrap()).ok()?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    Some(buffer[..length].to_vec())
}

#[test]
fn zone_key_and_algorithm_rollovers_are_never_bogus() {
    if wanted(&["unbound"]) {
        roll_all(50);
    }
}

/// A ZSK, a KSK and an algorithm are replaced, one after the other.
pub(crate) fn roll_all(delegations: u32) {
    let mut stage = Stage::new(delegations, &["--layout", "split"]);
    stage.settle(2, false);
    for role in ["zsk", "ksk"] {
        stage
            .folder
            .succeed(&["keys", "rollover", "--zone", "child.test", "--role", role]);
        stage.settle(2, true);
    }
    let policy = ["keys", "policy", "--zone", "child.test"];
    stage
        .folder
        .succeed(&[&policy[..], &["--algorithm", "15"]].concat());
    stage.wait_for("new keys", |stage| !stage.is_settled(2));
    stage.settle(2, true);
    let keys = stage.keys();
    let keys = keys["timeline"]["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["algorithm"] == 15), "{keys:?}");
    eprintln!("{} answers validated, none bogus", stage.asked);
}

#[test]
fn a_zone_survives_kills_in_the_middle_of_rollovers() {
    if wanted(&["unbound"]) {
        kill_rounds(5, 50);
    }
}

/// Kills the server at moments spread over a rollover and lets it go on.
pub(crate) fn kill_rounds(rounds: u32, delegations: u32) {
    let mut stage = Stage::new(delegations, &["--layout", "csk"]);
    stage.settle(1, false);
    let mut looks = 0;
    for round in 0..rounds {
        if stage.is_settled(1) {
            stage
                .folder
                .succeed(&["keys", "rollover", "--zone", "child.test", "--role", "csk"]);
        }
        for _ in 0..=round * 7 % 11 {
            stage.obey_cds();
            stage.check(true);
            looks += 1;
        }
        let server = stage.server.take().unwrap();
        server.signal("-KILL");
        server.wait();
        stage.folder.succeed(&["image", "verify"]);
        stage.server = Some(stage.folder.serve());
        stage.wait_for("the validator", |stage| {
            // Unbound remembers for a second that the server was away.
            ask(stage.resolver, "www.child.test.", RecordType::A)
                .is_some_and(|answer| answer.metadata.response_code != ResponseCode::ServFail)
        });
    }
    stage.settle(1, true);
    eprintln!(
        "{rounds} kills, {looks} looks, {} answers, none bogus",
        stage.asked
    );
}
