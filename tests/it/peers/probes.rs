//! The list of probes in RFC 8906 section 8, asked by `dig` of the running server. Each
//! is named by its subsection.

use std::process::Command;

use anyhow::{Context, ensure};
use loadtest::meridian::Meridian;
use loadtest::peer::{Server, Zone, find_program};
use zone_image::Name;

use super::{LOAD_TIMEOUT, meridian, wanted};

/// Subsection, what `dig` is told, and its reply in the words of [`probe`].
const PROBES: [(&str, &str, &str); 18] = [
    (
        "8.1.1",
        "+noedns +noad +norec soa",
        "QUERY NOERROR qr aa; SOA",
    ),
    (
        "8.1.2",
        "+noedns +noad +norec type1000",
        "QUERY NOERROR qr aa; 0 answers",
    ),
    (
        "8.1.3.1",
        "+noedns +noad +norec +cd soa",
        "QUERY NOERROR qr aa; SOA",
    ),
    (
        "8.1.3.2",
        "+noedns +norec +ad soa",
        "QUERY NOERROR qr aa; SOA",
    ),
    (
        "8.1.3.3",
        "+noedns +noad +norec +zflag soa",
        "QUERY NOERROR qr aa; SOA",
    ),
    (
        "8.1.3.4",
        "+noedns +noad +rec soa",
        "QUERY NOERROR qr aa rd; SOA",
    ),
    (
        "8.1.4",
        "+noedns +noad +opcode=15 +norec +header-only",
        "RESERVED15 NOTIMP qr; 0 answers",
    ),
    (
        "8.1.5",
        "+noedns +noad +norec +tcp soa",
        "QUERY NOERROR qr aa; SOA",
    ),
    (
        "8.2.1",
        "+nocookie +edns=0 +noad +norec soa",
        "QUERY NOERROR qr aa; SOA; EDNS 0",
    ),
    (
        "8.2.2",
        "+nocookie +edns=1 +noednsneg +noad +norec soa",
        "QUERY BADVERS qr; 0 answers; EDNS 0",
    ),
    (
        "8.2.3",
        "+nocookie +edns=0 +noad +norec +ednsopt=100 soa",
        "QUERY NOERROR qr aa; SOA; EDNS 0",
    ),
    (
        "8.2.4",
        "+nocookie +edns=0 +noad +norec +ednsflags=0x40 soa",
        "QUERY NOERROR qr aa; SOA; EDNS 0",
    ),
    (
        "8.2.5",
        "+nocookie +edns=1 +noednsneg +noad +norec +ednsflags=0x40 soa",
        "QUERY BADVERS qr; 0 answers; EDNS 0",
    ),
    (
        "8.2.6",
        "+nocookie +edns=1 +noednsneg +noad +norec +ednsopt=100 soa",
        "QUERY BADVERS qr; 0 answers; EDNS 0",
    ),
    (
        "8.2.7",
        "+nocookie +norec +noad +dnssec +bufsize=512 +ignore dnskey",
        "QUERY NOERROR qr aa tc; 0 answers; EDNS 0 do",
    ),
    (
        "8.2.8",
        "+nocookie +edns=0 +noad +norec +dnssec soa",
        "QUERY NOERROR qr aa; SOA; EDNS 0 do",
    ),
    (
        "8.2.9",
        "+nocookie +edns=1 +noednsneg +noad +norec +dnssec soa",
        "QUERY BADVERS qr; 0 answers; EDNS 0 do",
    ),
    (
        "8.2.10",
        "+cookie +nsid +expire +subnet=0.0.0.0/0 +edns=0 +noad +norec soa",
        "QUERY NOERROR qr aa; SOA; EDNS 0",
    ),
];

/// Opcode, RCODE and flags; what is answered; version and flags of an OPT.
fn probe(server: &Server, told: &str) -> anyhow::Result<String> {
    let address = server.target().address();
    let dig = find_program("dig").context("no dig")?;
    let output = Command::new(dig)
        // No file of the user's may add to what is asked.
        .args(["-r", "+tries=1", "+time=5", "+qr"])
        .arg(format!("@{}", address.ip()))
        .args(["-p", &address.port().to_string()])
        .args(told.split(' '))
        .arg("zone.test.")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let reply = text
        .split(";; Got answer:")
        .nth(1)
        .with_context(|| text.clone())?;
    let between = |line: &str, start: &str, end: &str| {
        let rest = line.split(start).nth(1)?;
        Some(rest.split(end).next()?.trim().to_owned())
    };
    let (mut words, mut edns) = (String::new(), String::new());
    for line in reply.lines() {
        if line.contains("opcode:") {
            words = between(line, "opcode: ", ",").context("no opcode")?;
            words = format!(
                "{words} {}",
                between(line, "status: ", ",").context("no status")?
            );
        } else if line.starts_with(";; flags:") {
            let flags = between(line, "flags: ", ";").context("no flags")?;
            let answers = between(line, "ANSWER: ", ",").context("no count")?;
            let soa = answers == "1" && reply.contains("\tSOA\t");
            let answers = if soa {
                "SOA".to_owned()
            } else {
                format!("{answers} answers")
            };
            words = format!("{words} {flags}; {answers}");
            ensure!(!line.contains("MBZ"), "a reserved flag is set: {line}");
        } else if line.contains("EDNS: version:") {
            ensure!(!line.contains("MBZ"), "a reserved flag is set: {line}");
            let version = between(line, "version: ", ",").context("no version")?;
            let flags = between(line, "flags:", ";").context("no flags")?;
            edns = format!("; EDNS {version} {flags}").trim_end().to_owned();
        }
        ensure!(!line.contains("OPT=100"), "an unknown option is sent back");
    }
    Ok(words + &edns)
}

#[test]
fn every_probe_of_rfc_8906_has_its_reply() -> anyhow::Result<()> {
    if !wanted(&["dig"]) {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("zone");
    let key = "A".repeat(344);
    std::fs::write(
        &file,
        format!(
            "$ORIGIN zone.test.\n$TTL 3600\n@ SOA ns host 1 7200 900 1209600 300\n@ NS ns\n\
             @ DNSKEY 257 3 8 {key}\n@ DNSKEY 256 3 8 {key}\nns A 192.0.2.1\n"
        ),
    )?;
    let apex = Name::parse_absolute("zone.test.")?;
    let server = Meridian::serve_zones(meridian(), &[Zone { apex, file }], 1, LOAD_TIMEOUT)?;
    let mut faults = Vec::new();
    for (section, told, expected) in PROBES {
        let found = probe(&server, told).with_context(|| format!("{section}: dig {told}"))?;
        if found != expected {
            faults.push(format!("{section}: dig {told}: {found}, not {expected}"));
        }
    }
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}
