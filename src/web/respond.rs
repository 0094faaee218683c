//! From a request to a page.

mod not_found;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use askama::Template;

use super::moment::Moment;
use super::page::{
    AvailabilityPage, FormPage, Help, Home, ICON, Link, ObjectPage, ROBOTS, STYLE, Site, Tab,
};
use super::path::{self, Asset, Fault, Subject, Target, View};
use super::served::DnsSource;
use super::view;
use crate::lookup::counters::Outcome;
use crate::lookup::names::unicode;
use crate::lookup::search::Page;
use crate::lookup::{Answer, Found, LookupError, Lookups, Query, QueryName};

/// Hosts that are shown of those with an address.
const HOSTS_MAX: usize = 50;
/// Seconds after which a registry that could not be read may be asked again.
const FAILED_RETRY_SECONDS: u64 = 5;
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// How long others may keep a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Not at all.
    Never,
    /// As the configuration has it for what was looked up.
    Short,
    /// For an hour: files that are the same for months, at addresses that stay.
    Hour,
    /// For days: what is at this address stays the same.
    Long,
}

/// A page as HTTP takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP's status code.
    pub status: u16,
    /// What the body is.
    pub media: &'static str,
    /// The body.
    pub body: String,
    /// How long it may be kept.
    pub cache: Cache,
    /// Where to go instead.
    pub location: Option<String>,
    /// Seconds after which a client may ask again.
    pub retry_after: Option<u64>,
    /// What kind of request it was, and what came of it; nothing where nothing was looked up.
    pub outcome: Option<(&'static str, Outcome)>,
}

/// An object as another service has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What came of the question.
    pub outcome: Outcome,
    /// Lines of text.
    pub text: String,
}

/// Asks another service of the same registry: for a line of WHOIS, or a path below RDAP's
/// address. It counts nothing and limits nobody.
pub type FormSource =
    Box<dyn Fn(String) -> Pin<Box<dyn Future<Output = Form> + Send>> + Send + Sync>;

/// Answers requests.
pub struct Responder {
    lookups: Arc<Lookups>,
    site: Site,
    dns: DnsSource,
    whois: FormSource,
    rdap: Option<FormSource>,
}

impl Responder {
    /// With what other services say; `name` is what the operator calls these pages.
    pub fn new(lookups: Arc<Lookups>, name: &str, dns: DnsSource, whois: FormSource) -> Self {
        let site = Site {
            name: name.to_owned(),
            terms_url: String::new(),
            rdap_url: None,
            whois_server: String::new(),
            style: format!("/style.css?{:016x}", digest(STYLE)),
        };
        Self {
            lookups,
            site,
            dns,
            whois,
            rdap: None,
        }
    }

    /// With the address of the terms of use; empty is none.
    pub fn with_terms(mut self, url: &str) -> Self {
        url.clone_into(&mut self.site.terms_url);
        self
    }

    /// With the name of the server of WHOIS; empty is none.
    pub fn with_whois_server(mut self, name: &str) -> Self {
        name.clone_into(&mut self.site.whois_server);
        self
    }

    /// With RDAP at this address, which ends in a slash.
    pub fn with_rdap(mut self, url: String, source: FormSource) -> Self {
        self.site.rdap_url = Some(url);
        self.rdap = Some(source);
        self
    }

    /// Who looks up.
    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// Answers a request for a path with its query, of a client.
    pub async fn respond(&self, client: IpAddr, path: &str, query: &str) -> Reply {
        let target = path::read(path, query);
        if let Ok(target) = &target
            && let Some(reply) = self.without_look_up(target)
        {
            return reply;
        }
        if let Err(wait) = self.lookups.admit(client) {
            return self.limited(wait.as_secs() + 1);
        }
        match target {
            Ok(target) => self.look_up(&target).await,
            Err(fault) => self.fault(&fault),
        }
    }

    /// A page for a request by a method that nothing is read by.
    pub(super) fn not_read(&self) -> Reply {
        let paragraphs = vec!["Nothing can be written here: pages are read by GET.".to_owned()];
        let title = "This page takes nothing";
        let mut reply = self.message(405, "", title, paragraphs, home());
        reply.outcome = Some(("none", Outcome::Malformed));
        reply
    }

    fn without_look_up(&self, target: &Target) -> Option<Reply> {
        let (site, asked) = (&self.site, "");
        let reply = match target {
            Target::Home => page(200, &Home { site, asked }),
            Target::Help => page(200, &Help { site, asked }),
            Target::Asset(asset) => file(*asset),
            Target::Empty => moved("/".to_owned()),
            Target::Moved(path) => moved(path.clone()),
            _ => return None,
        };
        Some(reply)
    }

