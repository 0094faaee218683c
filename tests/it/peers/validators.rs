//! What validators say of our answers: unbound and delv with our trust anchors, the zone
//! as it is served by `ldns-verify-zone` and `kzonecheck`, and `dnsviz`.
//!
//! Every algorithm that resolvers must know (RFC 8624 section 3.1) with each kind of
//! denial, and beside each zone a secure and an insecure child.

mod delv;

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use loadtest::meridian::Meridian;
use loadtest::peer::{Server, Zone, find_program};
use zone_compiler::RecordType;
use zone_image::Name;

use super::{LOAD_TIMEOUT, meridian, wanted};

/// How often unbound is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long it may take to resolve and validate.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// What unbound logs of an answer that is bogus.
const BOGUS: &str = "validation failure";
/// Algorithms as `dnssec-keygen` takes them: 8, 13, 14, 15 and 16.
const ALGORITHMS: [(u8, &[&str]); 5] = [
    (8, &["-a", "RSASHA256", "-b", "2048"]),
    (13, &["-a", "ECDSAP256SHA256"]),
    (14, &["-a", "ECDSAP384SHA384"]),
    (15, &["-a", "ED25519"]),
    (16, &["-a", "ED448"]),
];
/// Kinds of denial, and what makes `dnssec-signzone` choose it (RFC 9276 section 3.1:
/// no salt, no iterations).
const DENIALS: [(&str, &[&str]); 3] = [
    ("nsec", &[]),
    ("nsec3-", &["-3", "-", "-H", "0"]),
    ("optout", &["-3", "-", "-H", "0", "-A"]),
];

const TEXT: &str = r#"
@ NS ns1
ns1 A 127.0.0.1
host A 192.0.2.1
*.wild TXT "wild"
*.waliases CNAME host
a.b.ent TXT "below"
dn DNAME target
x.target A 192.0.2.2
one CNAME two
two CNAME host
nowhere CNAME missing
towild CNAME x.wild
secure NS ns.secure
ns.secure A 127.0.0.1
insecure NS ns.insecure
ns.insecure A 127.0.0.1
delegation.only NS ns.insecure
"#;
const CHILD: &str = "@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.3\n";

/// Whether a validator vouches for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vouched {
    Yes,
    /// Under opt-out an unsigned delegation could be there (RFC 5155 section 9.2).
    UnlessOptOut,
    No,
}

/// Name, type, RCODE and what is expected of each kind of answer.
const KINDS: [(&str, &str, u8, Vouched); 22] = [
    ("host", "A", 0, Vouched::Yes),
    ("@", "DNSKEY", 0, Vouched::Yes),
    ("missing", "A", 3, Vouched::UnlessOptOut),
    ("a.b.c.missing", "A", 3, Vouched::UnlessOptOut),
    ("x.host", "A", 3, Vouched::UnlessOptOut),
    ("host", "TXT", 0, Vouched::Yes),
    ("@", "TXT", 0, Vouched::Yes),
    ("x.wild", "TXT", 0, Vouched::UnlessOptOut),
    ("x.wild", "A", 0, Vouched::UnlessOptOut),
    ("x.waliases", "A", 0, Vouched::UnlessOptOut),
    ("ent", "A", 0, Vouched::Yes),
    ("only", "A", 0, Vouched::UnlessOptOut),
    ("x.only", "A", 3, Vouched::UnlessOptOut),
    ("secure", "DS", 0, Vouched::Yes),
    ("insecure", "DS", 0, Vouched::UnlessOptOut),
    ("x.dn", "A", 0, Vouched::Yes),
    ("y.dn", "A", 3, Vouched::UnlessOptOut),
    ("one", "A", 0, Vouched::Yes),
    ("nowhere", "A", 3, Vouched::UnlessOptOut),
    ("towild", "TXT", 0, Vouched::UnlessOptOut),
    ("www.secure", "A", 0, Vouched::Yes),
    ("www.insecure", "A", 0, Vouched::No),
];

/// Signed zones with their children, in a folder.
struct Signed {
    /// Those with trust anchors.
    parents: Vec<Zone>,
    children: Vec<Zone>,
    anchors: String,
    directory: tempfile::TempDir,
}

