//! What each record of a small zone becomes.

use super::*;

/// Every case stands in this zone: `cut` is delegated, to itself among others.
const AROUND: &str = "cut NS ns.cut\ncut NS cut\ncut NS ns.example.\ndeep.co NS ns.example.\n";
const DS: &str = "1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[track_caller]
fn check(line: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    std::fs::write(&file, zone(&format!("{AROUND}{line}"))).unwrap();
    let options = ImportOptions::new(&file, NOW);
    let survey = Survey::of_file(&options, &mut |_| {}).unwrap();
    let mut input = Input::open(&options).unwrap();
    let mut last = None;
    while let Some(read) = input.next().unwrap() {
        last = Some(read.unwrap());
    }
    let record = last.unwrap();
    let mut key = Vec::new();
    lower_key(&record.owner, &mut key);
    let role = match classify(&survey, &key, record.rtype) {
        Role::Rejected(reason) => format!("rejected: {reason}"),
        Role::Glue(glue, above) => format!("glue {glue:?} {above}"),
        role => format!("{role:?}"),
    };
    assert_eq!(role, expected, "{line}");
}

#[test]
fn apex_and_authoritative_data() {
    check("@ TXT hello", "ZoneRecord");
    check("@ NS ns2.nic", "ZoneRecord");
    check("TLD. NS ns2.nic", "ZoneRecord");
    check("ns9.nic A 192.0.2.1", "ZoneRecord");
    check("*.wild A 192.0.2.1", "ZoneRecord");
    check("*.wild NS ns.example.", "ZoneRecord");
    check("alias CNAME cut", "ZoneRecord");
    check("co TXT \"above a cut\"", "ZoneRecord");
    check("_dmarc TXT x", "ZoneRecord");
    check("odd TYPE65280 \\# 1 00", "ZoneRecord");
    check("x CDS 0 0 0 00", "ZoneRecord");
}

#[test]
fn delegations_and_what_goes_with_them() {
    check("cut NS ns3.example.", "Delegation");
    check("CUT NS ns3.example.", "Delegation");
    check("a.b.c.d NS ns.example.", "Delegation");
    check(&format!("cut DS {DS}"), "Ds");
    check(&format!("deep.co DS {DS}"), "Ds");
    check("ns.cut A 192.0.2.1", "glue Used 1");
    check("NS.Cut AAAA 2001:db8::1", "glue Used 1");
    check("cut A 192.0.2.1", "glue Used 0");
    check("ns9.cut A 192.0.2.1", "glue Unused 1");
    check("deep.co A 192.0.2.1", "glue Unused 0");
    check("a.b.deep.co AAAA 2001:db8::1", "glue Unused 2");
}

#[test]
fn the_signer_is_replaced() {
    check(
        "@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 tld. AAAA",
        "Signer",
    );
    check("@ NSEC cut.tld. NS SOA", "Signer");
    check("@ DNSKEY 257 3 13 AAAA", "Signer");
    check("@ NSEC3PARAM 1 0 0 -", "Signer");
    check("@ CDS 0 0 0 00", "Signer");
    check("@ CDNSKEY 0 3 0 AA==", "Signer");
    check(
        "@ ZONEMD 1 1 1 000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "Signer",
    );
    check("cut NSEC x.tld. NS", "Signer");
}

#[test]
fn what_has_no_place() {
    check("outside. TXT x", "rejected: owner is outside the zone");
    check(
        "nottld. NS ns.example.",
        "rejected: owner is outside the zone",
    );
    check("x SOA a. b. 1 2 3 4 5", "rejected: SOA below the apex");
    check(
        &format!("@ DS {DS}"),
        "rejected: DS at the apex belongs into the parent zone",
    );
    check(
        &format!("x DS {DS}"),
        "rejected: DS without an NS at the same name",
    );
    check(
        "cut TXT x",
        "rejected: only NS, DS and glue may stand at a delegated name",
    );
    check(
        "cut CNAME x.",
        "rejected: only NS, DS and glue may stand at a delegated name",
    );
    let hidden = "rejected: hidden below a delegation; only glue may stand there";
    check("sub.cut NS ns.example.", hidden);
    check(&format!("sub.cut DS {DS}"), hidden);
    check("www.cut CNAME x.", hidden);
}

/// An NS that is rejected publishes nothing and makes no cut.
#[tokio::test]
async fn hidden_delegations_publish_no_hosts() {
    let mut test = test_database(Engine::Sqlite).await;
    let text =
        zone("cut NS ns.example.\nsub.cut NS ns.sub.cut\nns.sub.cut A 192.0.2.1\nalien. NS ns.cut");
    let report = test.import(&text).await.unwrap();
    assert_eq!((report.domains, report.rejected), (1, 2));
    assert_eq!((report.glue, report.glue_unused), (0, 1));
    let published = test.published();
    assert!(
        !published
            .iter()
            .any(|record| record.contains("192.0.2.1\n") || record.starts_with("ns.sub")),
        "{published:?}"
    );
}

/// An unused host is an object of the registry all the same.
#[tokio::test]
async fn unused_glue_is_kept_and_not_published() {
    let mut test = test_database(Engine::Sqlite).await;
    let report = test
        .import(&zone("cut NS ns.example.\nold.cut A 192.0.2.7"))
        .await
        .unwrap();
    assert_eq!(
        (report.glue, report.glue_unused, report.rejected),
        (0, 1, 0)
    );
    assert!(
        !test
            .published()
            .iter()
            .any(|record| record.starts_with("old.cut"))
    );
    let kept: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM hosts h JOIN host_addresses a ON a.host_id = h.id \
         JOIN domains d ON d.id = h.domain_id WHERE h.name = 'old.cut.tld' AND h.published = 0",
    )
    .fetch_one(test.database.connection())
    .await
    .unwrap();
    assert_eq!(kept, 1);
}

/// RFC 2181 section 5.2: an RRset has one TTL.
#[tokio::test]
async fn the_lowest_ttl_of_an_rrset_wins() {
    let mut test = test_database(Engine::Sqlite).await;
    let report = test
        .import(&zone(
            "cut 500 NS a.example.\ncut 400 NS b.example.\ncut 600 NS c.example.",
        ))
        .await
        .unwrap();
    assert_eq!(report.ttl_conflicts, 2);
    let ttls: Vec<_> = test
        .published()
        .into_iter()
        .filter(|record| record.starts_with("cut"))
        .collect();
    assert_eq!(ttls.len(), 3);
    assert!(
        ttls.iter().all(|record| record.contains("\t400\t")),
        "{ttls:?}"
    );
}
