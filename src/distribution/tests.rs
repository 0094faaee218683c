//! A primary and its edges, over a folder and over S3: what goes wrong on the way changes
//! nothing that is served, and mends itself.

use std::path::PathBuf;
use std::time::Duration;

use super::depot::{Access, Place};
use super::manifest::Manifest;
use super::state::Trouble;
use super::testing::{NOW, Node, Primary, Store, key, trusted};
use crate::dns::testing::eventually;

/// A primary that has put out serial 1 of a zone with so many delegations.
fn primary(store: &Store, delegations: u32) -> Primary {
    let mut primary = Primary::new(delegations);
    primary.start(Primary::settings(store));
    eventually("the first manifest", || primary.is_done());
    primary
}

/// An edge of that store which serves serial 1.
fn node(store: &Store) -> Node {
    let mut node = Node::cold();
    node.start(node.settings(&[store]));
    eventually("serial 1 on an edge", || node.serial() == 1);
    node
}

fn packs(store: &Store) -> Vec<PathBuf> {
    let files = std::fs::read_dir(store.objects.join("packs")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| !path.to_string_lossy().contains('#'))
        .collect()
}

#[test]
fn edges_serve_what_is_put_out() {
    for store in Store::each() {
        let primary = primary(&store, 3000);
        let nodes = [node(&store), node(&store)];
        let first = nodes[0].bytes();
        for serial in 2..6 {
            primary.publish(serial, 3000);
            for node in &nodes {
                eventually("the next serial", || node.serial() == serial);
            }
        }
        let digest = primary.generations.current().digest();
        assert_eq!(nodes[1].generations.current().digest(), digest);
        // Of what was there already nothing is shipped again; one that begins now gets all.
        assert_eq!(primary.generations.current().number(), 5);
        let late = {
            let mut late = Node::cold();
            late.start(late.settings(&[&store]));
            eventually("the last serial", || late.serial() == 5);
            late
        };
        assert!(first > 0 && late.bytes() > 0, "{}", store.place);
        assert!(late.files(".part").is_empty() && late.files(".unfolded").is_empty());
        assert_eq!(nodes[0].trouble(), None);
    }
}

#[test]
fn a_store_that_has_everything_gets_only_a_manifest() {
    for store in Store::each() {
        let mut primary = primary(&store, 300);
        let before = packs(&store);
        primary.start(Primary::settings(&store));
        eventually("another manifest", || primary.is_done());
        let state = primary.distributor.as_ref().unwrap().state();
        assert_eq!(
            (state.manifests(), state.packs()),
            (1, 0),
            "{}",
            store.place
        );
        assert_eq!(packs(&store), before);
    }
}

#[test]
fn packs_that_no_manifest_names_go_after_their_time() {
    for store in Store::each() {
        let mut primary = Primary::new(300);
        let settings = |keep| super::distributor::Settings {
            keep,
            ..Primary::settings(&store)
        };
        primary.start(settings(Duration::from_secs(600)));
        eventually("the first manifest", || primary.is_done());
        let first = packs(&store);
        primary.publish(2, 300);
        let done = |primary: &Primary, manifests| {
            let state = primary.distributor.as_ref().unwrap().state();
            state.manifests() == manifests && primary.is_done()
        };
        eventually("the second manifest", || done(&primary, 2));
        // An edge that is behind still finds them.
        assert!(first.iter().all(|pack| pack.exists()), "{}", store.place);
        assert_eq!(packs(&store).len(), 2);
        // Without a time to keep, those that a new process finds go with its first manifest.
        primary.start(settings(Duration::ZERO));
        eventually("a manifest", || done(&primary, 1));
        eventually("the old pack goes", || packs(&store).len() == 1);
    }
}

