//! The same seeded zones and questions to Meridian, Knot and NSD: every difference is
//! met by a named rule, and every rule meets one.

mod queries;
mod reply;
mod rules;
mod zones;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use loadtest::generate::Random;
use loadtest::meridian::Meridian;
use loadtest::peer::{self, Server, Software, find_program};

use self::queries::Question;
use self::reply::{Record, Reply};
use self::rules::{RULES, Side};
use self::zones::Zone;
use super::{LOAD_TIMEOUT, meridian, wanted};

/// How long a reply may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Questions on one connection before the next is opened: below the limits of all.
const QUESTIONS_PER_CONNECTION: usize = 100;
/// Differences without a rule that are shown.
const SHOWN_MAX: usize = 40;

#[test]
fn every_difference_from_knot_and_nsd_has_a_rule() -> anyhow::Result<()> {
    compare(SEED, 20_000, true)
}

/// The seed of the short run. The long one takes others as well.
pub(crate) const SEED: u64 = 20_261_125;

/// Signs the text of a zone as its kind wants it.
#[derive(Debug, Clone, Copy)]
enum Signed {
    No,
    Nsec,
    OptOut,
}

const ZONES: [(&str, Signed); 3] = [
    ("plain.test.", Signed::No),
    ("nsec.test.", Signed::Nsec),
    ("optout.test.", Signed::OptOut),
];

/// One difference between two replies.
#[derive(Debug, Clone)]
enum Difference {
    Rcode,
    Authoritative,
    Edns,
    /// A record over TCP, in this section.
    Only(Side, usize, Record),
    /// They give a record twice.
    Repeated,
    /// One of the two says TC.
    Truncated,
    /// Both say TC, and they send records with it.
    Partial,
    /// A record over UDP that both send over TCP.
    Short(Side, usize, Record),
}

/// A reply as it was asked for, and over TCP, where nothing is left out.
#[derive(Debug, Clone)]
struct Both {
    short: Reply,
    whole: Reply,
}

/// One question with two replies to it.
struct Case<'c> {
    zone: &'c Zone,
    peer: Software,
    question: &'c Question,
    ours: &'c Both,
    theirs: &'c Both,
    differences: Vec<Difference>,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = |reply: &Reply| {
            let aa = if reply.authoritative { " aa" } else { "" };
            let tc = if reply.truncated { " tc" } else { "" };
            format!("rcode {}{aa}{tc} {} octets", reply.rcode, reply.octets)
        };
        let (ours, theirs) = (flags(&self.ours.short), flags(&self.theirs.short));
        let standing = self.zone.standing(&self.question.name);
        writeln!(
            f,
            "{} ({standing:?}), ours {ours}, {} {theirs}",
            self.question,
            self.peer.name()
        )?;
        for difference in &self.differences {
            match difference {
                Difference::Only(side, section, record) => {
                    writeln!(f, "    only {side:?} section {section}: {record}")?;
                }
                Difference::Short(side, section, record) => {
                    writeln!(f, "    only {side:?} over UDP, section {section}: {record}")?;
                }
                other => writeln!(f, "    {other:?}")?,
            }
        }
        Ok(())
    }
}

