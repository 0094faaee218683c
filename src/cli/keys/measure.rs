//! `meridian keys measure`: signatures a second, by a key in memory and by a token's.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::Context;
use serde_json::json;
use zone_compiler::RecordType;
use zone_compiler::sign::{Algorithm, RrsetSigner, SignableRrset, Signing, SigningPolicy, ZoneKey};
use zone_image::Name;

use super::super::{Global, output};
use super::arguments::MeasureArgs;
use crate::clock::unix_seconds;
use crate::keys::vault::Vault;

/// Delegations that a thread takes at a time.
const CHUNK: u32 = 64;
const DS_TTL: u32 = 86_400;

pub(super) fn run(args: &MeasureArgs, vault: &Vault, global: &Global) -> anyhow::Result<()> {
    let algorithm = Algorithm::from_number(args.algorithm)?;
    let threads = args.threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, NonZero::get),
        usize::from,
    );
    let mut rows = Vec::new();
    for store in &args.store {
        let label = format!("meridian measure {algorithm}");
        let key = vault.sample(algorithm, store, &label)?;
        let keys = vec![ZoneKey::combined(key)];
        let signing = Signing::new(SigningPolicy::default(), keys, unix_seconds())?;
        let begin = Instant::now();
        sign(&signing, args.delegations, threads).context("not signed")?;
        let seconds = begin.elapsed().as_secs_f64();
        let rate = f64::from(args.delegations) / seconds;
        if global.json {
            rows.push(json!({
                "store": store, "algorithm": args.algorithm, "delegations": args.delegations,
                "threads": threads, "seconds": seconds, "signatures-per-second": rate,
            }));
        } else {
            output::line(format_args!(
                "{store}: {} delegations signed by {algorithm} in {seconds:.2} s with {threads} \
                 threads, {rate:.0} a second",
                args.delegations
            ));
        }
    }
    if global.json {
        return output::json(&rows);
    }
    Ok(())
}

/// Signs the DS set of each delegation once.
fn sign(signing: &Signing, delegations: u32, threads: usize) -> anyhow::Result<()> {
    let apex: Name = "measure.".parse()?;
    let signer = RrsetSigner::new(signing, &apex);
    let next = AtomicU32::new(0);
    let work = || -> anyhow::Result<()> {
        loop {
            let begin = next.fetch_add(CHUNK, Ordering::Relaxed);
            if begin >= delegations {
                return Ok(());
            }
            for number in begin..delegations.min(begin + CHUNK) {
                let owner: Name = format!("d{number}.measure.").parse()?;
                let hash = [number.to_be_bytes(); 8];
                let digest = [&[0x12, 0x34, 13, 2], hash.as_flattened()].concat();
                signer.sign(&SignableRrset {
                    owner: owner.as_wire(),
                    rtype: RecordType::DS,
                    ttl: DS_TTL,
                    rdata: &[&digest],
                })?;
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut outcomes = threads.into_iter().map(|thread| thread.join());
        outcomes.try_for_each(|outcome| outcome.expect("what panics has said so"))
    })
}
