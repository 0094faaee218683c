//! From one snapshot of the registry to a generation that is on disk and not yet
//! installed.
//!
//! Which zones is the [`Plan`]'s. A zone whose image has one history with the registry
//! is compiled by its changes, any other, and one whose changes cannot be told apart,
//! whole. A zone that the compiler refuses stays as it is and holds up no other.

mod indexes;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use zone_compiler::compile::change::{Became, Changed, IndexDelta, compile_changes};
use zone_compiler::compile::{CompileError, Options, Report, compile_with};
use zone_compiler::database::{Location, Snapshot};
use zone_compiler::sign::{SignError, Signing};
use zone_image::writer::{Installer, Staged};
use zone_image::{Generation, Name, WriteError};

use self::indexes::Indexes;
use self::refusals::Refusals;
use super::Settings;
use super::canary::SignedZone;
use super::gates::{Gates, ZoneStep};
use super::history::Mark;
use super::plan::{Installed, Plan, Wanted};
use super::state::{Failure, Step};
use crate::keys::signers::{Signers, SignersError};

/// Compiles of one build: the second one leaves out what the first one refused.
const PASSES_MAX: usize = 3;

/// Compiles what an image lacks.
#[derive(Debug)]
pub(super) struct Builder {
    location: Location,
    directory: PathBuf,
    signers: Option<Arc<Signers>>,
    refusals: Refusals,
    /// The event up to which the installed image was found to be right.
    checked: Option<u64>,
    /// Where the registry stood when the image with this digest was installed.
    mark: Option<([u8; 32], Mark)>,
    indexes: Indexes,
    /// Child zones of parked names in the installed image, once they were counted.
    children: Option<u64>,
    /// The registry's zones at the last build: all of an image's or few of them.
    pub(super) apexes: Arc<[Name]>,
}

/// What a build came to.
pub(super) struct Built {
    /// The registry event of the snapshot.
    pub(super) event: u64,
    /// What is to be installed, if anything is.
    pub(super) staged: Option<Staged>,
    /// Zones that the image does not have as the registry has them.
    pub(super) refused: Vec<Name>,
    /// Whether some of them may be signed later, without a change.
    pub(super) is_unsigned: bool,
    /// What was compiled.
    pub(super) compiled: Compiled,
    mark: Option<Mark>,
}

/// What was compiled of a plan.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    /// Zones that were compiled by their changes.
    pub(super) changes: u64,
    /// Zones that were compiled whole.
    pub(super) whole: u64,
    /// Names that changed, and what they are now.
    pub(super) names: BTreeMap<Name, Became>,
    /// How zones went from one version to the next.
    pub(super) steps: Vec<ZoneStep>,
    /// Zones that were signed.
    pub(super) signed: Vec<SignedZone>,
    deltas: Vec<(Name, IndexDelta)>,
    /// Child zones of parked names that came, less those that went.
    children: i64,
    /// Whether nothing is taken over.
    is_anew: bool,
    /// Whether a zone of the registry took the place of a child zone, whose parent may or may
    /// not have let it go in the same build: they are counted again.
    takes_place: bool,
}