/// Asks `questions` questions, a third to each zone; wants every rule to be needed if
/// the seed is one that needs `all_rules`.
pub(crate) fn compare(seed: u64, questions: u64, all_rules: bool) -> anyhow::Result<()> {
    if !wanted(&["knotd", "nsd", "dnssec-signzone", "dnssec-keygen"]) {
        return Ok(());
    }
    eprintln!("seed {seed}, {questions} questions");
    let directory = tempfile::tempdir()?;
    let generated: Vec<_> = (0..)
        .zip(ZONES)
        .map(|(index, (apex, _))| Zone::generate(apex, seed ^ index))
        .collect();
    let mut files = Vec::new();
    for (zone, (_, signed)) in generated.iter().zip(ZONES) {
        files.push(peer::Zone {
            apex: zone.apex.clone(),
            file: sign(zone, signed, directory.path())?,
        });
    }
    let servers = [
        Meridian::serve_zones(meridian(), &files, 1, LOAD_TIMEOUT)?,
        Software::Knot.start(&files, 1, LOAD_TIMEOUT)?,
        Software::Nsd.start(&files, 1, LOAD_TIMEOUT)?,
    ];
    let mut clients = servers
        .iter()
        .enumerate()
        .map(|(index, server)| Client::new(server, index == 0))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut found = Found::default();
    let mut random = Random::new(seed);
    let sharp = generated.iter().flat_map(|zone| {
        let questions = Question::sharp(zone).into_iter();
        questions.map(move |question| (zone, question))
    });
    let chance = generated.iter().cycle().take(usize::try_from(questions)?);
    let chance = chance.map(|zone| (zone, Question::chance(zone, &mut random)));
    let mut asked = 0;
    for (zone, question) in sharp.chain(chance) {
        asked += 1;
        let replies = clients
            .iter_mut()
            .map(|client| client.both(&question))
            .collect::<anyhow::Result<Vec<_>>>()
            .with_context(|| question.to_string())?;
        rules::check_truncation(&question, &replies[0])
            .map_err(|fault| anyhow::anyhow!("{question}: {fault}: {:#?}", replies[0]))?;
        for (peer, theirs) in Software::AUTHORITATIVE.iter().zip(&replies[1..]) {
            found.compare(zone, *peer, &question, &replies[0], theirs);
        }
    }
    found.report(asked, all_rules)
}

/// Writes the zone, signed as asked, into `directory`.
fn sign(zone: &Zone, signed: Signed, directory: &Path) -> anyhow::Result<std::path::PathBuf> {
    let plain = directory.join(format!("{}zone", zone.apex));
    std::fs::write(&plain, &zone.text)?;
    let denial: &[&str] = match signed {
        Signed::No => return Ok(plain),
        Signed::Nsec => &[],
        // RFC 9276 section 3.1: no salt, no iterations.
        Signed::OptOut => &["-3", "-", "-A", "-H", "0"],
    };
    let apex = zone.apex.to_string();
    for flags in [&["-f", "KSK"][..], &[]] {
        run(Command::new(program("dnssec-keygen")?)
            .current_dir(directory)
            .args(["-q", "-a", "ECDSAP256SHA256"])
            .args(flags)
            .arg(&apex))?;
    }
    let file = directory.join(format!("{apex}signed"));
    run(Command::new(program("dnssec-signzone")?)
        .current_dir(directory)
        .args(["-q", "-P", "-S", "-O", "full", "-o", &apex, "-f"])
        .arg(&file)
        .args(denial)
        .arg(&plain))?;
    Ok(file)
}

fn program(name: &str) -> anyhow::Result<std::path::PathBuf> {
    find_program(name).with_context(|| format!("{name} is not installed"))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    Ok(())
}

/// A client of one server.
struct Client {
    server: std::net::SocketAddr,
    ours: bool,
    udp: UdpSocket,
    tcp: Option<(TcpStream, usize)>,
    id: u16,
}

impl Client {
    fn new(server: &Server, ours: bool) -> anyhow::Result<Self> {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        udp.connect(server.target().address())?;
        udp.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self {
            server: server.target().address(),
            ours,
            udp,
            tcp: None,
            id: 0,
        })
    }

    /// The reply as the question wants it, and the one over TCP.
    fn both(&mut self, question: &Question) -> anyhow::Result<Both> {
        self.id = self.id.wrapping_add(1);
        let query = question.encode(self.id);
        let whole = self.tcp(&query).context("over TCP")?;
        let whole = self.decode(&whole, &query).context("over TCP")?;
        if question.tcp {
            let short = whole.clone();
            return Ok(Both { short, whole });
        }
        self.udp.send(&query)?;
        let mut reply = [0; 65_535];
        let length = self.udp.recv(&mut reply).context("no reply over UDP")?;
        let most = question.bytes_max();
        ensure!(length <= most, "{length} octets, {most} were allowed");
        let short = self.decode(&reply[..length], &query)?;
        Ok(Both { short, whole })
    }

    fn decode(&self, wire: &[u8], query: &[u8]) -> anyhow::Result<Reply> {
        let reply = Reply::decode(wire, query)?;
        if self.ours {
            reply::check_by_hickory(wire)?;
            ensure!(reply.repeated.is_empty(), "a record twice");
        }
        Ok(reply)
    }

    /// Asks over TCP, on the same connection while it lasts.
    fn tcp(&mut self, query: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (mut stream, questions) = match self.tcp.take() {
            Some(open) => open,
            None => (TcpStream::connect(self.server)?, 0),
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let length = u16::try_from(query.len())?.to_be_bytes();
        stream.write_all(&[&length, query].concat())?;
        let mut length = [0; 2];
        stream.read_exact(&mut length).context("no reply")?;
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply).context("half a reply")?;
        if questions + 1 < QUESTIONS_PER_CONNECTION {
            self.tcp = Some((stream, questions + 1));
        }
        Ok(reply)
    }
}

