//! Parked names below a signed zone, as validators that others wrote see them: unbound and
//! delv find them insecure, by the zone's own proof that their cut has no DS, or secure where
//! the policy signs them, and have what the registry's parking servers answer. Never bogus,
//! with NSEC, NSEC3 and opt-out.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::rollovers::ask;
use super::validators::start_unbound;
use super::{LOAD_TIMEOUT, wanted};
use crate::support::{self, Folder, Running};

/// Ways to deny, as `keys policy` takes them.
const DENIALS: [&[&str]; 3] = [
    &["--denial", "nsec"],
    &["--denial", "nsec3"],
    &["--denial", "nsec3-opt-out"],
];
const ZONE: &str = "$ORIGIN test.\n$TTL 60\n@ SOA ns1 h 1 7200 900 604800 60\n@ NS ns1\n\
    ns1 A 127.0.0.1\np1.park A 127.0.0.1\np2.park A 127.0.0.1\nwww A 192.0.2.1\n";
/// Name, type, RCODE and the data, of parked names.
const PARKED: [(&str, RecordType, ResponseCode, &str); 6] = [
    (
        "new.test.",
        RecordType::A,
        ResponseCode::NoError,
        "192.0.2.80",
    ),
    ("new.test.", RecordType::TXT, ResponseCode::NoError, ""),
    (
        "www.new.test.",
        RecordType::A,
        ResponseCode::NoError,
        "192.0.2.81",
    ),
    (
        "a.b.new.test.",
        RecordType::A,
        ResponseCode::NoError,
        "192.0.2.81",
    ),
    ("www.new.test.", RecordType::MX, ResponseCode::NoError, ""),
    (
        "other.test.",
        RecordType::A,
        ResponseCode::NoError,
        "192.0.2.80",
    ),
];

/// A server of `test.`, signed, with two parked names; and its trust anchor.
fn stage(denial: &[&str], answers: &str) -> (Folder, Running, String) {
    let folder = Folder::new();
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!(
        "[registry]\ndatabase = \"sqlite:{}\"\n[publish]\npoll-interval-milliseconds = 20\n\
         [keys]\nsecret-file = \"{}\"\nlook-interval-milliseconds = 50\n",
        folder.path("registry.db").display(),
        folder.path("secret").display()
    );
    std::fs::write(&path, text + &more).unwrap();
    folder.succeed(&["registry", "init"]);
    folder.write("zone", ZONE);
    folder.succeed(&["registry", "import", "--zone-file", "zone"]);
    folder.succeed(&["keys", "init"]);
    folder.succeed(&[&["keys", "policy", "--zone", "test"], denial].concat());
    let park = "registry zone parking test --server p1.park.test --server p2.park.test --record";
    let records = ["@ 60 A 192.0.2.80", "--record", "* 60 A 192.0.2.81"];
    let park: Vec<_> = park.split(' ').chain(records).collect();
    folder.succeed(&park);
    let answers = format!("parked-answers={answers}");
    folder.succeed(&["registry", "zone", "policy", "test", "--set", &answers]);
    for name in ["new.test", "other.test"] {
        folder.succeed(&[
            "registry",
            "domain",
            "create",
            name,
            "--registrar",
            "imported",
        ]);
    }
    let server = folder.serve();
    let begin = Instant::now();
    let has_keys = || {
        let reply = support::ask(server.addresses[0], "test.", RecordType::DNSKEY);
        !reply.answers.is_empty()
    };
    while !has_keys() {
        assert!(begin.elapsed() < LOAD_TIMEOUT, "no key is published");
        std::thread::yield_now();
    }
    let anchor = folder.succeed(&["keys", "export", "--zone", "test"]);
    (folder, server, anchor)
}

