//! `meridian compile`.

use std::cell::RefCell;
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use zone_compiler::compile::SignedCounts;
use zone_compiler::install::{Input, InstallError, install_with};
use zone_compiler::zonefile::Faults;
use zone_compiler::{CompileError, Options, Report, Stage};
use zone_image::Name;
use zone_image::writer::Installed;

use crate::dns::net::yield_to_workers;

use super::run::load;
use super::{CompileArgs, Global, output, registry};

/// Most warnings printed; `--json` has all that were kept.
const WARNINGS_SHOWN: usize = 20;

/// Compiles and installs.
pub(super) fn run(args: &CompileArgs, global: &Global) -> anyhow::Result<()> {
    let directory = match &args.image {
        Some(directory) => directory.clone(),
        None => load(global)?.image.directory,
    };
    let input = if args.zone_file.is_empty() {
        let database = match &args.database {
            Some(url) => url.clone(),
            None => registry::configured(global)?,
        };
        let Ok(location) = database.parse();
        Input::Database(location)
    } else {
        let origin = args.origin.as_deref().map(Name::parse_absolute).transpose();
        Input::ZoneFiles {
            paths: args.zone_file.clone(),
            origin: origin.context("bad --origin")?,
            replace: args.replace,
        }
    };
    // A server on this machine may be answering from the image that this replaces.
    yield_to_workers();
    let options = args
        .signing
        .options(&directory, crate::clock::unix_seconds());
    let options = options.context("cannot sign")?;
    let (reports, installed) = compile_with(&input, &directory, &options, global.progress)?;
    show(&reports, &installed, &directory, global)
}

/// Compiles and installs, with progress; the faults of a refused zone are printed.
pub(crate) fn compile(
    input: &Input,
    directory: &Path,
    progress: bool,
) -> anyhow::Result<(Vec<Report>, Installed)> {
    compile_with(input, directory, &Options::default(), progress)
}

fn compile_with(
    input: &Input,
    directory: &Path,
    options: &Options,
    progress: bool,
) -> anyhow::Result<(Vec<Report>, Installed)> {
    let shown = RefCell::new(output::Progress::new("compile".into(), progress));
    let result = install_with(input, directory, options, &|_, progress| {
        let stage = match progress.stage {
            Stage::Read => "read",
            Stage::Sign => "sign",
            Stage::Check => "check",
            Stage::Pages => "pages",
        };
        shown
            .borrow_mut()
            .update(stage, progress.done, progress.total);
    });
    drop(shown);
    result.map_err(|error| match error {
        InstallError::Compile(error) => tell(error),
        InstallError::ZoneFile(error) => {
            anyhow::Error::new(error).context("cannot read zone file; name it by --zone-file")
        }
        error => anyhow::Error::new(error)
            .context(format!("cannot compile into {}", directory.display())),
    })
}

/// Prints every fault of a refused zone and leaves one line for the end.
fn tell(error: CompileError) -> anyhow::Error {
    let (what, count) = match &error {
        CompileError::Refused { apex, faults } => {
            faults.iter().for_each(output::note);
            (format!("zone {apex}"), faults.count())
        }
        CompileError::Source(source) => match source.downcast_ref::<Faults>() {
            Some(faults) => {
                faults.faults.iter().for_each(output::note);
                let file = faults
                    .faults
                    .first()
                    .map(|fault| fault.path.display().to_string());
                (file.unwrap_or_default(), faults.faults.len() as u64)
            }
            None => return error.into(),
        },
        _ => return error.into(),
    };
    let (faults, them) = if count == 1 {
        ("fault", "it")
    } else {
        ("faults", "them")
    };
    anyhow::anyhow!("{what} has {count} {faults}; nothing was installed, mend {them} and try again")
}

fn show_signed(signed: &SignedCounts) {
    if signed.made + signed.kept > 0 {
        output::line(format_args!(
            "signed: {} signatures made, {} kept",
            signed.made, signed.kept
        ));
    }
    if signed.dropped > 0 {
        output::note(format_args!(
            "{} records of an earlier signer were left out",
            signed.dropped
        ));
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
                    "signatures-made": report.signed.made,
                    "signatures-kept": report.signed.kept,
                    "signer-records-dropped": report.signed.dropped,
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
        show_signed(&report.signed);
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
