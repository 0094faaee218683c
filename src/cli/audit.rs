//! `meridian audit`: is the event log what was written?

use super::registry::{location, runtime};
use super::{AuditCommand, Global, output};
use crate::registry::{Database, audit};

/// Runs one of the looks at the event log.
pub(super) fn run(command: &AuditCommand, global: &Global) -> anyhow::Result<()> {
    let AuditCommand::Verify { database, anchor } = command;
    let place = location(database, global)?;
    let found = runtime()?.block_on(async {
        let mut database = Database::open(&place).await?;
        let mut progress = output::Progress::new(place.to_string(), global.progress);
        let mut show = |done, total| progress.update("verify", done, total);
        anyhow::Ok(audit::verify(&mut database, anchor, &mut show).await?)
    })?;
    if global.json {
        output::json(&found)?;
    } else {
        for told in &found.told {
            output::line(told);
        }
        let (events, last, digest) = (found.events, found.last_event, found.digest);
        output::line(format_args!(
            "{events} events, the newest is {last}:{digest}"
        ));
    }
    anyhow::ensure!(
        found.breaks == 0,
        "{place}: the chain of events breaks in {} places; compare with a backup",
        found.breaks
    );
    Ok(())
}
