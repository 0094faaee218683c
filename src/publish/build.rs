//! From one snapshot of the registry to a generation that is on disk and not yet
//! installed.
//!
//! Compiles whole zones; which ones is the [`Plan`]'s. An incremental compile takes the
//! place of `compile_zones` for the zones whose changed names are known.
//! A zone that the compiler refuses stays as it is and holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use zone_compiler::compile::{CompileError, Options, Report, compile_with};
use zone_compiler::database::{Location, Snapshot};
use zone_image::writer::{Installer, Staged};
use zone_image::{Generation, Name, WriteError};

use super::Settings;
use super::plan::{InstalledImage, InstalledZone, Plan, Wanted};
use super::state::{Failure, Step};
use crate::keys::signers::Signers;

/// Compiles of one build: the second one leaves out what the first one refused.
const PASSES_MAX: usize = 3;

/// Compiles what an image lacks.
#[derive(Debug)]
pub(super) struct Builder {
    location: Location,
    directory: PathBuf,
    signers: Option<Arc<Signers>>,
    /// Zones that were refused and the serial they had: the same rows would be refused
    /// again.
    refused: BTreeMap<Name, u32>,
    /// The event up to which the installed image was found to be right.
    checked: Option<u64>,
}

/// What a build came to.
pub(super) struct Built {
    /// The registry event of the snapshot.
    pub(super) event: u64,
    /// What is to be installed, if anything is.
    pub(super) staged: Option<Staged>,
    /// Zones that the image does not have as the registry has them.
    pub(super) refused: Vec<Name>,
}

impl Builder {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            location: settings.location.as_source(),
            directory: settings.directory.clone(),
            signers: settings.signers.clone(),
            refused: BTreeMap::new(),
            checked: None,
        }
    }

    /// Forgets what is known of the installed image.
    pub(super) fn forget(&mut self) {
        self.checked = None;
    }

    /// What a build has found is installed.
    pub(super) fn installed(&mut self, event: u64) {
        self.checked = Some(event);
    }

    /// Compiles what `installed` lacks of the registry's newest event.
    pub(super) fn build(&mut self, current: Option<&Arc<Generation>>) -> Result<Built, Failure> {
        let snapshot = Snapshot::open(&self.location).map_err(read_failure)?;
        let installed = current.map(|generation| installed_image(generation));
        let mut wanted = self.wanted(&snapshot, installed.as_ref())?;
        let has_zones = installed
            .as_ref()
            .is_some_and(|image| !image.zones.is_empty());
        if wanted.zones.is_empty() && has_zones {
            // More likely another database in its place than somebody's wish.
            let text = format!(
                "{}: the registry has no zone any more; all stay in service until it has one",
                self.location
            );
            return Err(Failure::new(Step::Compile, text));
        }
        for _ in 0..PASSES_MAX {
            wanted.refused = self.still_refused(&wanted.zones);
            let plan = Plan::new(&wanted, installed.as_ref());
            tracing::debug!(event = snapshot.event(), ?plan, "plan");
            let refused_before = self.refused.len();
            let installer = self.compile_zones(&snapshot, &plan, current)?;
            if self.refused.len() > refused_before {
                // Pages of refused zones are in that segment: once more without them.
                continue;
            }
            let staged = installer.map(Installer::stage).transpose();
            return Ok(Built {
                event: snapshot.event(),
                staged: staged.map_err(|error| write_failure(&error))?,
                refused: wanted.refused.into_iter().collect(),
            });
        }
        let text = "zones are refused in one compile and not in the next".to_owned();
        Err(Failure::new(Step::Compile, text))
    }

    fn wanted(
        &self,
        snapshot: &Snapshot,
        installed: Option<&InstalledImage>,
    ) -> Result<Wanted, Failure> {
        let active = snapshot.zones().iter().filter(|zone| !zone.is_importing());
        let zones: BTreeMap<_, _> = active
            .map(|zone| (zone.apex.to_lowercase(), zone.serial))
            .collect();
        let oldest = installed.and_then(|image| {
            let events = image.zones.values().map(|zone| zone.event);
            events.min()
        });
        let changed = match self.checked.or(oldest) {
            Some(since) => snapshot.changed_since(since).map_err(read_failure)?,
            // There is nothing to compare with.
            None => Vec::new(),
        };
        Ok(Wanted {
            event: snapshot.event(),
            zones,
            changed: changed.into_iter().collect(),
            refused: BTreeSet::new(),
        })
    }

    /// Drops refusals of zones that have changed since or are gone.
    fn still_refused(&mut self, zones: &BTreeMap<Name, u32>) -> BTreeSet<Name> {
        self.refused
            .retain(|apex, serial| zones.get(apex) == Some(serial));
        self.refused.keys().cloned().collect()
    }

    /// Carries the plan out; zones that are refused are noted.
    fn compile_zones(
        &mut self,
        snapshot: &Snapshot,
        plan: &Plan,
        current: Option<&Arc<Generation>>,
    ) -> Result<Option<Installer>, Failure> {
        let (installer, zones) = match plan {
            Plan::Nothing => return Ok(None),
            Plan::Anew(zones) => (Installer::replace(&self.directory, None), zones),
            Plan::Update { compile, .. } => (Installer::update(&self.directory), compile),
        };
        let mut installer = installer.map_err(|error| write_failure(&error))?;
        if let Plan::Update { remove, .. } = plan {
            for apex in remove {
                installer.remove_zone(apex.as_wire());
            }
        }
        for apex in zones {
            match self.compile_zone(snapshot, apex, current, &mut installer)? {
                Ok(report) => tracing::debug!(%report, "zone compiled"),
                Err(CompileError::Refused { faults, .. }) => {
                    let zone = snapshot.zones().iter().find(|zone| zone.apex == *apex);
                    let serial = zone.map_or(0, |zone| zone.serial);
                    let fault = faults.iter().next().map(ToString::to_string);
                    tracing::error!(
                        zone = %apex, serial, faults = faults.count(), fault,
                        "zone refused, it stays as it is until it is mended"
                    );
                    self.refused.insert(apex.clone(), serial);
                }
                Err(CompileError::Sign { error, .. }) => {
                    self.note_unsigned(snapshot, apex, &error);
                }
                Err(CompileError::Write(error)) => return Err(write_failure(&error)),
                Err(error) => return Err(read_failure(error)),
            }
        }
        Ok(Some(installer))
    }
}

