//! `meridian registry poll`: the messages that wait for a registrar.

use clap::Subcommand;

use super::arguments::ActingArgs;
use super::build::Built;
use crate::registry::Command;
use crate::registry::command::PollCommand;

/// `meridian registry poll ..`
#[derive(Debug, Subcommand)]
pub(crate) enum PollArgs {
    /// Show the oldest message, and how many wait
    Next {
        /// Whose [default: the one of --as]
        #[arg(long, value_name = "HANDLE")]
        registrar: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Remove a message that was read
    Ack {
        /// Its number
        id: i64,
        /// Whose [default: the one of --as]
        #[arg(long, value_name = "HANDLE")]
        registrar: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

pub(super) fn build(args: &PollArgs) -> Built<'_> {
    let whose = |handle: &Option<String>| handle.as_ref().map(|handle| handle.parse()).transpose();
    let (command, acting) = match args {
        PollArgs::Next { registrar, acting } => {
            let registrar = whose(registrar)?;
            (PollCommand::Next { registrar }, acting)
        }
        PollArgs::Ack {
            id,
            registrar,
            acting,
        } => {
            let (id, registrar) = (*id, whose(registrar)?);
            (PollCommand::Ack { id, registrar }, acting)
        }
    };
    Ok((Command::Poll(command), acting))
}
