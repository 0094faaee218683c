//! The primary's side: puts out what is served.
//!
//! Woken by each swap, it uploads what segments the store lacks, small ones together in one
//! pack, then the manifest; swaps that come while it works, or within the interval, go out
//! together, so that a store which is paid by the request gets two for many changes. Packs
//! that no manifest names any more stay for a while for edges that are behind. It reads the
//! segments of the generation in memory, so no fold or publish takes them away meanwhile.
//! A store whose manifest another primary signed is left as it is.

mod store;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use zone_image::Generation;
use zone_image::layout::SegmentRef;
use zone_image::shipment::GenerationFile;

use self::store::Standing;
use super::depot::{Access, Depot, Place};
use super::key::{PublicKey, SigningKey};
use super::manifest::{Counter, Manifest, Pack};
use super::state::{Failure, State, Trouble};
use crate::background::Background;
use crate::dns::generations::Generations;
use crate::dns::net::yield_to_workers;

/// Octets of segments after which a pack is full; a larger segment has one for itself.
const PACK_FILL_BYTES: u64 = 32 << 20;
/// How long a pack stays at least that was uploaded for a manifest which is not there yet.
const UNNAMED_KEEP_MIN: Duration = Duration::from_secs(3600);
/// Pauses after a failure: they double from the first to the last.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How far the last manifest may be ahead of this clock before that is said.
const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(300);
/// How often it is looked whether the registry's epoch is known.
const POSITION_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for the thread at the end: what was not put out is at the next start.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How and where it is put out.
pub struct Settings {
    /// The depot that is written to.
    pub place: Place,
    /// How it is reached.
    pub access: Access,
    /// Signs manifests.
    pub key: SigningKey,
    /// Whose manifests in the store are believed beside our own key's.
    pub trusted: Vec<PublicKey>,
    /// Shortest time between two manifests.
    pub interval: Duration,
    /// How long a manifest may be installed.
    pub expiry: Duration,
    /// After how long one is made though nothing changed.
    pub refresh: Duration,
    /// How long a pack stays that no manifest names any more.
    pub keep: Duration,
    /// Epoch of the registry and the event that is served; `None` until they are known.
    pub position: Box<dyn Fn() -> Option<(u64, u64)> + Send>,
    /// Microseconds since 1970.
    pub clock: fn() -> i64,
    /// Names the one manifest that may be overwritten though nobody signed it whom we know.
    pub replace: Option<String>,
}

/// What was put out last, for whoever serves it from here.
#[derive(Debug, Clone)]
pub struct Current {
    /// The manifest.
    pub octets: Arc<[u8]>,
    /// Tells it from others.
    pub tag: String,
}

/// The running thread; dropped, it stops.
#[derive(Debug)]
pub struct Distributor {
    state: Arc<State>,
    current: watch::Receiver<Option<Current>>,
    stop: watch::Sender<bool>,
    _thread: Background,
}

impl Distributor {
    /// Starts it.
    pub fn spawn(settings: Settings, generations: Arc<Generations>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let state = Arc::new(State::default());
        let (announce, current) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::clone(&state);
        let thread = Background::spawn("distributor", STOP_TIMEOUT, move || {
            yield_to_workers();
            let work = Work {
                swaps: generations.swaps(),
                settings,
                generations,
                state: shared,
                announce,
                depot: None,
                last: None,
                retired: BTreeMap::new(),
                foreign: BTreeSet::new(),
                surveyed: Instant::now(),
                standing: Standing::Nothing,
            };
            runtime.block_on(work.run(stopped));
        })?;
        Ok(Self {
            state,
            current,
            stop,
            _thread: thread,
        })
    }

    /// What can be seen of it.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// What was put out last.
    pub fn current(&self) -> watch::Receiver<Option<Current>> {
        self.current.clone()
    }
}

