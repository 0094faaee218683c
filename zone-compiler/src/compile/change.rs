//! An incremental compile: the names that changed, what hangs on them, and the apex.
//!
//! Reads the records of those names and of the names around them that decide what they
//! are (ancestors, hosts of NS records), and puts them through the same steps as a full
//! compile. What comes out is compared with the image; only what differs is written.
//! The outcome is what a full compile of the same event serves, or [`Changed::Whole`]:
//! the rare shapes for which a full compile is needed. Never guesses.

mod entries;
mod gather;
mod index;
mod presence;
mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use zone_image::layout::ENTRY_DELEGATION;
use zone_image::writer::{Installer, NameChange, ZoneChange};
use zone_image::{Name, Zone};

use self::entries::{EntryMaker, Made};
use self::gather::{Gather, Gathered};
pub use self::index::{IndexDelta, ZoneIndex};
use self::sets::SharedPlan;
use super::denial::Chain;
use super::rrset::BodyMaker;
use super::{CheckedZone, CompileError, Findings, Options, refused};
use crate::source::ChangeSource;

/// Attempts at one change: each further one knows more shared NS sets that cannot be
/// changed in place.
const ATTEMPTS_MAX: usize = 3;

/// What became of the changes of a zone.
#[derive(Debug)]
pub enum Changed {
    /// They are in the installer's segment.
    Written(Box<Written>),
    /// The zone has to be compiled whole; this is why.
    Whole(&'static str),
}

/// What a changed name is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// A zone cut.
    Delegation,
    /// A name that the zone answers for.
    Other,
    /// No name of the zone.
    Gone,
}

impl Became {
    fn of(change: &NameChange) -> Self {
        match change {
            NameChange::Remove => Self::Gone,
            NameChange::Flags(flags) | NameChange::Put { flags, .. }
                if flags & ENTRY_DELEGATION != 0 =>
            {
                Self::Delegation
            }
            _ => Self::Other,
        }
    }
}

/// Changes that are in a segment.
#[derive(Debug)]
pub struct Written {
    /// Apex.
    pub apex: Name,
    /// SOA serial.
    pub serial: u32,
    /// Registry event.
    pub event: u64,
    /// Names that were looked at.
    pub names_read: usize,
    /// The names that are other than they were.
    pub names: BTreeMap<Name, Became>,
    /// Shared NS sets that are other than they were, or new.
    pub shared_changed: usize,
    /// Delegations before.
    pub delegations_before: u64,
    /// Delegations now.
    pub delegations: u64,
    /// For the index, once it is installed.
    pub index: IndexDelta,
}

/// What one attempt came to.
enum Attempt {
    Made(Box<Made>),
    /// These shared sets cannot be changed in place: their users get others.
    Again(BTreeSet<u32>),
    Whole(&'static str),
}

/// Compiles what changed of `zone`, which is installed, and which `index` is of.
pub fn compile_changes(
    source: &mut dyn ChangeSource,
    zone: Zone<'_>,
    index: &ZoneIndex,
    installer: &mut Installer,
) -> Result<Changed, CompileError> {
    let mut dissolved = BTreeSet::new();
    for _ in 0..ATTEMPTS_MAX {
        match attempt(source, zone, index, installer, &dissolved)? {
            Attempt::Whole(why) => return Ok(Changed::Whole(why)),
            Attempt::Again(numbers) => dissolved.extend(numbers),
            Attempt::Made(made) => {
                installer.change_zone(&made.change)?;
                return Ok(Changed::Written(Box::new(written(zone, *made))));
            }
        }
    }
    Ok(Changed::Whole("shared NS sets do not come to rest"))
}

fn attempt(
    source: &mut dyn ChangeSource,
    zone: Zone<'_>,
    index: &ZoneIndex,
    installer: &mut Installer,
    dissolved: &BTreeSet<u32>,
) -> Result<Attempt, CompileError> {
    let (apex_name, event) = (source.apex().to_lowercase(), source.event());
    let gather = Gather::new(source, zone, installer.segment().seed(), dissolved);
    let gathered = match gather.run().map_err(CompileError::Source)? {
        Ok(gathered) => gathered,
        Err(why) => return Ok(Attempt::Whole(why)),
    };
    let Gathered { table, .. } = &gathered;
    let checked = CheckedZone::check(table, &apex_name, None, &Options::default())?;
    if !matches!(checked.chain, Chain::Unsigned) {
        return Ok(Attempt::Whole("the zone gets signed"));
    }
    let used: Vec<_> = (0..table.groups())
        .map(|_| AtomicBool::new(false))
        .collect();
    let mut maker = BodyMaker {
        table,
        names: &checked.names,
        apex: apex_name.as_wire(),
        used: &used,
        negative_ttl: checked.apex_data.negative_ttl,
        faults: checked.faults,
        warnings: Findings::default(),
    };
    let plan = match SharedPlan::make(&mut maker, zone, index, &gathered) {
        Ok(plan) => plan,
        Err(attempt) => return Ok(attempt),
    };
    let made = EntryMaker::new(zone, index, &plan).make(&mut maker, &gathered);
    if maker.faults.count() > 0 {
        return Err(refused(&apex_name, maker.faults));
    }
    let Ok(mut made) = made else {
        return Ok(Attempt::Whole("names below a new delegation"));
    };
    made.change.serial = checked.apex_data.serial;
    made.change.event = event;
    made.change.negative = checked.apex_data.negative;
    made.change.shared = plan.changed;
    made.index.contents(plan.forgotten, plan.learned);
    made.names_read = gathered.entries.len();
    Ok(Attempt::Made(Box::new(made)))
}

fn written(zone: Zone<'_>, made: Made) -> Written {
    let ZoneChange {
        apex,
        serial,
        event,
        delegations_count,
        names,
        shared,
        ..
    } = made.change;
    let name = |relative: &Vec<u8>| {
        Name::from_wire(&[&relative[..], &apex].concat()).expect("entries have names")
    };
    Written {
        serial,
        event,
        names_read: made.names_read,
        names: names
            .iter()
            .map(|(relative, change)| (name(relative), Became::of(change)))
            .collect(),
        shared_changed: shared.len(),
        delegations_before: zone.info().delegations,
        delegations: delegations_count,
        index: made.index,
        apex: name(&Vec::new()),
    }
}

#[cfg(test)]
mod tests;
