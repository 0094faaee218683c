//! Rows of the table of sharp cases that have no other place: size, time and case.

use std::sync::LazyLock;

use super::asked::{Zones, query};
use crate::dns::engine::Transport;

static OPT_OUT: LazyLock<Zones> =
    LazyLock::new(|| Zones::compile(&[include_str!("signed/opt-out.zone")]));

#[test]
fn row_33_rrsig_at_and_below_a_cut_is_a_referral() {
    for question in ["alpha.tld RRSIG +do", "x.alpha.tld RRSIG +do"] {
        let reply = OPT_OUT.ask(question);
        assert!(
            reply.starts_with("NoError edns authority: alpha.tld. NS"),
            "{question}: {reply}"
        );
    }
}

#[test]
fn rows_47_and_48_a_proof_that_does_not_fit_sets_tc_and_keeps_opt() {
    // RFC 4035 section 3.1.4 for referrals, RFC 2181 section 9 for the others.
    for (question, head) in [
        ("nope.tld A +do", "NXDomain aa"),
        ("www.alpha.tld A +do", "NoError"),
        ("q.wild.tld A +do", "NoError aa"),
    ] {
        let whole = OPT_OUT.ask(question);
        assert!(whole.starts_with(&format!("{head} edns")), "{whole}");
        let (_, reply) = OPT_OUT.send(&query(&format!("{question} +tcp")).0, Transport::Tcp);
        // The smallest size is 512, so a reply of less fits: take what does not.
        if reply.len() > 512 {
            let short = OPT_OUT.ask(&format!("{question} +edns=512"));
            assert_eq!(short, format!("{head} tc edns"), "{question}");
        }
    }
    let (_, reply) = OPT_OUT.send(&query("nope.tld A +do").0, Transport::Tcp);
    assert!(reply.len() > 512, "three proofs are more than 512 octets");
}

#[test]
fn row_50_the_next_closer_name_is_one_label_below_the_encloser() {
    let proofs = |question: &str| {
        let reply = OPT_OUT.ask(question);
        let authority = reply.split("authority: ").nth(1).unwrap().to_owned();
        let mut records: Vec<_> = authority.split(", ").map(str::to_owned).collect();
        records.sort_unstable();
        records
    };
    assert_eq!(proofs("nope.tld A +do"), proofs("a.b.c.d.nope.tld A +do"));
}

const TIMES: &str = "
time. 0 SOA ns.time. host.time. 1 7200 900 1209600 300
time. 0 NS ns.time.
ns.time. 0 A 192.0.2.1
long.time. 2147483647 A 192.0.2.2
case.time. 60 MX 10 Mail.Other.Example.
";

#[test]
fn row_59_ttls_are_served_as_they_are() {
    // RFC 2181 section 8: 0 is a TTL like others, and the top bit is never set.
    let zones = Zones::compile(&[TIMES]);
    for transport in [Transport::Udp, Transport::Tcp] {
        for (question, expected) in [("ns.time A", 0), ("long.time A", i32::MAX as u32)] {
            let (_, reply) = zones.send(&query(question).0, transport);
            let message = hickory_proto::op::Message::from_vec(&reply).unwrap();
            assert_eq!(message.answers[0].ttl, expected, "{question}");
        }
    }
    zones.check("none.time A", "NXDomain aa authority: time. SOA 1 ttl 0");
}

#[test]
fn row_60_a_large_dnskey_set_comes_over_tcp() {
    let key = "A".repeat(344);
    let zones = Zones::compile(&[&format!(
        "big. 3600 SOA ns.big. host.big. 1 7200 900 1209600 300
big. 3600 NS ns.big.
big. 3600 DNSKEY 257 3 8 {key}
big. 3600 DNSKEY 256 3 8 {key}
big. 3600 DNSKEY 257 3 10 {key}
big. 3600 DNSKEY 256 3 10 {key}
big. 3600 DNSKEY 256 3 7 {key}
ns.big. 3600 A 192.0.2.1
"
    )]);
    zones.check("big DNSKEY +do +edns=4096", "NoError aa tc edns");
    let key = "big. DNSKEY";
    zones.check(
        "big DNSKEY +do +tcp",
        &format!("NoError aa edns answer: {key}, {key}, {key}, {key}, {key}"),
    );
}

#[test]
fn row_74_names_in_records_keep_their_case() {
    // RFC 6840 section 5.1 puts names into lower case where it signs, not where it serves.
    let zones = Zones::compile(&[TIMES]);
    for transport in ["", " +tcp"] {
        let reply = zones.ask(&format!("case.time MX{transport}"));
        assert_eq!(
            reply,
            "NoError aa answer: case.time. MX Mail.Other.Example."
        );
    }
}
