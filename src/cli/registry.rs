//! `meridian registry`.

use super::run::load;
use super::{DatabaseArgs, Global, RegistryCommand};

/// Runs one of the commands on the registry database.
pub(super) fn run(command: &RegistryCommand, global: &Global) -> anyhow::Result<()> {
    let args = match command {
        RegistryCommand::Init(args) | RegistryCommand::Status(args) => args,
        RegistryCommand::Import { database, .. } | RegistryCommand::Export { database, .. } => {
            database
        }
    };
    let _ = database(args, global)?;
    anyhow::bail!("registry: this build has no registry; use a later one")
}

/// Where the database is.
fn database(args: &DatabaseArgs, global: &Global) -> anyhow::Result<String> {
    match &args.database {
        Some(url) => Ok(url.clone()),
        None => Ok(load(global)?.registry.database),
    }
}
