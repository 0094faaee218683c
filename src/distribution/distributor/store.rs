//! What is done at the store itself: a look at what it has, its manifest, deletes.
//!
//! What is there is never taken for nothing: a manifest that cannot be believed is somebody's,
//! and neither it nor anything it may name is touched, unless whoever runs this says so.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion};
use tokio::time::{Instant, timeout};

use super::super::depot::{Depot, DepotError, Fetched, Listed, Place, hex};
use super::super::manifest::{Counter, Manifest, Pack};
use super::super::state::{Failure, Trouble};
use super::{CollectNames as _, Work, manifest_name};

/// Longest time for a manifest to be put.
const MANIFEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Packs that are deleted after one manifest.
const DELETES_MAX: usize = 1000;
/// Longest wait for the next answer to a delete.
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long packs that could not be deleted are left alone.
const DELETE_PAUSE: Duration = Duration::from_secs(600);

/// What was seen last in the place of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// None.
    Nothing,
    /// The one that the store gave this tag.
    Tagged(String),
    /// One, and the store does not tell it from others.
    Untagged,
}

impl Standing {
    fn of(tag: Option<String>) -> Self {
        tag.map_or(Self::Untagged, Self::Tagged)
    }
}

impl Work {
    /// Opens the store and learns what it has.
    pub(super) async fn open(&mut self, epoch: u64) -> Result<(), Failure> {
        let store = |error: DepotError| Failure::new(Trouble::Store, error);
        let depot = Depot::open(&self.settings.place, &self.settings.access).map_err(store)?;
        self.last = match depot.manifest(None, Duration::ZERO).await {
            Ok(Some(Fetched { octets, tag })) => {
                self.standing = Standing::of(tag);
                self.believe(&octets)?
            }
            Ok(None) | Err(DepotError::Missing { .. }) => {
                self.standing = Standing::Nothing;
                None
            }
            Err(error) => return Err(store(error)),
        };
        self.check_epoch(epoch)?;
        // From here on the store is ours: nobody else is at work on what is not whole yet.
        depot.sweep();
        let there = depot.packs().await.map_err(store)?;
        self.forget_lost(&there);
        let there = there.packs.into_keys();
        match &self.last {
            Some(last) => {
                let named: BTreeSet<_> = last.packs.iter().collect_names();
                let gone_at = Instant::now() + self.settings.keep;
                for name in there {
                    if !named.contains(&name) && !self.foreign.contains(&name) {
                        self.retired.entry(name).or_insert((None, gone_at));
                    }
                }
            }
            None => self.foreign.extend(there),
        }
        self.depot = Some(depot);
        Ok(())
    }

    /// Looks from time to time whether what was put is still there.
    pub(super) async fn survey(&mut self) -> Result<(), Failure> {
        // A wake-up that comes a moment early is as good.
        if self.surveyed.elapsed() * 2 < self.settings.refresh {
            return Ok(());
        }
        let there = self.depot().packs().await;
        let there = there.map_err(|error| Failure::new(Trouble::Store, error))?;
        self.forget_lost(&there);
        Ok(())
    }

    /// Forgets packs that are gone, or of another size: what is needed of them is uploaded
    /// again.
    fn forget_lost(&mut self, there: &Listed) {
        self.surveyed = Instant::now();
        let is_there = |pack: &Pack| match there.packs.get(&pack.name) {
            Some(bytes) => *bytes == pack.bytes,
            None => !there.is_whole,
        };
        for (pack, _) in self.retired.values_mut() {
            *pack = pack.take().filter(&is_there);
        }
        let Some(last) = &mut self.last else { return };
        let named = last.packs.len();
        last.packs.retain(is_there);
        let lost = named - last.packs.len();
        if lost > 0 {
            let place = &self.settings.place;
            tracing::warn!(%place, lost, "packs are gone or damaged, and uploaded again");
        }
    }

    /// The manifest that the store has. One that nobody signed whom we know is another
    /// primary's, and `None` only where it was named to be replaced.
    fn believe(&self, octets: &[u8]) -> Result<Option<Manifest>, Failure> {
        let own = [self.settings.key.public()];
        let keys = [&own[..], &self.settings.trusted].concat();
        let refusal = match Manifest::verify(octets, &keys) {
            Ok(manifest) => return Ok(Some(manifest)),
            Err(refusal) => refusal,
        };
        let name = manifest_name(octets);
        if self.settings.replace.as_ref() == Some(&name) {
            tracing::warn!(%refusal, name, "the store's manifest is replaced, as was asked for");
            return Ok(None);
        }
        let stated = match Counter::stated_in(octets) {
            Some(counter) => format!(" (it says {counter})"),
            None => String::new(),
        };
        let text = format!(
            "{}: {refusal}{stated}; another primary may write there, so nothing is changed. \
             Trust its key by edge.trusted-keys to take over from it, or, to overwrite this \
             one, set distribution.replace-manifest = \"{name}\"",
            self.settings.place
        );
        Err(Failure::new(Trouble::Deposed, text))
    }

