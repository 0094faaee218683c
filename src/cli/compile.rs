//! `meridian compile`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use zone_compiler::zonefile::{Faults, ZoneFileSource};
use zone_compiler::{CompileError, Report, Stage, ZoneSource};
use zone_image::Name;
use zone_image::writer::{Installed, Installer};

use super::run::load;
use super::{CompileArgs, Global, output};

/// Most warnings printed; `--json` has all that were kept.
const WARNINGS_SHOWN: usize = 20;

/// Compiles and installs.
pub(super) fn run(args: &CompileArgs, global: &Global) -> anyhow::Result<()> {
    let directory = match &args.image {
        Some(directory) => directory.clone(),
        None => load(global)?.image.directory,
    };
    let (reports, installed) = if args.zone_file.is_empty() {
        let database = match &args.database {
            Some(url) => url.clone(),
            None => load(global)?.registry.database,
        };
        compile_registry(&database, &directory, global.progress)?
    } else {
        let origin = args.origin.as_deref().map(Name::parse_absolute).transpose();
        let origin = origin.context("cannot read --origin")?;
        compile_files(
            &args.zone_file,
            origin.as_ref(),
            &directory,
            args.replace,
            global.progress,
        )?
    };
    show(&reports, &installed, &directory, global)
}

/// Compiles zone files into the image, beside or instead of what is there.
pub(crate) fn compile_files(
    files: &[PathBuf],
    origin: Option<&Name>,
    directory: &Path,
    replace: bool,
    progress: bool,
) -> anyhow::Result<(Vec<Report>, Installed)> {
    let mut sources = files
        .iter()
        .map(|file| {
            ZoneFileSource::open(file, origin.cloned())
                .with_context(|| format!("cannot read zone file: {}", file.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut installer = begin(directory, replace)?;
    let sources = sources
        .iter_mut()
        .map(|source| source as &mut dyn ZoneSource);
    let reports = compile_all(sources, &mut installer, progress)?;
    commit(installer, directory, reports)
}

/// Compiles every zone of the registry; the image is these zones and no others.
pub(crate) fn compile_registry(
    database: &str,
    directory: &Path,
    progress: bool,
) -> anyhow::Result<(Vec<Report>, Installed)> {
    let _ = (database, directory, progress);
    anyhow::bail!("compile: this build reads zone files only; name one with --zone-file")
}

fn begin(directory: &Path, replace: bool) -> anyhow::Result<Installer> {
    let installer = if replace {
        Installer::replace(directory, None)
    } else {
        Installer::update(directory)
    };
    installer.with_context(|| format!("cannot write image: {}", directory.display()))
}

fn commit(
    installer: Installer,
    directory: &Path,
    reports: Vec<Report>,
) -> anyhow::Result<(Vec<Report>, Installed)> {
    let installed = installer.commit();
    let installed =
        installed.with_context(|| format!("cannot install image: {}", directory.display()))?;
    Ok((reports, installed))
}

fn compile_all<'s>(
    sources: impl Iterator<Item = &'s mut dyn ZoneSource>,
    installer: &mut Installer,
    progress: bool,
) -> anyhow::Result<Vec<Report>> {
    sources
        .map(|source| compile_one(source, installer, progress))
        .collect()
}

fn compile_one(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    progress: bool,
) -> anyhow::Result<Report> {
    let apex = source.apex().to_string();
    let shown = RefCell::new(output::Progress::new(format!("compile {apex}"), progress));
    let result = zone_compiler::compile(source, installer, &|progress| {
        let stage = match progress.stage {
            Stage::Read => "read",
            Stage::Check => "check",
            Stage::Pages => "pages",
        };
        shown
            .borrow_mut()
            .update(stage, progress.done, progress.total);
    });
    drop(shown);
    result.map_err(|error| tell(&apex, error))
}

/// Prints every fault of a refused zone and leaves one line for the end.
fn tell(apex: &str, error: CompileError) -> anyhow::Error {
    let count = match &error {
        CompileError::Refused { faults, .. } => {
            faults.iter().for_each(output::note);
            faults.count()
        }
        CompileError::Source(error) => match error.downcast_ref::<Faults>() {
            Some(faults) => {
                faults.faults.iter().for_each(output::note);
                faults.faults.len() as u64
            }
            None => 0,
        },
        _ => 0,
    };
    match count {
        0 => anyhow::Error::new(error).context(format!("cannot compile zone: {apex}")),
        1 => anyhow::anyhow!(
            "zone {apex} has a fault; nothing was installed, mend it and compile again"
        ),
        _ => anyhow::anyhow!(
            "zone {apex} has {count} faults; nothing was installed, mend them and compile again"
        ),
    }
}

fn show(
    reports: &[Report],
    installed: &Installed,
    directory: &Path,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json {
        let zones: Vec<_> = reports
            .iter()
            .map(|report| {
                json!({
                    "apex": report.apex.to_string(),
                    "serial": report.serial,
                    "event": report.event,
                    "records-read": report.records_read,
                    "names": report.names,
                    "delegations": report.delegations,
                    "shared-bodies": report.shared_bodies,
                    "warnings-count": report.warnings.count(),
                    "warnings": report.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                })
            })
            .collect();
        return output::json(&json!({
            "number": installed.number,
            "event": installed.event,
            "zones-count": installed.zones,
            "segment-bytes": installed.segment_bytes,
            "directory": directory,
            "zones": zones,
        }));
    }
    for report in reports {
        for warning in report.warnings.iter().take(WARNINGS_SHOWN) {
            output::note(format_args!("warning: {warning}"));
        }
        let more = report
            .warnings
            .count()
            .saturating_sub(WARNINGS_SHOWN as u64);
        if more > 0 {
            output::note(format_args!("warning: and {more} more in {}", report.apex));
        }
        output::line(format_args!(
            "zone {} serial {}: {} records, {} names, {} delegations",
            report.apex, report.serial, report.records_read, report.names, report.delegations
        ));
    }
    output::line(format_args!(
        "generation {} at event {} installed: {}, {} zones, {} octets written",
        installed.number,
        installed.event,
        directory.display(),
        installed.zones,
        installed.segment_bytes
    ));
    Ok(())
}
