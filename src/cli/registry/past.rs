//! `meridian registry show`: what an object was.

use clap::Args;

use super::super::{DatabaseArgs, Global, output};
use super::{location, objects, show_time};
use crate::registry::Database;
use crate::registry::command::past::{Moment, show};

/// `meridian registry show`
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Name of a domain or host, or handle of a contact
    #[arg(value_name = "OBJECT")]
    object: String,
    /// When: the number of an event, or a time as 2026-01-31T12:00:00Z or 2026-01-31
    #[arg(long, value_name = "TIME|EVENT")]
    at: Moment,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: &ShowArgs, global: &Global) -> anyhow::Result<()> {
    let mut database = Database::open(&location(&args.database, global)?).await?;
    let past = show(&mut database, &args.object, args.at).await?;
    if global.json {
        return output::json(&past);
    }
    let at = show_time(past.at);
    for object in &past.objects {
        let until = match object.until_event {
            Some(event) => format!("until event {event}"),
            None => "still so".to_owned(),
        };
        let (kind, event) = (&object.kind, past.event);
        output::line(format_args!("{kind} at event {event}, {at}, {until}"));
        objects::show_fields(&object.info);
    }
    Ok(())
}
