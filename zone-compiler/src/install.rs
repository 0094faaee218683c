//! From an input to an installed image: what `meridian compile` and this
//! package's own command both do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zone_image::writer::{Installed, Installer};
use zone_image::{Generation, Memory, Name, WriteError};

use crate::compile::{CompileError, Options, Progress, Report, compile_with};
use crate::database::{DatabaseError, Location, Snapshot};
use crate::sign::{
    KeyFileError, PolicyError, PolicyValues, Signing, SigningError, SigningPolicy, read_keys,
};
use crate::source::ZoneSource;
use crate::zonefile::{ZoneFileError, ZoneFileSource};

/// What is to be compiled.
#[derive(Debug, Clone)]
pub enum Input {
    /// Every zone of a registry database; the image has these zones and no others.
    Database(Location),
    /// Zone files; other zones of the image stay unless `replace` is set.
    ZoneFiles {
        /// The files, one zone each, and folders of such files.
        paths: Vec<PathBuf>,
        /// What completes relative names; the root where it is not given.
        origin: Option<Name>,
        /// Start a new image, whatever is there.
        replace: bool,
    },
}

/// Keys and policy for zones that are signed without a key store.
#[derive(Debug, Clone)]
pub struct SignWith {
    /// Key files.
    pub keys: Vec<PathBuf>,
    /// How to sign.
    pub policy: PolicyValues,
}

/// Why no zone can be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignWithError {
    /// A key file cannot be read.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The policy cannot work.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The keys cannot sign a zone.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl SignWith {
    /// The options of a compile at `now_seconds` since 1970 that signs. Signatures of the
    /// image that is installed in `directory` are kept while they are good; one that
    /// cannot be read has none.
    pub fn options(&self, directory: &Path, now_seconds: u64) -> Result<Options, SignWithError> {
        let policy = SigningPolicy::new(self.policy.clone())?;
        let signing = Signing::new(policy, read_keys(&self.keys)?, now_seconds)?;
        let previous = Generation::open(directory, Memory::Mapped).ok();
        Ok(Options {
            signing: Some(Arc::new(signing)),
            previous: previous.map(Arc::new),
            ..Options::default()
        })
    }
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
    /// A folder of zone files cannot be read.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// A folder without zone files.
    #[error("{0}: no file in this folder ends in `.zone`; name the zone files themselves")]
    NoFiles(PathBuf),
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
    install_with(input, directory, &Options::default(), progress)
}

/// As [`install`], with options that hold for each of the zones.
pub fn install_with(
    input: &Input,
    directory: &Path,
    options: &Options,
    progress: &dyn Fn(&Name, Progress),
) -> Result<(Vec<Report>, Installed), InstallError> {
    match input {
        Input::Database(location) => {
            let snapshot = Snapshot::open(location)?;
            let sources = snapshot.sources()?;
            if sources.is_empty() {
                return Err(InstallError::NoZones(location.clone()));
            }
            let installer = Installer::replace(directory, None)?;
            compile_all(sources.into_iter().map(Ok), installer, options, progress)
        }
        Input::ZoneFiles {
            paths,
            origin,
            replace,
        } => {
            let files = zone_files(paths)?;
            let installer = if *replace {
                Installer::replace(directory, None)?
            } else {
                Installer::update(directory).map_err(|error| match error {
                    error @ WriteError::Open(_) => InstallError::Update(error),
                    error => error.into(),
                })?
            };
            // One at a time: a system gives no 100,000 open files.
            let sources = files
                .iter()
                .map(|file| ZoneFileSource::open(file, origin.clone()));
            compile_all(sources, installer, options, progress)
        }
    }
}

/// The files that the paths name; of a folder those whose names end in `.zone`, by name.
fn zone_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InstallError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let fault = |source| InstallError::Folder(path.clone(), source);
        let before = files.len();
        for file in std::fs::read_dir(path).map_err(fault)? {
            let file = file.map_err(fault)?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "zone")
            {
                files.push(file);
            }
        }
        if files.len() == before {
            return Err(InstallError::NoFiles(path.clone()));
        }
        files[before..].sort();
    }
    Ok(files)
}

fn compile_all<S: ZoneSource>(
    sources: impl Iterator<Item = Result<S, ZoneFileError>>,
    mut installer: Installer,
    options: &Options,
    progress: &dyn Fn(&Name, Progress),
) -> Result<(Vec<Report>, Installed), InstallError> {
    let mut reports = Vec::new();
    for source in sources {
        let mut source = source?;
        let apex = source.apex().clone();
        reports.push(compile_with(
            &mut source,
            &mut installer,
            options,
            &|step| progress(&apex, step),
        )?);
    }
    Ok((reports, installer.commit()?))
}
