//! WHOIS, RDAP and web pages, put together with the look-ups behind them.

pub(super) mod web;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;

use crate::clock::unix_microseconds;
use crate::config::{Config, Rdap, Web, Whois};
use crate::control::LookupVitals;
use crate::dns::net::yield_to_workers;
use crate::lookup::{self, Lookups};
use crate::net::credentials::Credentials;
use crate::net::http::{self, Bound};
use crate::net::service::{self, Service};
use crate::registry::Location;
use crate::web as pages;
use crate::{rdap, whois};

/// The services for the public that run.
#[derive(Debug)]
pub(super) struct Public {
    lookups: Arc<Lookups>,
    whois: Option<Service>,
    rdap: Option<http::Server>,
    rdap_credentials: Option<Arc<Credentials>>,
    /// RDAP as the web pages ask for it.
    rdap_responder: Option<rdap::Responder>,
    web: Option<http::Server>,
    web_credentials: Option<Arc<Credentials>>,
}

/// Starts what is configured; web pages ask `dns` what is served.
pub(super) fn start(
    config: &Config,
    registry: Option<&Location>,
    dns: pages::DnsSource,
) -> anyhow::Result<Option<Public>> {
    let is_on = !config.whois.listen.is_empty() || config.rdap.is_on() || config.web.is_on();
    let (Some(location), true) = (registry, is_on) else {
        return Ok(None);
    };
    let settings = lookup::Settings {
        location: location.clone(),
        readers: config.lookup.readers,
        time_limit: config.lookup.time_limit,
        queries_per_second: config.lookup.queries_per_second,
        burst: config.lookup.burst,
        clock: unix_microseconds,
    };
    let lookups = Lookups::new(settings).context("cannot start look-ups")?;
    let mut public = Public {
        lookups: Arc::new(lookups),
        whois: None,
        rdap: None,
        rdap_credentials: None,
        rdap_responder: None,
        web: None,
        web_credentials: None,
    };
    if !config.whois.listen.is_empty() {
        public.whois = Some(public.start_whois(config, &config.whois)?);
    }
    if config.rdap.is_on() {
        public.start_rdap(config, &config.rdap)?;
    }
    if config.web.is_on() {
        public.start_web(config, &config.web, dns)?;
    }
    Ok(Some(public))
}

impl Public {
    fn start_whois(&self, config: &Config, whois: &Whois) -> anyhow::Result<Service> {
        let settings = whois::Settings {
            lookups: Arc::clone(&self.lookups),
            service: service::Settings {
                name: "WHOIS",
                threads: whois.threads,
                prepare_thread: yield_to_workers,
                connections_max: whois.connections_max,
                connections_per_prefix_max: whois.connections_per_prefix_max,
                drain: config.dns.drain_timeout,
            },
            read_timeout: whois.read_timeout,
            write_timeout: whois.write_timeout,
            terms_url: config.lookup.terms_url.clone(),
            access_log: config.lookup.access_log,
        };
        let service = whois::serve(settings, &whois.listen);
        service.context("cannot serve WHOIS on whois.listen")
    }

    fn start_rdap(&mut self, config: &Config, rdap: &Rdap) -> anyhow::Result<()> {
        let bound = Bound::bind(&rdap.listen_plain, &rdap.listen);
        let bound = bound.context("cannot serve RDAP on rdap.listen and rdap.listen-plain")?;
        let base = match rdap.base_url.as_str() {
            "" => bound.url().unwrap_or_default(),
            url => url.to_owned(),
        };
        if !rdap.listen.is_empty() {
            let (certificate, key) = (&rdap.certificate_file, &rdap.key_file);
            let credentials = Credentials::load(rdap::RDAP, certificate, key)
                .context("cannot use rdap.certificate-file with rdap.key-file")?;
            self.rdap_credentials = Some(Arc::new(credentials));
        }
        let responder = rdap::Responder {
            lookups: Arc::clone(&self.lookups),
            base,
            terms_url: config.lookup.terms_url.clone(),
            whois_server: config.whois.server_name.clone(),
            page_size: rdap.page_size,
        };
        self.rdap_responder = Some(responder.clone());
        let settings = rdap::Settings {
            responder,
            http: http::Settings {
                service: service::Settings {
                    name: "RDAP",
                    threads: rdap.threads,
                    prepare_thread: yield_to_workers,
                    connections_max: rdap.connections_max,
                    connections_per_prefix_max: rdap.connections_per_prefix_max,
                    drain: config.dns.drain_timeout,
                },
                credentials: self.rdap_credentials.clone(),
                times: http::Times {
                    read_timeout: rdap.read_timeout,
                    connection_timeout: rdap.connection_timeout,
                },
            },
            cache_seconds: rdap.cache_seconds,
            access_log: config.lookup.access_log,
        };
        let server = rdap::serve(settings, bound).context("cannot serve RDAP")?;
        self.rdap = Some(server);
        Ok(())
    }

