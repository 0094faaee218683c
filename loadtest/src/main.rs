//! The `loadtest` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match loadtest::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}
