//! Answers from zones: RFC 1034 section 4.3.2 and what amends it.

use std::sync::LazyLock;

use super::asked::Zones;

static ZONES: LazyLock<Zones> = LazyLock::new(|| Zones::compile(&[TLD, CHILD, ROOTED]));

const TLD: &str = "
$ORIGIN tld.
tld. 3600 SOA ns1.nic.tld. hostmaster.nic.tld. 7 7200 900 1209600 300
@       3600 NS ns1.nic
@       3600 NS ns2.elsewhere.net.
ns1.nic 3600 A 192.0.2.1
ns1.nic 3600 AAAA 2001:db8::1
; In-domain and sibling glue (RFC 9471).
alpha   3600 NS ns.alpha
alpha   3600 NS ns.beta
ns.alpha 3600 A 192.0.2.10
ns.beta 3600 A 192.0.2.11
beta    3600 NS ns.beta
beta    3600 NS ns.alpha
gamma   3600 NS ns2.elsewhere.net.
gamma   3600 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
deep.co 3600 NS ns2.elsewhere.net.
; Aliases.
www     3600 CNAME host
host    3600 A 192.0.2.20
out     3600 CNAME www.example.com.
loop1   3600 CNAME loop2
loop2   3600 CNAME loop1
loop3   3600 DNAME loop4
loop4   3600 DNAME loop3
grow    3600 DNAME x.grow
dangle  3600 CNAME missing
intocut 3600 CNAME www.alpha
tochild 3600 CNAME www.child
dn      3600 DNAME target
x.target 3600 A 192.0.2.30
mail    3600 MX 10 mx.mail
mx.mail 3600 A 192.0.2.40
; Wildcards (RFC 4592).
*.wild  3600 TXT \"w\"
*.wild  3600 MX 10 host
a.b.wild 3600 A 192.0.2.50
child   3600 NS ns.child
ns.child 3600 A 192.0.2.60
big     3600 NS ns01.big
big     3600 NS ns02.big
big     3600 NS ns03.big
big     3600 NS ns04.big
big     3600 NS ns05.big
big     3600 NS ns06.big
big     3600 NS ns07.big
big     3600 NS ns08.big
big     3600 NS ns09.big
big     3600 NS ns10.big
big     3600 NS ns11.big
ns01.big 3600 AAAA 2001:db8::1
ns02.big 3600 AAAA 2001:db8::2
ns03.big 3600 AAAA 2001:db8::3
ns04.big 3600 AAAA 2001:db8::4
ns05.big 3600 AAAA 2001:db8::5
ns06.big 3600 AAAA 2001:db8::6
ns07.big 3600 AAAA 2001:db8::7
ns08.big 3600 AAAA 2001:db8::8
ns09.big 3600 AAAA 2001:db8::9
ns10.big 3600 AAAA 2001:db8::a
ns11.big 3600 AAAA 2001:db8::b
sib     3600 NS ns01.big
sib     3600 NS ns02.big
sib     3600 NS ns03.big
sib     3600 NS ns04.big
sib     3600 NS ns05.big
sib     3600 NS ns06.big
sib     3600 NS ns07.big
sib     3600 NS ns08.big
sib     3600 NS ns09.big
sib     3600 NS ns10.big
sib     3600 NS ns11.big
";

const CHILD: &str = "
child.tld. 60 SOA ns.child.tld. host.child.tld. 9 7200 900 1209600 3600
child.tld. 60 NS ns.child.tld.
ns.child.tld. 60 A 192.0.2.60
www.child.tld. 60 A 192.0.2.61
";

const ROOTED: &str = "
org. 60 SOA ns.org. host.org. 1 7200 900 1209600 3600
org. 60 NS ns.org.
ns.org. 60 A 192.0.2.70
a.org. 60 DNAME b.org.
";

#[track_caller]
fn check(question: &str, expected: &str) {
    ZONES.check(question, expected);
}

const NEGATIVE: &str = "authority: tld. SOA 7 ttl 300";

#[test]
fn answers_from_the_apex() {
    check("tld SOA", "NoError aa answer: tld. SOA 7 ttl 3600");
    check(
        "tld NS",
        "NoError aa answer: tld. NS ns1.nic.tld., tld. NS ns2.elsewhere.net.
         additional: ns1.nic.tld. A 192.0.2.1, ns1.nic.tld. AAAA 2001:db8::1",
    );
    check("tld A", &format!("NoError aa {NEGATIVE}"));
}