    fn start_web(
        &mut self,
        config: &Config,
        web: &Web,
        dns: pages::DnsSource,
    ) -> anyhow::Result<()> {
        let bound = Bound::bind(&web.listen_plain, &web.listen);
        let bound = bound.context("cannot serve pages on web.listen and web.listen-plain")?;
        if !web.listen.is_empty() {
            let credentials = Credentials::load(pages::WEB, &web.certificate_file, &web.key_file)
                .context("cannot use web.certificate-file with web.key-file")?;
            self.web_credentials = Some(Arc::new(credentials));
        }
        let (lookups, terms) = (Arc::clone(&self.lookups), &config.lookup.terms_url);
        let whois = web::whois_form(Arc::clone(&lookups), terms.clone());
        let mut responder = pages::Responder::new(lookups, &web.site_name, dns, whois)
            .with_terms(terms)
            .with_whois_server(&config.whois.server_name);
        if let Some(rdap) = &self.rdap_responder {
            responder = responder.with_rdap(rdap.base.clone(), web::rdap_form(rdap.clone()));
        }
        let settings = pages::Settings {
            responder,
            http: http::Settings {
                service: service::Settings {
                    name: "web",
                    threads: web.threads,
                    prepare_thread: yield_to_workers,
                    connections_max: web.connections_max,
                    connections_per_prefix_max: web.connections_per_prefix_max,
                    drain: config.dns.drain_timeout,
                },
                credentials: self.web_credentials.clone(),
                times: http::Times {
                    read_timeout: web.read_timeout,
                    connection_timeout: web.connection_timeout,
                },
            },
            cache_seconds: web.cache_seconds,
            access_log: config.lookup.access_log,
        };
        let server = pages::serve(settings, bound).context("cannot serve pages")?;
        self.web = Some(server);
        Ok(())
    }

    pub(super) fn rdap_credentials(&self) -> Option<Arc<Credentials>> {
        self.rdap_credentials.clone()
    }

    pub(super) fn web_credentials(&self) -> Option<Arc<Credentials>> {
        self.web_credentials.clone()
    }

    pub(super) fn whois_addresses(&self) -> &[SocketAddr] {
        self.whois.as_ref().map_or(&[], |whois| whois.addresses())
    }

    pub(super) fn rdap_addresses(&self) -> &[SocketAddr] {
        self.rdap.as_ref().map_or(&[], |rdap| rdap.addresses())
    }

    pub(super) fn rdap_tls_addresses(&self) -> &[SocketAddr] {
        self.rdap.as_ref().map_or(&[], |rdap| rdap.tls_addresses())
    }

    pub(super) fn web_addresses(&self) -> &[SocketAddr] {
        self.web.as_ref().map_or(&[], |web| web.addresses())
    }

    pub(super) fn web_tls_addresses(&self) -> &[SocketAddr] {
        self.web.as_ref().map_or(&[], |web| web.tls_addresses())
    }

    pub(super) fn vitals(&self) -> LookupVitals {
        LookupVitals {
            whois: self.whois_addresses().to_vec(),
            rdap: [self.rdap_addresses(), self.rdap_tls_addresses()].concat(),
            web: [self.web_addresses(), self.web_tls_addresses()].concat(),
            counters: Arc::clone(self.lookups.counters()),
        }
    }

    /// Answers what is under way, and ends.
    pub(super) fn stop(self) {
        if let Some(web) = self.web {
            web.stop();
        }
        if let Some(whois) = self.whois {
            whois.stop();
        }
        if let Some(rdap) = self.rdap {
            rdap.stop();
        }
    }
}
