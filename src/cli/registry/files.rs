//! `meridian registry import` and `export`: files in and out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use zone_image::Name;

use super::super::{Global, ImportArgs, output};
use super::{apex, location, now, poke_server};
use crate::registry::{
    self, CsvImport, CsvOptions, Database, ExportOptions, ImportOptions, ImportReport, Phase,
    Progress,
};

pub(super) async fn import(args: &ImportArgs, global: &Global) -> anyhow::Result<()> {
    let mut database = Database::open(&location(&args.database, global)?).await?;
    if let Some(folder) = &args.csv {
        let options = CsvOptions {
            strict: args.strict,
            restart: args.restart,
            rejects_file: args.rejects.clone(),
            ..CsvOptions::new(folder, now())
        };
        let mut shown = Shown::new(folder, global.progress);
        let report = registry::import_csv(&mut database, &options, &mut |p| shown.update(p)).await;
        drop(shown);
        let report = report?;
        poke_server(global);
        return show_csv_import(&report, global);
    }
    let file = args.zone_file.as_ref().context("name a file or a folder")?;
    let options = ImportOptions {
        zone: apex(args.zone.as_deref())?,
        registrar: args.registrar.clone(),
        strict: args.strict,
        restart: args.restart,
        rejects_file: args.rejects.clone(),
        ..ImportOptions::new(file, now())
    };
    let report = import_zone_file(&mut database, &options, global.progress).await?;
    poke_server(global);
    show_zone_import(&report, global)
}

/// Imports with progress.
pub(crate) async fn import_zone_file(
    database: &mut Database,
    options: &ImportOptions,
    progress: bool,
) -> anyhow::Result<ImportReport> {
    let mut shown = Shown::new(&options.file, progress);
    let report = registry::import_zone_file(database, options, &mut |p| shown.update(p)).await;
    drop(shown);
    Ok(report?)
}

pub(super) async fn export_zone_file(
    database: &mut Database,
    file: &Path,
    zone: Option<Name>,
    global: &Global,
) -> anyhow::Result<()> {
    let options = ExportOptions {
        file: file.to_owned(),
        zone,
    };
    let mut shown = Shown::new(file, global.progress);
    let report = registry::export_zone_file(database, &options, &mut |p| shown.update(p)).await;
    drop(shown);
    let report = report?;
    if global.json {
        return output::json(&report);
    }
    output::line(format_args!(
        "zone {} serial {} at event {}: {} records written to {}",
        report.zone,
        report.serial,
        report.event,
        report.records,
        report.file.display()
    ));
    Ok(())
}

pub(super) async fn export_csv(
    database: &mut Database,
    folder: &Path,
    global: &Global,
) -> anyhow::Result<()> {
    let mut shown = Shown::new(folder, global.progress);
    let report = registry::export_csv(database, folder, &mut |p| shown.update(p)).await;
    drop(shown);
    let report = report?;
    if global.json {
        return output::json(&report);
    }
    output::line(format_args!(
        "registry at event {}: {} octets written to {}",
        report.event,
        report.bytes,
        report.folder.display()
    ));
    show_rows(&report.rows);
    let missing = registry::csv::NOT_CARRIED;
    output::line(format_args!("not in these files: {missing}"));
    Ok(())
}

fn show_rows(rows: &BTreeMap<String, u64>) {
    for (file, count) in rows.iter().filter(|(_, count)| **count > 0) {
        output::line(format_args!("  {count} of {file}"));
    }
}

/// Progress in octets of the file, which are known before the records are.
struct Shown {
    progress: output::Progress,
}

impl Shown {
    fn new(file: &Path, asked: bool) -> Self {
        Self {
            progress: output::Progress::new(file.display().to_string(), asked),
        }
    }

    fn update(&mut self, progress: &Progress) {
        let stage = match progress.phase {
            Phase::Scan => "scan",
            Phase::Check => "check",
            Phase::Write => "write",
            Phase::Export => "export",
        };
        let left = progress
            .remaining_seconds
            .map_or_else(String::new, |s| format!(", {s:.0} s left"));
        let share = match progress.bytes_total {
            Some(total) if total > 0 => {
                format!(" ({} %)", progress.bytes_done.saturating_mul(100) / total)
            }
            _ => String::new(),
        };
        let (done, rate) = (progress.records_done, progress.records_per_second);
        self.progress
            .show(stage, &format!("{done} records{share}, {rate:.0}/s{left}"));
    }
}

fn show_zone_import(report: &ImportReport, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(report);
    }
    if report.already {
        output::line(format_args!(
            "zone {}: this file was imported before",
            report.zone
        ));
        return Ok(());
    }
    output::line(format_args!(
        "zone {} serial {} at event {}: {} records in {:.1} s",
        report.zone, report.serial, report.event, report.records, report.seconds
    ));
    output::line(format_args!(
        "  {} domains, {} NS, {} DS, {} glue, {} records of the zone's own",
        report.domains, report.delegations, report.ds, report.glue, report.zone_records
    ));
    if report.resumed_at > 0 {
        output::line(format_args!(
            "  resumed after {} records",
            report.resumed_at
        ));
    }
    for (rtype, count) in &report.dropped {
        output::line(format_args!("  {count} {rtype} of the old signer left out"));
    }
    if report.ttl_conflicts > 0 {
        output::line(format_args!(
            "  {} RRsets got their lowest TTL",
            report.ttl_conflicts
        ));
    }
    if let Some(file) = &report.rejects_file {
        output::line(format_args!(
            "  {} records rejected, see {}",
            report.rejected,
            file.display()
        ));
    }
    Ok(())
}

fn show_csv_import(report: &CsvImport, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(report);
    }
    let folder = report.folder.display();
    if report.already {
        output::line(format_args!("{folder}: these files were imported before"));
        return Ok(());
    }
    output::line(format_args!(
        "registry at event {}: {folder} imported in {:.1} s",
        report.event, report.seconds
    ));
    show_rows(&report.rows);
    if report.resumed_at > 0 {
        output::line(format_args!("  resumed after {} rows", report.resumed_at));
    }
    if let Some(file) = &report.rejects_file {
        let file = file.display();
        output::line(format_args!(
            "  {} rows rejected, see {file}",
            report.rejected
        ));
    }
    Ok(())
}
