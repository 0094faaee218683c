//! `meridian epp`: the sessions of the running server.

use anyhow::bail;
use clap::Subcommand;

use super::run::ask;
use super::{Global, output};
use crate::clock::unix_seconds;
use crate::control::EppSession;
use crate::control::socket::{Command as ControlCommand, Reply};

#[derive(Debug, Subcommand)]
pub(super) enum EppArgs {
    /// List the connections of EPP: who, from where, since when, and what was said last
    Sessions {
        /// Those of this registrar only
        #[arg(long, value_name = "HANDLE")]
        registrar: Option<String>,
    },
    /// End a session: the command under way is answered, then the connection closes
    ///
    /// The registrar may come again; `registry registrar limit --sessions-max 0` or
    /// `registrar update --status suspended` keep it out.
    Kill {
        /// Its number in `epp sessions`
        #[arg(value_name = "ID")]
        session: u64,
    },
}

pub(super) fn run(args: &EppArgs, global: &Global) -> anyhow::Result<()> {
    match args {
        EppArgs::Sessions { registrar } => sessions(registrar.as_deref(), global),
        EppArgs::Kill { session } => {
            let reply = ask(global, ControlCommand::EppKill { session: *session })?;
            match reply {
                _ if global.json => output::json(&reply),
                Reply::EppEnded { session } => {
                    let who = session.registrar.as_deref().unwrap_or("nobody yet");
                    output::line(format_args!(
                        "session {} of {who} from {} is ended",
                        session.id, session.peer
                    ));
                    Ok(())
                }
                _ => bail!("the server answered something else; is it of another version?"),
            }
        }
    }
}

fn sessions(registrar: Option<&str>, global: &Global) -> anyhow::Result<()> {
    let Reply::EppSessions { mut sessions } = ask(global, ControlCommand::EppSessions)? else {
        bail!("the server answered something else; is it of another version?");
    };
    if registrar.is_some() {
        sessions.retain(|session| session.registrar.as_deref() == registrar);
    }
    if global.json {
        return output::json(&sessions);
    }
    let now = unix_seconds();
    for session in &sessions {
        show(session, now);
    }
    output::line(format_args!("{} connections", sessions.len()));
    Ok(())
}

fn show(session: &EppSession, now: u64) {
    let ago = |at: Option<u64>| match at {
        Some(at) => format!("{} s ago", now.saturating_sub(at)),
        None => "never".to_owned(),
    };
    output::line(format_args!(
        "{:>6}  {:<16}  {:<24}  logged in {}, {} commands, the last {} {}",
        session.id,
        session.registrar.as_deref().unwrap_or("-"),
        session.peer,
        ago(session.logged_in_at),
        session.commands,
        session.last_command.as_deref().unwrap_or("none"),
        ago(session.last_at)
    ));
}
