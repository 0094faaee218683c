//! What is published after each change, as the compiler reads it, and which names
//! the event says it changed.

use std::collections::BTreeSet;

use zone_compiler::ChangeSource as _;
use zone_compiler::database::Snapshot;

use super::*;

/// Runs one command and says which records came (`+`) and went (`-`).
pub(super) async fn step(test: &mut TestDatabase, command: &str) -> Vec<String> {
    let before = test.published();
    let rehearsal = rehearse(test, command).await;
    let outcome = run(test, &parse(command)).await;
    let event = outcome.unwrap_or_else(|e| panic!("{command}: {e}")).event();
    let after = test.published();
    if let Some(event) = event {
        read_by_name(test, u64::try_from(event).unwrap(), &after, command);
    }
    // Each event raises the serial; the SOA need not be noted for that.
    let is_data = |record: &&String| record.split_whitespace().nth(3) != Some("SOA");
    let came = after
        .difference(&before)
        .filter(is_data)
        .map(|record| ('+', record));
    let went = before
        .difference(&after)
        .filter(is_data)
        .map(|record| ('-', record));
    let difference: Vec<_> = came.chain(went).collect();
    let told: Vec<_> = difference
        .iter()
        .map(|(sign, record)| format!("{sign}{record}"))
        .collect();
    assert_eq!(rehearsal, told, "{command}: what its dry run says");
    let owners = difference.iter().map(|(_, record)| owner(record));
    noted(test, event.unwrap(), &owners.collect(), command).await;
    let shown = difference.iter().map(|(sign, record)| {
        let words: Vec<_> = record.split_whitespace().collect();
        format!("{sign}{} {} {}", words[0], words[3], words[4..].join(" "))
    });
    shown.collect()
}

/// What the command says it would do, without doing it.
async fn rehearse(test: &mut TestDatabase, command: &str) -> Vec<String> {
    let (last, published) = (last_event(test).await, test.published());
    let found = Box::pin(test.database.rehearse(&parse(command))).await;
    let found = found.unwrap_or_else(|e| panic!("{command}: {e}"));
    assert_eq!(last_event(test).await, last, "{command}: no event");
    assert_eq!(test.published(), published, "{command}: no change");
    let added = found.added.iter().map(|record| format!("+{record}"));
    let removed = found.removed.iter().map(|record| format!("-{record}"));
    added.chain(removed).collect()
}

async fn last_event(test: &mut TestDatabase) -> u64 {
    crate::registry::last_event(&mut test.database)
        .await
        .unwrap()
}

/// An incremental compile reads each name that the event noted just as a full one does.
pub(super) fn read_by_name(
    test: &TestDatabase,
    event: u64,
    published: &BTreeSet<String>,
    command: &str,
) {
    let snapshot = Snapshot::open(&test.location.as_source()).unwrap();
    for zone in snapshot.zones() {
        let mut source = snapshot.changes(&zone.apex, event - 1).unwrap();
        let changed = source.changed().unwrap().unwrap_or_default();
        for name in changed.names {
            let alone = std::slice::from_ref(&name);
            let mut records = BTreeSet::new();
            source
                .records_of(alone, &mut |record| {
                    records.insert(record.to_string());
                })
                .unwrap();
            let text = name.to_string();
            let expected = published
                .iter()
                .filter(|record| record.split_whitespace().next() == Some(text.as_str()));
            assert_eq!(records, expected.cloned().collect(), "{command}: {text}");
            let users = source.delegations_to(alone).unwrap();
            let named = published.iter().filter(|record| {
                let words: Vec<_> = record.split_whitespace().collect();
                words[3] == "NS" && words[4] == text && words[0] != zone.apex.to_string()
            });
            assert_eq!(users.len(), named.count(), "{command}: {text}");
            for below in source.names_below(alone).unwrap() {
                assert!(
                    below.is_at_or_below(&name) && below != name,
                    "{command}: {below}"
                );
            }
        }
    }
}

pub(super) fn owner(record: &str) -> String {
    let owner = record.split_whitespace().next().unwrap();
    owner.trim_end_matches('.').to_owned()
}

/// Every owner whose records differ is noted by the event: an incremental compile
/// reads no others.
async fn noted(test: &mut TestDatabase, event: i64, owners: &BTreeSet<String>, command: &str) {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT owner FROM changed_names WHERE event = $1")
        .bind(event)
        .fetch_all(test.database.connection())
        .await
        .unwrap();
    let noted: BTreeSet<_> = rows.into_iter().map(|(owner,)| owner).collect();
    let missing: Vec<_> = owners.difference(&noted).collect();
    assert!(
        noted.contains("") || missing.is_empty(),
        "{command}: {missing:?}"
    );
}