impl Builder {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            location: settings.location.as_source(),
            directory: settings.directory.clone(),
            signers: settings.signers.clone(),
            refusals: Refusals::default(),
            checked: None,
            mark: None,
            indexes: Indexes::default(),
            children: None,
            apexes: Arc::default(),
        }
    }

    /// Forgets what is known of the installed image.
    pub(super) fn forget(&mut self) {
        self.checked = None;
        self.mark = None;
        self.children = None;
        self.indexes.clear();
    }

    /// Lets the next build try again what could not be signed.
    pub(super) fn retry_unsigned(&mut self) {
        self.refusals.retry_unsigned();
    }

    /// What a build has found is installed, as `image`.
    pub(super) fn installed(&mut self, built: Built, image: &Generation) {
        self.checked = Some(built.event);
        let before = self.children.filter(|_| !built.compiled.is_anew);
        let children = before.unwrap_or_default();
        let children = children.saturating_add_signed(built.compiled.children);
        self.children = (!built.compiled.takes_place).then_some(children);
        let changed: BTreeSet<_> = built.compiled.deltas.iter().map(|(apex, _)| apex).collect();
        let steps = built.compiled.steps.iter().map(|step| &step.apex);
        for whole in steps.filter(|apex| !changed.contains(apex)) {
            self.indexes.remove(whole);
        }
        for (apex, delta) in built.compiled.deltas {
            self.indexes.follow(&apex, delta, image);
        }
        if let Some(mark) = built.mark {
            self.mark = Some((image.digest(), mark));
            mark.write(&self.directory, image);
        }
    }

    /// Makes what the next change of a large zone needs, for one zone; says whether there
    /// was one.
    pub(super) fn warm(&mut self, image: &Generation) -> bool {
        self.indexes.warm(image, &self.apexes)
    }

    /// A fold was installed.
    pub(super) fn folded(&mut self, before: &Generation, after: &Generation) {
        self.indexes.folded(before, after);
        if let Some((_, mark)) = self.mark.filter(|(digest, _)| *digest == before.digest()) {
            self.mark = Some((after.digest(), mark));
            mark.write(&self.directory, after);
        }
    }

    /// Compiles what `installed` lacks of the registry's newest event.
    pub(super) fn build(
        &mut self,
        installed: Option<&Arc<Generation>>,
        gates: &mut Gates,
    ) -> Result<Built, Failure> {
        let snapshot = Snapshot::open(&self.location).map_err(read_failure)?;
        let image = installed.map(|image| &**image as &dyn Installed);
        let mut wanted = self.wanted(&snapshot, installed)?;
        if !self.apexes.iter().eq(wanted.zones.keys()) {
            self.apexes = wanted.zones.keys().cloned().collect();
        }
        wanted.follows = self.follows(&snapshot, installed);
        wanted.children = self.count_children(&wanted, installed);
        let has_zones = image.is_some_and(|image| image.zones_count() > 0);
        if wanted.zones.is_empty() && has_zones {
            // More likely another database in its place than somebody's wish.
            let text = format!(
                "{}: the registry has no zone any more; all stay in service until it has one",
                self.location
            );
            return Err(Failure::new(Step::Compile, text));
        }
        for _ in 0..PASSES_MAX {
            wanted.refused = self.refusals.still(&wanted.zones);
            let plan = Plan::new(&wanted, image);
            tracing::debug!(event = snapshot.event(), ?plan, "plan");
            let refused_before = self.refusals.count();
            let made = self.compile_zones(&snapshot, &plan, &wanted, installed)?;
            if self.refusals.count() > refused_before {
                // Pages of refused zones are in that segment: once more without them.
                continue;
            }
            let (installer, compiled) = made.unzip();
            let compiled = compiled.unwrap_or_default();
            if wanted.follows {
                gates.pass(snapshot.event(), &compiled.steps)?;
            }
            let staged = installer.map(Installer::stage).transpose();
            self.refusals.settle();
            return Ok(Built {
                event: snapshot.event(),
                is_unsigned: self.refusals.has_unsigned(),
                staged: staged.map_err(|error| write_failure(&error))?,
                refused: wanted.refused.into_iter().collect(),
                compiled,
                mark: Mark::of(&snapshot),
            });
        }
        let text = "zones are refused in one compile and not in the next".to_owned();
        Err(Failure::new(Step::Compile, text))
    }

    /// Counts child zones of parked names, once for an image that was there before.
    fn count_children(&mut self, wanted: &Wanted, installed: Option<&Arc<Generation>>) -> u64 {
        *self.children.get_or_insert_with(|| {
            let zones = installed.map(|image| image.zones()).unwrap_or_default();
            let zones = zones.iter();
            let children = zones.filter(|zone| wanted.is_child(&zone.apex, zone.event));
            children.count() as u64
        })
    }

    /// Whether the image is of this registry's own history.
    fn follows(&self, snapshot: &Snapshot, installed: Option<&Arc<Generation>>) -> bool {
        installed.is_some_and(|image| {
            let known = self.mark.filter(|(digest, _)| *digest == image.digest());
            let mark = known.map(|(_, mark)| mark);
            let mark = mark.or_else(|| Mark::read(&self.directory, image));
            mark.is_some_and(|mark| mark.is_common(snapshot, image))
        })
    }

    fn wanted(
        &self,
        snapshot: &Snapshot,
        installed: Option<&Arc<Generation>>,
    ) -> Result<Wanted, Failure> {
        let active = snapshot.zones().iter().filter(|zone| !zone.is_importing());
        let zones: BTreeMap<_, _> = active
            .map(|zone| (zone.apex.to_lowercase(), zone.serial))
            .collect();
        let oldest = || {
            let zones = installed?.zones();
            let events = zones.iter().map(|zone| zone.event);
            // Child zones of parked names have none.
            events.filter(|event| *event > 0).min()
        };
        let changed = match self.checked.or_else(oldest) {
            Some(since) => snapshot.changed_since(since).map_err(read_failure)?,
            // There is nothing to compare with.
            None => Vec::new(),
        };
        Ok(Wanted {
            event: snapshot.event(),
            zones,
            changed: changed.into_iter().collect(),
            ..Wanted::default()
        })
    }

    /// Carries the plan out; zones that are refused are noted.
    fn compile_zones(
        &mut self,
        snapshot: &Snapshot,
        plan: &Plan,
        wanted: &Wanted,
        installed: Option<&Arc<Generation>>,
    ) -> Result<Option<(Installer, Compiled)>, Failure> {
        let mut compiled = Compiled::default();
        let (compile, remove) = match plan {
            Plan::Nothing => return Ok(None),
            Plan::Anew(zones) => {
                let installer = self.compile_anew(snapshot, zones, installed, &mut compiled)?;
                return Ok(Some((installer, compiled)));
            }
            Plan::Update { compile, remove } => (compile, remove),
        };
        let installer = match installed {
            Some(kept) => Installer::update_after(&self.directory, Arc::clone(kept)),
            None => Installer::update(&self.directory),
        };
        let mut installer = installer.map_err(|error| write_failure(&error))?;
        for apex in remove {
            let zone = installed.and_then(|image| image.zone(apex.as_wire()));
            // What was a child zone goes with its parent.
            compiled.children -= i64::from(zone.is_some_and(|zone| zone.event() == 0));
            installer.remove_zone(apex.as_wire());
        }
        let mut whole = Vec::new();
        for apex in compile {
            let image = installed.filter(|_| wanted.follows);
            let is_done = match image {
                Some(image) => {
                    self.compile_change(snapshot, apex, image, &mut installer, &mut compiled)?
                }
                None => false,
            };
            if !is_done {
                whole.push(apex.clone());
            }
        }
        if whole.len() == wanted.zones.len() {
            // Nothing that is there is kept.
            drop(installer);
            let installer = self.compile_anew(snapshot, &whole, installed, &mut compiled)?;
            return Ok(Some((installer, compiled)));
        }
        for apex in &whole {
            self.compile_whole(snapshot, apex, installed, &mut installer, &mut compiled)?;
        }
        Ok(Some((installer, compiled)))
    }

    fn compile_anew(
        &mut self,
        snapshot: &Snapshot,
        zones: &[Name],
        installed: Option<&Arc<Generation>>,
        compiled: &mut Compiled,
    ) -> Result<Installer, Failure> {
        let installer = Installer::replace(&self.directory, None);
        let mut installer = installer.map_err(|error| write_failure(&error))?;
        (compiled.children, compiled.is_anew) = (0, true);
        for apex in zones {
            self.compile_whole(snapshot, apex, installed, &mut installer, compiled)?;
        }
        Ok(installer)
    }

    /// Compiles a zone by its changes; says whether that was possible.
    fn compile_change(
        &mut self,
        snapshot: &Snapshot,
        apex: &Name,
        image: &Generation,
        installer: &mut Installer,
        compiled: &mut Compiled,
    ) -> Result<bool, Failure> {
        // What a child zone has there is nothing of the registry's zone.
        let before = image.zone(apex.as_wire());
        let Some(zone) = before.filter(|zone| zone.event() > 0) else {
            return Ok(false);
        };
        // What cannot be signed is said by the whole compile.
        let Ok(signing) = self.signing(snapshot, apex) else {
            return Ok(false);
        };
        let before = zone.info();
        let mut source = snapshot.changes(apex, before.event).map_err(read_failure)?;
        let index = self.indexes.take(zone, apex);
        let signing = signing.as_ref();
        let signed = signing.map(|signing| SignedZone::new(apex, signing));
        let outcome = compile_changes(&mut source, zone, &index, signing, installer);
        self.indexes.put(apex, index);
        match outcome {
            Ok(Changed::Written(written)) => {
                let written = *written;
                tracing::debug!(
                    zone = %apex, serial = written.serial, read = written.names_read,
                    names = written.names.len(), shared = written.shared_changed,
                    proofs = written.proofs_changed, made = written.signed.made,
                    kept = written.signed.kept, "zone changed"
                );
                compiled.changes += 1;
                compiled.children += written.children;
                compiled.signed.extend(signed);
                compiled.names.extend(written.names);
                compiled.deltas.push((apex.clone(), written.index));
                compiled.steps.push(ZoneStep {
                    apex: apex.clone(),
                    serials: (before.serial, written.serial),
                    delegations: (before.delegations, written.delegations),
                });
                Ok(true)
            }
            Ok(Changed::Whole(why)) => {
                tracing::debug!(zone = %apex, why, "zone is compiled whole");
                Ok(false)
            }
            Err(error) => self.not_compiled(snapshot, apex, error).map(|()| true),
        }
    }

    fn compile_whole(
        &mut self,
        snapshot: &Snapshot,
        apex: &Name,
        installed: Option<&Arc<Generation>>,
        installer: &mut Installer,
        compiled: &mut Compiled,
    ) -> Result<(), Failure> {
        let mut source = snapshot.source(apex).map_err(read_failure)?;
        let compiled_zone = self.compile_zone(snapshot, apex, installed, &mut source, installer);
        match compiled_zone {
            Ok((report, signed)) => {
                tracing::debug!(%report, "zone compiled");
                compiled.whole += 1;
                compiled.children += report.children.cast_signed();
                compiled.children -= report.children_before.cast_signed();
                compiled.signed.extend(signed);
                let before = installed.and_then(|image| image.zone(apex.as_wire()));
                let is_child = before.is_some_and(|zone| zone.event() == 0);
                compiled.takes_place |= is_child && !compiled.is_anew;
                if let Some(before) = before.map(|zone| zone.info()) {
                    compiled.steps.push(ZoneStep {
                        apex: apex.clone(),
                        serials: (before.serial, report.serial),
                        delegations: (before.delegations, report.delegations),
                    });
                }
                Ok(())
            }
            Err(error) => self.not_compiled(snapshot, apex, error),
        }
    }

    /// Notes a zone that is refused; what else went wrong is a failure.
    fn not_compiled(
        &mut self,
        snapshot: &Snapshot,
        apex: &Name,
        error: CompileError,
    ) -> Result<(), Failure> {
        let faults = match error {
            CompileError::Refused { faults, .. } => faults,
            CompileError::Write(error) => return Err(write_failure(&error)),
            CompileError::Sign { error, .. } => {
                self.note_unsigned(snapshot, apex, &error);
                return Ok(());
            }
            error => return Err(read_failure(error)),
        };
        let zone = snapshot.zones().iter().find(|zone| zone.apex == *apex);
        let serial = zone.map_or(0, |zone| zone.serial);
        let fault = faults.iter().next().map(ToString::to_string);
        tracing::error!(
            zone = %apex, serial, faults = faults.count(), fault,
            "zone refused, it stays as it is until it is mended"
        );
        self.refusals.refuse(apex, serial);
        Ok(())
    }
}

