//! The work of signing, split over all cores.
//!
//! A job is a name with all its RRsets, or one NSEC3. What a thread makes goes into its
//! own rows; the table is not touched before all are done.

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
    pub(super) signer: RrsetSigner<'t>,
    pub(super) previous: Option<PreviousZone<'t>>,
    pub(super) chain: &'t NewChain,
}

/// What one thread has made.
struct Made {
    rows: Rows,
    counts: SignedCounts,
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
        let standing = self.names.standing[group];
        let is_cut = standing == Standing::Delegation;
        if !is_cut && standing != Standing::Authoritative {
            return Ok(());
        }
        let owner = self.table.owner(group);
        if !is_cut || self.table.has(group, RecordType::DS) {
            let rrsets = Rrsets::of(self.table, group, &mut Findings::default());
            let own = |rtype| !is_cut || rtype == RecordType::DS;
            for (&rtype, set) in rrsets.sets.iter().filter(|(rtype, _)| own(**rtype)) {
                let rrset = SignableRrset {
                    owner,
                    rtype,
                    ttl: set.ttl,
                    rdata: &set.rdata,
                };
                self.sign(&rrset, made)?;
            }
        }
        if let NewChain::Nsec { next } = self.chain
            && let Some(next) = next[group]
        {
            let types = self.chain.types(self.table, self.names, group);
            let rdata = nsec_rdata(self.table.owner(next as usize), &types);
            self.proof(owner, RecordType::NSEC, &rdata, made)?;
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
        self.proof(&owner, RecordType::NSEC3, &rdata, made)
    }

    /// Adds an NSEC or NSEC3 and its signatures.
    fn proof(
        &self,
        owner: &[u8],
        rtype: RecordType,
        rdata: &[u8],
        made: &mut Made,
    ) -> Result<(), SignError> {
        made.rows.push(owner, rtype, self.negative_ttl, rdata);
        let rrset = SignableRrset {
            owner,
            rtype,
            ttl: self.negative_ttl,
            rdata: &[rdata],
        };
        self.sign(&rrset, made)
    }

    fn sign(&self, rrset: &SignableRrset<'_>, made: &mut Made) -> Result<(), SignError> {
        let before = match &self.previous {
            Some(previous) => previous.signatures(rrset),
            None => Vec::new(),
        };
        let before: Vec<&[u8]> = before.iter().map(|rdata| &**rdata).collect();
        let signatures = self.signer.sign_or_keep(rrset, &before)?;
        made.counts.made += u64::from(signatures.made);
        made.counts.kept += signatures.rdata.len() as u64 - u64::from(signatures.made);
        for rdata in &signatures.rdata {
            made.rows
                .push(rrset.owner, RecordType::RRSIG, rrset.ttl, rdata);
        }
        Ok(())
    }
}

impl Made {
    fn new(table: &Table) -> Self {
        Self {
            rows: Rows::new(table.seed),
            counts: SignedCounts::default(),
        }
    }
}