    async fn look_up(&self, target: &Target) -> Reply {
        let kind = target.kind().unwrap_or("none");
        let looked_up = match target {
            Target::Either(name) => self.either(name).await,
            Target::Availability(name) => self.availability(name).await,
            Target::Object(subject, View::Summary) => self.summary(subject).await,
            Target::Object(subject, view) => self.form(subject, *view).await,
            Target::Servers(address) => self.servers(*address).await,
            other => Ok(self.without_look_up(other).unwrap_or_else(|| self.failed())),
        };
        let mut reply = looked_up.unwrap_or_else(|_| self.failed());
        let by_status = match reply.status {
            200 | 303 => Outcome::Found,
            404 => Outcome::Missing,
            _ => Outcome::Failed,
        };
        let outcome = reply.outcome.map_or(by_status, |(_, own)| own);
        reply.outcome = Some((kind, outcome));
        reply
    }

    /// Leads to whatever there is of this name.
    async fn either(&self, name: &QueryName) -> Result<Reply, LookupError> {
        let domain = Subject::Domain(name.clone());
        let asked = self.lookups.ask(&Query::Domain(name.clone())).await?;
        if asked.found == Found::Nothing {
            let host = self.lookups.ask(&Query::Nameserver(name.clone())).await?;
            if host.found != Found::Nothing {
                return Ok(moved(Subject::Nameserver(name.clone()).path()));
            }
        }
        Ok(moved(domain.path()))
    }

    async fn availability(&self, name: &QueryName) -> Result<Reply, LookupError> {
        let answer = self.lookups.ask(&Query::Availability(name.clone())).await?;
        let Found::Availability(found) = &answer.found else {
            return Err(LookupError::Store);
        };
        let page = AvailabilityPage {
            site: &self.site,
            asked: name.ascii(),
            name: name.ascii(),
            unicode: unicode(name.ascii()),
            verdict: not_found::verdict(found),
            read_at: Moment::precise(answer.read_at),
        };
        Ok(self::page(200, &page).looked_up())
    }

    async fn summary(&self, subject: &Subject) -> Result<Reply, LookupError> {
        let query = match subject {
            Subject::Domain(name) => Query::Domain(name.clone()),
            Subject::Nameserver(name) => Query::Nameserver(name.clone()),
            Subject::Registrar(text) => Query::Registrar(text.clone()),
        };
        let answer = self.lookups.ask(&query).await?;
        let object = match &answer.found {
            Found::Domain(record, contacts) => view::domain(record, contacts),
            Found::Nameserver(record) => view::nameserver(record),
            Found::Registrar(record) => view::registrar(record),
            _ => return self.not_found(subject).await,
        };
        // After the registry: whatever the look-up had and DNS has not is still to come.
        let newest = answer.last_update;
        let dns = match subject {
            Subject::Domain(name) => Some(view::dns((self.dns)(name), newest)),
            Subject::Nameserver(name) => Some(view::host((self.dns)(name), name.ascii(), newest)),
            Subject::Registrar(_) => None,
        };
        let page = ObjectPage {
            site: &self.site,
            asked: subject.text(),
            object: &object,
            tabs: self.tabs(subject, View::Summary),
            dns,
            links: self.links(subject),
            read_at: Moment::precise(answer.read_at),
        };
        Ok(self::page(200, &page).looked_up())
    }

    async fn form(&self, subject: &Subject, view: View) -> Result<Reply, LookupError> {
        let form = match (view, &self.rdap) {
            (View::Rdap, Some(rdap)) => rdap(subject.rdap_path()).await,
            (View::Rdap, None) => {
                let reason = "This registry does not serve RDAP here".to_owned();
                let asked = subject.text().to_owned();
                return Ok(self.fault(&Fault {
                    status: 404,
                    reason,
                    asked,
                }));
            }
            _ => (self.whois)(subject.whois_line()).await,
        };
        if view == View::WhoisText {
            return Ok(raw(form));
        }
        match form.outcome {
            Outcome::Found => {}
            Outcome::Missing => return self.not_found(subject).await,
            Outcome::Malformed => {
                let asked = subject.text().to_owned();
                let reason = "This cannot be asked".to_owned();
                return Ok(self.fault(&Fault {
                    status: 400,
                    reason,
                    asked,
                }));
            }
            _ => return Err(LookupError::Store),
        }
        let (service, at) = match view {
            View::Rdap => ("RDAP", self.links(subject).len() - 1),
            _ => ("WHOIS", 0),
        };
        let page = FormPage {
            site: &self.site,
            asked: subject.text(),
            kind: kind(subject),
            name: subject.text(),
            service,
            tabs: self.tabs(subject, view),
            lines: form.text.lines().collect(),
            link: self.links(subject).swap_remove(at),
        };
        Ok(self::page(200, &page).looked_up())
    }

