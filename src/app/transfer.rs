//! Zone transfer: its keys, its rules, and how it comes to the data plane.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::unix_seconds;
use crate::config::{self, Config};
use crate::control::TransferVitals;
use crate::dns::engine::{Engine, EngineConfig};
use crate::dns::generations::Generations;
use crate::dns::net::tls::{DOT, DOT_WITH_CLIENTS};
use crate::net::credentials::Credentials;
use crate::transfer::Outgoing;
use crate::transfer::access::Access;
use crate::transfer::history::{self, History, Keeper};
use crate::transfer::key::Keys;
use crate::transfer::notify::{Notifier, Secondary};
use crate::transfer::outgoing::Settings;

/// Certificate and key of DNS over TLS, where clients are asked for theirs if a rule of
/// transfers wants to know them.
pub(super) fn credentials(config: &Config) -> anyhow::Result<Option<Arc<Credentials>>> {
    let purpose = match config.transfer.access.asks_certificates() {
        true => DOT_WITH_CLIENTS,
        false => DOT,
    };
    let tls = config.dns.tls.as_ref();
    tls.map(|tls| super::credentials(purpose, tls)).transpose()
}

/// What sends zones.
#[derive(Debug)]
pub(super) struct Transfers {
    pub(super) outgoing: Arc<Outgoing>,
    history: Arc<History>,
    notifier: Option<Arc<Notifier>>,
    access: Access,
}

impl Transfers {
    /// Of what `generations` serves, if anybody may have it, has a key or is told of it.
    pub(super) fn open(
        config: &Config,
        generations: &Arc<Generations>,
    ) -> anyhow::Result<Option<Self>> {
        let transfer = &config.transfer;
        if !transfer.is_on() {
            return Ok(None);
        }
        let keys = read_keys(transfer)?;
        let settings = Settings {
            keys: keys.clone(),
            access: transfer.access.clone(),
            concurrent_max: transfer.concurrent_max,
            udp_payload_bytes_max: config.dns.udp_payload_bytes_max,
        };
        let journal = transfer.journal.as_ref();
        let journal = journal.map(|(directory, limits)| (directory.as_path(), *limits));
        let history = History::open(Arc::clone(generations), journal).with_context(|| {
            let directory = journal.map(|(directory, _)| directory.display().to_string());
            format!(
                "cannot open transfer.journal-directory: {}",
                directory.unwrap_or_default()
            )
        })?;
        let history = Arc::new(history);
        let outgoing = Outgoing::new(settings, Arc::clone(&history), unix_seconds);
        let secondaries = secondaries(transfer, &keys);
        let notifier = (!secondaries.is_empty())
            .then(|| Notifier::spawn(secondaries, outgoing.counters(), unix_seconds))
            .transpose()
            .context("cannot start the thread that tells secondaries")?;
        Ok(Some(Self {
            outgoing: Arc::new(outgoing),
            history,
            notifier: notifier.map(Arc::new),
            access: transfer.access.clone(),
        }))
    }

    /// The thread that follows what is served and has secondaries told.
    pub(super) fn spawn_keeper(transfers: Option<&Self>) -> anyhow::Result<Option<Keeper>> {
        let keeper = transfers.map(|own| {
            Keeper::spawn(history::Settings {
                history: Arc::clone(&own.history),
                access: own.access.clone(),
                notifier: own.notifier.clone(),
                clock: unix_seconds,
            })
        });
        keeper
            .transpose()
            .context("cannot start the thread that follows what is served")
    }

    pub(super) fn vitals(&self) -> TransferVitals {
        TransferVitals {
            counters: self.outgoing.counters(),
            history: Arc::clone(&self.history),
            notifier: self.notifier.clone(),
        }
    }
}

fn secondaries(transfer: &config::Transfer, keys: &Keys) -> Vec<Secondary> {
    let secondaries = transfer.notify.iter().map(|notify| {
        let key = notify.key.as_ref().and_then(|name| keys.find(name));
        Secondary {
            address: notify.address,
            zones: notify.zones.clone(),
            key: key.cloned(),
        }
    });
    secondaries.collect()
}

fn read_keys(transfer: &config::Transfer) -> anyhow::Result<Keys> {
    let keys = match &transfer.keys_file {
        None => Keys::default(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(anyhow::Error::from)
            .and_then(|text| Ok(Keys::parse(&text)?))
            .with_context(|| format!("cannot read transfer.keys-file: {}", path.display()))?,
    };
    if let Some(fault) = transfer.key_fault(&keys) {
        anyhow::bail!("{fault}; see transfer.allow and transfer.notify");
    }
    Ok(keys)
}

/// The engine that serves: it hands on what is no plain question.
pub(super) fn engine(config: EngineConfig, transfers: Option<&Transfers>) -> Engine {
    Engine::new(EngineConfig {
        aside: transfers.map(|transfers| Arc::clone(&transfers.outgoing) as _),
        ..config
    })
}
