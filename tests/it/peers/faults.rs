//! kill -9 at every kind of write: what is on disk is whole, and work goes on.
//!
//! strace counts the system calls that change files in an undisturbed run, and then
//! kills further runs at the n-th of them. Afterwards the database opens whole, the
//! installed image is the old or the new one, and the same command run again reaches
//! the result of an undisturbed run.

mod strace;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use loadtest::generate::Random;
use loadtest::meridian::Meridian;
use loadtest::peer::Zone;
use loadtest::stamp;
use zone_image::Name;

use super::{meridian, wanted};
use strace::Call;

/// Domains of the zone: enough for several batches of the import.
const DOMAINS: u64 = 3000;
/// Kills of one quick run.
const ROUNDS: u32 = 50;
/// Seed of the fail points.
const SEED: u64 = 0x6d65_7269;

#[test]
fn fifty_kills_leave_database_and_image_whole() -> anyhow::Result<()> {
    kill_rounds(ROUNDS)
}

/// Kills import, compile and install `rounds` times in all.
pub(crate) fn kill_rounds(rounds: u32) -> anyhow::Result<()> {
    if !wanted(&["strace", "sqlite3"]) {
        return Ok(());
    }
    let base = tempfile::tempdir()?;
    let template = Template::make(base.path())?;
    let mut random = Random::new(SEED);
    let (mut killed, mut runs) = (0, 0);
    while killed < rounds {
        // A fail point that this run's threads do not reach kills nothing; that is rare.
        ensure!(
            runs < 2 * rounds,
            "only {killed} of {runs} runs were killed"
        );
        let work = if runs % 2 == 0 {
            Work::Import
        } else {
            Work::Compile
        };
        runs += 1;
        let point = template.draw_point(work, &mut random);
        let fault = || format!("seed {SEED:#x}, run {runs}: {work:?} killed at {point:?}");
        killed += u32::from(template.kill_and_check(work, point).with_context(fault)?);
    }
    eprintln!("{killed} kills in {runs} runs, all whole");
    Ok(())
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// `registry import` into an empty registry.
    Import,
    /// `compile` over an installed image, the install included.
    Compile,
}

/// A kind of call and the how-many-th of one thread.
type Point = (Call, u64);

/// Undisturbed runs: where each kill starts from, and what must come out in the end.
struct Template<'b> {
    base: &'b Path,
    points: [Vec<(Call, u64)>; 2],
    exported: BTreeSet<String>,
    dumped: BTreeSet<String>,
}

impl<'b> Template<'b> {
    /// `empty` has a registry without domains, `full` an imported one and an image of
    /// an older generation of the zone.
    fn make(base: &'b Path) -> anyhow::Result<Self> {
        write_zone(&base.join("zone"), 2)?;
        write_zone(&base.join("zone.old"), 1)?;
        let empty = home(base, "empty")?;
        empty.run(&["registry", "init"])?;
        let full = home(base, "full")?;
        full.run(&["registry", "init"])?;
        let old = Zone {
            apex: Name::parse_absolute("example.")?,
            file: base.join("zone.old"),
        };
        full.compile_zone_files(&[old])?;
        full.run(
            &arguments(Work::Import, base)
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        )?;

        let mut template = Self {
            base,
            points: Default::default(),
            exported: BTreeSet::new(),
            dumped: BTreeSet::new(),
        };
        for work in [Work::Import, Work::Compile] {
            let copy = template.copy(work)?;
            let command = template.command(&copy, work);
            template.points[work as usize] = strace::count(command, &copy.path("calls"))?;
            if work == Work::Import {
                template.exported = export(&copy)?;
            } else {
                template.dumped = dump(&copy)?;
            }
        }
        ensure!(
            template.exported.len() as u64 > DOMAINS,
            "the export lacks domains"
        );
        ensure!(
            template.dumped.len() as u64 > DOMAINS,
            "the image lacks domains"
        );
        Ok(template)
    }

    /// A fresh copy of the folder that `work` starts from.
    fn copy(&self, work: Work) -> anyhow::Result<Meridian> {
        let from = self.base.join(match work {
            Work::Import => "empty",
            Work::Compile => "full",
        });
        let to = self.base.join("round");
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        copy_directory(&from, &to)?;
        Meridian::new(meridian(), &to)
    }