#[test]
fn unbound_finds_parked_names_insecure_and_answered() {
    if !wanted(&["unbound"]) {
        return;
    }
    for denial in DENIALS {
        let (_folder, server, anchor) = stage(denial, "unsigned");
        let apex = "test.".parse().unwrap();
        let unbound = start_unbound(&[apex], server.addresses[0], &anchor).unwrap();
        let resolver = unbound.target().address();
        let www = ask(resolver, "www.test.", RecordType::A).unwrap();
        assert!(www.metadata.authentic_data, "the zone validates: {www}");
        for (name, rtype, code, data) in PARKED {
            let reply = ask(resolver, name, rtype).unwrap();
            let said = format!("{denial:?} {name} {rtype}: {reply}\n{}", unbound.log());
            assert_eq!(reply.metadata.response_code, code, "{said}");
            assert!(!reply.metadata.authentic_data, "{said}");
            let found = reply.answers.iter().map(|record| record.data.to_string());
            assert_eq!(found.collect::<Vec<_>>().concat(), data, "{said}");
        }
        let ds = ask(resolver, "new.test.", RecordType::DS).unwrap();
        assert_eq!(ds.metadata.response_code, ResponseCode::NoError, "{ds}");
        // Under opt-out nothing says that there is none (RFC 5155 section 9.2).
        let is_proven = !denial.contains(&"nsec3-opt-out");
        assert_eq!(ds.metadata.authentic_data, is_proven, "{denial:?}: {ds}");
        assert!(
            !unbound.log().contains("validation failure"),
            "{}",
            unbound.log()
        );
    }
}

#[test]
fn delv_finds_parked_names_unsigned_and_answered() {
    if !wanted(&["delv"]) {
        return;
    }
    for denial in DENIALS {
        let (folder, server, anchor) = stage(denial, "unsigned");
        let anchor = delv_anchor(&folder, &anchor);
        let delv = |name, rtype| delv(server.addresses[0], &anchor, name, rtype);
        let www = delv("www.test.", RecordType::A);
        assert!(www.contains("; fully validated"), "{www}");
        for (name, rtype, _, data) in PARKED {
            let said = delv(name, rtype);
            let verdict = match data {
                "" => "unsigned answer",
                _ => "; unsigned answer",
            };
            assert!(
                said.contains(verdict) && said.contains(data),
                "{denial:?} {name}: {said}"
            );
        }
    }
}

#[test]
fn validators_find_signed_parked_names_secure() {
    if !wanted(&["unbound", "delv"]) {
        return;
    }
    for denial in DENIALS {
        let (folder, server, anchor) = stage(denial, "signed");
        let apex = "test.".parse().unwrap();
        let unbound = start_unbound(&[apex], server.addresses[0], &anchor).unwrap();
        let resolver = unbound.target().address();
        let anchor = delv_anchor(&folder, &anchor);
        for (name, rtype, code, data) in PARKED {
            let reply = ask(resolver, name, rtype).unwrap();
            let said = format!("{denial:?} {name} {rtype}: {reply}\n{}", unbound.log());
            assert_eq!(reply.metadata.response_code, code, "{said}");
            assert!(reply.metadata.authentic_data, "{said}");
            let found = reply.answers.iter();
            let found = found.filter(|record| record.record_type() == rtype);
            let found = found.map(|record| record.data.to_string());
            assert_eq!(found.collect::<Vec<_>>().concat(), data, "{said}");
            let said = delv(server.addresses[0], &anchor, name, rtype);
            let verdict = match data {
                "" => "negative response, fully validated",
                _ => "; fully validated",
            };
            assert!(
                said.contains(verdict) && said.contains(data),
                "{denial:?} {name}: {said}"
            );
        }
        for (rtype, is_there) in [(RecordType::DS, true), (RecordType::DNSKEY, true)] {
            let reply = ask(resolver, "new.test.", rtype).unwrap();
            assert!(reply.metadata.authentic_data, "{denial:?} {rtype}: {reply}");
            assert_eq!(!reply.answers.is_empty(), is_there, "{reply}");
        }
        let log = unbound.log();
        assert!(!log.contains("validation failure"), "{log}");
    }
}

