//! From a request line to a status and a body.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::metadata::Shown;
use super::object::{Frame, Object};
use super::path::{self, Class, FieldSet, Pattern, Target, View};
use crate::lookup::counters::Outcome;
use crate::lookup::{Answer, Found, Lookups, Query, Timestamp, time_text};

/// RFC 7480 section 4.2.
pub const MEDIA_TYPE: &str = "application/rdap+json";

/// Levels that every answer is of.
const CONFORMANCE: [&str; 4] = [
    "rdap_level_0",
    "icann_rdap_response_profile_1",
    "icann_rdap_technical_implementation_guide_1",
    "redacted",
];

/// To a search that finds more than is read for one answer.
const TOO_MANY: &str = "too much is found to be counted or sorted, or too many name servers; \
    write more of the name";

/// An answer as HTTP takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP's status code.
    pub status: u16,
    /// JSON.
    pub body: String,
    /// Seconds after which a client may ask again.
    pub retry_after: Option<u64>,
    /// What kind of request it was, for logs.
    pub kind: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// Answers requests.
#[derive(Debug, Clone)]
pub struct Responder {
    /// Who looks up.
    pub lookups: Arc<Lookups>,
    /// Address of the service, with its final slash.
    pub base: String,
    /// Where the terms of service are; empty is the help of this service.
    pub terms_url: String,
    /// The server of WHOIS; empty is none.
    pub whois_server: String,
    /// Objects of a page.
    pub page_size: usize,
}

impl Responder {
    /// Answers a request for a path with its query, of a client.
    pub async fn respond(&self, client: IpAddr, path: &str, query: &str) -> Reply {
        let asked = self.asked(path, query);
        if let Err(wait) = self.lookups.admit(client) {
            let seconds = wait.as_secs() + 1;
            let reason = format!("too many requests from your network; wait {seconds} seconds");
            let mut reply = self.error(&asked, 429, &reason, "none", Outcome::Limited);
            reply.retry_after = Some(seconds);
            return reply;
        }
        let Some(rest) = self.below_base(path) else {
            let reason = format!("the service is at {}", self.base);
            return self.error(&asked, 404, &reason, "none", Outcome::Malformed);
        };
        self.read(rest, query, &asked).await
    }

    /// Answers a path below the address of the service, for another service that has taken
    /// the question into account.
    pub async fn tell(&self, rest: &str) -> Reply {
        let asked = self.asked(&format!("{}{rest}", self.base_path()), "");
        self.read(rest, "", &asked).await
    }

    async fn read(&self, rest: &str, query: &str, asked: &str) -> Reply {
        match path::read(rest, query) {
            Ok(target) => self.answer(&target, asked).await,
            Err(fault) => {
                let (status, reason) = (fault.status, fault.reason);
                self.error(asked, status, &reason, "none", Outcome::Malformed)
            }
        }
    }

    /// An answer to what is no request for anything.
    pub fn refuse(&self, status: u16, reason: &str) -> Reply {
        self.error(&self.base, status, reason, "none", Outcome::Malformed)
    }

