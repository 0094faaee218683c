//! Two primaries at one store, and a store that lost what it had.

use std::path::PathBuf;
use std::time::Duration;

use object_store::ObjectStoreExt as _;

use super::*;
use crate::distribution::testing::{NOW, Node, Primary, Store, key, trusted};
use crate::dns::testing::eventually;

fn started(store: &Store, settings: Settings) -> Primary {
    let mut primary = Primary::new(300);
    primary.start(settings);
    eventually("the first manifest", || primary.is_done());
    assert!(store.objects.join("manifest").exists());
    primary
}

/// Puts an object as another process does.
fn put(store: &Store, name: &str, octets: Vec<u8>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let depot = Depot::open(&store.place, &store.access).unwrap();
        let (objects, prefix) = depot.objects().unwrap();
        let path = prefix.clone().join(name);
        objects.put(&path, octets.into()).await.unwrap();
    });
}

fn failure(primary: &Primary) -> Option<Failure> {
    primary.distributor.as_ref().unwrap().state().failure()
}

#[track_caller]
fn is_deposed(primary: &Primary) -> String {
    let is_said = || failure(primary).is_some_and(|failure| failure.trouble == Trouble::Deposed);
    eventually("that it is deposed", is_said);
    failure(primary).unwrap().text
}

/// All objects of a store but reports.
fn objects(store: &Store) -> Vec<(PathBuf, Vec<u8>)> {
    let packs = std::fs::read_dir(store.objects.join("packs")).unwrap();
    let paths = packs.map(|file| file.unwrap().path());
    let mut paths: Vec<_> = paths.chain([store.objects.join("manifest")]).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    paths.into_iter().map(read).collect()
}

fn settings(store: &Store) -> Settings {
    Settings {
        keep: Duration::ZERO,
        ..Primary::settings(store)
    }
}

#[test]
fn what_a_stranger_put_out_is_not_touched_unless_it_is_named() {
    for store in Store::each() {
        drop(started(&store, settings(&store)));
        let before = objects(&store);
        let mut other = Primary::new(30);
        let stranger = |replace| Settings {
            key: key(2),
            position: Box::new(|| Some((9, 0))),
            replace,
            ..settings(&store)
        };
        other.start(stranger(None));
        let said = is_deposed(&other);
        let id = key(1).public().id().to_string();
        assert!(said.contains(&id), "{said}");
        assert_eq!(objects(&store), before);
        // Another manifest than this one may not be replaced.
        other.start(stranger(Some("0".repeat(32))));
        is_deposed(&other);
        assert_eq!(objects(&store), before);
        let name = manifest_name(&std::fs::read(store.objects.join("manifest")).unwrap());
        assert!(said.contains(&name), "{said}");
        other.start(stranger(Some(name)));
        eventually("it is replaced", || other.is_done());
        // What the stranger's named is still there.
        let after = objects(&store);
        for one in before
            .iter()
            .filter(|(path, _)| !path.ends_with("manifest"))
        {
            assert!(after.contains(one), "{}", one.0.display());
        }
    }
}

#[test]
fn a_manifest_that_is_damaged_is_not_taken_for_none() {
    let store = Store::folder();
    drop(started(&store, settings(&store)));
    let path = store.objects.join("manifest");
    let mut octets = std::fs::read(&path).unwrap();
    octets[100] ^= 1;
    std::fs::write(&path, &octets).unwrap();
    let before = objects(&store);
    let mut again = Primary::new(30);
    again.start(settings(&store));
    is_deposed(&again);
    assert_eq!(objects(&store), before);
}

/// An edge that has nothing serves what is put out.
#[track_caller]
fn a_cold_edge_serves(store: &Store, serial: u32) {
    let mut node = Node::cold();
    node.start(node.settings(&[store]));
    eventually("a cold edge", || node.serial() == serial);
}

#[test]
fn packs_that_are_gone_or_short_are_uploaded_again() {
    for store in Store::each() {
        let mut primary = started(&store, Primary::settings(&store));
        let pack = objects(&store)
            .into_iter()
            .find(|(path, _)| !path.ends_with("manifest"));
        let pack = pack.unwrap().0;
        assert_eq!(objects(&store).len(), 2);
        // At its start, then while it runs.
        std::fs::remove_file(&pack).unwrap();
        primary.start(Primary::settings(&store));
        a_cold_edge_serves(&store, 1);
        primary.start(Settings {
            refresh: Duration::from_millis(20),
            ..Primary::settings(&store)
        });
        let whole = std::fs::read(&pack).unwrap();
        std::fs::remove_file(&pack).unwrap();
        a_cold_edge_serves(&store, 1);
        std::fs::write(&pack, &whole[1..]).unwrap();
        a_cold_edge_serves(&store, 1);
        assert_eq!(std::fs::read(&pack).unwrap(), whole);
    }
}

