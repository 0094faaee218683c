//! The image of a history, which follows the registry by its changes, and one that is
//! compiled whole from the same event: both have to say the same.

use std::sync::Arc;

use tempfile::TempDir;
use zone_compiler::compile::change::{Changed, ZoneIndex, compile_changes};
use zone_compiler::compile::{Options, compile_with};
use zone_compiler::database::Snapshot;
use zone_compiler::wire::each_record;
use zone_image::layout::Part;
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name, Zone};

use crate::registry::testing::TestDatabase;

/// An image that is installed.
pub(super) struct Image {
    folder: TempDir,
    installed: Option<(Arc<Generation>, ZoneIndex)>,
    event: u64,
    /// Times that it was changed, and compiled whole.
    pub(super) followed: [usize; 2],
}

fn apex() -> Name {
    Name::parse_absolute("tld").unwrap()
}

fn zone(generation: &Generation) -> Zone<'_> {
    generation.zone(apex().as_wire()).unwrap()
}

fn compile(snapshot: &Snapshot, installer: &mut Installer, line: &str) {
    let mut source = snapshot.source(&apex()).unwrap();
    let compiled = compile_with(&mut source, installer, &Options::default(), &|_| {});
    // What commands have let in the compiler takes, and without a word about glue.
    let report = compiled.unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(report.warnings.count(), 0, "{line}: {report:?}");
}

impl Image {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            installed: None,
            event: 0,
            followed: [0; 2],
        }
    }

    /// Brings it to the registry's last event and compares.
    pub(super) fn follow(&mut self, test: &TestDatabase, line: &str) {
        let snapshot = Snapshot::open(&test.location.as_source()).unwrap();
        if snapshot.event() == self.event {
            return;
        }
        self.event = snapshot.event();
        let elsewhere = tempfile::tempdir().unwrap();
        let mut anew = Installer::replace(elsewhere.path(), None).unwrap();
        compile(&snapshot, &mut anew, line);
        anew.commit().unwrap();
        let anew = Generation::open(elsewhere.path(), Memory::Mapped).unwrap();
        let Some((before, index)) = self.installed.take() else {
            let mut installer = Installer::replace(self.folder.path(), None).unwrap();
            compile(&snapshot, &mut installer, line);
            installer.commit().unwrap();
            let first = Generation::open(self.folder.path(), Memory::Mapped).unwrap();
            let index = ZoneIndex::of(zone(&first));
            self.installed = Some((Arc::new(first), index));
            return;
        };
        let (after, index) = self.change(&snapshot, &before, index, line);
        assert_eq!(
            dump(&after),
            dump(&anew),
            "{line}: changed, and compiled whole"
        );
        self.installed = Some((after, index));
    }

    fn change(
        &mut self,
        snapshot: &Snapshot,
        before: &Arc<Generation>,
        mut index: ZoneIndex,
        line: &str,
    ) -> (Arc<Generation>, ZoneIndex) {
        let installer = || Installer::update_after(self.folder.path(), Arc::clone(before)).unwrap();
        let mut changed = installer();
        let since = zone(before).info().event;
        let mut source = snapshot.changes(&apex(), since).unwrap();
        let outcome = compile_changes(&mut source, zone(before), &index, None, &mut changed);
        let outcome = outcome.unwrap_or_else(|error| panic!("{line}: {error}"));
        let delta = match outcome {
            Changed::Written(written) => Some(written.index),
            Changed::Whole(_) => {
                drop(changed);
                changed = installer();
                compile(snapshot, &mut changed, line);
                None
            }
        };
        self.followed[usize::from(delta.is_none())] += 1;
        let staged = changed.stage().unwrap();
        let after = staged.open(Memory::Mapped, Some(before)).unwrap();
        staged.install().unwrap();
        match delta {
            Some(delta) => index.follow(delta, zone(&after)),
            None => index = ZoneIndex::of(zone(&after)),
        }
        (Arc::new(after), index)
    }
}

/// All that an image says of its zone.
fn dump(generation: &Generation) -> Vec<String> {
    let zone = zone(generation);
    let info = zone.info();
    let mut lines = vec![format!(
        "{} {} {} {} {}",
        info.serial, info.event, info.names, info.delegations, info.records
    )];
    zone.each_entry(&mut |entry| lines.push(format!("{} flags {}", entry.name(), entry.flags())));
    let all: Result<(), std::convert::Infallible> = each_record(zone, &mut |part, record| {
        lines.push(format!("{part:?} {record}"));
        Ok(())
    });
    let Ok(()) = all;
    let negative = zone.negative(Part::Records).map(|body| body.stored().0);
    lines.push(format!("negative {negative:?}"));
    for body in zone.parked_bodies() {
        lines.push(format!("parked {} {:?}", body.rtype(), body.stored().0));
    }
    lines.sort();
    lines
}
