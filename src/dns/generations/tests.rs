use std::sync::atomic::{AtomicBool, Ordering};

use zone_image::writer::Installer as ImageInstaller;

use super::*;
use crate::dns::testing::{self, eventually, generations};

#[test]
fn nothing_starts_without_an_image() {
    let directory = tempfile::tempdir().unwrap();
    let source = Source {
        directory: directory.path().to_owned(),
        memory: Memory::Sealed,
        check: Box::new(|_| Ok(())),
        clock: || 1,
    };
    let error = Generations::open(source).unwrap_err().to_string();
    assert!(error.contains("meridian compile"), "{error}");
}

#[test]
fn reload_of_the_same_image_changes_nothing() {
    let (generations, _directory) = generations();
    let before = generations.current();
    let installed = generations.reload().unwrap();
    assert_eq!((installed.number, installed.changed), (1, false));
    assert!(Arc::ptr_eq(&before, &generations.current()));
    assert_eq!(generations.installs.value(), 0);
}

#[test]
fn reload_swaps_in_a_newer_image_and_wakes_workers() {
    let (generations, directory) = generations();
    let wake = Arc::new(Wake::new().unwrap());
    generations.wake_on_swap(Arc::clone(&wake));
    testing::install(directory.path());
    let installed = generations.reload().unwrap();
    assert_eq!((installed.number, installed.changed), (2, true));
    assert_eq!(generations.current().number(), 2);
    assert!(wake.is_pending());
    assert_eq!(
        generations.status(),
        InstallStatus {
            installed_at: 1000,
            ..Default::default()
        }
    );
}

#[test]
fn a_staged_generation_is_installed_and_swapped_in() {
    let (generations, directory) = generations();
    let staged = ImageInstaller::update(directory.path())
        .unwrap()
        .stage()
        .unwrap();
    let installed = generations.install_staged(staged).unwrap();
    assert_eq!((installed.number, installed.changed), (2, true));
    assert_eq!(generations.current().number(), 2);
    // It is what a reload would find, so that the watcher has nothing to do.
    assert!(!generations.reload().unwrap().changed);
    assert_eq!(generations.installs.value(), 1);
}

#[test]
fn a_staged_generation_that_fails_its_check_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    testing::install(directory.path());
    let files = || {
        let entries = std::fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    let generations = Generations::open(Source {
        directory: directory.path().to_owned(),
        memory: Memory::Mapped,
        check: Box::new(|generation| match generation.number() {
            1 => Ok(()),
            _ => Err("canary died".to_owned()),
        }),
        clock: || 7,
    })
    .unwrap();
    let staged = ImageInstaller::update(directory.path())
        .unwrap()
        .stage()
        .unwrap();
    let error = generations.install_staged(staged).unwrap_err();
    assert!(matches!(error, InstallError::Check { .. }), "{error}");
    assert_eq!(generations.current().number(), 1);
    assert_eq!(generations.failures.value(), 1);
    assert!(generations.status().error.unwrap().contains("canary died"));
    assert_eq!(files(), before);
    let installed = Generation::open(directory.path(), Memory::Mapped).unwrap();
    assert_eq!(installed.number(), 1, "a restart finds the old one");
}

#[test]
fn a_directory_made_anew_is_another_image() {
    let (generations, directory) = generations();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(
        testing::install(directory.path()),
        1,
        "the same number again"
    );
    assert!(generations.reload().unwrap().changed);
}

#[test]
fn a_broken_image_is_refused_and_the_old_one_stays() {
    let (generations, directory) = generations();
    let before = generations.current();
    let file = directory.path().join(GENERATION_FILE);
    let good = std::fs::read(&file).unwrap();
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    for bytes in [&broken[..], &good[..good.len() - 1], b"", b"not an image"] {
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(
            generations.reload(),
            Err(InstallError::Open { .. })
        ));
        assert!(Arc::ptr_eq(&before, &generations.current()));
    }
    assert_eq!(generations.failures.value(), 4);
    let status = generations.status();
    assert!(
        status
            .error
            .is_some_and(|error| error.contains(&*directory.path().to_string_lossy()))
    );
    assert_eq!(status.error_at, 1000);
    std::fs::write(&file, good).unwrap();
    generations.reload().unwrap();
    assert_eq!(generations.status().error, None);
}

#[test]
fn an_image_that_fails_its_canaries_is_refused() {
    static PASS: AtomicBool = AtomicBool::new(true);
    let directory = tempfile::tempdir().unwrap();
    testing::install(directory.path());
    let check: Check = Box::new(|_| match PASS.load(Ordering::Relaxed) {
        true => Ok(()),
        false => Err("SOA of example. is missing".into()),
    });
    let source = Source {
        directory: directory.path().to_owned(),
        memory: Memory::Sealed,
        check,
        clock: || 1,
    };
    let generations = Generations::open(source).unwrap();
    PASS.store(false, Ordering::Relaxed);
    testing::install(directory.path());
    let error = generations.reload().unwrap_err();
    assert!(error.to_string().contains("SOA of example."), "{error}");
    assert_eq!(generations.current().number(), 1);
}

#[test]
fn a_replaced_generation_is_kept_until_its_last_reader_is_done() {
    let (generations, directory) = generations();
    let reader = generations.current();
    testing::install(directory.path());
    generations.reload().unwrap();
    generations.free_retired();
    assert_eq!(generations.retired(), 1);
    drop(reader);
    generations.free_retired();
    assert_eq!(generations.retired(), 0);
}

#[test]
fn the_installer_sees_a_newer_image_by_itself() {
    let (generations, directory) = generations();
    let generations = Arc::new(generations);
    let _installer = Installer::spawn(Arc::clone(&generations)).unwrap();
    for number in 2..5 {
        testing::install(directory.path());
        eventually("swapped", || generations.current().number() == number);
    }
    eventually("freed", || generations.retired() == 0);
}

#[test]
fn an_install_between_open_and_watch_is_seen() {
    let (generations, directory) = generations();
    testing::install(directory.path());
    let generations = Arc::new(generations);
    let _installer = Installer::spawn(Arc::clone(&generations)).unwrap();
    eventually("swapped", || generations.current().number() == 2);
}

#[tokio::test]
async fn a_reload_that_is_asked_for_reports_its_outcome() {
    let (generations, directory) = generations();
    let installer = Installer::spawn(Arc::new(generations)).unwrap();
    let reloader = installer.reloader();
    testing::install(directory.path());
    assert_eq!(reloader.reload().await.unwrap().number, 2);
    std::fs::write(directory.path().join(GENERATION_FILE), b"").unwrap();
    assert!(reloader.reload().await.is_err());
    drop(installer);
    assert!(matches!(
        reloader.reload().await,
        Err(InstallError::Stopped)
    ));
}