impl Builder {
    /// Compiles one zone, signed where it has keys. Signatures that are still good are
    /// taken from the generation in service.
    fn compile_zone(
        &mut self,
        snapshot: &Snapshot,
        apex: &Name,
        current: Option<&Arc<Generation>>,
        installer: &mut Installer,
    ) -> Result<Result<Report, CompileError>, Failure> {
        let mut source = snapshot.source(apex).map_err(read_failure)?;
        let signing = match &self.signers {
            Some(signers) => signers.signing(snapshot, apex),
            None => Ok(None),
        };
        let signing = match signing {
            Ok(signing) => signing.map(Arc::new),
            Err(error) => {
                let apex = apex.clone();
                let error = zone_compiler::sign::SignError::Device(error.to_string());
                return Ok(Err(CompileError::Sign { apex, error }));
            }
        };
        let options = Options {
            previous: current.filter(|_| signing.is_some()).cloned(),
            signing,
            ..Options::default()
        };
        Ok(compile_with(&mut source, installer, &options, &|_| {}))
    }

    /// A zone that cannot be signed stays as it is served and holds up no other.
    fn note_unsigned(&mut self, snapshot: &Snapshot, apex: &Name, error: &dyn std::fmt::Display) {
        let zone = snapshot.zones().iter().find(|zone| zone.apex == *apex);
        let serial = zone.map_or(0, |zone| zone.serial);
        tracing::error!(zone = %apex, serial, %error, "zone not signed, it stays as it is");
        self.refused.insert(apex.clone(), serial);
    }
}

fn installed_image(generation: &Generation) -> InstalledImage {
    let zones = generation.zones().into_iter().map(|zone| {
        let (serial, event) = (zone.serial, zone.event);
        (zone.apex, InstalledZone { serial, event })
    });
    InstalledImage {
        zones: zones.collect(),
        segments: generation.segments_count(),
    }
}

fn read_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(Step::Read, error.to_string())
}

fn write_failure(error: &WriteError) -> Failure {
    Failure::new(Step::Write, error.to_string())
}
