//! The work of signing, split over all cores.
//!
//! A job is a name with all its RRsets, or one NSEC3. What a thread makes goes into its
//! own rows; the table is not touched before all are done. [`ZoneSigner`] does one name
//! and is the same for an incremental compile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use zone_image::Name;

use super::super::classify::{Names, Standing};
use super::super::fault::Findings;
use super::super::rrset::Rrsets;
use super::super::table::{Rows, Table};
use super::SignedCounts;
use super::chain::{Link, NewChain, Proven};
use super::previous::PreviousZone;
use crate::record::RecordType;
use crate::sign::{RrsetSigner, SignError, SignableRrset, nsec_rdata, nsec3_owner, nsec3_rdata};

/// Jobs that a thread takes at a time.
const JOBS_PER_STEP: usize = 512;

pub(super) struct Jobs<'t> {
    pub(super) table: &'t Table,
    pub(super) names: &'t Names,
    pub(super) apex: &'t Name,
    /// TTL of NSEC and NSEC3 (RFC 9077 section 3).
    pub(super) negative_ttl: u32,
    pub(super) signer: ZoneSigner<'t>,
    pub(super) chain: &'t NewChain,
}

/// Makes the signatures of a zone, or keeps those of the image before.
pub(crate) struct ZoneSigner<'t> {
    pub(crate) signer: RrsetSigner<'t>,
    pub(crate) previous: Option<PreviousZone<'t>>,
}

/// Rows that signing adds to a table.
pub(crate) struct Made {
    pub(crate) rows: Rows,
    pub(crate) counts: SignedCounts,
}

impl Jobs<'_> {
    pub(super) fn run(
        &self,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(Vec<Rows>, SignedCounts), SignError> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let error = Mutex::new(None);
        let work = |progress: Option<&dyn Fn(u64, u64)>| {
            let made = self.work(&next, &stop, progress);
            made.unwrap_or_else(|found| {
                stop.store(true, Ordering::Relaxed);
                *error.lock().expect("nothing panics with it") = Some(found);
                Made::new(self.table)
            })
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(self.total().div_ceil(JOBS_PER_STEP)).max(1);
        let made: Vec<Made> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| work(None))).collect();
            let mut made = vec![work(Some(progress))];
            made.extend(others.into_iter().map(|thread| {
                let made = thread.join();
                made.expect("signing does not panic")
            }));
            made
        });
        if let Some(error) = error.into_inner().expect("nothing panics with it") {
            return Err(error);
        }
        let mut counts = SignedCounts::default();
        for made in &made {
            counts.made += made.counts.made;
            counts.kept += made.counts.kept;
        }
        Ok((made.into_iter().map(|made| made.rows).collect(), counts))
    }

    fn total(&self) -> usize {
        self.table.groups() + self.links().len()
    }

    fn links(&self) -> &[Link] {
        match self.chain {
            NewChain::Nsec { .. } => &[],
            NewChain::Nsec3 { links, .. } => links,
        }
    }

    /// Takes jobs until there are none left.
    fn work(
        &self,
        next: &AtomicUsize,
        stop: &AtomicBool,
        progress: Option<&dyn Fn(u64, u64)>,
    ) -> Result<Made, SignError> {
        let mut made = Made::new(self.table);
        let (groups, total) = (self.table.groups(), self.total());
        while !stop.load(Ordering::Relaxed) {
            let start = next.fetch_add(JOBS_PER_STEP, Ordering::Relaxed);
            if start >= total {
                break;
            }
            if let Some(progress) = progress {
                progress(start as u64, total as u64);
            }
            for job in start..total.min(start + JOBS_PER_STEP) {
                match job.checked_sub(groups) {
                    None => self.group(job, &mut made)?,
                    Some(link) => self.nsec3(link, &mut made)?,
                }
            }
        }
        Ok(made)
    }

    fn group(&self, group: usize, made: &mut Made) -> Result<(), SignError> {
        if !self.names.has_entry(group) {
            return Ok(());
        }
        let owner = self.table.owner(group);
        self.signer.name(self.table, self.names, group, made)?;
        if let NewChain::Nsec { next } = self.chain
            && let Some(next) = next[group]
        {
            let types = self.chain.types(self.table, self.names, group);
            let rdata = nsec_rdata(self.table.owner(next as usize), &types);
            let ttl = self.negative_ttl;
            self.signer
                .proof(owner, RecordType::NSEC, ttl, &rdata, made)?;
        }
        Ok(())
    }

    fn nsec3(&self, at: usize, made: &mut Made) -> Result<(), SignError> {
        let NewChain::Nsec3 { opt_out, links } = self.chain else {
            return Ok(());
        };
        let next = &links[(at + 1) % links.len()].hash;
        let types = match links[at].proven {
            Proven::Group(group) => {
                let group = group as usize;
                self.chain.types(self.table, self.names, group)
            }
            Proven::Empty(_) => Vec::new(),
        };
        let rdata = nsec3_rdata(*opt_out, next, &types);
        let owner = nsec3_owner(&links[at].hash, self.apex);
        let ttl = self.negative_ttl;
        self.signer
            .proof(&owner, RecordType::NSEC3, ttl, &rdata, made)
    }
}