    async fn servers(&self, address: IpAddr) -> Result<Reply, LookupError> {
        let page = Page {
            most: HOSTS_MAX,
            ..Page::default()
        };
        let query = Query::NameserversAt(address, page);
        let answer = self.lookups.ask(&query).await?;
        let text = address.to_string();
        let Some(object) = servers_at(&text, &answer) else {
            return Ok(self.no_server_at(&text));
        };
        let page = ObjectPage {
            site: &self.site,
            asked: &text,
            object: &object,
            tabs: Vec::new(),
            dns: None,
            links: Vec::new(),
            read_at: Moment::precise(answer.read_at),
        };
        Ok(self::page(200, &page).looked_up())
    }

    fn tabs(&self, subject: &Subject, current: View) -> Vec<Tab> {
        let tab = |end: &str, text, view| Tab {
            href: format!("{}{end}", subject.path()),
            text,
            is_current: view == current,
        };
        let mut tabs = vec![
            tab("", "Summary", View::Summary),
            tab("/whois", "WHOIS", View::Whois),
        ];
        if self.rdap.is_some() {
            tabs.push(tab("/rdap", "RDAP", View::Rdap));
        }
        tabs
    }

    /// Where the raw forms are: WHOIS first, RDAP last.
    fn links(&self, subject: &Subject) -> Vec<Link> {
        let mut links = vec![Link {
            href: format!("{}/whois.txt", subject.path()),
            text: "WHOIS".to_owned(),
        }];
        if let Some(url) = &self.site.rdap_url {
            links.push(Link {
                href: format!("{url}{}", subject.rdap_path()),
                text: "RDAP".to_owned(),
            });
        }
        links
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

impl Reply {
    fn new(status: u16, media: &'static str, body: String) -> Self {
        Self {
            status,
            media,
            body,
            cache: Cache::Never,
            location: None,
            retry_after: None,
            outcome: None,
        }
    }

    fn looked_up(mut self) -> Self {
        self.cache = Cache::Short;
        self
    }
}

fn page(status: u16, template: &impl Template) -> Reply {
    // Writing into memory does not fail, and no template of ours fails by itself.
    let body = template.render().unwrap_or_default();
    Reply::new(status, HTML, body)
}

fn file(asset: Asset) -> Reply {
    let (media, body, cache) = match asset {
        // Pages name it with its digest.
        Asset::Style => ("text/css; charset=utf-8", STYLE, Cache::Long),
        Asset::Icon => ("image/svg+xml", ICON, Cache::Hour),
        Asset::Robots => (TEXT, ROBOTS, Cache::Hour),
    };
    let mut reply = Reply::new(200, media, body.to_owned());
    reply.cache = cache;
    reply
}

fn moved(path: String) -> Reply {
    let mut reply = Reply::new(303, TEXT, format!("{path}\n"));
    reply.location = Some(path);
    reply
}

fn home() -> Vec<Link> {
    vec![Link {
        href: "/".to_owned(),
        text: "Look up something else".to_owned(),
    }]
}

fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Domain(_) => "Domain",
        Subject::Nameserver(_) => "Name server",
        Subject::Registrar(_) => "Registrar",
    }
}

/// A form of another service as it is, kept by others only where it says what there is.
fn raw(form: Form) -> Reply {
    let status = status(form.outcome);
    let mut reply = Reply::new(status, TEXT, form.text);
    if matches!(status, 200 | 404) {
        reply = reply.looked_up();
    }
    reply.retry_after = (status == 503).then_some(FAILED_RETRY_SECONDS);
    reply.outcome = Some(("none", form.outcome));
    reply
}

fn status(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Found => 200,
        Outcome::Missing => 404,
        Outcome::Malformed => 400,
        _ => 503,
    }
}

fn servers_at(address: &str, answer: &Answer) -> Option<view::Object> {
    let Found::Page { objects, next, .. } = &answer.found else {
        return None;
    };
    let name = |found: &Found| match found {
        Found::Nameserver(host) => Some(host.name.clone()),
        _ => None,
    };
    let names: Vec<_> = objects.iter().filter_map(name).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| view::servers_at(address, &names, next.is_some()))
}

/// FNV-1a: another style sheet has another address.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}
