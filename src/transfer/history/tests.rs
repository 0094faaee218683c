use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use tempfile::TempDir;
use zone_image::Name;

use super::History;
use crate::transfer::difference::Flat;
use crate::transfer::journal::{self, Limits};
use crate::transfer::key::parse_name;
use crate::transfer::records::each_record;
use crate::transfer::testing::{ZONE, generations, install, install_at};

const LIMITS: Limits = Limits {
    zone_bytes_max: 1 << 20,
    age_seconds_max: 1000,
};

fn apex() -> Name {
    parse_name("tld").unwrap()
}

fn version(serial: u32) -> String {
    ZONE.replace(" 7 7200", &format!(" {serial} 7200")) + &format!("n{serial} TXT \"x\"\n")
}

fn all(history: &History) -> BTreeSet<Flat> {
    let head = history.head();
    let mut all = BTreeSet::new();
    let walked = each_record(head.zone(apex().as_wire()).unwrap(), &mut |record| {
        all.insert(Flat::new(&record));
        Ok::<_, Infallible>(())
    });
    let Ok(()) = walked;
    all
}

/// Whoever has a version and applies the changes from there has the newest.
#[test]
fn changes_lead_from_every_version_to_what_is_sent() {
    let (image, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let text = version(1);
    install(image.path(), &[(&text, None)]);
    let generations = Arc::new(generations(image.path()));
    let journal = Some((folder.path(), LIMITS));
    let history = History::open(Arc::clone(&generations), journal).unwrap();
    let mut versions = vec![all(&history)];
    let mut told = Vec::new();
    for serial in 2..6 {
        let text = version(serial);
        install(image.path(), &[(&text, None)]);
        generations.reload().unwrap();
        // Until it looks, it sends what it has changes for.
        let before = history.head().zone(apex().as_wire()).unwrap().serial();
        assert_eq!(before, serial - 1);
        history.look(5, &mut |zone| told.push(zone.serial()), &|_| true);
        history.look(5, &mut |_| panic!("nothing is new"), &|_| true);
        versions.push(all(&history));
    }
    assert_eq!(told, [2, 3, 4, 5]);
    drop(history);
    let history = History::open(Arc::clone(&generations), journal).unwrap();
    for (serial, version) in (1..).zip(&versions[..4]) {
        let (files, _) = history.changes(&apex(), serial, 5).unwrap();
        assert_eq!(files.len(), usize::try_from(5 - serial).unwrap());
        let mut version = version.clone();
        for file in files {
            let change = journal::read(&file).unwrap();
            for record in &change.removed {
                assert!(version.remove(record), "{record:?} is not there");
            }
            for record in change.added {
                assert!(version.insert(record), "it is there");
            }
        }
        assert_eq!(version, versions[4]);
    }
    assert!(history.journal_bytes() > 100);
}

/// Signed zones of parked names come and go with their parent's records.
#[test]
fn nobody_is_told_of_zones_of_parked_names() {
    let (image, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let child = |serial| {
        format!(
            "parked.tld. 60 SOA ns1.nic.tld. h. {serial} 1 2 3 4\nparked.tld. 60 NS ns1.nic.tld.\n"
        )
    };
    install_at(
        image.path(),
        &[(&version(1), None, 5), (&child(1), None, 0)],
    );
    let served = Arc::new(generations(image.path()));
    let journal = Some((folder.path(), LIMITS));
    let history = History::open(Arc::clone(&served), journal).unwrap();
    install_at(
        image.path(),
        &[(&version(2), None, 6), (&child(2), None, 0)],
    );
    served.reload().unwrap();
    let mut told = Vec::new();
    history.look(5, &mut |zone| told.push(zone.apex().to_vec()), &|_| true);
    assert_eq!(told, [apex().as_wire()]);
    assert!(
        history
            .journal_of(&parse_name("parked.tld").unwrap())
            .is_none()
    );
    assert!(history.journal_of(&apex()).is_some());
}

#[test]
fn an_image_that_was_replaced_while_nobody_looked_starts_the_journal_anew() {
    let (image, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let journal = Some((folder.path(), LIMITS));
    let install_version = |serial| install(image.path(), &[(&version(serial), None)]);
    install_version(1);
    let served = Arc::new(generations(image.path()));
    let history = History::open(Arc::clone(&served), journal).unwrap();
    install_version(2);
    served.reload().unwrap();
    history.look(5, &mut |_| {}, &|_| true);
    assert!(history.changes(&apex(), 1, 2).is_some());
    install_version(3);
    let history = History::open(Arc::new(generations(image.path())), journal).unwrap();
    assert!(history.changes(&apex(), 1, 2).is_none());
    assert!(history.changes(&apex(), 1, 3).is_none());
    assert_eq!(history.journal_bytes(), 0);
}

#[test]
fn zones_that_nobody_may_have_and_changes_too_large_are_not_kept() {
    let (image, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (limits, wanted) in [
        (LIMITS, false),
        (
            Limits {
                zone_bytes_max: 50,
                ..LIMITS
            },
            true,
        ),
    ] {
        install(image.path(), &[(&version(1), None)]);
        let served = Arc::new(generations(image.path()));
        let history = History::open(Arc::clone(&served), Some((folder.path(), limits))).unwrap();
        install(image.path(), &[(&version(2), None)]);
        served.reload().unwrap();
        history.look(5, &mut |_| {}, &|_| wanted);
        assert!(history.changes(&apex(), 1, 2).is_none());
    }
}