    /// The path behind that of the service's address.
    fn below_base<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.base_path())
    }

    /// The address that was asked, in the letters that RFC 3986 has.
    pub(super) fn asked(&self, path: &str, query: &str) -> String {
        const PLAIN: &[u8] = b"-._~:/?@!$&'()*+,;=%";
        let rest = self.below_base(path).unwrap_or_default();
        let mut asked = self.base.clone();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        for octet in rest.bytes().chain(query.bytes()) {
            match octet.is_ascii_alphanumeric() || PLAIN.contains(&octet) {
                true => asked.push(char::from(octet)),
                false => asked.push_str(&format!("%{octet:02X}")),
            }
        }
        asked
    }

    async fn answer(&self, target: &Target, asked: &str) -> Reply {
        let (query, view) = match target {
            Target::Help => (Query::Newest, None),
            Target::Domain(name) => (Query::Domain(name.clone()), None),
            Target::Nameserver(name) => (Query::Nameserver(name.clone()), None),
            Target::Entity(handle) => (Query::Entity(handle.clone()), None),
            Target::Search(class, pattern, view) => {
                (self.search(*class, pattern, view), Some((*class, view)))
            }
        };
        let kind = target.kind();
        let Ok(answer) = self.lookups.ask(&query).await else {
            let reason = "the registry cannot answer at the moment";
            let mut reply = self.error(asked, 503, reason, kind, Outcome::Failed);
            reply.retry_after = Some(1);
            return reply;
        };
        if answer.found == Found::TooMany {
            return self.error(asked, 422, TOO_MANY, kind, Outcome::Malformed);
        }
        let object = match (target, view) {
            (Target::Help, _) => Some(self.help(asked)),
            (_, Some((class, view))) => self.results(&answer, class, view, asked),
            _ => self.object(&answer, asked),
        };
        match object {
            Some(object) => Reply {
                status: 200,
                body: Value::Object(object).to_string(),
                retry_after: None,
                kind,
                outcome: Outcome::Found,
            },
            // RFC 7480 section 5.3, of empty results too.
            None => self.error(asked, 404, "nothing was found", kind, Outcome::Missing),
        }
    }

    fn search(&self, class: Class, pattern: &Pattern, view: &View) -> Query {
        let page = view.page(self.page_size);
        match (class, pattern) {
            (Class::Domain, Pattern::Exactly(name)) => Query::Domain(name.clone()),
            (_, Pattern::Exactly(name)) => Query::Nameserver(name.clone()),
            (_, Pattern::Address(address)) => Query::NameserversAt(*address, page),
            (_, Pattern::Registrars(pattern)) => Query::Registrars(pattern.clone(), page),
            (_, Pattern::Servers(servers)) => Query::DomainsServedBy(servers.clone(), page),
            (Class::Domain, Pattern::Names(names)) => Query::Domains(names.clone(), page),
            (_, Pattern::Names(names)) => Query::Nameservers(names.clone(), page),
        }
    }

    fn object(&self, answer: &Answer, asked: &str) -> Option<Object> {
        let frame = self.frame(asked, FieldSet::Full);
        let mut object = frame.object(&answer.found, "$")?;
        let mut notices = vec![self.terms(asked)];
        if matches!(answer.found, Found::Domain(..)) {
            notices.extend(domain_notices(asked));
        }
        if let Some(events) = object
            .entry("events")
            .or_insert_with(|| json!([]))
            .as_array_mut()
        {
            events.push(last_update(answer.read_at));
        }
        self.finish(&mut object, notices, &[]);
        if !self.whois_server.is_empty() {
            object.insert("port43".into(), json!(self.whois_server));
        }
        Some(object)
    }

    fn results(&self, answer: &Answer, class: Class, view: &View, asked: &str) -> Option<Object> {
        let member = class.member();
        let alone = std::slice::from_ref(&answer.found);
        let (objects, next, total) = match &answer.found {
            Found::Page {
                objects,
                next,
                total,
            } => (objects.as_slice(), next.as_deref(), *total),
            _ => (alone, None, view.counts.then_some(1)),
        };
        let frame = self.frame(asked, view.fields);
        let shown = objects.iter().enumerate().filter_map(|(place, found)| {
            let object = frame.object(found, &format!("$.{member}[{place}]"))?;
            Some(Value::Object(object))
        });
        let found: Vec<_> = shown.collect();
        if found.is_empty() && next.is_none() {
            return None;
        }
        let mut object = Object::new();
        object.insert(member.into(), json!(found));
        object.insert("events".into(), json!([last_update(answer.read_at)]));
        let shown = Shown {
            class,
            view,
            asked,
            next,
            total,
        };
        let levels = self.describe(&mut object, shown);
        let mut notices = vec![self.terms(asked)];
        if class == Class::Domain {
            notices.extend(domain_notices(asked));
        }
        self.finish(&mut object, notices, &levels);
        Some(object)
    }

    fn frame<'a>(&'a self, asked: &'a str, fields: FieldSet) -> Frame<'a> {
        let base = self.base.as_str();
        Frame {
            base,
            asked,
            fields,
        }
    }

    /// The path of the service's address.
    pub(super) fn base_path(&self) -> &str {
        let authority = self.base.split_once("://").map_or("", |(_, rest)| rest);
        authority.find('/').map_or("/", |at| &authority[at..])
    }

    fn help(&self, asked: &str) -> Object {
        let mut object = Object::new();
        let description = [
            format!("This service is at {}", self.base),
            "domain/NAME, nameserver/NAME and entity/HANDLE look up one object.".to_owned(),
            "domains?name=, ?nsLdhName= or ?nsIp=, nameservers?name= or ?ip= and entities?fn= \
             or ?handle= search; an asterisk ends a label, behind three characters at least."
                .to_owned(),
            "fieldSet=id, brief or full chooses fields; count=true counts and sort= sorts what \
             is found, if it is not too much; links lead to further pages."
                .to_owned(),
            "What is withheld of a contact is said in `redacted` (RFC 9537).".to_owned(),
        ];
        let help = json!({
            "title": "Help",
            "description": description,
            "links": [{ "value": asked, "rel": "help", "href": self.terms_href(), "type": "text/html" }],
        });
        let notices = vec![help, self.terms(asked)];
        self.finish(&mut object, notices, &["subsetting", "sorting", "paging"]);
        object
    }

    fn terms_href(&self) -> String {
        match self.terms_url.as_str() {
            "" => format!("{}help", self.base),
            url => url.to_owned(),
        }
    }

    /// ICANN's technical guide, section 3.3.
    fn terms(&self, asked: &str) -> Value {
        json!({
            "title": "Terms of Service",
            "description": ["Use of this service is subject to its terms."],
            "links": [{
                "value": asked,
                "rel": "terms-of-service",
                "href": self.terms_href(),
                "type": "text/html",
            }],
        })
    }

    /// What stands in the topmost object.
    fn finish(&self, object: &mut Object, notices: Vec<Value>, levels: &[&str]) {
        let conformance: Vec<_> = CONFORMANCE.iter().chain(levels).collect();
        object.insert("rdapConformance".into(), json!(conformance));
        object.insert("lang".into(), json!("en"));
        object.insert("notices".into(), json!(notices));
    }

    /// RFC 9083 section 6.
    fn error(
        &self,
        asked: &str,
        status: u16,
        reason: &str,
        kind: &'static str,
        outcome: Outcome,
    ) -> Reply {
        let mut object = Object::new();
        object.insert("errorCode".into(), json!(status));
        object.insert("title".into(), json!(title(status)));
        object.insert("description".into(), json!([reason]));
        self.finish(&mut object, vec![self.terms(asked)], &[]);
        Reply {
            status,
            body: Value::Object(object).to_string(),
            retry_after: None,
            kind,
            outcome,
        }
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

/// What was accepted until a snapshot is all in it, so its moment is that of the last
/// update (ICANN's technical guide, section 3.7).
fn last_update(at: Timestamp) -> Value {
    json!({ "eventAction": "last update of RDAP database", "eventDate": time_text(at) })
}

/// ICANN's profile, sections 2.6.3 and 2.10.
fn domain_notices(asked: &str) -> [Value; 2] {
    let notice = |title: &str, text: &str, rel: &str, href: &str| {
        json!({
            "title": title,
            "description": [text],
            "links": [{ "value": asked, "rel": rel, "href": href, "type": "text/html" }],
        })
    };
    [
        notice(
            "Status Codes",
            "For more information on domain status codes, please visit https://icann.org/epp",
            "glossary",
            "https://icann.org/epp",
        ),
        notice(
            "RDDS Inaccuracy Complaint Form",
            "URL of the ICANN RDDS Inaccuracy Complaint Form: https://icann.org/wicf",
            "help",
            "https://icann.org/wicf",
        ),
    ]
}