#[test]
fn row_58_negative_ttl_is_the_lower_of_soa_and_minimum() {
    check("missing.tld A", &format!("NXDomain aa {NEGATIVE}"));
    check(
        "missing.child.tld A",
        "NXDomain aa authority: child.tld. SOA 9 ttl 60",
    );
}

#[test]
fn rows_39_to_42_referrals() {
    let alpha = "NoError authority: alpha.tld. NS ns.beta.tld., alpha.tld. NS ns.alpha.tld.
         additional: ns.alpha.tld. A 192.0.2.10, ns.beta.tld. A 192.0.2.11";
    let sorted = |text: &str| {
        let mut words: Vec<_> = text
            .split_whitespace()
            .map(|w| w.trim_end_matches(',').to_owned())
            .collect();
        words.sort();
        words
    };
    for question in [
        "alpha.tld A",
        "www.alpha.tld A",
        "alpha.tld NS",
        "ns.alpha.tld A",
        "x.alpha.tld DS",
        "alpha.tld ANY",
    ] {
        assert_eq!(sorted(&ZONES.ask(question)), sorted(alpha), "{question}");
    }
    check(
        "www.deep.co.tld A",
        "NoError authority: deep.co.tld. NS ns2.elsewhere.net.",
    );
}

#[test]
fn rows_37_and_38_ds_at_a_cut_is_ours() {
    check("gamma.tld DS", "NoError aa answer: gamma.tld. DS");
    check("alpha.tld DS", &format!("NoError aa {NEGATIVE}"));
    check(
        "www.gamma.tld A +do",
        "NoError edns authority: gamma.tld. NS ns2.elsewhere.net., gamma.tld. DS",
    );
    check(
        "www.gamma.tld A +edns=1232",
        "NoError edns authority: gamma.tld. NS ns2.elsewhere.net.",
    );
}

#[test]
fn rows_35_and_36_ds_at_an_apex() {
    check("tld DS", &format!("NoError aa {NEGATIVE}"));
    // Both zones are ours: the parent answers for the cut, the child for itself.
    check("child.tld DS", &format!("NoError aa {NEGATIVE}"));
    check(
        "child.tld A",
        "NoError aa authority: child.tld. SOA 9 ttl 60",
    );
    check(
        "www.child.tld A",
        "NoError aa answer: www.child.tld. A 192.0.2.61",
    );
}

#[test]
fn rows_43_to_46_glue_and_truncation() {
    // 11 NS and 11 required addresses do not fit 512 octets; over TCP they do.
    check("www.big.tld A", "NoError tc");
    check("www.big.tld A +edns=512", "NoError tc edns");
    assert!(
        ZONES
            .ask("www.big.tld A +edns=1232")
            .contains("additional: ns01.big.tld. AAAA")
    );
    assert!(
        ZONES
            .ask("www.big.tld A +tcp")
            .contains("ns11.big.tld. AAAA 2001:db8::b")
    );
    // The same addresses are a help only where they are sibling glue.
    let sibling = ZONES.ask("www.sib.tld A");
    assert!(sibling.starts_with("NoError authority:"), "{sibling}");
    assert!(sibling.contains("additional: ns01.big.tld."), "{sibling}");
    assert!(!sibling.contains("ns11.big.tld. AAAA"), "{sibling}");
}

