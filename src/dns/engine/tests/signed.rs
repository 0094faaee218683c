//! Answers from signed zones: which proofs come with which answer.
//!
//! The zones in `signed/` were signed once by Debian's ldns-signzone (NSEC) and
//! dnssec-signzone (NSEC3 with opt-out, where an insecure delegation may be put in
//! later); validators judge proofs in the peer tests.

use std::sync::LazyLock;

use super::asked::{Zones, query};
use crate::dns::engine::Transport;

static NSEC: LazyLock<Zones> =
    LazyLock::new(|| Zones::compile(&[include_str!("signed/nsec.zone")]));
static OPT_OUT: LazyLock<Zones> =
    LazyLock::new(|| Zones::compile(&[include_str!("signed/opt-out.zone")]));
static WILD: LazyLock<Zones> =
    LazyLock::new(|| Zones::compile(&[include_str!("signed/wild-opt-out.zone")]));
static WILD_NSEC: LazyLock<Zones> =
    LazyLock::new(|| Zones::compile(&[include_str!("signed/wild-nsec.zone")]));

/// The authority section of a reply in words.
fn authority(reply: &str) -> &str {
    let after = reply.split(" authority: ").nth(1).unwrap_or_default();
    after.split(" additional: ").next().unwrap_or_default()
}

/// Expects these owners of NSEC, in any order, in the authority section.
#[track_caller]
fn check_nsec(question: &str, expected: &[&str]) {
    for transport in ["", " +tcp"] {
        let reply = NSEC.ask(&format!("{question}{transport}"));
        let authority = authority(&reply);
        let mut found: Vec<&str> = authority
            .split(", ")
            .filter_map(|record| record.strip_suffix(" NSEC"))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{question}{transport}: {reply}");
    }
}

/// Expects this many NSEC3, each with its RRSIG, in the authority section.
#[track_caller]
fn check_nsec3(question: &str, expected: usize) {
    check_nsec3_over(question, expected);
    check_nsec3_over(&format!("{question} +tcp"), expected);
}

#[track_caller]
fn check_nsec3_over(question: &str, expected: usize) {
    let reply = OPT_OUT.ask(question);
    let owners = |rtype: &str| {
        let records = authority(&reply).split(", ");
        let mut owners: Vec<_> = records
            .filter_map(|record| record.strip_suffix(rtype))
            .filter(|owner| owner.len() == 37)
            .collect();
        owners.sort_unstable();
        owners
    };
    let proofs = owners(" NSEC3");
    assert_eq!(proofs.len(), expected, "{question}: {reply}");
    assert_eq!(proofs, owners(" RRSIG"), "{question}: {reply}");
}

#[test]
fn nsec_proofs() {
    // RFC 4035 section 3.1.3: the name, and the wildcard that could have made it.
    check_nsec("nope.tld A +do", &["ns1.nic.tld.", "tld."]);
    check_nsec("zzz.tld A +do", &["tld.", "www.tld."]);
    check_nsec("host.tld TXT +do", &["host.tld."]);
    check_nsec("nope.tld A", &[]);
    // An empty non-terminal is spanned by the NSEC before it.
    check_nsec("co.tld A +do", &["beta.tld."]);
    // A wildcard's answer, and the type it lacks.
    check_nsec("q.wild.tld TXT +do", &["a.b.wild.tld."]);
    check_nsec("q.wild.tld A +do", &["*.wild.tld.", "a.b.wild.tld."]);
    check_nsec("x.b.wild.tld A +do", &["*.wild.tld.", "a.b.wild.tld."]);
    // A delegation without DS, and with it.
    check_nsec("www.alpha.tld A +do", &["alpha.tld."]);
    check_nsec("www.gamma.tld A +do", &[]);
    check_nsec("alpha.tld DS +do", &["alpha.tld."]);
    check_nsec("tld DS +do", &["tld."]);
}

#[test]
fn row_49_name_error_has_encloser_next_closer_and_wildcard() {
    check_nsec3("nope.tld A +do", 3);
    check_nsec3("a.b.c.nope.tld A +do", 3);
    check_nsec3("nope.tld A", 0);
}

#[test]
fn rows_38_and_51_opt_out() {
    // The name has no NSEC3 of its own: its encloser, and what covers it.
    check_nsec3("alpha.tld DS +do", 2);
    check_nsec3("www.alpha.tld A +do", 2);
    check_nsec3("www.gamma.tld A +do", 0);
    // `co.tld.` exists by an insecure delegation only, so the apex is what can be proven.
    check_nsec3("co.tld A +do", 2);
    check_nsec3("y.co.tld A +do", 3);
    // `ent2.tld.` has a secure one below it, and so an NSEC3.
    check_nsec3("ent2.tld A +do", 1);
}

#[test]
fn rows_52_and_53_wildcards() {
    check_nsec3("q.wild.tld TXT +do", 1);
    check_nsec3("q.wild.tld A +do", 3);
    check_nsec3("*.wild.tld TXT +do", 0);
}

#[test]
fn rows_34_and_35_apex_and_hashed_owners() {
    check_nsec3("tld DS +do", 1);
    check_nsec3("tld TYPE50 +do", 1);
    check_nsec3("host.tld TXT +do", 1);
    let zone = include_str!("signed/opt-out.zone");
    let hashed = zone
        .split_whitespace()
        .find(|word| word.len() == 37)
        .unwrap();
    check_nsec3(&format!("{hashed} NSEC3 +do"), 3);
    assert!(
        OPT_OUT
            .ask(&format!("{hashed} A"))
            .starts_with("NXDomain aa")
    );
}

