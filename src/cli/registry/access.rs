//! `meridian registry registrar set-password`, `pin`, `unpin`, `allow`, `disallow`,
//! `stage` and `limit`.
//!
//! A password comes from standard input or a file, so it is in no list of processes and no
//! history of a shell; it leaves this module as its hash.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use super::arguments::ActingArgs;
use super::build::syntax;
use crate::registry::access::{PasswordHash, Pin};
use crate::registry::command::registrar::RegistrarAccess;
use crate::registry::policy::Stage;
use crate::registry::types::{Handle, ValueError};

/// Octets of a password's file that are looked at.
const FILE_BYTES_MAX: u64 = 4096;

#[derive(Debug, Subcommand)]
pub(crate) enum AccessArgs {
    /// Set the password that a registrar says by EPP
    ///
    /// Reads one line from standard input. The registry keeps a hash of it.
    SetPassword {
        /// The registrar's handle
        handle: String,
        /// Read it from this file instead
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let a registrar in with this TLS client certificate, beside those it has
    Pin {
        /// The registrar's handle
        handle: String,
        /// A PEM file, or the SHA-256 of the certificate in hexadecimal digits
        certificate: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let a registrar in with this certificate no more; its open sessions stay
    Unpin {
        /// The registrar's handle
        handle: String,
        /// A PEM file, or the SHA-256 of the certificate in hexadecimal digits
        certificate: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let a registrar in from this network, and from those that it has, and no other
    ///
    /// Without any it comes from anywhere. Open sessions stay.
    Allow {
        /// The registrar's handle
        handle: String,
        /// A network as ADDRESS/BITS, or an address
        #[arg(value_name = "NETWORK")]
        prefix: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let a registrar in from this network no more
    Disallow {
        /// The registrar's handle
        handle: String,
        /// The network as `registrar info` has it
        #[arg(value_name = "NETWORK")]
        prefix: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Make an account one of the sandbox, for tests in zones with `stage=sandbox`, or back
    Stage {
        /// The registrar's handle
        handle: String,
        /// production or sandbox
        stage: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Say how many EPP sessions a registrar may have at once
    Limit {
        /// The registrar's handle
        handle: String,
        /// Sessions; 0 lets it not in
        #[arg(long, value_name = "NUMBER")]
        sessions_max: u32,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

pub(super) fn build(args: &AccessArgs) -> Result<(RegistrarAccess, &ActingArgs), ValueError> {
    let new = |handle: &str| Handle::parse(handle).map(RegistrarAccess::new);
    Ok(match args {
        AccessArgs::SetPassword {
            handle,
            file,
            acting,
        } => {
            let mut access = new(handle)?;
            let password = password(file.as_ref())?;
            access.password_hash = Some(PasswordHash::of(&access.handle, &password)?);
            (access, acting)
        }
        AccessArgs::Pin {
            handle,
            certificate,
            acting,
        } => {
            let mut access = new(handle)?;
            access.pin.push(pin(certificate)?);
            (access, acting)
        }
        AccessArgs::Unpin {
            handle,
            certificate,
            acting,
        } => {
            let mut access = new(handle)?;
            access.unpin.push(pin(certificate)?);
            (access, acting)
        }
        AccessArgs::Allow {
            handle,
            prefix,
            acting,
        } => {
            let mut access = new(handle)?;
            access.allow.push(prefix.parse()?);
            (access, acting)
        }
        AccessArgs::Disallow {
            handle,
            prefix,
            acting,
        } => {
            let mut access = new(handle)?;
            access.disallow.push(prefix.parse()?);
            (access, acting)
        }
        AccessArgs::Stage {
            handle,
            stage,
            acting,
        } => {
            let mut access = new(handle)?;
            let parsed = Stage::parse(stage);
            let wrong = || syntax(stage, "write production or sandbox");
            access.stage = Some(parsed.ok_or_else(wrong)?);
            (access, acting)
        }
        AccessArgs::Limit {
            handle,
            sessions_max,
            acting,
        } => {
            let mut access = new(handle)?;
            access.sessions_max = Some(*sessions_max);
            (access, acting)
        }
    })
}

/// One line of a file or of standard input.
fn password(file: Option<&PathBuf>) -> Result<Zeroizing<String>, ValueError> {
    let mut text = Zeroizing::new(String::new());
    let (place, read) = match file {
        Some(path) => {
            let opened = std::fs::File::open(path);
            let read = opened.and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
            (path.display().to_string(), read)
        }
        None => {
            let input = std::io::stdin().lock();
            let read = input.take(FILE_BYTES_MAX).read_to_string(&mut text);
            ("standard input".to_owned(), read)
        }
    };
    read.map_err(|error| syntax(&place, format!("no password can be read: {error}")))?;
    let line = text.trim_end_matches(['\n', '\r']);
    if line.contains('\n') {
        return Err(syntax(&place, "a password is one line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn pin(text: &str) -> Result<Pin, ValueError> {
    if let Ok(pin) = text.parse() {
        return Ok(pin);
    }
    let certificate = CertificateDer::from_pem_file(text).map_err(|error| {
        let reason = format!("neither 64 hexadecimal digits nor a PEM certificate: {error}");
        syntax(text, reason)
    })?;
    Ok(Pin::of_certificate(&certificate))
}
