//! `meridian registry contact`: what is said of a contact stands in a file of JSON, as
//! commands have it; personal data on a command line is seen by others.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use super::arguments::ActingArgs;
use super::build::{Built, one, syntax};
use super::domain::AuthArgs;
use crate::registry::Command;
use crate::registry::command::contact::{
    ContactCommand, ContactErase, ContactKey, ContactKeys, ContactTransfer, KeyName,
};
use crate::registry::command::domain::TransferOp;
use crate::registry::openpgp::{CERTIFICATE_BYTES_MAX, OpenPgpKey};
use crate::registry::types::ValueError;

const EXAMPLE: &str = r#"FILE has the contact as JSON, such as
  {"kind": "person", "email": "jo@mail.example",
   "int": {"name": "Jo Doe", "address": {"street": ["First 1"], "city": "Town",
           "postal-code": "12345", "country": "DE"}},
   "voice": {"number": "+49.123"},
   "disclose": {"show": false, "elements": ["email"]}}
An update names what changes, as {"email": "new@mail.example", "fax": "remove",
  "voice": {"set": {"number": "+49.456"}}, "add": ["clientDeleteProhibited"]}."#;

/// `meridian registry contact ..`
#[derive(Debug, Subcommand)]
pub(crate) enum ContactArgs {
    /// Make a contact
    #[command(after_long_help = EXAMPLE)]
    Create(FileArgs),
    /// Change a contact
    #[command(after_long_help = EXAMPLE)]
    Update(FileArgs),
    /// Put public keys on file whose signatures agree to changes, or take them off
    ///
    /// The registry's own, with the number of a --case.
    Keys(KeysArgs),
    /// Remove a contact that no domain names
    Delete(HandleArgs),
    /// Bring a contact to another registrar: request, approve, reject, cancel, query
    Transfer(TransferArgs),
    /// Erase what is known of a person, for good
    ///
    /// The registry's own, with the number of a --case. The contact stays without a name where
    /// domains have it, takes no change and can be given to no domain; of the log and of earlier
    /// states (`registry show --at`) nothing that was said of it can be read any more, and
    /// `audit verify` finds them as they were. --dry-run tells which domains are left with such
    /// a contact. Backups that were made before have everything still.
    Erase(EraseArgs),
    /// Show a contact
    Info(HandleArgs),
}

/// A command that needs no more than a handle.
#[derive(Debug, Args)]
pub(crate) struct HandleArgs {
    /// What it is called
    handle: String,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry contact transfer`
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// What it is called
    handle: String,
    /// What is done: request, approve, reject, cancel or query
    #[arg(value_name = "STEP")]
    op: String,
    /// To whom, where the registry asks for it
    #[arg(long, value_name = "HANDLE")]
    registrar: Option<String>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry contact erase`
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// What it is called
    handle: String,
    /// Erase those that had the handle before and were removed, in its place
    #[arg(long)]
    former: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry contact keys`
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// What it is called
    handle: String,
    /// A key to add: a file as `openssl pkey -pubout` writes one of Ed25519, or as `gpg
    /// --export --export-options export-minimal` writes one of OpenPGP, or the 64
    /// hexadecimal digits of one of Ed25519
    ///
    /// Of a key of OpenPGP its public keys that may sign are kept, and when they expire; no
    /// name. A key that is revoked later has to be removed here.
    #[arg(long, value_name = "KEY")]
    add: Vec<String>,
    /// A key to remove, alike, or as `contact info` shows it
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// A command whose values stand in a file.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// What it is called: 3 to 16 letters, digits, dots, hyphens or underscores
    handle: String,
    /// The file; `--help` shows one
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    acting: ActingArgs,
}

/// The command, and who gives it.
pub(super) fn build(args: &ContactArgs) -> Built<'_> {
    let (command, acting) = match args {
        ContactArgs::Create(args) => {
            let create = read(&args.file, &args.handle)?;
            (ContactCommand::Create(Box::new(create)), &args.acting)
        }
        ContactArgs::Update(args) => {
            let update = read(&args.file, &args.handle)?;
            (ContactCommand::Update(Box::new(update)), &args.acting)
        }
        ContactArgs::Keys(args) => {
            let add = args.add.iter();
            let add = add.map(|text| digits(text)?.parse::<ContactKey>());
            let remove = args.remove.iter();
            let remove = remove.map(|text| digits(text)?.parse::<KeyName>());
            let keys = ContactKeys {
                handle: args.handle.parse()?,
                add: add.collect::<Result<_, ValueError>>()?,
                remove: remove.collect::<Result<_, ValueError>>()?,
            };
            (ContactCommand::Keys(keys), &args.acting)
        }
        ContactArgs::Transfer(args) => {
            let op = args.op.parse::<TransferOp>();
            let transfer = ContactTransfer {
                handle: args.handle.parse()?,
                op: op.map_err(|reason| syntax(&args.op, reason))?,
                registrar: one(args.registrar.as_ref())?,
                auth_info: args.auth.read()?,
            };
            (ContactCommand::Transfer(Box::new(transfer)), &args.acting)
        }
        ContactArgs::Erase(args) => {
            let erase = ContactErase {
                handle: args.handle.parse()?,
                former: args.former,
            };
            (ContactCommand::Erase(erase), &args.acting)
        }
        ContactArgs::Delete(args) => (ContactCommand::Delete(args.handle.parse()?), &args.acting),
        ContactArgs::Info(args) => (ContactCommand::Info(args.handle.parse()?), &args.acting),
    };
    Ok((Command::Contact(command), acting))
}

/// A key in hexadecimal digits: that of a file, or as it is.
fn digits(text: &str) -> Result<String, ValueError> {
    /// What stands before the key (RFC 8410 section 4).
    const HEAD: [u8; 12] = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    if !Path::new(text).exists() {
        return Ok(text.to_owned());
    }
    let octets = read_octets(Path::new(text), CERTIFICATE_BYTES_MAX)?;
    let is_openpgp = octets.first().is_some_and(|first| first & 0x80 != 0)
        || octets.windows(ARMOR.len()).any(|window| window == ARMOR);
    if is_openpgp {
        let key = OpenPgpKey::from_certificate(&octets).map_err(|error| syntax(text, error))?;
        return Ok(hex(&key.to_octets()));
    }
    let read = SubjectPublicKeyInfoDer::from_pem_slice(&octets);
    let read = read.map_err(|error| syntax(text, error.to_string()))?;
    let key = read.strip_prefix(&HEAD[..]);
    let bad = || syntax(text, "neither a public key of Ed25519 nor of OpenPGP");
    Ok(hex(key.ok_or_else(bad)?))
}

/// What a key of OpenPGP in its armor has.
const ARMOR: &[u8] = b"-----BEGIN PGP ";

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A file that is not longer than it may be.
pub(super) fn read_octets(path: &Path, bytes_max: usize) -> Result<Vec<u8>, ValueError> {
    let bad = |reason: String| syntax(&path.display().to_string(), reason);
    let mut octets = Vec::new();
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    let mut file = file.take(bytes_max as u64 + 1);
    let read = file.read_to_end(&mut octets);
    let length = read.map_err(|error| bad(error.to_string()))?;
    match length > bytes_max {
        true => Err(bad(format!("more than {bytes_max} octets"))),
        false => Ok(octets),
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, handle: &str) -> Result<T, ValueError> {
    let bad = |reason: String| syntax(&path.display().to_string(), reason);
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    fields.insert("handle".to_owned(), handle.into());
    let command = serde_json::from_value(serde_json::Value::Object(fields));
    command.map_err(|error| bad(error.to_string()))
}