impl Drop for Distributor {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

struct Work {
    settings: Settings,
    generations: Arc<Generations>,
    swaps: watch::Receiver<u64>,
    state: Arc<State>,
    announce: watch::Sender<Option<Current>>,
    depot: Option<Depot>,
    /// What the store has.
    last: Option<Manifest>,
    /// Packs that the last manifest does not name, with their parts where these are known,
    /// and when they may go.
    retired: BTreeMap<[u8; 32], (Option<Pack>, Instant)>,
    /// Packs that were there when the store's manifest could not be believed: somebody may
    /// need them, and they are never deleted from here.
    foreign: BTreeSet<[u8; 32]>,
    /// When it was looked what the store has.
    surveyed: Instant,
    /// What the next manifest takes the place of.
    standing: Standing,
}

impl Work {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let (mut pause, mut due) = (PAUSE_MIN, Instant::now());
        loop {
            tokio::select! {
                biased;
                // A sender that is gone means the same.
                _ = stop.wait_for(|stop| *stop) => return,
                () = sleep_until(due) => {}
            }
            let begun = Instant::now();
            self.swaps.mark_unchanged();
            let done = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                done = self.put_out() => done,
            };
            match done {
                Ok(remark) => {
                    match remark {
                        Some(remark) => self.state.fail(remark),
                        None => self.state.recover(),
                    }
                    pause = PAUSE_MIN;
                    let refresh = begun + self.settings.refresh;
                    tokio::select! {
                        biased;
                        _ = stop.wait_for(|stop| *stop) => return,
                        // Without a sender the server is going.
                        changed = self.swaps.changed() => if changed.is_err() { return },
                        () = sleep_until(refresh) => {}
                    }
                    due = (begun + self.settings.interval).max(Instant::now());
                }
                Err(failure) => {
                    self.state.fail(failure);
                    // What the store has by now is not known.
                    self.depot = None;
                    due = Instant::now() + pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// What is put out may leave something to be said that does not hinder it.
    async fn put_out(&mut self) -> Result<Option<Failure>, Failure> {
        let position = loop {
            match (self.settings.position)() {
                Some(position) => break position,
                None => sleep(POSITION_INTERVAL).await,
            }
        };
        let generation = self.generations.current();
        if generation.file().is_empty() {
            return Ok(None);
        }
        if self.depot.is_none() {
            self.open(position.0).await?;
        }
        self.survey().await?;
        let file = GenerationFile::parse(generation.file().to_vec());
        let file = file.map_err(|error| Failure::new(Trouble::Image, error))?;
        let now = u64::try_from((self.settings.clock)()).unwrap_or_default();
        let counter = self.next_counter(position, file.event(), now)?;
        let ahead = Duration::from_micros(counter.made_at.saturating_sub(now));
        self.state.knows(counter, now / 1_000_000);
        let packs = self.packs(&generation, &file).await?;
        let expiry = u64::try_from(self.settings.expiry.as_micros()).unwrap_or(u64::MAX);
        let manifest = Manifest {
            counter,
            expires_at: now.saturating_add(expiry),
            generation: file,
            packs,
        };
        let octets = manifest.sign(&self.settings.key);
        self.put_manifest(&octets).await?;
        self.state.did(counter, manifest.expires_at);
        self.state.count_manifest();
        let tag = format!("\"{}\"", manifest_name(&octets));
        self.announce.send_replace(Some(Current {
            octets: octets.into(),
            tag,
        }));
        self.retire(manifest);
        let remark = self.delete_retired().await;
        let is_far = ahead > CLOCK_AHEAD_MAX;
        Ok(remark.or_else(|| is_far.then(|| self.clock_differs(ahead))))
    }

    fn clock_differs(&self, ahead: Duration) -> Failure {
        let text = format!(
            "{}: the manifests there say that they were made {} min after this clock's time: \
             this clock is slow, or another was fast; the next event ends it",
            self.settings.place,
            ahead.as_secs() / 60
        );
        Failure::new(Trouble::Manifest, text)
    }

    /// Above the last one, whatever the clock says.
    fn next_counter(
        &self,
        (epoch, served): (u64, u64),
        event: u64,
        now: u64,
    ) -> Result<Counter, Failure> {
        let own = Counter {
            epoch,
            event: event.max(served),
            made_at: now,
        };
        let Some(last) = self.last.as_ref().map(|last| last.counter) else {
            return Ok(own);
        };
        self.check_epoch(epoch)?;
        let event = match last.epoch == epoch {
            true => own.event.max(last.event),
            false => own.event,
        };
        // Above it by epoch or event, it owes nothing to a clock that was wrong once.
        let made_at = match (epoch, event) > (last.epoch, last.event) {
            true => now,
            false => now.max(last.made_at.saturating_add(1)),
        };
        Ok(Counter {
            epoch,
            event,
            made_at,
        })
    }

    /// A store that another primary with a higher epoch has taken is left alone.
    fn check_epoch(&self, epoch: u64) -> Result<(), Failure> {
        let theirs = self.last.as_ref().map_or(0, |last| last.counter.epoch);
        if theirs <= epoch {
            return Ok(());
        }
        let text = format!(
            "{}: has a manifest of epoch {theirs}, and ours is {epoch}: another primary has \
             taken over, or the registry was restored from a backup; then raise \
             distribution.epoch-min to more than that",
            self.settings.place
        );
        Err(Failure::new(Trouble::Deposed, text))
    }

    fn depot(&self) -> &Depot {
        self.depot.as_ref().expect("opened before anything is put")
    }

    /// Places for all segments; what has none is uploaded.
    async fn packs(
        &mut self,
        generation: &Generation,
        file: &GenerationFile,
    ) -> Result<Vec<Pack>, Failure> {
        let mut known = BTreeMap::new();
        let kept = self.retired.values().filter_map(|(pack, _)| pack.as_ref());
        for pack in kept.chain(self.last.iter().flat_map(|last| &last.packs)) {
            known.extend(pack.parts.iter().map(|part| (part.segment, (pack, *part))));
        }
        let mut packs: BTreeMap<[u8; 32], Pack> = BTreeMap::new();
        let mut missing = Vec::new();
        for segment in file.segments() {
            let Some((pack, part)) = known.get(&segment.digest) else {
                missing.push(segment.clone());
                continue;
            };
            let entry = packs.entry(pack.name).or_insert_with(|| Pack {
                parts: Vec::new(),
                ..(*pack).clone()
            });
            entry.parts.push(*part);
        }
        let mut packs: Vec<_> = packs.into_values().collect();
        for group in groups(missing) {
            let pack = self.upload(generation, &group).await?;
            // Should what follows fail, this one is there already.
            let gone_at = Instant::now() + self.settings.keep.max(UNNAMED_KEEP_MIN);
            self.retired
                .insert(pack.name, (Some(pack.clone()), gone_at));
            packs.push(pack);
        }
        Ok(packs)
    }

    /// Notes which packs are named no more, and from when.
    fn retire(&mut self, manifest: Manifest) {
        let named: BTreeSet<_> = manifest.packs.iter().collect_names();
        let gone_at = Instant::now() + self.settings.keep;
        for pack in self
            .last
            .replace(manifest)
            .into_iter()
            .flat_map(|old| old.packs)
        {
            if !named.contains(&pack.name) && !self.foreign.contains(&pack.name) {
                self.retired.insert(pack.name, (Some(pack), gone_at));
            }
        }
        self.retired.retain(|name, _| !named.contains(name));
    }
}

/// Tells a manifest from all others.
fn manifest_name(octets: &[u8]) -> String {
    blake3::hash(octets).to_hex()[..32].to_owned()
}

/// Small segments together, in the order of the file.
fn groups(segments: Vec<SegmentRef>) -> Vec<Vec<SegmentRef>> {
    let mut groups: Vec<Vec<SegmentRef>> = Vec::new();
    let mut fill = u64::MAX;
    for segment in segments {
        fill = fill.saturating_add(segment.bytes);
        match groups.last_mut() {
            Some(group) if fill <= PACK_FILL_BYTES => group.push(segment),
            _ => {
                fill = segment.bytes;
                groups.push(vec![segment]);
            }
        }
    }
    groups
}

trait CollectNames {
    fn collect_names(self) -> BTreeSet<[u8; 32]>;
}

impl<'p, I: Iterator<Item = &'p Pack>> CollectNames for I {
    fn collect_names(self) -> BTreeSet<[u8; 32]> {
        self.map(|pack| pack.name).collect()
    }
}

#[cfg(test)]
mod tests;
