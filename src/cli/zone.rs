//! `meridian zone`: zones that the running server sends to others.

use clap::Subcommand;

use super::{Global, output, run};
use crate::control::socket::{Command, Reply};

#[derive(Debug, Subcommand)]
pub(super) enum ZoneArgs {
    /// Show what others get: serials, changes that are kept, notices without an answer
    Status {
        /// Only this zone
        #[arg(value_name = "APEX")]
        zone: Option<String>,
    },
    /// Tell secondaries of a zone once more
    Notify {
        /// The zone
        #[arg(value_name = "APEX")]
        zone: String,
    },
}

pub(super) fn run(args: &ZoneArgs, global: &Global) -> anyhow::Result<()> {
    let command = match args {
        ZoneArgs::Status { zone } => Command::ZoneStatus { zone: zone.clone() },
        ZoneArgs::Notify { zone } => Command::ZoneNotify { zone: zone.clone() },
    };
    let reply = run::ask(global, command)?;
    if global.json {
        return output::json(&reply);
    }
    let Reply::Zones { zones } = reply else {
        return Ok(());
    };
    let number =
        |serial: Option<u32>| serial.map_or_else(|| "none".to_owned(), |own| own.to_string());
    for zone in zones {
        output::line(format_args!(
            "{} serial {}, sent {}, {} changes from {}",
            zone.apex,
            number(zone.serial),
            number(zone.sent),
            zone.changes,
            number(zone.changes_from)
        ));
        for notice in zone.unanswered {
            output::line(format_args!(
                "  {} was told of {} {} times, no answer",
                notice.address, notice.serial, notice.sends
            ));
        }
    }
    Ok(())
}