#[test]
fn row_52_nsec_of_a_wildcard_is_expanded() {
    let reply = NSEC.ask("q.wild.tld NSEC +do");
    assert!(reply.starts_with("NoError aa edns answer: q.wild.tld. NSEC, q.wild.tld. RRSIG"));
}

#[test]
fn row_61_rrsig_as_a_type_gives_one_rrset() {
    let reply = NSEC.ask("host.tld RRSIG");
    assert_eq!(reply, "NoError aa answer: host.tld. RRSIG");
}

#[test]
fn signed_addresses_at_the_apex_come_with_signatures() {
    let reply = NSEC.ask("tld NS +do");
    assert!(reply.contains("additional: ns1.nic.tld. A 192.0.2.1, ns1.nic.tld. AAAA 2001:db8::1, ns1.nic.tld. RRSIG, ns1.nic.tld. RRSIG"), "{reply}");
}

#[test]
fn a_wildcard_above_an_opted_out_name_is_no_collision() {
    // `ent.wild.` exists by an insecure delegation only, so the closest encloser that
    // can be proven is the apex, and its wildcard is there. No proof denies the name;
    // NXDOMAIN is right all the same.
    let reply = WILD.ask("x.ent.wild A +do");
    assert!(
        reply.starts_with("NXDomain aa edns authority: wild. SOA"),
        "{reply}"
    );
    assert!(
        WILD.ask("x.ent.wild A")
            .starts_with("NXDomain aa authority: wild. SOA")
    );
}

#[test]
fn an_opted_out_wildcard_is_not_proven_by_that_of_an_ancestor() {
    // `*.only.wild.` exists by an insecure delegation only, so the closest encloser that
    // can be proven is the apex. `*.wild.` has TXT: beside a denial of TXT its NSEC3 would
    // be bogus (RFC 5155 section 8.7).
    for rtype in ["TXT", "A"] {
        let reply = WILD.ask(&format!("q.only.wild {rtype} +do"));
        assert!(reply.starts_with("NoError aa edns authority: "), "{reply}");
        let proofs = authority(&reply).split(", ");
        let proofs: Vec<_> = proofs.filter(|own| own.ends_with(" NSEC3")).collect();
        assert_eq!(proofs.len(), 1, "{reply}");
        let apex = proofs[0].to_lowercase();
        assert!(apex.starts_with("go8epito0dto5293h8odj4cjgdmk2ffl."));
    }
}

#[test]
fn a_proof_comes_once_wherever_it_is_stored() {
    // The last record of a chain stands before the first of a page once more.
    let reply = WILD.ask("q.wild A +do");
    let mut proofs: Vec<_> = authority(&reply)
        .split(", ")
        .filter(|record| record.ends_with(" NSEC3"))
        .collect();
    assert_eq!(proofs.len(), 2, "{reply}");
    proofs.dedup();
    assert_eq!(proofs.len(), 2, "{reply}");
}

#[test]
fn a_wildcard_without_records_is_proven_too() {
    // RFC 4035 section 3.1.3.4: the NSEC of the wildcard, here the one that spans it.
    let reply = WILD_NSEC.ask("q.empty.wild2 A +do");
    let reply = authority(&reply);
    assert!(reply.contains("before.wild2. NSEC"), "{reply}");
    assert!(reply.contains("below.*.empty.wild2. NSEC"), "{reply}");
}

#[test]
fn any_and_rrsig_of_a_wildcard_have_the_asked_name() {
    // The smallest RRset and the first signatures here are those of NSEC.
    for rtype in ["ANY", "RRSIG", "NSEC"] {
        let reply = WILD_NSEC.ask(&format!("q.odd.wild2 {rtype} +do"));
        let answer = "NoError aa edns answer: q.odd.wild2. ";
        assert!(reply.starts_with(answer), "{reply}");
        assert!(!reply.contains("*.odd.wild2. TYPE65400"), "{reply}");
    }
    let any = WILD_NSEC.ask("q.odd.wild2 ANY");
    assert_eq!(any, "NoError aa answer: q.odd.wild2. TYPE65400");
    let any = WILD_NSEC.ask("q.odd.wild2 RRSIG");
    assert_eq!(any, "NoError aa answer: q.odd.wild2. RRSIG");
}

#[test]
fn signatures_of_an_nsec_point_to_its_owner() {
    let (_, reply) = NSEC.send(&query("q.wild.tld TXT +do").0, Transport::Udp);
    // `a.b.wild` is not in the question: it stands once, for NSEC and RRSIG.
    let label = b"\x01a\x01b\x04wild";
    let count = reply
        .windows(label.len())
        .filter(|part| part == label)
        .count();
    assert_eq!(count, 1, "{reply:02x?}");
}

#[test]
fn the_owner_of_an_nsec3_is_written_once_for_it_and_its_signatures() {
    let (wire, transport) = query("nope.tld A +do");
    let (_, reply) = OPT_OUT.send(&wire, transport);
    // In text a hash has 32 digits of base32hex, the label as many octets.
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'v').contains(byte);
    let labels = reply
        .windows(33)
        .filter(|window| window[0] == 32 && window[1..].iter().all(is_digit));
    let mut labels: Vec<_> = labels.collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    assert!(count >= 2, "{count}");
    assert_eq!(labels.len(), count);
}