#[test]
fn row_57_aliases() {
    check(
        "www.tld A",
        "NoError aa answer: www.tld. CNAME host.tld., host.tld. A 192.0.2.20",
    );
    check(
        "www.tld CNAME",
        "NoError aa answer: www.tld. CNAME host.tld.",
    );
    check(
        "www.tld TXT",
        &format!("NoError aa answer: www.tld. CNAME host.tld. {NEGATIVE}"),
    );
    check(
        "out.tld A",
        "NoError aa answer: out.tld. CNAME www.example.com.",
    );
    check(
        "dangle.tld A",
        &format!("NXDomain aa answer: dangle.tld. CNAME missing.tld. {NEGATIVE}"),
    );
    // An unsigned zone has nothing beside a CNAME.
    for rtype in ["NSEC", "RRSIG", "NSEC3"] {
        check(
            &format!("www.tld {rtype}"),
            &format!("NoError aa answer: www.tld. CNAME host.tld. {NEGATIVE}"),
        );
    }
    // A loop is given once (RFC 2181 section 5), however it is entered.
    let loop1 = "loop1.tld. CNAME loop2.tld.";
    let loop2 = "loop2.tld. CNAME loop1.tld.";
    ZONES.check(
        "loop1.tld A",
        &format!("NoError aa answer: {loop1}, {loop2}"),
    );
    ZONES.check(
        "LOOP1.tld A",
        &format!("NoError aa answer: {loop1}, {loop2}"),
    );
    ZONES.check(
        "x.loop3.tld A",
        "NoError aa answer: loop3.tld. DNAME, x.loop3.tld. CNAME x.loop4.tld., \
         loop4.tld. DNAME, x.loop4.tld. CNAME x.loop3.tld.",
    );
    // Each step makes another name here; the DNAME stands once all the same.
    let growing = ZONES.ask("x.grow.tld A +tcp");
    assert_eq!(growing.matches(" DNAME").count(), 1, "{growing}");
    assert_eq!(growing.matches(" CNAME ").count(), 16, "{growing}");
    assert!(
        ZONES
            .ask("intocut.tld A")
            .contains("authority: alpha.tld. NS")
    );
    assert!(
        ZONES
            .ask("tochild.tld A")
            .contains("authority: child.tld. NS ns.child.tld.")
    );
}

#[test]
fn row_56_dname() {
    check(
        "x.dn.tld A",
        "NoError aa answer: dn.tld. DNAME, x.dn.tld. CNAME x.target.tld., x.target.tld. A 192.0.2.30",
    );
    check("dn.tld DNAME", "NoError aa answer: dn.tld. DNAME");
    check("dn.tld A", &format!("NoError aa {NEGATIVE}"));
    check(
        "x.dn.tld CNAME",
        "NoError aa answer: dn.tld. DNAME, x.dn.tld. CNAME x.target.tld.",
    );
    check(
        "y.dn.tld A",
        &format!("NXDomain aa answer: dn.tld. DNAME, y.dn.tld. CNAME y.target.tld. {NEGATIVE}"),
    );
    // 252 octets; with `target` for `dn` there would be 256.
    let label = "a".repeat(60);
    let long = format!("{label}.{label}.{label}.{label}.dn.tld A");
    check(&long, "YXDomain aa answer: dn.tld. DNAME");
}

#[test]
fn rows_51_and_54_to_55_wildcards_and_empty_non_terminals() {
    check("x.wild.tld TXT", "NoError aa answer: x.wild.tld. TXT");
    check("x.y.wild.tld TXT", "NoError aa answer: x.y.wild.tld. TXT");
    check(
        "x.wild.tld MX",
        "NoError aa answer: x.wild.tld. MX host.tld.",
    );
    check("x.wild.tld A", &format!("NoError aa {NEGATIVE}"));
    check("*.wild.tld TXT", "NoError aa answer: *.wild.tld. TXT");
    check("wild.tld TXT", &format!("NoError aa {NEGATIVE}"));
    // `b.wild.tld.` exists, if empty, and so blocks the wildcard (RFC 4592 section 3.3.1).
    check("b.wild.tld TXT", &format!("NoError aa {NEGATIVE}"));
    check("x.b.wild.tld TXT", &format!("NXDomain aa {NEGATIVE}"));
    check("co.tld A", &format!("NoError aa {NEGATIVE}"));
    check("nic.tld A", &format!("NoError aa {NEGATIVE}"));
    check("x.co.tld A", &format!("NXDomain aa {NEGATIVE}"));
}

#[test]
fn row_32_any_gets_one_rrset() {
    check("tld ANY", "NoError aa answer: tld. SOA 7 ttl 3600");
    check(
        "ns1.nic.tld ANY",
        "NoError aa answer: ns1.nic.tld. A 192.0.2.1",
    );
}

#[test]
fn compresses_names_in_rdata() {
    check(
        "mail.tld MX",
        "NoError aa answer: mail.tld. MX mx.mail.tld.",
    );
    check(
        "mail.TLD MX",
        // The pointer inherits the case of the question (RFC 4343 section 4.1 allows it).
        "NoError aa answer: mail.tld. MX mx.mail.TLD.",
    );
}
