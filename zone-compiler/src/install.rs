//! From an input to an installed image: what `meridian compile` and this
//! package's own command both do.

use std::path::{Path, PathBuf};

use zone_image::writer::{Installed, Installer};
use zone_image::{Name, WriteError};

use crate::compile::{CompileError, Progress, Report, compile};
use crate::database::{DatabaseError, Location, Snapshot};
use crate::source::ZoneSource;
use crate::zonefile::{ZoneFileError, ZoneFileSource};

/// What is to be compiled.
#[derive(Debug, Clone)]
pub enum Input {
    /// Every zone of a registry database; the image has these zones and no others.
    Database(Location),
    /// Zone files; other zones of the image stay unless `replace` is set.
    ZoneFiles {
        /// The files, one zone each.
        paths: Vec<PathBuf>,
        /// What completes relative names; the root where it is not given.
        origin: Option<Name>,
        /// Start a new image, whatever is there.
        replace: bool,
    },
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The database cannot be read.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The registry is empty.
    #[error("{0}: the registry has no zone; import one with `meridian registry import`")]
    NoZones(Location),
    /// A zone file cannot be read.
    #[error(transparent)]
    ZoneFile(#[from] ZoneFileError),
    /// A zone was refused or the image could not be written.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The image that is there cannot be added to.
    #[error("cannot add to the image: {0}; `--replace` starts a new one")]
    Update(WriteError),
    /// The image cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Compiles every zone of `input` and installs them together, or nothing.
pub fn install(
    input: &Input,
    directory: &Path,
    progress: &dyn Fn(&Name, Progress),
) -> Result<(Vec<Report>, Installed), InstallError> {
    match input {
        Input::Database(location) => {
            let snapshot = Snapshot::open(location)?;
            let mut sources = snapshot.sources()?;
            if sources.is_empty() {
                return Err(InstallError::NoZones(location.clone()));
            }
            let installer = Installer::replace(directory, None)?;
            compile_all(
                sources.iter_mut().map(|source| source as _),
                installer,
                progress,
            )
        }
        Input::ZoneFiles {
            paths,
            origin,
            replace,
        } => {
            let mut sources = paths
                .iter()
                .map(|path| ZoneFileSource::open(path, origin.clone()))
                .collect::<Result<Vec<_>, _>>()?;
            let installer = if *replace {
                Installer::replace(directory, None)?
            } else {
                Installer::update(directory).map_err(|error| match error {
                    error @ WriteError::Open(_) => InstallError::Update(error),
                    error => error.into(),
                })?
            };
            compile_all(
                sources.iter_mut().map(|source| source as _),
                installer,
                progress,
            )
        }
    }
}

fn compile_all<'s>(
    sources: impl Iterator<Item = &'s mut dyn ZoneSource>,
    mut installer: Installer,
    progress: &dyn Fn(&Name, Progress),
) -> Result<(Vec<Report>, Installed), InstallError> {
    let mut reports = Vec::new();
    for source in sources {
        let apex = source.apex().clone();
        reports.push(compile(source, &mut installer, &|step| {
            progress(&apex, step)
        })?);
    }
    Ok((reports, installer.commit()?))
}