    /// Puts a manifest in the place of the one that was seen last, and of no other: whoever
    /// was faster is seen when the store is opened again, and its epoch decides.
    pub(super) async fn put_manifest(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let depot = self.depot();
        let place = depot.place();
        let store = |error: &dyn std::fmt::Display| {
            Failure::new(Trouble::Store, format!("{place}: {error}"))
        };
        let (objects, prefix) = depot.objects().ok_or_else(|| store(&read_only()))?;
        let path = prefix.clone().join("manifest");
        let mode = match (&self.standing, place) {
            (Standing::Nothing, _) => PutMode::Create,
            // A folder can only be looked at before. What comes between is seen the next time.
            (Standing::Tagged(tag), Place::Folder(_)) => {
                let seen = timeout(MANIFEST_TIMEOUT, objects.head(&path)).await;
                let seen = seen.map_err(|_| store(&"no answer in time"))?;
                match seen {
                    Ok(seen) if seen.e_tag.as_ref() == Some(tag) => PutMode::Overwrite,
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {
                        return Err(overtaken(place));
                    }
                    Err(error) => return Err(store(&error)),
                }
            }
            (Standing::Tagged(tag), _) => PutMode::Update(UpdateVersion {
                e_tag: Some(tag.clone()),
                version: None,
            }),
            (Standing::Untagged, _) => PutMode::Overwrite,
        };
        let payload = PutPayload::from(octets.to_vec());
        let put = objects.put_opts(&path, payload, mode.into());
        let put = timeout(MANIFEST_TIMEOUT, put).await;
        let put = match put.map_err(|_| store(&"no answer in time"))? {
            Ok(put) => put,
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => return Err(overtaken(place)),
            Err(error) => return Err(store(&error)),
        };
        self.standing = Standing::of(put.e_tag);
        self.state.count_bytes(octets.len() as u64);
        Ok(())
    }

    /// Deletes packs whose time is over, some at a time. What cannot be deleted is tried
    /// again later, and is no reason to put out less: it is given to be said.
    pub(super) async fn delete_retired(&mut self) -> Option<Failure> {
        let now = Instant::now();
        let over = self.retired.iter();
        let over = over.filter(|(_, (_, gone_at))| *gone_at <= now);
        let over: Vec<_> = over.map(|(name, _)| *name).take(DELETES_MAX).collect();
        let depot = self.depot();
        let (objects, prefix) = depot.objects()?;
        let packs = prefix.clone().join("packs");
        let paths = over.iter().map(|name| Ok(packs.clone().join(hex(name))));
        let paths: Vec<_> = paths.collect();
        let mut deleted = objects.delete_stream(stream::iter(paths).boxed());
        let mut fault = None;
        loop {
            match timeout(DELETE_TIMEOUT, deleted.next()).await {
                Ok(None) => break,
                // One that is gone already is as it should be.
                Ok(Some(Ok(_) | Err(object_store::Error::NotFound { .. }))) => {}
                Ok(Some(Err(error))) => fault = Some(error.to_string()),
                Err(_) => {
                    fault = Some("no answer in time".to_owned());
                    break;
                }
            }
        }
        drop(deleted);
        let Some(fault) = fault else {
            for name in &over {
                self.retired.remove(name);
            }
            return None;
        };
        let text = format!("{}: old packs cannot be deleted: {fault}", depot.place());
        for name in &over {
            if let Some((_, gone_at)) = self.retired.get_mut(name) {
                *gone_at = now + DELETE_PAUSE;
            }
        }
        Some(Failure::new(Trouble::Store, text))
    }
}

fn overtaken(place: &Place) -> Failure {
    let text = format!(
        "{place}: somebody else put out a manifest, or took ours away; its epoch decides who goes on"
    );
    Failure::new(Trouble::Deposed, text)
}

pub(super) fn read_only() -> std::io::Error {
    std::io::Error::other("cannot be written to; name a folder or a bucket")
}