/// A validator that has a DS takes no answer without signatures: these outlive the DS.
#[test]
fn a_validator_that_has_a_ds_finds_nothing_bogus_when_it_is_withdrawn() {
    if !wanted(&["unbound"]) {
        return;
    }
    let (folder, server, anchor) = stage(DENIALS[0], "signed");
    let address = server.addresses[0];
    let apex = "test.".parse().unwrap();
    let unbound = start_unbound(&[apex], address, &anchor).unwrap();
    let resolver = unbound.target().address();
    let reply = ask(resolver, "new.test.", RecordType::A).unwrap();
    assert!(reply.metadata.authentic_data, "{reply}");
    let policy = ["registry", "zone", "policy", "test", "--set"];
    folder.succeed(&[&policy[..], &["parked-answers=withdrawn"]].concat());
    let begin = Instant::now();
    while !support::ask(address, "new.test.", RecordType::DS)
        .answers
        .is_empty()
    {
        assert!(begin.elapsed() < LOAD_TIMEOUT, "the DS is still there");
        std::thread::yield_now();
    }
    // It has the DS, and not what it asks for now; of the other name it has nothing.
    for (name, is_secure) in [("www.new.test.", true), ("www.other.test.", false)] {
        let reply = ask(resolver, name, RecordType::A).unwrap();
        let said = format!("{name}: {reply}\n{}", unbound.log());
        assert_eq!(
            reply.metadata.response_code,
            ResponseCode::NoError,
            "{said}"
        );
        assert_eq!(reply.metadata.authentic_data, is_secure, "{said}");
    }
    folder.fail(
        &[&policy[..], &["parked-answers=unsigned"]].concat(),
        &["DS of its parked domains", "seconds more"],
    );
}

/// Without a wildcard what is below a parked name is not there, and proven so; a domain that
/// gets servers of its own is no more answered for than before, in the same event.
#[test]
fn a_signed_parked_name_has_nothing_below_it_and_ends_in_one_event() {
    if !wanted(&["unbound"]) {
        return;
    }
    let (folder, server, anchor) = stage(DENIALS[1], "signed");
    let park = "registry zone parking test --server p1.park.test --server p2.park.test";
    folder.succeed(&park.split(' ').collect::<Vec<_>>());
    let address = server.addresses[0];
    let begin = Instant::now();
    while support::ask(address, "www.new.test.", RecordType::A).response_code
        != ResponseCode::NXDomain
    {
        assert!(
            begin.elapsed() < LOAD_TIMEOUT,
            "the wildcard is still there"
        );
        std::thread::yield_now();
    }
    let apex = "test.".parse().unwrap();
    let unbound = start_unbound(&[apex], address, &anchor).unwrap();
    let resolver = unbound.target().address();
    for (name, code) in [
        ("www.new.test.", ResponseCode::NXDomain),
        ("a.b.new.test.", ResponseCode::NXDomain),
        ("new.test.", ResponseCode::NoError),
    ] {
        let reply = ask(resolver, name, RecordType::A).unwrap();
        assert_eq!(reply.metadata.response_code, code, "{name}: {reply}");
        assert!(reply.metadata.authentic_data, "{name}: {reply}");
    }
    let update = "registry domain update new.test --add-host ns1.far.example --add-host \
                  ns2.far.example";
    for host in ["ns1.far.example", "ns2.far.example"] {
        folder.succeed(&[
            "registry",
            "host",
            "create",
            host,
            "--registrar",
            "imported",
        ]);
    }
    folder.succeed(&update.split_whitespace().collect::<Vec<_>>());
    let begin = Instant::now();
    loop {
        let reply = support::ask(address, "new.test.", RecordType::A);
        let ds = support::ask(address, "new.test.", RecordType::DS);
        // Whatever is served, DS and child zone are of one event.
        if !reply.authoritative && !reply.authorities.is_empty() {
            assert!(ds.answers.is_empty(), "{ds}");
            break;
        }
        assert!(begin.elapsed() < LOAD_TIMEOUT, "{reply}");
        std::thread::yield_now();
    }
}

fn delv_anchor(folder: &Folder, anchor: &str) -> std::path::PathBuf {
    let words: Vec<_> = anchor.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "DS").unwrap();
    let [tag, algorithm, kind, digest] = words[at + 1..at + 5] else {
        panic!("{anchor}");
    };
    let anchor =
        format!("trust-anchors {{ \"test.\" static-ds {tag} {algorithm} {kind} \"{digest}\"; }};");
    folder.write("delv-anchors", &anchor)
}

/// What `delv` says, asking this server without a resolver between.
fn delv(server: SocketAddr, anchors: &Path, name: &str, rtype: RecordType) -> String {
    let output = Command::new("delv")
        .arg(format!("@{}", server.ip()))
        .args(["-p", &server.port().to_string()])
        .args([Path::new("-a"), anchors])
        .args(["+root=test.", name, &rtype.to_string()])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
