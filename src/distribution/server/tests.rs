use std::path::Path;

use super::super::manifest::Manifest;
use super::super::overview;
use super::super::state::Trouble;
use super::super::testing::{Node, Primary, Store, trusted};
use super::*;
use crate::dns::testing::eventually;

fn settings(store: &Store, primary: &Primary) -> Settings {
    Settings {
        service: service::Settings {
            name: "Edges",
            threads: 1,
            prepare_thread: || {},
            connections_max: 100,
            connections_per_prefix_max: 100,
            drain: Duration::from_secs(5),
        },
        credentials: None,
        tokens: vec![
            Zeroizing::new("next".to_owned()),
            Zeroizing::new("token".to_owned()),
        ],
        current: primary.distributor.as_ref().unwrap().current(),
        place: store.place.clone(),
        access: store.access.clone(),
    }
}

const LOOPBACK: &str = "127.0.0.1:0";

/// A primary with this store, served on loopback; and how edges reach it.
fn primary(store: &Store) -> (Primary, Server, Store) {
    let mut primary = Primary::new(3000);
    primary.start(Primary::settings(store));
    eventually("the first manifest", || primary.is_done());
    let server = Server::start(settings(store, &primary), &[LOOPBACK.parse().unwrap()]).unwrap();
    let address = server.addresses()[0];
    let source = Store {
        place: Place::Primary(format!("http://{address}")),
        access: Access {
            token: Some(Zeroizing::new("token".to_owned())),
            ..Access::default()
        },
        ..Store::folder()
    };
    (primary, server, source)
}

/// Looks at no store by itself within the time of a test: it is told.
fn told(node: &Node, source: &Store) -> super::super::edge::Settings {
    super::super::edge::Settings {
        wait: Duration::from_secs(30),
        ..node.settings(&[source])
    }
}

#[test]
fn news_come_while_they_are_waited_for() {
    for store in Store::each() {
        let (primary, server, source) = primary(&store);
        let mut node = Node::cold();
        node.start(told(&node, &source));
        for serial in 2..6 {
            eventually("the serial before", || node.serial() == serial - 1);
            primary.publish(serial, 3000);
        }
        eventually("the last serial", || node.serial() == 5);
        assert_eq!(node.trouble(), None);
        // A stop does not wait for those who wait.
        server.stop();
        eventually("it is gone", || node.trouble() == Some(Trouble::Store));
        assert_eq!(node.serial(), 5);
    }
}

#[test]
fn nobody_gets_anything_without_a_token() {
    let store = Store::folder();
    let (_primary, server, mut source) = primary(&store);
    for token in [None, Some("wrong"), Some("")] {
        source.access.token = token.map(|token| Zeroizing::new(token.to_owned()));
        let mut node = Node::cold();
        node.start(told(&node, &source));
        eventually("it is said", || {
            let state = node.edge.as_ref().unwrap().state();
            let failure = state.failure();
            failure.is_some_and(|failure| failure.text.contains("token-file"))
        });
        assert_eq!(node.serial(), 0);
    }
    source.access.token = Some(Zeroizing::new("next".to_owned()));
    let mut node = Node::cold();
    node.start(told(&node, &source));
    eventually("both tokens hold", || node.serial() == 1);
    server.stop();
}

#[test]
fn it_is_served_over_tls_to_who_trusts_the_certificate() {
    let store = Store::folder();
    let (primary, plain, mut source) = primary(&store);
    plain.stop();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = write("certificate", made.cert.pem());
    let key = write("key", made.signing_key.serialize_pem());
    let credentials = Credentials::load(EDGES, &certificate, &key).unwrap();
    let with_tls = Settings {
        credentials: Some(Arc::new(credentials)),
        ..settings(&store, &primary)
    };
    let server = Server::start(with_tls, &[LOOPBACK.parse().unwrap()]).unwrap();
    source.place = Place::Primary(format!("https://{}", server.addresses()[0]));
    source.access.authorities = Some(certificate);
    let mut node = Node::cold();
    node.start(told(&node, &source));
    eventually("it is fetched over TLS", || node.serial() == 1);
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    source.access.authorities = Some(write("other", other.cert.pem()));
    let mut node = Node::cold();
    node.start(told(&node, &source));
    eventually("it is not trusted", || {
        node.trouble() == Some(Trouble::Store)
    });
    assert_eq!(node.serial(), 0);
    server.stop();
}

