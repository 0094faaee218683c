//! EPP, put together with the registry and the publisher that it wakes.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::unix_microseconds;
use crate::config::Config;
use crate::control::EppVitals;
use crate::epp::Offer;
use crate::epp::server::certificate::EPP;
use crate::epp::server::{Server, Settings};
use crate::inquiry::Inquiry;
use crate::net::credentials::Credentials;
use crate::publish::{self, Publisher};

/// Starts the server, where one is configured and there is a registry.
pub(super) fn start(
    config: &Config,
    registry: Option<&publish::Settings>,
    publisher: Option<&Publisher>,
) -> anyhow::Result<Option<Server>> {
    let (Some(epp), Some(registry), Some(publisher)) = (&config.epp, registry, publisher) else {
        return Ok(None);
    };
    let credentials = Credentials::load(EPP, &epp.certificate_file, &epp.key_file)
        .context("cannot use epp.certificate-file with epp.key-file")?;
    let woken = publisher.state();
    let settings = Settings {
        location: registry.location.clone(),
        name: epp.server_name.clone(),
        offer: Offer::default(),
        credentials: Arc::new(credentials),
        limits: epp.limits,
        expiry: epp.expiry,
        lab: epp.lab,
        drain: config.dns.drain_timeout,
        threads: epp.threads,
        clock: unix_microseconds,
        ask: Arc::new(Inquiry::new(registry.location.clone(), unix_microseconds)),
        wake: Box::new(move || woken.wake()),
    };
    let server = Server::start(settings, &epp.listen);
    server.context("cannot serve EPP on epp.listen").map(Some)
}

/// What can be seen of it.
pub(super) fn vitals(epp: &Server) -> EppVitals {
    EppVitals {
        listen: epp.addresses().to_vec(),
        counters: epp.counters(),
        sessions: epp.sessions(),
    }
}
