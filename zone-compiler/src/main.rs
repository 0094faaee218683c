//! `zone-compiler`: compiles zones into an image without a registry beside it,
//! for hosts that only need the compiler.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use zone_compiler::database::Location;
use zone_compiler::install::{Input, install};
use zone_image::Name;

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
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let input = match cli.database {
        Some(location) => Input::Database(location),
        None => Input::ZoneFiles {
            paths: cli.zone_file,
            origin: cli.origin,
            replace: cli.replace,
        },
    };
    // A reader that has gone, as `head` does, is no fault.
    match install(&input, &cli.image, &|_, _| {}) {
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