impl Builder {
    /// Compiles one zone, signed where it has keys. Signatures that are still good are
    /// taken from the generation in service.
    fn compile_zone(
        &self,
        snapshot: &Snapshot,
        apex: &Name,
        current: Option<&Arc<Generation>>,
        source: &mut dyn zone_compiler::ZoneSource,
        installer: &mut Installer,
    ) -> Result<(Report, Option<SignedZone>), CompileError> {
        let signing = self.signing(snapshot, apex);
        let signing = signing.map_err(|error| CompileError::Sign {
            apex: apex.clone(),
            error: SignError::Device(error.to_string()),
        })?;
        let signed = signing
            .as_ref()
            .map(|signing| SignedZone::new(apex, signing));
        let options = Options {
            previous: current.filter(|_| signing.is_some()).cloned(),
            signing: signing.map(Arc::new),
            sweeps_children: self.children.is_some_and(|count| count > 0),
            ..Options::default()
        };
        let report = compile_with(source, installer, &options, &|_| {})?;
        Ok((report, signed))
    }

    /// What a zone is signed with; `None` where it is not.
    fn signing(&self, snapshot: &Snapshot, apex: &Name) -> Result<Option<Signing>, SignersError> {
        match &self.signers {
            Some(signers) => signers.signing(snapshot, apex),
            None => Ok(None),
        }
    }

    /// A zone that cannot be signed stays as it is served and holds up no other.
    fn note_unsigned(&mut self, snapshot: &Snapshot, apex: &Name, error: &dyn std::fmt::Display) {
        let zone = snapshot.zones().iter().find(|zone| zone.apex == *apex);
        let serial = zone.map_or(0, |zone| zone.serial);
        self.refusals
            .leave_unsigned(apex, serial, error.to_string());
    }
}

fn read_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(Step::Read, error.to_string())
}

fn write_failure(error: &WriteError) -> Failure {
    Failure::new(Step::Write, error.to_string())
}

#[cfg(test)]
mod tests;
