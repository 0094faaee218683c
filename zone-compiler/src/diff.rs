//! What a publish would change: the records that a source has and an installed zone has
//! not, and the other way round.
//!
//! Reads the names that changed and nothing else, so it costs what the change costs.
//! Addresses of hosts below a delegation have no place of their own in an image; they
//! are found with the delegations that name the host now or did so before.

use std::collections::BTreeSet;
use std::convert::Infallible;

use zone_image::layout::Part;
use zone_image::{Name, Zone};

use crate::source::{ChangeSource, NAMES_MAX, SourceError};
use crate::wire::each_record_of;
use crate::{Record, RecordType};

/// Records in master format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Records that come.
    pub added: BTreeSet<String>,
    /// Records that go.
    pub removed: BTreeSet<String>,
}

/// Compares; `None` where the source cannot say which names changed.
pub fn difference(
    source: &mut dyn ChangeSource,
    zone: Zone<'_>,
) -> Result<Option<Difference>, SourceError> {
    let Some(changed) = source.changed()? else {
        return Ok(None);
    };
    let mut changed = changed.names;
    // The serial is in the SOA.
    changed.insert(source.apex().clone());
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    let mut looked_at = changed.clone();
    for names in changed
        .iter()
        .cloned()
        .collect::<Vec<_>>()
        .chunks(NAMES_MAX)
    {
        source.records_of(names, &mut |record| {
            after.insert(lower(&record).to_string());
        })?;
        looked_at.extend(source.delegations_to(names)?);
    }
    for name in looked_at {
        of_image(zone, &name, &changed, &mut before);
    }
    Ok(Some(Difference {
        added: after.difference(&before).cloned().collect(),
        removed: before.difference(&after).cloned().collect(),
    }))
}

/// The records with a changed owner in the entry of `name`.
fn of_image(zone: Zone<'_>, name: &Name, changed: &BTreeSet<Name>, found: &mut BTreeSet<String>) {
    if !name.as_wire().ends_with(zone.apex()) {
        return;
    }
    let Some(entry) = zone.find(name.as_wire()) else {
        return;
    };
    let all = each_record_of(zone, entry, &mut |part, record| {
        let is_own = matches!(part, Part::Records | Part::RequiredGlue | Part::SiblingGlue);
        if is_own && changed.contains(&record.owner) {
            found.insert(lower(&record).to_string());
        }
        Ok::<_, Infallible>(())
    });
    let Ok(()) = all;
}

/// An image keeps owners in lower case, and so that both sides compare, so do we.
fn lower(record: &Record) -> Record {
    let is_name = record.rtype == RecordType::NS;
    Record {
        owner: record.owner.to_lowercase(),
        rdata: if is_name {
            record.rdata.to_ascii_lowercase().into()
        } else {
            record.rdata.clone()
        },
        ..record.clone()
    }
}
