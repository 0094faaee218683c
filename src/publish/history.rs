//! Whether an image and a registry have one history, so that what changed since the
//! image's event is all that the image lacks.
//!
//! A registry that was restored from a backup goes on with the numbers of events that
//! it gave out before. So beside an image stands a note: which generation it is, the
//! registry's event at that time, and when that event was accepted. A note that is
//! lost, torn or of another generation costs a full compile and nothing else.

use std::path::Path;

use zone_compiler::database::Snapshot;
use zone_image::Generation;

/// The note's file in the image directory.
const FILE: &str = "history";

/// An event of a registry, told from others of its number by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    event: u64,
    time: i64,
}

impl Mark {
    /// The event that a snapshot stands at; `None` before the first, and for a database
    /// that no writer has brought to this version yet.
    pub(super) fn of(snapshot: &Snapshot) -> Option<Self> {
        let event = snapshot.event();
        let time = time_of(snapshot, event)?;
        Some(Self { event, time })
    }

    /// Whether the registry has this event, and the image nothing after it.
    pub(super) fn is_common(self, snapshot: &Snapshot, image: &Generation) -> bool {
        let is_known = time_of(snapshot, self.event) == Some(self.time);
        is_known && image.event() <= self.event && self.event <= snapshot.event()
    }

    /// Notes beside the installed image where its registry stood.
    pub(super) fn write(self, directory: &Path, image: &Generation) {
        let text = format!("{} {} {}\n", digest(image), self.event, self.time);
        if let Err(error) = std::fs::write(directory.join(FILE), text) {
            tracing::debug!(%error, "the next start compiles everything");
        }
    }

    /// The note of this image.
    pub(super) fn read(directory: &Path, image: &Generation) -> Option<Self> {
        let text = std::fs::read_to_string(directory.join(FILE)).ok()?;
        let mut words = text.strip_suffix('\n')?.split(' ');
        let is_of_image = words.next()? == digest(image);
        let event = words.next()?.parse().ok()?;
        let time = words.next()?.parse().ok()?;
        (is_of_image && words.next().is_none()).then_some(Self { event, time })
    }
}

/// What cannot be read now costs a full compile, which fails if it matters.
fn time_of(snapshot: &Snapshot, event: u64) -> Option<i64> {
    snapshot.event_time(event).unwrap_or_else(|error| {
        tracing::debug!(%error, event, "time of an event not read");
        None
    })
}

fn digest(image: &Generation) -> String {
    let digest = image.digest();
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests;
