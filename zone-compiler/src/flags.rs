//! What command lines say of signing zone files by hand, the same in every program.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::compile::Options;
use crate::install::{SignWith, SignWithError};
use crate::sign::{Denial, PolicyValues};

/// Keys and policy for zone files; the command has an argument `zone_file`.
#[derive(Debug, Args)]
pub struct SigningArgs {
    /// Sign the zone files with this key: PKCS#8 in PEM, or the NAME of NAME.key and
    /// NAME.private; can be repeated
    #[arg(long, value_name = "FILE", requires = "zone_file")]
    sign_with: Vec<PathBuf>,
    /// Sign with NSEC instead of NSEC3
    #[arg(long, requires = "sign_with")]
    nsec: bool,
    /// Give delegations without DS their NSEC3 too
    #[arg(long, requires = "sign_with", conflicts_with = "nsec")]
    no_opt_out: bool,
    /// Add a digest of the whole zone (ZONEMD)
    #[arg(long, requires = "sign_with")]
    zonemd: bool,
}

impl SigningArgs {
    /// The options of a compile at `now_seconds` since 1970 into the image of `directory`.
    pub fn options(&self, directory: &Path, now_seconds: u64) -> Result<Options, SignWithError> {
        if self.sign_with.is_empty() {
            return Ok(Options::default());
        }
        let sign_with = SignWith {
            keys: self.sign_with.clone(),
            policy: PolicyValues {
                denial: Denial::of(self.nsec, !self.no_opt_out),
                zonemd: self.zonemd,
                ..PolicyValues::default()
            },
        };
        sign_with.options(directory, now_seconds)
    }
}