/// What the comparison has found so far.
#[derive(Default)]
struct Found {
    counts: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
    equal: u64,
}

impl Found {
    fn compare(
        &mut self,
        zone: &Zone,
        peer: Software,
        question: &Question,
        ours: &Both,
        theirs: &Both,
    ) {
        let mut case = Case {
            zone,
            peer,
            question,
            ours,
            theirs,
            differences: differences(ours, theirs),
        };
        if case.differences.is_empty() {
            self.equal += 1;
            return;
        }
        for rule in RULES {
            let before = case.differences.len();
            if let Err(fault) = rule.meet(&mut case) {
                self.faults.push(format!("{}: {fault}: {case}", rule.name));
                return;
            }
            if case.differences.len() < before {
                *self.counts.entry(rule.name).or_default() += 1;
            }
        }
        if !case.differences.is_empty() {
            self.faults.push(format!("without a rule: {case}"));
        }
    }

    /// Prints the rules with how often they were needed; wants each to be.
    fn report(&self, questions: u64, all_rules: bool) -> anyhow::Result<()> {
        eprintln!(
            "{} of {} pairs of replies are equal",
            self.equal,
            2 * questions
        );
        let mut unused = Vec::new();
        for rule in RULES {
            let count = self.counts.get(rule.name).copied().unwrap_or_default();
            eprintln!("{count:6} {}: {} ({})", rule.name, rule.text, rule.source);
            if count == 0 {
                unused.push(rule.name);
            }
        }
        let shown = &self.faults[..self.faults.len().min(SHOWN_MAX)];
        ensure!(
            self.faults.is_empty(),
            "{} differences, the first:\n{}",
            self.faults.len(),
            shown.join("\n")
        );
        ensure!(
            !all_rules || unused.is_empty(),
            "rules that nothing needs: {unused:?}"
        );
        Ok(())
    }
}

fn differences(ours: &Both, theirs: &Both) -> Vec<Difference> {
    let (one, two) = (&ours.whole, &theirs.whole);
    let mut found = Vec::new();
    let mut flag = |differs: bool, difference| {
        if differs {
            found.push(difference);
        }
    };
    flag(one.rcode != two.rcode, Difference::Rcode);
    flag(
        one.authoritative != two.authoritative,
        Difference::Authoritative,
    );
    flag(one.edns != two.edns, Difference::Edns);
    flag(!two.repeated.is_empty(), Difference::Repeated);
    found.extend(records(one, two, Difference::Only));
    let (one, two) = (&ours.short, &theirs.short);
    if one.truncated != two.truncated {
        found.push(Difference::Truncated);
    } else if !one.truncated {
        let whole: Vec<_> = records(&ours.whole, &theirs.whole, |_, _, record| record).collect();
        let short = records(one, two, |side, section, record| (side, section, record));
        found.extend(
            short
                .filter(|(.., record)| !whole.contains(record))
                .map(|(side, section, record)| Difference::Short(side, section, record)),
        );
    } else if two.sections.iter().any(|section| !section.is_empty()) {
        found.push(Difference::Partial);
    }
    found
}

/// The records that one of the two has alone.
fn records<'r, T>(
    ours: &'r Reply,
    theirs: &'r Reply,
    make: impl Fn(Side, usize, Record) -> T + Copy + 'r,
) -> impl Iterator<Item = T> + 'r {
    let sections = ours.sections.iter().zip(&theirs.sections).enumerate();
    sections.flat_map(move |(section, (ours, theirs))| {
        let only = |side: Side| move |record: &Record| make(side, section, record.clone());
        ours.difference(theirs)
            .map(only(Side::Ours))
            .chain(theirs.difference(ours).map(only(Side::Theirs)))
    })
}
