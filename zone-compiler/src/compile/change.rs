//! An incremental compile: the names that changed, what hangs on them, and the apex.
//!
//! Reads the records of those names and of the names around them that decide what they
//! are (ancestors, hosts of NS records), and puts them through the same steps as a full
//! compile, signing included. What comes out is compared with the image; only what
//! differs is written. The outcome is what a full compile of the same event serves, or
//! [`Changed::Whole`]: the rare shapes for which a full compile is needed. Never guesses.
//! Signatures of names that a change does not touch stay, also where a full compile at
//! this time would replace them because they get old: an event of its own asks for that,
//! and then only the names and proofs are read whose signatures do.

mod chain;
mod entries;
mod gather;
mod index;
mod presence;
mod proven;
mod sets;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use zone_image::layout::{ENTRY_DELEGATION, ENTRY_PARKED};
use zone_image::writer::{Installer, NameChange, ProofsChange, ZoneChange};
use zone_image::{Name, Zone};

use self::chain::{ChainError, NewChain};
use self::entries::{EntryMaker, Made};
use self::gather::{Gather, Gathered};
pub use self::index::{IndexDelta, ZoneIndex};
use self::sets::SharedPlan;
pub(super) use self::signed::due_of;
use self::signed::{Known, SignedZone};
use super::children::{self, Child, Children};
use super::denial::Chain;
use super::parking::ParkedBody;
use super::rrset::BodyMaker;
use super::{CheckedZone, CompileError, Findings, Options, SignedCounts, parking, refused};
use crate::sign::Signing;
use crate::source::{ChangeSource, Parking};

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
    /// A zone cut that is answered for from what all parked names have.
    Parked,
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
                if flags & ENTRY_PARKED != 0 =>
            {
                Self::Parked
            }
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
    /// NSEC3 records that are other than they were, new, or gone.
    pub proofs_changed: usize,
    /// Signatures of what was made anew.
    pub signed: SignedCounts,
    /// Delegations before.
    pub delegations_before: u64,
    /// Delegations now.
    pub delegations: u64,
    /// Child zones of parked names that came, less those that went.
    pub children: i64,
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

/// A zone that is installed, and what its changes are compiled with.
struct Change<'w> {
    apex: Name,
    event: u64,
    zone: Zone<'w>,
    index: &'w ZoneIndex,
    signed: Option<SignedZone<'w>>,
    parking: Option<&'w Parking>,
    /// Where parked names are signed.
    children: Option<&'w Children<'w>>,
}

/// Compiles what changed of `zone`, which is installed, and which `index` is of. With
/// `signing` it is signed.
pub fn compile_changes(
    source: &mut dyn ChangeSource,
    zone: Zone<'_>,
    index: &ZoneIndex,
    signing: Option<&Signing>,
    installer: &mut Installer,
) -> Result<Changed, CompileError> {
    let apex = source.apex().to_lowercase();
    let parking = source.parking().map_err(CompileError::Source)?;
    let children = Children::new(parking.as_ref(), signing, &apex)?;
    if let (Some(_), Some(signing)) = (&children, signing)
        && !Children::has_keys_of(zone, signing)
    {
        return Ok(Changed::Whole("keys of parked names are others"));
    }
    let change = Change {
        event: source.event(),
        parking: parking.as_ref(),
        children: children.as_ref(),
        signed: match SignedZone::new(zone, &apex, signing) {
            Ok(signed) => signed,
            Err(why) => return Ok(Changed::Whole(why)),
        },
        apex,
        zone,
        index,
    };
    let mut dissolved = BTreeSet::new();
    for _ in 0..ATTEMPTS_MAX {
        match change.attempt(source, installer, &dissolved)? {
            Attempt::Whole(why) => return Ok(Changed::Whole(why)),
            Attempt::Again(numbers) => dissolved.extend(numbers),
            Attempt::Made(mut made) => {
                installer.change_zone(&made.change)?;
                let (parked, resigns) = (std::mem::take(&mut made.parked), made.resigns);
                let mut written = written(zone, *made);
                change.follow(&mut written, parked, resigns, installer)?;
                return Ok(Changed::Written(Box::new(written)));
            }
        }
    }
    Ok(Changed::Whole("shared NS sets do not come to rest"))
}