impl ZoneSigner<'_> {
    /// Signs the RRsets of one name: all of them, or of a cut the DS.
    pub(crate) fn name(
        &self,
        table: &Table,
        names: &Names,
        group: usize,
        made: &mut Made,
    ) -> Result<(), SignError> {
        let is_cut = names.standing[group] == Standing::Delegation;
        if is_cut && !table.has(group, RecordType::DS) {
            return Ok(());
        }
        let rrsets = Rrsets::of(table, group, &mut Findings::default());
        let own = |rtype| !is_cut || rtype == RecordType::DS;
        for (&rtype, set) in rrsets.sets.iter().filter(|(rtype, _)| own(**rtype)) {
            let rrset = SignableRrset {
                owner: table.owner(group),
                rtype,
                ttl: set.ttl,
                rdata: &set.rdata,
            };
            self.sign(&rrset, made)?;
        }
        Ok(())
    }

    /// Adds an NSEC or NSEC3 and its signatures.
    pub(crate) fn proof(
        &self,
        owner: &[u8],
        rtype: RecordType,
        ttl: u32,
        rdata: &[u8],
        made: &mut Made,
    ) -> Result<(), SignError> {
        made.rows.push(owner, rtype, ttl, rdata);
        let rrset = SignableRrset {
            owner,
            rtype,
            ttl,
            rdata: &[rdata],
        };
        self.sign(&rrset, made)
    }

    fn sign(&self, rrset: &SignableRrset<'_>, made: &mut Made) -> Result<(), SignError> {
        for rdata in self.signatures(rrset, &mut made.counts)? {
            made.rows
                .push(rrset.owner, RecordType::RRSIG, rrset.ttl, &rdata);
        }
        Ok(())
    }

    /// The RRSIGs of an RRset, made or kept.
    pub(crate) fn signatures(
        &self,
        rrset: &SignableRrset<'_>,
        counts: &mut SignedCounts,
    ) -> Result<Vec<Box<[u8]>>, SignError> {
        let before = match &self.previous {
            Some(previous) => previous.signatures(rrset),
            None => Vec::new(),
        };
        let before: Vec<&[u8]> = before.iter().map(|rdata| &**rdata).collect();
        let signatures = self.signer.sign_or_keep(rrset, &before)?;
        counts.made += u64::from(signatures.made);
        counts.kept += signatures.rdata.len() as u64 - u64::from(signatures.made);
        Ok(signatures.rdata)
    }
}

impl Made {
    pub(crate) fn new(table: &Table) -> Self {
        Self {
            rows: Rows::new(table.seed),
            counts: SignedCounts::default(),
        }
    }
}
