//! `meridian diff`: the records that the next publish adds and removes.

use anyhow::Context;
use serde_json::json;
use zone_compiler::database::Snapshot;
use zone_compiler::diff::{Difference, difference};
use zone_image::{Generation, Memory};

use super::run::load;
use super::{DiffArgs, Global, output, registry};

/// Prints what the installed image lacks of the registry's newest event.
pub(super) fn run(args: &DiffArgs, global: &Global) -> anyhow::Result<()> {
    let directory = match &args.image {
        Some(directory) => directory.clone(),
        None => load(global)?.image.directory,
    };
    let database = match &args.database {
        Some(url) => url.clone(),
        None => registry::configured(global)?,
    };
    let Ok(location) = database.parse();
    let image = Generation::open(&directory, Memory::Mapped)
        .with_context(|| format!("cannot open image: {}", directory.display()))?;
    let snapshot = Snapshot::open(&location)?;
    if let Some(events) = &args.events {
        check_events(events, image.event(), snapshot.event())?;
    }
    let mut found = Difference::default();
    for zone in snapshot.zones().iter().filter(|zone| !zone.is_importing()) {
        let installed = image.zone(zone.apex.to_lowercase().as_wire());
        let installed = installed
            .with_context(|| format!("zone {} is not in the image; all of it is new", zone.apex))?;
        let mut source = snapshot.changes(&zone.apex, installed.info().event)?;
        let difference = difference(&mut source, installed)
            .map_err(|error| anyhow::anyhow!("{error}"))?
            .with_context(|| {
                format!(
                    "zone {}: an event since {} concerns the whole zone; compile it elsewhere \
                     with --image and compare `meridian image dump`",
                    zone.apex,
                    installed.info().event
                )
            })?;
        found.added.extend(difference.added);
        found.removed.extend(difference.removed);
    }
    show(&found.added, &found.removed, global)
}

/// An image is of one event, and a registry has only its present rows.
fn check_events(events: &str, image: u64, registry: u64) -> anyhow::Result<()> {
    let number = |text: &str| {
        let number = text.parse::<u64>();
        number.with_context(|| format!("not an event: {text:?}; write FIRST..LAST"))
    };
    let (first, last) = events
        .split_once("..")
        .with_context(|| format!("not a range of events: {events:?}; write FIRST..LAST"))?;
    anyhow::ensure!(
        (number(first)?, number(last)?) == (image, registry),
        "events {events} cannot be compared: the image is of event {image} and the registry of \
         {registry}, and older states are not kept; `meridian diff` compares these two"
    );
    Ok(())
}

/// Prints records that come with `+` and records that go with `-`.
pub(super) fn show<'r>(
    added: impl IntoIterator<Item = &'r String>,
    removed: impl IntoIterator<Item = &'r String>,
    global: &Global,
) -> anyhow::Result<()> {
    let (added, removed): (Vec<_>, Vec<_>) =
        (added.into_iter().collect(), removed.into_iter().collect());
    if global.json {
        return output::json(&json!({ "added": added, "removed": removed }));
    }
    removed
        .iter()
        .for_each(|record| output::line(format_args!("-{record}")));
    added
        .iter()
        .for_each(|record| output::line(format_args!("+{record}")));
    Ok(())
}
