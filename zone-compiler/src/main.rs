//! `zone-compiler`: compiles zones into an image without a registry beside it,
//! for hosts that only need the compiler.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use zone_compiler::Report;
use zone_compiler::database::Location;
use zone_compiler::flags::SigningArgs;
use zone_compiler::install::{Input, install_with};
use zone_image::Name;
use zone_image::writer::Installed;

/// Compiles zones from a registry database or from zone files into an image.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit status: 0 done, 1 fault, 2 wrong usage.")]
struct Cli {
    /// Zone file to compile, or folder of `.zone` files; can be repeated
    #[arg(long, value_name = "PATH", required_unless_present = "database")]
    zone_file: Vec<PathBuf>,
    /// What completes relative names in the zone files [default: the root]
    #[arg(long, value_name = "NAME", requires = "zone_file")]
    origin: Option<Name>,
    /// Start a new image instead of keeping its other zones
    #[arg(long, requires = "zone_file")]
    replace: bool,
    /// Registry database: a file or a PostgreSQL URL
    #[arg(long, value_name = "DATABASE", conflicts_with = "zone_file")]
    database: Option<Location>,
    /// Image directory
    #[arg(long, value_name = "DIR")]
    image: PathBuf,
    #[command(flatten)]
    signing: SigningArgs,
}

fn run(cli: Cli) -> anyhow::Result<(Vec<Report>, Installed)> {
    #[expect(clippy::disallowed_methods, reason = "the clock of this program")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let options = cli.signing.options(&cli.image, now.as_secs())?;
    let input = match cli.database {
        Some(location) => Input::Database(location),
        None => Input::ZoneFiles {
            paths: cli.zone_file,
            origin: cli.origin,
            replace: cli.replace,
        },
    };
    Ok(install_with(&input, &cli.image, &options, &|_, _| {})?)
}

fn main() -> ExitCode {
    // A reader that has gone, as `head` does, is no fault.
    match run(Cli::parse()) {
        Ok((reports, installed)) => {
            let mut out = std::io::stdout();
            for report in &reports {
                for warning in report.warnings.iter() {
                    let _ = writeln!(std::io::stderr(), "warning: {warning}");
                }
                let _ = writeln!(out, "{report}");
            }
            let _ = writeln!(out, "installed generation {}", installed.number);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "zone-compiler: {error}");
            ExitCode::FAILURE
        }
    }
}