#[test]
fn a_fetch_goes_on_where_it_stopped() {
    for store in Store::each() {
        let _primary = primary(&store, 3000);
        let octets = std::fs::read(store.objects.join("manifest")).unwrap();
        let manifest = Manifest::verify(&octets, &trusted()).unwrap();
        let (segment, pack, part) = manifest.segments().next().unwrap();
        assert_eq!((part.offset, part.bytes), (0, pack.bytes));
        let whole = std::fs::read(&packs(&store)[0]).unwrap();
        let mut node = Node::cold();
        let name = zone_image::shipment::segment_file_name(&segment.digest);
        let path = node.folder.path().join(name).with_extension("part");
        std::fs::write(path, &whole[..whole.len() / 3]).unwrap();
        let other = node.folder.path().join("0000.part");
        std::fs::write(&other, "of another fetch").unwrap();
        node.start(node.settings(&[&store]));
        eventually("serial 1", || node.serial() == 1);
        assert_eq!(node.bytes(), (whole.len() - whole.len() / 3) as u64);
        assert!(!other.exists());
    }
}

#[test]
fn a_forged_pack_is_never_served_and_a_right_one_is_when_it_comes() {
    for store in Store::each() {
        let primary = primary(&store, 300);
        let mut node = node(&store);
        let before = packs(&store);
        // Damaged before an edge has seen it: this one looks away meanwhile.
        node.edge = None;
        primary.publish(2, 300);
        eventually("the second pack", || {
            packs(&store).len() == 2 && primary.is_done()
        });
        let pack = packs(&store)
            .into_iter()
            .find(|pack| !before.contains(pack))
            .unwrap();
        let good = std::fs::read(&pack).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        std::fs::write(&pack, &bad).unwrap();
        node.start(node.settings(&[&store]));
        eventually("the damage is said", || {
            node.trouble() == Some(Trouble::Segment)
        });
        assert_eq!(node.serial(), 1);
        std::fs::write(&pack, &good[..middle]).unwrap();
        eventually("that it is short is said", || {
            node.trouble() == Some(Trouble::Store)
        });
        assert_eq!(node.serial(), 1);
        std::fs::write(&pack, &good).unwrap();
        eventually("the right one", || node.serial() == 2);
        eventually("all is well", || node.trouble().is_none());
    }
}