impl Signed {
    fn new(algorithms: &[(u8, &[&str])]) -> anyhow::Result<Self> {
        let mut signed = Self {
            parents: Vec::new(),
            children: Vec::new(),
            anchors: String::new(),
            directory: tempfile::tempdir()?,
        };
        for (number, algorithm) in algorithms {
            for (denial, flags) in DENIALS {
                let apex = format!("{denial}{number}.test.");
                signed.add(&apex, algorithm, flags)?;
            }
        }
        Ok(signed)
    }

    fn add(&mut self, apex: &str, algorithm: &[&str], flags: &[&str]) -> anyhow::Result<()> {
        let insecure = format!("insecure.{apex}");
        let file = self.write(&insecure, CHILD)?;
        self.children.push(zone(&insecure, file));
        let secure = format!("secure.{apex}");
        self.write(&secure, CHILD)?;
        let (file, _) = self.sign(&secure, algorithm, flags)?;
        self.children.push(zone(&secure, file));
        let plain = self.write(apex, TEXT)?;
        let ds = self.path(&format!("dsset-{secure}"));
        let ds = fs::read_to_string(&ds).with_context(|| ds.display().to_string())?;
        fs::write(&plain, fs::read_to_string(&plain)? + &ds)?;
        let (file, key) = self.sign(apex, algorithm, flags)?;
        self.parents.push(zone(apex, file));
        self.anchors += &key;
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the file of a zone before it is signed.
    fn write(&self, apex: &str, text: &str) -> anyhow::Result<PathBuf> {
        let file = self.path(&format!("{apex}zone"));
        let soa = format!("@ SOA ns1 host 1 7200 900 1209600 300\n{text}");
        fs::write(&file, format!("$ORIGIN {apex}\n$TTL 3600\n{soa}"))?;
        Ok(file)
    }

    /// Signs with one key for all; gives file and DNSKEY.
    fn sign(
        &self,
        apex: &str,
        algorithm: &[&str],
        flags: &[&str],
    ) -> anyhow::Result<(PathBuf, String)> {
        let key = run(self
            .command("dnssec-keygen")?
            .args(["-q", "-f", "KSK"])
            .args(algorithm)
            .arg(apex))?;
        let key = fs::read_to_string(self.path(&format!("{}.key", key.trim())))?;
        let file = self.path(&format!("{apex}signed"));
        run(self
            .command("dnssec-signzone")?
            .args(["-q", "-P", "-S", "-z", "-O", "full", "-o", apex, "-f"])
            .arg(&file)
            .args(flags)
            .arg(self.path(&format!("{apex}zone"))))?;
        Ok((file, key))
    }

    fn command(&self, program: &str) -> anyhow::Result<Command> {
        let program = find_program(program).with_context(|| format!("no {program}"))?;
        let mut command = Command::new(program);
        command.current_dir(self.directory.path());
        Ok(command)
    }

    fn all(&self) -> Vec<Zone> {
        [self.parents.as_slice(), &self.children].concat()
    }

    fn apexes(&self) -> Vec<Name> {
        self.all().into_iter().map(|zone| zone.apex).collect()
    }

    fn serve(&self) -> anyhow::Result<Server> {
        Meridian::serve_zones(meridian(), &self.all(), 1, LOAD_TIMEOUT)
    }
}

fn zone(apex: &str, file: PathBuf) -> Zone {
    let apex = Name::parse_absolute(apex).expect("a name of this file");
    Zone { apex, file }
}

/// Runs a program that must end well; gives what it printed.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    ensure!(
        output.status.success(),
        "{command:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}

/// Starts unbound as a resolver of these zones only, with `anchors`, and waits until it
/// answers for the last of them.
pub(super) fn start_unbound(
    zones: &[Name],
    server: SocketAddr,
    anchors: &str,
) -> anyhow::Result<Server> {
    let program = find_program("unbound").context("no unbound")?;
    let unbound = Server::start(&[], LOAD_TIMEOUT, |directory, address| {
        let here = directory.display();
        fs::write(directory.join("anchors"), anchors)?;
        let mut text = format!(
            "server:\n directory: \"{here}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n \
             use-syslog: no\n logfile: \"\"\n val-log-level: 2\n do-daemonize: no\n num-threads: 1\n \
             interface: {}@{}\n do-ip6: no\n do-not-query-localhost: no\n \
             module-config: \"validator iterator\"\n trust-anchor-file: \"{here}/anchors\"\n \
             local-zone: \"test.\" nodefault\n target-fetch-policy: \"0 0 0 0 0\"\n\
             remote-control:\n control-enable: no\n",
            address.ip(),
            address.port()
        );
        for apex in zones {
            let port = server.port();
            writeln!(
                text,
                "stub-zone:\n name: \"{apex}\"\n stub-addr: {}@{port}",
                server.ip()
            )?;
        }
        fs::write(directory.join("unbound.conf"), text)?;
        let mut command = Command::new(&program);
        command
            .arg("-d")
            .arg("-c")
            .arg(directory.join("unbound.conf"));
        Ok(command)
    })?;
    let name = zones[zones.len() - 1].to_string();
    let start = Instant::now();
    while resolve_within(&unbound, &name, "SOA", ASK_EVERY).is_err() {
        ensure!(start.elapsed() < LOAD_TIMEOUT, "{}", unbound.log());
    }
    Ok(unbound)
}

/// Asks a resolver; gives RCODE and AD.
fn resolve(resolver: &Server, name: &str, rtype: &str) -> anyhow::Result<(u8, bool)> {
    resolve_within(resolver, name, rtype, REPLY_TIMEOUT)
}

fn resolve_within(
    resolver: &Server,
    name: &str,
    rtype: &str,
    timeout: Duration,
) -> anyhow::Result<(u8, bool)> {
    let name = Name::parse_absolute(name)?;
    let rtype: RecordType = rtype.parse().ok().context("a type of this file")?;
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.extend_from_slice(name.as_wire());
    query.extend(rtype.0.to_be_bytes());
    query.extend([0, 1, 0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(timeout))?;
    socket.send_to(&query, resolver.target().address())?;
    let mut reply = [0; 4096];
    let length = socket.recv(&mut reply).context("no reply")?;
    ensure!(
        length >= 12 && reply[..2] == query[..2],
        "no reply to the query"
    );
    Ok((reply[3] & 15, reply[3] & 0x20 != 0))
}

fn full_name(name: &str, apex: &Name) -> String {
    match name {
        "@" => apex.to_string(),
        _ => format!("{name}.{apex}"),
    }
}

#[test]
fn unbound_finds_every_kind_of_answer_right() -> anyhow::Result<()> {
    if !wanted(&["unbound", "dnssec-signzone", "dnssec-keygen"]) {
        return Ok(());
    }
    let signed = Signed::new(&ALGORITHMS)?;
    let ours = signed.serve()?;
    let unbound = start_unbound(&signed.apexes(), ours.target().address(), &signed.anchors)?;
    let (mut faults, mut vouched) = (Vec::new(), 0);
    for zone in &signed.parents {
        for (name, rtype, rcode, expected) in KINDS {
            let name = full_name(name, &zone.apex);
            let found = resolve(&unbound, &name, rtype).context(name.clone())?;
            let opt_out = name.contains("optout");
            let right = match expected {
                Vouched::Yes => found.1,
                Vouched::UnlessOptOut => found.1 || opt_out,
                Vouched::No => !found.1,
            };
            if found.0 != rcode || !right {
                faults.push(format!("{name} {rtype}: {found:?}, {rcode} {expected:?}"));
            }
            vouched += usize::from(found.1);
        }
    }
    let asked = signed.parents.len() * KINDS.len();
    let bogus = unbound.log().matches(BOGUS).count();
    eprintln!("{asked} answers: unbound vouches for {vouched}, finds {bogus} bogus");
    ensure!(bogus == 0, "{}", unbound.log());
    ensure!(faults.is_empty(), "{faults:#?}\n{}", unbound.log());
    Ok(())
}

#[test]
fn unbound_finds_an_answer_of_other_keys_bogus() -> anyhow::Result<()> {
    if !wanted(&["unbound", "dnssec-signzone", "dnssec-keygen"]) {
        return Ok(());
    }
    // An oracle that finds all right finds nothing: this one has the keys of another.
    let mut signed = Signed::new(&ALGORITHMS[1..2])?;
    let others = Signed::new(&ALGORITHMS[1..2])?;
    // It is asked until it answers for a zone without anchor, so that we know it does.
    let unsigned = signed.write("unsigned.test.", CHILD)?;
    signed.children.push(zone("unsigned.test.", unsigned));
    let ours = signed.serve()?;
    let unbound = start_unbound(&signed.apexes(), ours.target().address(), &others.anchors)?;
    for zone in &signed.parents {
        let name = full_name("host", &zone.apex);
        let found = resolve(&unbound, &name, "A")?;
        ensure!(found == (2, false), "{name} is not bogus: {found:?}");
    }
    ensure!(unbound.log().contains(BOGUS), "{}", unbound.log());
    Ok(())
}

#[test]
fn checkers_are_content_with_the_zone_as_served() -> anyhow::Result<()> {
    if !wanted(&[
        "ldns-verify-zone",
        "kzonecheck",
        "dnssec-signzone",
        "dnssec-keygen",
    ]) {
        return Ok(());
    }
    let signed = Signed::new(&ALGORITHMS)?;
    let directory = tempfile::tempdir()?;
    let ours = Meridian::new(meridian(), directory.path())?;
    ours.compile_zone_files(&signed.parents)?;
    for zone in &signed.parents {
        let apex = zone.apex.to_string();
        let dump = ours.run(&["image", "dump", "--zone", &apex])?;
        let file = directory.path().join("dump");
        fs::write(&file, &dump)?;
        run(signed.command("ldns-verify-zone")?.arg(&file)).context(apex.clone())?;
        run(signed
            .command("kzonecheck")?
            .args(["-d", "on", "-o", &apex])
            .arg(&file))
        .context(apex.clone())?;
        // Without one signature they are not content: they do look.
        let broken: Vec<_> = dump
            .lines()
            .filter(|line| !(line.starts_with("host.") && line.contains("RRSIG")))
            .collect();
        fs::write(&file, broken.join("\n") + "\n")?;
        ensure!(
            run(signed.command("ldns-verify-zone")?.arg(&file)).is_err(),
            "a signature that is missing is not found"
        );
    }
    Ok(())
}

/// Runs `dnsviz grok`. Debian 12's asks a module of pygraphviz for its version that is
/// no longer there; everything else of it works.
const GROK: &str = "
import sys, types, pygraphviz
if not hasattr(pygraphviz, 'release'):
    release = types.ModuleType('pygraphviz.release')
    release.version = '1.7'
    sys.modules['pygraphviz.release'] = pygraphviz.release = release
from dnsviz.commands import grok
grok.main(['grok'] + sys.argv[1:])
";

#[test]
fn dnsviz_finds_nothing_wrong() -> anyhow::Result<()> {
    if !wanted(&["dnsviz", "dnssec-signzone", "dnssec-keygen"]) {
        return Ok(());
    }
    let signed = Signed::new(&ALGORITHMS[1..2])?;
    let ours = signed.serve()?;
    fs::write(signed.path("anchors"), &signed.anchors)?;
    for zone in &signed.parents {
        let apex = zone.apex.to_string();
        let apex = apex.trim_end_matches('.');
        let names = ["host", "missing", "x.wild", "ent", "only", "x.dn", "one"];
        let names = names.map(|name| format!("{name}.{apex}"));
        let server = format!("{apex}+:ns1.{apex}={}", ours.target().address());
        run(signed
            .command("dnsviz")?
            .args([
                "probe", "-4", "-A", "-a", apex, "-x", &server, "-o", "probe", apex,
            ])
            .args(&names))?;
        let grok = |level: &str| {
            run(Command::new("/usr/bin/python3")
                .current_dir(signed.directory.path())
                .args(["-c", GROK, "-t", "anchors", "-r", "probe", "-l", level]))
        };
        let faults = grok("warning")?;
        ensure!(faults.trim().is_empty(), "{apex}: {faults}");
        let all = grok("info")?;
        let secure = all.matches("\"status\": \"SECURE\"").count();
        ensure!(secure >= 10, "{apex}: only {secure} SECURE: {all}");
    }
    Ok(())
}