    fn command(&self, home: &Meridian, work: Work) -> Command {
        let arguments = arguments(work, self.base);
        home.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Each kind of call is as likely as any other, and each of its calls: there are
    /// far fewer renames than writes, and they matter as much.
    fn draw_point(&self, work: Work, random: &mut Random) -> Point {
        let points = &self.points[work as usize];
        let kind = random.below(points.len() as u64);
        let (call, count) = points[usize::try_from(kind).expect("an index")];
        (call, 1 + random.below(count))
    }

    /// Returns whether the run was killed.
    fn kill_and_check(&self, work: Work, point: Point) -> anyhow::Result<bool> {
        let home = self.copy(work)?;
        let killed = strace::kill_at(self.command(&home, work), point.0, point.1)?;
        check_database(&home)?;
        if work == Work::Compile {
            home.run(&["image", "verify"])
                .context("the image after the kill")?;
            let served = dump(&home)?;
            let old = served.iter().any(|line| line.contains("g1.ns"));
            ensure!(
                old != (served == self.dumped),
                "neither the old nor the new image"
            );
        }
        let again = self.command(&home, work).output()?;
        ensure!(
            again.status.success(),
            "run again: {}",
            String::from_utf8_lossy(&again.stderr).trim()
        );
        check_database(&home)?;
        match work {
            Work::Import => ensure!(
                export(&home)? == self.exported,
                "another export than undisturbed"
            ),
            Work::Compile => ensure!(
                dump(&home)? == self.dumped,
                "another image than undisturbed"
            ),
        }
        Ok(killed)
    }
}

fn arguments(work: Work, base: &Path) -> Vec<String> {
    match work {
        Work::Import => {
            let zone = base.join("zone").display().to_string();
            ["registry", "import", "--zone-file", &zone]
                .map(str::to_owned)
                .to_vec()
        }
        Work::Compile => vec!["compile".to_owned()],
    }
}

fn home(base: &Path, name: &str) -> anyhow::Result<Meridian> {
    fs::create_dir(base.join(name))?;
    Meridian::new(meridian(), &base.join(name))
}

fn write_zone(file: &Path, generation: u16) -> anyhow::Result<()> {
    let apex = Name::parse_absolute("example.")?;
    let mut out = BufWriter::new(File::create(file)?);
    stamp::write_zone(&apex, DOMAINS, generation, &mut out)?;
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    Ok(())
}

fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn check_database(home: &Meridian) -> anyhow::Result<()> {
    let check = "PRAGMA integrity_check; PRAGMA foreign_key_check;";
    let output = Command::new("sqlite3")
        .arg(home.path("registry.db"))
        .arg(check)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && text.trim() == "ok",
        "integrity_check: {text}"
    );
    home.run(&["registry", "status"])
        .map(|_| ())
        .context("the database after the kill")
}

/// The records of the registry as lines, in no order.
fn export(home: &Meridian) -> anyhow::Result<BTreeSet<String>> {
    let file = home.path("export");
    home.run(&[
        "registry",
        "export",
        "--zone-file",
        &file.display().to_string(),
    ])?;
    Ok(records(&fs::read_to_string(file)?))
}

/// The records of the installed image as lines, in no order.
fn dump(home: &Meridian) -> anyhow::Result<BTreeSet<String>> {
    Ok(records(&home.run(&["image", "dump"])?))
}

fn records(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with(';'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn an_image_is_synced_before_it_is_named_and_named_before_it_is_announced() -> anyhow::Result<()> {
    if !wanted(&["strace"]) {
        return Ok(());
    }
    let base = tempfile::tempdir()?;
    let template = Template::make(base.path())?;
    let home = template.copy(Work::Compile)?;
    let calls = strace::log(template.command(&home, Work::Compile), &home.path("calls"))?;
    let image = home.image().display().to_string();
    strace::in_order(
        &calls,
        &[
            &|call| call.is_sync() && call.text.contains(".tmp") && call.text.contains(&image),
            &|call| call.is_rename() && call.text.contains(".segment"),
            &|call| call.is_sync() && call.text.contains("generation.tmp"),
            &|call| call.is_rename() && call.text.contains("generation.tmp"),
            &|call| call.is_sync() && call.text.contains(&format!("<{image}>")),
            &|call| call.name == "write" && call.text.starts_with("1<"),
        ],
    )
}

#[test]
fn an_import_is_synced_before_it_is_acknowledged() -> anyhow::Result<()> {
    if !wanted(&["strace"]) {
        return Ok(());
    }
    let base = tempfile::tempdir()?;
    let template = Template::make(base.path())?;
    let home = template.copy(Work::Import)?;
    let calls = strace::log(template.command(&home, Work::Import), &home.path("calls"))?;
    let acknowledged = calls
        .iter()
        .position(|call| call.name == "write" && call.text.starts_with("1<"))
        .context("the import acknowledges nothing on standard output")?;
    let database = |call: &&strace::Entry| call.text.contains("registry.db");
    let before: Vec<_> = calls[..acknowledged].iter().filter(database).collect();
    let written = before
        .iter()
        .rposition(|call| call.is_write() && call.text.contains("-wal"));
    let synced = before.iter().rposition(|call| call.is_sync());
    ensure!(
        written.is_some() && synced > written,
        "the last write to the WAL is not synced"
    );
    let after = calls[acknowledged..].iter().filter(database);
    let late: Vec<_> = after
        .filter(|call| call.is_write() && call.text.contains("-wal"))
        .collect();
    ensure!(
        late.is_empty(),
        "written after the acknowledgement: {late:?}"
    );
    Ok(())
}
