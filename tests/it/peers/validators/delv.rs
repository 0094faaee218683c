//! What `delv` says of our answers: it has our trust anchors, asks Meridian without a
//! resolver between, and validates by itself (RFC 4035 section 5).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use loadtest::peer::Server;
use zone_image::Name;

use super::super::wanted;
use super::{ALGORITHMS, KINDS, Signed, Vouched, full_name};

const PROGRAMS: [&str; 3] = ["delv", "dnssec-signzone", "dnssec-keygen"];

/// What it says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Validated,
    Unsigned,
    /// It found no chain of trust, or no answer.
    Bogus,
}

/// A `delv` with trust anchors.
struct Delv<'s> {
    signed: &'s Signed,
    server: &'s Server,
    anchors: PathBuf,
}

impl<'s> Delv<'s> {
    /// Takes the DNSKEY records of `anchors` for trust anchors.
    fn new(signed: &'s Signed, server: &'s Server, anchors: &str) -> anyhow::Result<Self> {
        let mut text = String::from("trust-anchors {\n");
        for line in anchors.lines().filter(|line| !line.starts_with(';')) {
            let (owner, key) = line.split_once(" IN DNSKEY ").context("a DNSKEY")?;
            let mut words = key.splitn(4, ' ');
            let mut word = || words.next().context("flags, protocol, algorithm, key");
            let (flags, protocol, algorithm, key) = (word()?, word()?, word()?, word()?);
            writeln!(
                text,
                "\"{owner}\" static-key {flags} {protocol} {algorithm} \"{key}\";"
            )?;
        }
        let file = signed.path("delv-anchors");
        fs::write(&file, text + "};\n")?;
        Ok(Self {
            signed,
            server,
            anchors: file,
        })
    }

    /// Asks; gives what it says, whether of a name that is not there, and its words.
    fn ask(&self, apex: &Name, name: &str, rtype: &str) -> anyhow::Result<(Verdict, bool, String)> {
        let address = self.server.target().address();
        let output = self
            .signed
            .command("delv")?
            .arg(format!("@{}", address.ip()))
            .args(["-p", &address.port().to_string()])
            .args([Path::new("-a"), &self.anchors])
            .arg(format!("+root={apex}"))
            .args([name, rtype])
            .output()?;
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8_lossy(&words).into_owned();
        // Denials have it behind "negative response,".
        let says = |verdict: &str| {
            let mut comments = words.lines().filter(|line| line.starts_with("; "));
            comments.any(|line| line.ends_with(verdict))
        };
        let verdict = match () {
            () if says(" fully validated") => Verdict::Validated,
            () if says(" unsigned answer") => Verdict::Unsigned,
            () => Verdict::Bogus,
        };
        Ok((verdict, words.contains("ncache nxdomain"), words))
    }
}

#[test]
fn delv_finds_no_kind_of_answer_bogus() -> anyhow::Result<()> {
    if !wanted(&PROGRAMS) {
        return Ok(());
    }
    let signed = Signed::new(&ALGORITHMS)?;
    let ours = signed.serve()?;
    let delv = Delv::new(&signed, &ours, &signed.anchors)?;
    let (mut faults, mut verdicts) = (Vec::new(), Vec::new());
    for zone in &signed.parents {
        for (name, rtype, rcode, expected) in KINDS {
            let name = full_name(name, &zone.apex);
            let (verdict, missing, words) = delv.ask(&zone.apex, &name, rtype)?;
            let right = match expected {
                Vouched::UnlessOptOut if name.contains("optout") => verdict != Verdict::Bogus,
                Vouched::Yes | Vouched::UnlessOptOut => verdict == Verdict::Validated,
                Vouched::No => verdict == Verdict::Unsigned,
            };
            if !right || missing != (rcode == 3) {
                faults.push(format!("{name} {rtype}, {rcode} {expected:?}: {words}"));
            }
            verdicts.push(verdict);
        }
    }
    let count = |verdict| verdicts.iter().filter(|own| **own == verdict).count();
    eprintln!(
        "{} answers: delv validated {}, {} unsigned, {} bogus",
        verdicts.len(),
        count(Verdict::Validated),
        count(Verdict::Unsigned),
        count(Verdict::Bogus)
    );
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn delv_finds_an_answer_of_other_keys_bogus() -> anyhow::Result<()> {
    if !wanted(&PROGRAMS) {
        return Ok(());
    }
    let signed = Signed::new(&ALGORITHMS[1..2])?;
    let others = Signed::new(&ALGORITHMS[1..2])?;
    let ours = signed.serve()?;
    let delv = Delv::new(&signed, &ours, &others.anchors)?;
    for zone in &signed.parents {
        let name = full_name("host", &zone.apex);
        let (verdict, _, words) = delv.ask(&zone.apex, &name, "A")?;
        ensure!(verdict == Verdict::Bogus, "{name} is not bogus: {words}");
        ensure!(words.contains("broken trust chain"), "{name}: {words}");
    }
    Ok(())
}
