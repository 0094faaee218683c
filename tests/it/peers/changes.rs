//! Signed zones that a running server changes again and again by what changed alone,
//! given to the verifiers of ldns, Knot and BIND: every signature and the whole chain.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use hickory_proto::rr::RecordType;

use super::signed::verify_dump;
use super::wanted;
use crate::support::{Folder, Running, ask};

const VERIFIERS: [&str; 3] = ["ldns-verify-zone", "kzonecheck", "dnssec-verify"];
const DS: &str = "12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB";
const OTHER_DS: &str = "2345 13 2 59FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CC";

/// Each is one event: secure and insecure delegations that come and go, empty names
/// that come and go, a wildcard, hosts.
const CHANGES: &[&[&str]] = &[
    &["domain", "update", "d1.example", "--add-ds", DS],
    &["domain", "update", "d4.example", "--add-ds", DS],
    &["domain", "update", "d2.example", "--add-ds", OTHER_DS],
    &["domain", "update", "d1.example", "--remove-ds", DS],
    &["domain", "update", "d3.example", "--ns-ttl", "77"],
    &[
        "host",
        "update",
        "ns.d0.example",
        "--rename",
        "dns.d0.example",
    ],
    &[
        "domain",
        "update",
        "d2.example",
        "--add-status",
        "serverHold",
    ],
    &[
        "domain",
        "update",
        "d2.example",
        "--remove-status",
        "serverHold",
    ],
    &[
        "zone",
        "update",
        "example",
        "--add-record",
        "a.very.deep.example. 60 TXT \"x\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--add-record",
        "b.deep.example. 60 TXT \"x\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--add-record",
        "*.deep.example. 60 TXT \"any\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--remove-record",
        "a.very.deep.example. 60 TXT \"x\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--remove-record",
        "b.deep.example. 60 TXT \"x\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--remove-record",
        "*.deep.example. 60 TXT \"any\"",
    ],
    &[
        "domain",
        "update",
        "d4.example",
        "--add-status",
        "serverHold",
    ],
];

/// A registry of `example.` with a policy of signing, and its server.
fn signed(denial: &str) -> (Folder, Running) {
    let folder = registry(denial);
    let server = serve(&folder);
    (folder, server)
}

/// A registry of `example.` with a policy of signing.
pub(super) fn registry(denial: &str) -> Folder {
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
    let mut zone = "$ORIGIN example.\n$TTL 300\n@ SOA ns1 h 1 7200 900 604800 60\n@ NS ns1\n\
        ns1 A 192.0.2.1\n"
        .to_owned();
    for number in 0..150 {
        zone += &match number % 3 {
            0 => format!("d{number} NS ns.d{number}\nns.d{number} A 192.0.2.1\n"),
            1 => format!("d{number} NS ns.d0\nd{number} NS ns.elsewhere.test.\n"),
            _ => format!("d{number} NS ns.elsewhere.test.\nd{number} DS {DS}\n"),
        };
    }
    folder.write("zone", &zone);
    folder.succeed(&["registry", "import", "--zone-file", "zone"]);
    folder.succeed(&["keys", "init"]);
    folder.succeed(&["keys", "policy", "--zone", "example", "--denial", denial]);
    folder
}

/// Its server, when the zone is signed.
pub(super) fn serve(folder: &Folder) -> Running {
    let server = folder.serve();
    crate::publish::eventually("keys are made and served", || {
        let key = ask(server.addresses[0], "example.", RecordType::DNSKEY);
        !key.answers.is_empty()
    });
    folder.succeed(&["registry", "wait"]);
    server
}

/// A command that changes the registry, by a random number that is another after it. Not
/// each can be obeyed.
pub(super) fn random_change(random: &mut u64) -> Vec<String> {
    let mut below = |bound: u64| {
        // xorshift64 of Marsaglia: any spread will do.
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        usize::try_from(*random % bound).unwrap()
    };
    let domain = format!("d{}.example", below(12));
    let record = format!(
        "{}.deep.example. 60 TXT \"{}\"",
        ["a", "b.c", "*"][below(3)],
        below(2)
    );
    let kind = below(8);
    let words: Vec<&str> = match kind {
        0 => vec!["domain", "update", &domain, "--add-ds", DS],
        1 => vec!["domain", "update", &domain, "--remove-ds", DS],
        2 => vec!["domain", "update", &domain, "--add-status", "serverHold"],
        3 => vec!["domain", "update", &domain, "--remove-status", "serverHold"],
        4 => vec![
            "domain",
            "update",
            &domain,
            "--ns-ttl",
            ["77", "78"][below(2)],
        ],
        5 => vec!["zone", "update", "example", "--add-record", &record],
        6 => vec!["zone", "update", "example", "--remove-record", &record],
        _ => {
            let names = ["ns.d0.example", "dns.d0.example"];
            let from = below(2);
            vec!["host", "update", names[from], "--rename", names[1 - from]]
        }
    };
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn zones_that_were_changed_in_place_verify() {
    if !wanted(&VERIFIERS) {
        return;
    }
    for denial in ["nsec", "nsec3", "nsec3-opt-out"] {
        let (folder, server) = signed(denial);
        let compiles =
            |kind: &str| server.metric(&format!("meridian_zone_compiles_total{{kind=\"{kind}\"}}"));
        let whole = compiles("whole");
        let mut done = compiles("changes");
        for words in CHANGES {
            folder.succeed(&[&["registry"], *words].concat());
            folder.succeed(&["registry", "wait"]);
            done += 1;
            assert_eq!(compiles("changes"), done, "{denial} {words:?}");
            let dump = folder.succeed(&["image", "dump"]);
            verify_dump(&folder.write("example.zone", &dump));
        }
        assert_eq!(compiles("whole"), whole, "{denial}");
    }
}