/// What a store may show in the place of the manifest.
fn wrong_manifests(right: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut manifest = Manifest::verify(right, &trusted()).unwrap();
    let mut flipped = right.to_vec();
    flipped[100] ^= 1;
    let stranger = manifest.sign(&key(2));
    manifest.counter.made_at += 1;
    manifest.expires_at = u64::try_from(NOW).unwrap();
    let expired = manifest.sign(&key(1));
    vec![
        ("flipped", flipped),
        ("short", right[..right.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("of a stranger", stranger),
        ("expired", expired),
    ]
}

#[test]
fn a_wrong_manifest_changes_nothing_and_the_right_one_is_taken_after_it() {
    for store in Store::each() {
        let path = store.objects.join("manifest");
        let primary = primary(&store, 300);
        let old = std::fs::read(&path).unwrap();
        let mut node = node(&store);
        node.edge = None;
        primary.publish(2, 300);
        eventually("a new manifest", || {
            std::fs::read(&path).is_ok_and(|now| now != old) && primary.is_done()
        });
        let right = std::fs::read(&path).unwrap();
        for (what, wrong) in wrong_manifests(&right) {
            std::fs::write(&path, &wrong).unwrap();
            node.start(node.settings(&[&store]));
            eventually(what, || node.trouble() == Some(Trouble::Manifest));
            assert_eq!(node.serial(), 1, "{what}");
            node.edge = None;
        }
        std::fs::write(&path, &right).unwrap();
        node.start(node.settings(&[&store]));
        eventually("the right one", || node.serial() == 2);
        // The one before it was good once, and is not taken again, also after a restart.
        std::fs::write(&path, &old).unwrap();
        eventually("that it is old", || {
            node.trouble() == Some(Trouble::Manifest)
        });
        node.restart(node.settings(&[&store]));
        eventually("that it is old", || {
            node.trouble() == Some(Trouble::Manifest)
        });
        assert_eq!(node.serial(), 2);
    }
}

#[test]
fn a_store_that_is_lost_takes_nothing_away_and_another_helps() {
    let (lost, other) = (Store::folder(), Store::folder());
    let primary = primary(&lost, 300);
    let mut node = node(&lost);
    node.edge = None;
    std::fs::remove_dir_all(&lost.objects).unwrap();
    node.restart(node.settings(&[&lost]));
    eventually("the loss is said", || {
        node.trouble() == Some(Trouble::Store)
    });
    assert_eq!(node.serial(), 1);
    let mut second = Primary::new(0);
    second.generations = std::sync::Arc::clone(&primary.generations);
    second.start(Primary::settings(&other));
    primary.publish(2, 300);
    node.restart(node.settings(&[&lost, &other]));
    eventually("it is fetched elsewhere", || node.serial() == 2);
    // One that does not even begin to answer is said to be lost, and hinders nothing.
    let nowhere = Store {
        place: Place::Primary("http://127.0.0.1:1".to_owned()),
        access: Access::default(),
        ..Store::folder()
    };
    primary.publish(3, 300);
    node.restart(node.settings(&[&nowhere, &other]));
    eventually("it is fetched elsewhere", || node.serial() == 3);
    eventually("the loss is said", || {
        node.trouble() == Some(Trouble::Store)
    });
}

#[test]
fn what_is_damaged_on_disk_is_fetched_again_after_a_restart() {
    for store in Store::each() {
        let _primary = primary(&store, 3000);
        let mut node = node(&store);
        for (file, what) in [
            (".segment", "a segment"),
            ("generation", "the generation file"),
            ("manifest", "the manifest"),
        ] {
            node.edge = None;
            let path = node.files(file).remove(0);
            let mut octets = std::fs::read(&path).unwrap();
            let middle = octets.len() / 2;
            octets[middle] ^= 1;
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, octets).unwrap();
            node.restart(node.settings(&[&store]));
            eventually(what, || node.serial() == 1);
            // It is right on disk as well.
            node.edge = None;
            let (memory, folder) = (zone_image::Memory::Mapped, node.folder.path());
            zone_image::Generation::open(folder, memory).unwrap();
        }
    }
}

#[test]
fn an_image_is_put_together_again_without_any_source() {
    let store = Store::folder();
    let _primary = primary(&store, 300);
    let mut node = node(&store);
    node.edge = None;
    std::fs::remove_file(node.folder.path().join("generation")).unwrap();
    std::fs::remove_dir_all(&store.objects).unwrap();
    node.restart(node.settings(&[&store]));
    eventually("the manifest that was kept", || node.serial() == 1);
}

#[test]
fn another_primary_with_a_higher_epoch_is_not_written_over() {
    let store = Store::folder();
    let mut primary = Primary::new(30);
    let at = |epoch| super::distributor::Settings {
        position: Box::new(move || Some((epoch, 0))),
        ..Primary::settings(&store)
    };
    primary.start(at(2));
    eventually("the first manifest", || primary.is_done());
    let path = store.objects.join("manifest");
    let before = std::fs::read(&path).unwrap();
    primary.start(at(1));
    let state = primary.distributor.as_ref().unwrap().state();
    eventually("it is said", || {
        state
            .failure()
            .is_some_and(|failure| failure.trouble == Trouble::Deposed)
    });
    assert_eq!(std::fs::read(&path).unwrap(), before);
    primary.start(at(3));
    eventually("it goes on", || primary.is_done());
}

#[test]
fn keys_are_rolled_over_without_an_end() {
    let store = Store::folder();
    let mut primary = primary(&store, 30);
    let mut node = node(&store);
    let both = super::edge::Settings {
        trusted: vec![key(2).public(), key(1).public()],
        ..node.settings(&[&store])
    };
    node.restart(both);
    primary.start(super::distributor::Settings {
        key: key(2),
        trusted: vec![key(1).public()],
        ..Primary::settings(&store)
    });
    eventually("the new key", || primary.is_done());
    let state = primary.distributor.as_ref().unwrap().state();
    assert_eq!(
        state.packs(),
        0,
        "what the former key's manifest names is used again"
    );
    primary.publish(2, 30);
    eventually("what the new key signs", || node.serial() == 2);
}