#[test]
fn of_two_primaries_that_run_the_one_with_the_higher_epoch_goes_on() {
    for store in Store::each() {
        let at = |epoch, keep| Settings {
            position: Box::new(move || Some((epoch, 0))),
            keep,
            ..settings(&store)
        };
        let old = started(&store, at(1, Duration::ZERO));
        let new = started(&store, at(2, Duration::from_secs(600)));
        let taken = objects(&store);
        // The former does not know yet that it is one, and has something to put out.
        old.publish(2, 300);
        let said = is_deposed(&old);
        eventually("its own epoch is said", || {
            failure(&old).is_some_and(|failure| failure.text.contains("ours is 1"))
        });
        let after = objects(&store);
        for one in &taken {
            assert!(
                after.contains(one),
                "{said}: {} is changed",
                one.0.display()
            );
        }
        // The new one is not held up.
        new.publish(3, 300);
        a_cold_edge_serves(&store, 3);
        assert_eq!(failure(&new), None);
    }
}

#[test]
fn a_clock_that_was_fast_once_leaves_manifests_that_expire() {
    let store = Store::folder();
    let shown = || {
        let octets = std::fs::read(store.objects.join("manifest")).unwrap();
        Manifest::verify(&octets, &trusted()).unwrap()
    };
    let year = 365 * 24 * 3600 * 1_000_000;
    let fast = Settings {
        clock: || NOW + 100 * 365 * 24 * 3600 * 1_000_000,
        ..Primary::settings(&store)
    };
    let mut primary = started(&store, fast);
    let first = shown();
    primary.start(Primary::settings(&store));
    eventually("a manifest", || primary.is_done());
    let (second, now) = (shown(), u64::try_from(NOW).unwrap());
    assert!(second.counter > first.counter);
    assert_eq!(second.expires_at, now + 3600 * 1_000_000);
    eventually("the clock is said", || {
        failure(&primary).is_some_and(|failure| failure.text.contains("clock"))
    });
    // What is above it by its epoch has its own time.
    primary.start(Settings {
        position: Box::new(|| Some((2, 0))),
        ..Primary::settings(&store)
    });
    eventually("a manifest", || primary.is_done());
    let third = shown();
    assert!(third.counter > second.counter && third.counter.made_at < now + year);
    assert_eq!(failure(&primary), None);
}

#[test]
fn what_cannot_be_deleted_is_said_and_hinders_nothing() {
    let store = Store::folder();
    let mut primary = started(&store, settings(&store));
    // A folder where the name of a pack is looked for cannot be deleted as one.
    let odd = "ab".repeat(32);
    let folder = store.objects.join("packs").join(&odd);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(&odd), "").unwrap();
    primary.start(settings(&store));
    eventually("it is said", || {
        failure(&primary).is_some_and(|failure| failure.text.contains("cannot be deleted"))
    });
    let state = primary.distributor.as_ref().unwrap().state();
    assert!(primary.is_done());
    assert_eq!(state.manifests(), 1);
    // Nor is it tried again with each change.
    primary.publish(2, 300);
    eventually("the next manifest", || state.manifests() == 2);
    eventually("all is well", || state.failure().is_none());
    assert_eq!(state.failures().iter().sum::<u64>(), 1);
}

#[test]
fn a_pack_that_is_there_is_not_sent_again_when_what_follows_fails() {
    for store in Store::each() {
        let primary = started(&store, Primary::settings(&store));
        let state = primary.distributor.as_ref().unwrap().state();
        // Another with the same key was faster, as it seems.
        let path = store.objects.join("manifest");
        let mut other = Manifest::verify(&std::fs::read(&path).unwrap(), &trusted()).unwrap();
        other.counter.made_at += 5;
        put(&store, "manifest", other.sign(&key(1)));
        primary.publish(2, 300);
        eventually("the manifest", || state.manifests() == 2);
        assert_eq!(state.failures().iter().sum::<u64>(), 1);
        assert_eq!(state.packs(), 2, "{}", store.place);
    }
}
