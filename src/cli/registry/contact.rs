//! `meridian registry contact`: what is said of a contact stands in a file of JSON, as
//! commands have it; personal data on a command line is seen by others.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::ActingArgs;
use super::build::{Built, syntax};
use crate::registry::Command;
use crate::registry::command::contact::ContactCommand;
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
    /// Remove a contact that no domain names
    Delete(HandleArgs),
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
        ContactArgs::Delete(args) => (ContactCommand::Delete(args.handle.parse()?), &args.acting),
        ContactArgs::Info(args) => (ContactCommand::Info(args.handle.parse()?), &args.acting),
    };
    Ok((Command::Contact(command), acting))
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
