//! Signs the table of a zone before it is checked and compiled, so that a signed zone
//! takes the same way into an image whoever signed it.
//!
//! Records of a former signer are left out when the table is read. Work is split over
//! all cores in jobs of one name or one NSEC3; what they make is added at the end.
//! Never signs what a delegation has but its DS, nor anything below it (RFC 4035
//! section 2.2).

mod chain;
mod jobs;
mod previous;
mod zonemd;

use zone_image::{Generation, Name};

use self::chain::NewChain;
pub(crate) use self::chain::types_of;
use self::jobs::Jobs;
pub(crate) use self::jobs::{Made, ZoneSigner};
pub(crate) use self::previous::PreviousZone;
use super::apex::{self, ApexData};
use super::children::{Child, Children};
use super::classify::{Classifier, Names};
use super::fault::Findings;
use super::table::{Rows, Table};
use super::{CompileError, Progress, Stage, refused};
use crate::record::RecordType;
use crate::sign::{RrsetSigner, SignError, Signing};

/// What signing added to a zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignedCounts {
    /// Signatures made.
    pub made: u64,
    /// Signatures of the image before that are still good.
    pub kept: u64,
    /// Records of a former signer in the source, which were left out.
    pub dropped: u64,
}

/// Whether a record of the source is the work of a signer, in whose place we are.
pub(crate) fn is_of_signer(rtype: RecordType, at_apex: bool) -> bool {
    match rtype {
        RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3 => true,
        RecordType::NSEC3PARAM
        | RecordType::DNSKEY
        | RecordType::CDS
        | RecordType::CDNSKEY
        | RecordType::ZONEMD => at_apex,
        _ => false,
    }
}

/// A zone that is to be signed.
pub(crate) struct Unsigned<'o> {
    /// Lower case.
    pub(crate) apex: &'o Name,
    pub(crate) signing: &'o Signing,
    pub(crate) previous: Option<&'o Generation>,
    /// What its parked names are to have, where they are signed.
    pub(crate) children: Option<&'o Children<'o>>,
}

/// A table that was signed.
pub(crate) struct SignedTable {
    pub(crate) counts: SignedCounts,
    pub(crate) names: Names,
    /// Parked names that got a DS.
    pub(crate) children: Vec<Child>,
}

impl Unsigned<'_> {
    /// Adds what signing adds to the records of the zone and groups them; also says what
    /// its names are.
    pub(crate) fn sign(
        &self,
        table: &mut Table,
        warnings: &mut Findings,
        progress: &dyn Fn(Progress),
    ) -> Result<SignedTable, CompileError> {
        let Self { apex, signing, .. } = *self;
        add_apex_records(table, apex, signing);
        table.group();
        let children = self
            .children
            .map(|children| children.add_ds(table, apex.as_wire()));
        let (names, apex_data) = check(table, apex, signing, warnings)?;
        let zonemd = signing.policy().zonemd;
        if zonemd {
            zonemd::set_ttl(table, apex, &apex_data);
        }
        let (added, counts) = self.records(table, &names, &apex_data, progress)?;
        let glue = zonemd.then(|| zonemd::glue_in_use(table, &names, apex));
        table.append(added);
        if let Some(in_use) = glue {
            let done = zonemd::complete(table, apex, signing, &in_use);
            done.map_err(|error| self.failed(error))?;
        }
        Ok(SignedTable {
            counts,
            names: names.after_signing(table),
            children: children.unwrap_or_default(),
        })
    }

    /// Proofs and signatures.
    fn records(
        &self,
        table: &Table,
        names: &Names,
        apex_data: &ApexData,
        progress: &dyn Fn(Progress),
    ) -> Result<(Vec<Rows>, SignedCounts), CompileError> {
        let Self { apex, signing, .. } = *self;
        let mut faults = Findings::default();
        let denial = signing.policy().denial;
        let chain = NewChain::new(table, names, apex, denial, &mut faults);
        if faults.count() > 0 {
            return Err(refused(apex, faults));
        }
        let before = |generation| PreviousZone::new(generation, apex, signing);
        let jobs = Jobs {
            table,
            names,
            apex,
            negative_ttl: apex_data.negative_ttl,
            signer: ZoneSigner {
                signer: RrsetSigner::new(signing, apex),
                previous: self.previous.and_then(before),
            },
            chain: &chain,
        };
        let made = jobs.run(&|done, total| {
            progress(Progress {
                stage: Stage::Sign,
                done,
                total,
            });
        });
        made.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: SignError) -> CompileError {
        CompileError::Sign {
            apex: self.apex.clone(),
            error,
        }
    }
}

/// Adds the records that signing brings to the apex, to a table that is not grouped yet.
pub(crate) fn add_apex_records(table: &mut Table, apex: &Name, signing: &Signing) {
    let owner = apex.as_wire();
    for (rtype, ttl, rdata) in signing.apex_records(apex) {
        table.push_wire(owner, rtype, ttl, &rdata);
    }
    if signing.policy().zonemd {
        let placeholder = zonemd::rdata(0, &[0; zonemd::DIGEST_BYTES]);
        table.push_wire(owner, RecordType::ZONEMD, 0, &placeholder);
    }
}

/// Refuses a zone that is broken before work goes into signing it.
pub(crate) fn check(
    table: &Table,
    apex: &Name,
    signing: &Signing,
    warnings: &mut Findings,
) -> Result<(Names, ApexData), CompileError> {
    let mut classifier = Classifier {
        table,
        apex: apex.as_wire(),
        faults: Findings::default(),
        warnings: Findings::default(),
    };
    let names = classifier.run();
    let mut faults = classifier.faults;
    warnings.extend(classifier.warnings);
    let Some(apex_data) = apex::read(table, apex.as_wire(), &mut faults) else {
        return Err(refused(apex, faults));
    };
    check_expire(apex, &apex_data, signing, &mut faults, warnings);
    if faults.count() > 0 {
        return Err(refused(apex, faults));
    }
    Ok((names, apex_data))
}

/// RFC 6781 section 4.4.1: a secondary that hears nothing more serves for as long as
/// SOA's expire says, and must not serve signatures that have expired.
fn check_expire(
    apex: &Name,
    apex_data: &ApexData,
    signing: &Signing,
    faults: &mut Findings,
    warnings: &mut Findings,
) {
    let expire = apex_data.expire;
    let policy = signing.policy();
    if expire >= policy.shortest_life_seconds() {
        let text = format!(
            "SOA expire of {expire} s is not shorter than the life of a new signature, at least \
             {} s; lower it or raise the validity",
            policy.shortest_life_seconds()
        );
        faults.push(apex.as_wire(), text);
    } else if expire > policy.refresh_seconds {
        let text = format!(
            "SOA expire of {expire} s is longer than signatures have left at their refresh, {} s",
            policy.refresh_seconds
        );
        warnings.push(apex.as_wire(), text);
    }
}

#[cfg(test)]
mod tests;