impl Change<'_> {
    fn attempt(
        &self,
        source: &mut dyn ChangeSource,
        installer: &mut Installer,
        dissolved: &BTreeSet<u32>,
    ) -> Result<Attempt, CompileError> {
        let (zone, seed) = (self.zone, installer.segment().seed());
        let gather = Gather::new(source, zone, seed, dissolved, self.signed.as_ref());
        let mut gathered = match gather.run().map_err(CompileError::Source)? {
            Ok(gathered) => gathered,
            Err(why) => return Ok(Attempt::Whole(why)),
        };
        let known = match self.known(&mut gathered)? {
            Ok(known) => known,
            Err(why) => return Ok(Attempt::Whole(why)),
        };
        let mut known = known;
        let bodies = self.park(&mut known);
        if !parking::is_same(self.zone, &bodies) {
            return Ok(Attempt::Whole(
                "what parked names have is other than it was",
            ));
        }
        let table = &gathered.table;
        let used: Vec<_> = (0..table.groups())
            .map(|_| AtomicBool::new(false))
            .collect();
        let mut maker = BodyMaker {
            table,
            names: &known.names,
            apex: self.apex.as_wire(),
            used: &used,
            negative_ttl: known.apex_data.negative_ttl,
            faults: known.faults,
            warnings: Findings::default(),
        };
        let plan = match SharedPlan::make(&mut maker, zone, self.index, &gathered) {
            Ok(plan) => plan,
            Err(attempt) => return Ok(attempt),
        };
        let has_opt_out = self.signed.as_ref().is_some_and(SignedZone::has_opt_out);
        let entries = EntryMaker::new(zone, self.index, &plan, has_opt_out);
        let made = entries.make(&mut maker, &gathered);
        if maker.faults.count() > 0 {
            return Err(refused(&self.apex, maker.faults));
        }
        let Ok(mut made) = made else {
            return Ok(Attempt::Whole("names below a new delegation"));
        };
        made.change.serial = known.apex_data.serial;
        made.change.event = self.event;
        made.change.negative = known.apex_data.negative;
        made.change.parking = bodies;
        made.change.shared = plan.changed;
        made.change.proofs = known.proofs;
        made.signed = known.signed;
        made.parked = known.parked;
        made.resigns = gathered.resigns;
        made.index.contents(plan.forgotten, plan.learned);
        made.names_read = gathered.entries.len();
        let ttl = known.apex_data.negative_ttl;
        match self.chain(&mut made, &gathered, &known.names, ttl) {
            Ok(()) => Ok(Attempt::Made(Box::new(made))),
            Err(ChainError::Whole(why)) => Ok(Attempt::Whole(why)),
            Err(ChainError::Sign(error)) => Err(CompileError::Sign {
                apex: self.apex.clone(),
                error,
            }),
        }
    }

    /// What the names are; groups the table, with what signing adds.
    fn known(&self, gathered: &mut Gathered) -> Result<Result<Known, &'static str>, CompileError> {
        let Gathered { table, entries, .. } = gathered;
        if let Some(signed) = &self.signed {
            return signed.sign(table, &self.apex, entries, self.children);
        }
        table.group();
        let checked = CheckedZone::check(table, &self.apex, None, &Options::default())?;
        if !matches!(checked.chain, Chain::Unsigned) {
            return Ok(Err("the zone gets signed"));
        }
        Ok(Ok(Known {
            names: checked.names,
            apex_data: checked.apex_data,
            faults: checked.faults,
            signed: SignedCounts::default(),
            proofs: ProofsChange::Kept,
            parked: Vec::new(),
        }))
    }

    /// Takes over what parked names are; returns what the zone has for them.
    fn park(&self, known: &mut Known) -> Vec<ParkedBody> {
        let apex = self.apex.as_wire();
        if self.children.is_some() {
            parking::check(self.parking, apex, &mut known.faults);
            return Vec::new();
        }
        let (names, bodies) = parking::prepare(self.parking, apex, &mut known.faults);
        known.names.parking = names;
        bodies
    }

    /// Child zones come, change and go with their cuts, and are signed anew in time.
    fn follow(
        &self,
        written: &mut Written,
        parked: Vec<Child>,
        resigns: bool,
        installer: &mut Installer,
    ) -> Result<(), CompileError> {
        let Some(children) = self.children else {
            return Ok(());
        };
        let image = self.zone.generation();
        let parked: BTreeMap<_, _> = parked
            .into_iter()
            .map(|child| (child.apex.clone(), child))
            .collect();
        let mut due = BTreeSet::new();
        for name in written.names.keys() {
            match parked.get(name) {
                Some(child) => {
                    written.children += i64::from(!children::has(image, name));
                    due.insert(child.clone());
                }
                None => written.children -= i64::from(children::remove(image, name, installer)),
            }
        }
        if resigns {
            let old = children.due(self.zone).into_iter();
            due.extend(old.filter(|child| !written.names.contains_key(&child.apex)));
        }
        let due: Vec<_> = due.into_iter().collect();
        let counts = children.compile(&due, installer.kept().as_ref(), installer)?;
        written.signed.made += counts.signed.made;
        written.signed.kept += counts.signed.kept;
        Ok(())
    }

    /// The NSEC3 records of a zone that has them.
    fn chain(
        &self,
        made: &mut Made,
        gathered: &Gathered,
        names: &super::classify::Names,
        ttl: u32,
    ) -> Result<(), ChainError> {
        let Some(signed) = self.signed.as_ref().filter(|signed| signed.has_nsec3()) else {
            return Ok(());
        };
        let Gathered { table, due, .. } = gathered;
        let chain = NewChain::new(self.zone, signed, &made.proven, table, names)?;
        let chain = chain.refreshing(due);
        let changes = chain.changes(signed, &self.apex, ttl, &mut made.signed)?;
        made.change.proofs = ProofsChange::Nsec3(changes);
        Ok(())
    }
}

fn written(zone: Zone<'_>, made: Made) -> Written {
    let ZoneChange {
        apex,
        serial,
        event,
        delegations_count,
        names,
        shared,
        proofs,
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
        proofs_changed: match &proofs {
            ProofsChange::Nsec3(changes) => changes.len(),
            _ => 0,
        },
        signed: made.signed,
        delegations_before: zone.info().delegations,
        delegations: delegations_count,
        children: 0,
        index: made.index,
        apex: name(&Vec::new()),
    }
}

#[cfg(test)]
mod tests;
