//! Distribution, put together: what a primary puts out, and what an edge takes.

use std::sync::Arc;

use anyhow::Context;
use zeroize::Zeroizing;

use crate::clock::unix_microseconds;
use crate::config::{self, Config, Stores};
use crate::control::{DistributionVitals, Side};
use crate::distribution::depot::Access;
use crate::distribution::distributor::{self, Distributor};
use crate::distribution::edge::{self, Edge};
use crate::distribution::key::SigningKey;
use crate::distribution::server::{self, EDGES, Server};
use crate::dns::generations::Generations;
use crate::dns::net::yield_to_workers;
use crate::keys::private_file;
use crate::keys::seal::Secret;
use crate::net::credentials::Credentials;
use crate::net::service;
use crate::publish::Publisher;

/// Connections of edges at once: some hundred nodes with a few each.
const CONNECTIONS_MAX: usize = 1024;
/// Of them from one network: the nodes of a site.
const CONNECTIONS_PER_PREFIX_MAX: usize = 64;

/// What keys of manifests are sealed for.
pub(crate) const KEY_PURPOSE: &str = "meridian: manifests";

/// Whichever side runs here.
#[derive(Debug)]
pub(super) enum Distribution {
    Primary(Distributor, Option<Box<Server>>),
    Edge(Edge),
}

impl Distribution {
    /// Answers what is under way, and ends.
    pub(super) fn stop(self) {
        if let Self::Primary(_, Some(server)) = self {
            server.stop();
        }
    }

    pub(super) fn vitals(&self) -> DistributionVitals {
        match self {
            Self::Primary(distributor, server) => DistributionVitals {
                side: Side::Primary,
                listen: server
                    .as_ref()
                    .map_or_else(Vec::new, |server| server.addresses().to_vec()),
                state: distributor.state(),
            },
            Self::Edge(edge) => DistributionVitals {
                side: Side::Edge,
                listen: Vec::new(),
                state: edge.state(),
            },
        }
    }
}

/// Starts what the role asks for.
pub(super) fn start(
    config: &Config,
    generations: &Arc<Generations>,
    publisher: Option<&Publisher>,
) -> anyhow::Result<Option<Distribution>> {
    let generations = Arc::clone(generations);
    if let Some(edge) = &config.edge {
        let settings = edge::Settings {
            sources: edge.sources.clone(),
            access: access(&config.stores)?,
            trusted: config.stores.trusted_keys.clone(),
            directory: config.image.directory.clone(),
            poll: edge.poll,
            wait: edge.wait,
            node: edge.name.clone(),
            report_interval: edge.report_interval,
            clock: unix_microseconds,
        };
        let edge = Edge::spawn(settings, generations).context("cannot start the edge's thread")?;
        return Ok(Some(Distribution::Edge(edge)));
    }
    let Some(own) = &config.distribution else {
        return Ok(None);
    };
    let published = publisher.map(Publisher::state);
    let epoch_min = own.epoch_min;
    let position = move || match &published {
        None => Some((epoch_min, 0)),
        Some(state) if state.epoch() == 0 => None,
        Some(state) => Some((state.epoch().max(epoch_min), state.served_event())),
    };
    let settings = distributor::Settings {
        place: own.store.clone(),
        access: access(&config.stores)?,
        key: signing_key(config)?,
        trusted: config.stores.trusted_keys.clone(),
        interval: own.interval,
        expiry: own.expiry,
        refresh: own.refresh,
        keep: own.keep,
        position: Box::new(position),
        clock: unix_microseconds,
        replace: own.replace_manifest.clone(),
    };
    let distributor = Distributor::spawn(settings, generations);
    let distributor = distributor.context("cannot start the distributor's thread")?;
    let server = serve(config, own, &distributor)?;
    Ok(Some(Distribution::Primary(
        distributor,
        server.map(Box::new),
    )))
}

/// Serves edges straight from here, where it is asked for.
fn serve(
    config: &Config,
    own: &config::Distribution,
    distributor: &Distributor,
) -> anyhow::Result<Option<Server>> {
    if own.listen.is_empty() {
        return Ok(None);
    }
    let credentials = own.credentials.as_ref().map(|(certificate, key)| {
        Credentials::load(EDGES, certificate, key)
            .map(Arc::new)
            .context("cannot use distribution.certificate-file with distribution.key-file")
    });
    let tokens = match &own.token_file {
        None => Vec::new(),
        Some(path) => {
            let text = private_file::read(path).context("cannot read distribution.token-file")?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let tokens: Vec<_> = lines.map(|line| Zeroizing::new(line.to_owned())).collect();
            anyhow::ensure!(!tokens.is_empty(), "{}: no token in it", path.display());
            tokens
        }
    };
    let settings = server::Settings {
        service: service::Settings {
            name: "Edges",
            threads: 1,
            prepare_thread: yield_to_workers,
            connections_max: CONNECTIONS_MAX,
            connections_per_prefix_max: CONNECTIONS_PER_PREFIX_MAX,
            drain: config.dns.drain_timeout,
        },
        credentials: credentials.transpose()?,
        tokens,
        current: distributor.current(),
        place: own.store.clone(),
        access: access(&config.stores)?,
    };
    let server = Server::start(settings, &own.listen);
    let server = server.context("cannot serve edges on distribution.listen")?;
    tracing::info!(edges = ?server.addresses(), "edges are served");
    Ok(Some(server))
}

/// The key that signs manifests.
fn signing_key(config: &Config) -> anyhow::Result<SigningKey> {
    let own = config.distribution.as_ref();
    let path = &own.context("role is not \"primary\"")?.signing_key_file;
    let secret = config.keys.secret_file.as_ref();
    let secret = secret.context("keys.secret-file is not set")?;
    let secret = Secret::load(secret).context("cannot read keys.secret-file")?;
    let seed = secret.open_file(path, KEY_PURPOSE);
    let seed = seed.context("cannot open distribution.signing-key-file")?;
    SigningKey::from_seed(&seed).context("distribution.signing-key-file holds no key")
}

/// How stores are reached, with the secrets that this takes.
pub(crate) fn access(stores: &Stores) -> anyhow::Result<Access> {
    let token = match &stores.token_file {
        None => None,
        Some(path) => {
            let text = private_file::read(path).context("cannot read edge.token-file")?;
            let first = text.lines().next().unwrap_or_default().trim();
            Some(Zeroizing::new(first.to_owned()))
        }
    };
    let credentials = match &stores.credentials_file {
        None => None,
        Some(path) => {
            let text = private_file::read(path).context("cannot read s3.credentials-file")?;
            let mut lines = text.lines().map(str::trim);
            let (Some(id), Some(secret)) = (lines.next(), lines.next()) else {
                anyhow::bail!("{}: needs two lines, id and secret", path.display());
            };
            Some((id.to_owned(), Zeroizing::new(secret.to_owned())))
        }
    };
    Ok(Access {
        authorities: stores.ca_file.clone(),
        token,
        endpoint: stores.endpoint.clone(),
        region: stores.region.clone(),
        credentials,
    })
}