#[test]
fn without_tls_it_listens_on_loopback_only() {
    let store = Store::folder();
    let (primary, server, _) = primary(&store);
    let error = Server::start(settings(&store, &primary), &["0.0.0.0:0".parse().unwrap()]);
    assert!(error.unwrap_err().to_string().contains("loopback only"));
    server.stop();
}

/// Asks the server of `source` in one way after the other.
fn ask<T>(source: &Store, work: impl AsyncFnOnce(&Depot) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let depot = Depot::open(&source.place, &source.access).unwrap();
    runtime.block_on(work(&depot))
}

#[test]
fn reports_come_back_as_they_were_left() {
    let store = Store::folder();
    let (primary, server, source) = primary(&store);
    let mut node = Node::cold();
    let reporting = super::super::edge::Settings {
        report_interval: Duration::from_millis(1),
        ..node.settings(&[&source])
    };
    node.start(reporting);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let now = u64::try_from(super::super::testing::NOW / 1_000_000).unwrap() + 5;
    eventually("a report", || {
        let places = [source.place.clone()];
        let read = overview::read(&places, &source.access, now);
        let overview = runtime.block_on(read).unwrap();
        let done = primary.distributor.as_ref().unwrap().state().status().done;
        assert_eq!(Some(overview.newest), done);
        let first = overview.nodes.first();
        first.is_some_and(|node| {
            (&node.node[..], node.lag_events, node.silent_seconds) == ("node", 0, 5)
        })
    });
    for name in ["", "..", "a/b", ".hidden", &"a".repeat(64)] {
        let left = ask(&source, async |depot| depot.report(name, vec![1]).await);
        assert!(left.is_err(), "{name}");
    }
    let large = vec![b'x'; REPORT_BYTES_MAX + 1];
    let left = ask(&source, async |depot| depot.report("node", large).await);
    assert!(left.is_err());
    assert!(
        !Path::new(&store.objects)
            .join("nodes/..")
            .join("a")
            .exists()
    );
    server.stop();
}

#[test]
fn packs_are_given_by_range() {
    let store = Store::folder();
    let (_primary, server, source) = primary(&store);
    let octets = std::fs::read(store.objects.join("manifest")).unwrap();
    let manifest = Manifest::verify(&octets, &trusted()).unwrap();
    let pack = &manifest.packs[0];
    let whole = std::fs::read(
        store
            .objects
            .join("packs")
            .join(super::super::depot::hex(&pack.name)),
    );
    let whole = whole.unwrap();
    for (first, end) in [
        (0, 1),
        (5, 100),
        (0, whole.len()),
        (whole.len() - 1, whole.len()),
    ] {
        let range = first as u64..end as u64;
        let got = ask(&source, async |depot| {
            let mut pieces = depot.pack(&pack.name, range).await.unwrap();
            let mut all = Vec::new();
            while let Some(piece) = pieces.next().await {
                all.extend_from_slice(&piece.unwrap());
            }
            all
        });
        assert_eq!(got, whole[first..end]);
    }
    let missing = ask(&source, async |depot| {
        depot.pack(&[9; 32], 0..10).await.map(drop)
    });
    assert!(
        matches!(missing, Err(DepotError::Missing { .. })),
        "{missing:?}"
    );
    server.stop();
}

#[test]
fn ranges_name_both_ends() {
    assert_eq!(parse_range("bytes=0-0"), Some((0, 0)));
    assert_eq!(parse_range("bytes=7-90"), Some((7, 90)));
    let most = format!("bytes=0-{}", u64::MAX);
    for wrong in [
        "",
        "bytes=",
        "bytes=-5",
        "bytes=5-",
        "bytes=9-8",
        "octets=0-1",
        &most,
    ] {
        assert_eq!(parse_range(wrong), None, "{wrong}");
    }
}