#[track_caller]
pub(super) fn expect(found: &[String], expected: &[&str]) {
    let mut found: Vec<_> = found.iter().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_hold_takes_a_domain_out_but_not_the_glue_of_others() {
    // The reader of PostgreSQL drives a runtime of its own.
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        expect(&step(test, "reg-a domain create a.tld").await, &[]);
        expect(
            &step(test, "reg-a host create ns1.a.tld ip=192.0.2.1").await,
            &[],
        );
        expect(
            &step(test, "reg-a host create ns2.a.tld ip=192.0.2.2").await,
            &[],
        );
        expect(
            &step(test, "reg-a domain update a.tld ns=ns1.a.tld ns=ns2.a.tld").await,
            &[
                "+a.tld. NS ns1.a.tld.",
                "+a.tld. NS ns2.a.tld.",
                "+ns1.a.tld. A 192.0.2.1",
                "+ns2.a.tld. A 192.0.2.2",
            ],
        );
        expect(
            &step(
                test,
                "reg-b domain create b.tld ns=ns1.a.tld ns=ns1.ext.example",
            )
            .await,
            &["+b.tld. NS ns1.a.tld.", "+b.tld. NS ns1.ext.example."],
        );
        expect(
            &step(test, "reg-a domain update a.tld status=clientHold").await,
            &[
                "-a.tld. NS ns1.a.tld.",
                "-a.tld. NS ns2.a.tld.",
                "-ns2.a.tld. A 192.0.2.2",
            ],
        );
        expect(
            &step(test, "reg-b domain delete b.tld").await,
            &[
                "-b.tld. NS ns1.a.tld.",
                "-b.tld. NS ns1.ext.example.",
                "-ns1.a.tld. A 192.0.2.1",
            ],
        );
        expect(
            &step(test, "reg-a domain update a.tld -status=clientHold").await,
            &[
                "+a.tld. NS ns1.a.tld.",
                "+a.tld. NS ns2.a.tld.",
                "+ns1.a.tld. A 192.0.2.1",
                "+ns2.a.tld. A 192.0.2.2",
            ],
        );
        expect(
            &step(test, "reg-a domain delete a.tld").await,
            &[
                "-a.tld. NS ns1.a.tld.",
                "-a.tld. NS ns2.a.tld.",
                "-ns1.a.tld. A 192.0.2.1",
                "-ns2.a.tld. A 192.0.2.2",
            ],
        );
    }
}

#[tokio::test]
async fn a_renamed_host_is_renamed_in_every_delegation() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        for line in [
            "reg-a domain create a.tld",
            "reg-a host create ns1.a.tld ip=192.0.2.1",
            "reg-a domain update a.tld ns=ns1.a.tld ns=ns1.ext.example",
            "reg-a domain create b.tld ns=ns1.a.tld ns=ns2.ext.example",
        ] {
            step(test, line).await;
        }
        expect(
            &step(
                test,
                "reg-a host update ns1.a.tld to=dns.a.tld ip=2001:db8::1",
            )
            .await,
            &[
                "+a.tld. NS dns.a.tld.",
                "+b.tld. NS dns.a.tld.",
                "+dns.a.tld. A 192.0.2.1",
                "+dns.a.tld. AAAA 2001:db8::1",
                "-a.tld. NS ns1.a.tld.",
                "-b.tld. NS ns1.a.tld.",
                "-ns1.a.tld. A 192.0.2.1",
            ],
        );
        expect(
            &step(test, "reg-a host update dns.a.tld to=dns.ext.example").await,
            &[
                "+a.tld. NS dns.ext.example.",
                "+b.tld. NS dns.ext.example.",
                "-a.tld. NS dns.a.tld.",
                "-b.tld. NS dns.a.tld.",
                "-dns.a.tld. A 192.0.2.1",
                "-dns.a.tld. AAAA 2001:db8::1",
            ],
        );
    }
}

#[tokio::test]
async fn ds_and_zone_data_are_published_as_they_are_set() {
    let digest = "AB".repeat(32);
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        step(
            test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example",
        )
        .await;
        let ds = format!("reg-a domain update a.tld ds=12345_13_2_{digest}");
        expect(
            &step(test, &ds).await,
            &[&format!("+a.tld. DS 12345 13 2 {digest}")],
        );
        expect(
            &step(test, "op zone update tld record=tld._60_TXT_x").await,
            &["+tld. TXT \"x\""],
        );
        let changed = step(test, "op zone update tld ttl=60").await;
        assert_eq!(changed.len(), 4, "the TTL of two NS: {changed:?}");
    }
}
