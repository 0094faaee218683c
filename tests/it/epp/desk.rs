//! A registry with registrars at its desk: what they say is read, carried out and
//! answered, and every frame is kept.

use std::sync::atomic::{AtomicU64, Ordering};

use meridian::epp::dispatch::{self, Registry, Session};
use meridian::epp::{Offer, Request, Services};
use meridian::registry::command::Cause;
use meridian::registry::types::Handle;
use meridian::registry::{
    Actor, Command, CommandError, Database, Location, Outcome, Timestamp, {self as model},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

/// When it all begins: 2018-03-12.
pub(crate) const START: Timestamp = Timestamp(1_520_850_000_000_000);
/// A day in a timestamp's unit.
pub(crate) const DAY: i64 = 86_400_000_000;

/// The registry, one command after the other.
struct Store(Mutex<Database>);

impl Registry for Store {
    async fn execute(&self, request: model::Request) -> Result<Outcome, CommandError> {
        self.0.lock().await.execute(&request).await
    }
}

/// A frame of the conversation.
pub(crate) struct Frame {
    /// Which test it is of, and what it is.
    pub(crate) name: String,
    pub(crate) xml: String,
}

pub(crate) struct Desk {
    runtime: Runtime,
    store: Store,
    _folder: TempDir,
    pub(crate) at: Timestamp,
    pub(crate) services: Services,
    pub(crate) frames: Vec<Frame>,
    transactions: AtomicU64,
    keeps_contacts: bool,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) xml: String,
}

impl Reply {
    /// The text of the first element of this name.
    pub(crate) fn text(&self, element: &str) -> Option<&str> {
        let start = self.xml.find(&format!("<{element}"))?;
        let rest = &self.xml[start..];
        let rest = &rest[rest.find('>')? + 1..];
        rest.split('<').next()
    }

    /// The texts of all elements of this name, whatever their prefix.
    pub(crate) fn texts(&self, element: &str) -> Vec<String> {
        self.each(element, |node| node.text().unwrap_or_default().to_owned())
    }

    /// An attribute of all elements of this name; empty where it is not there.
    pub(crate) fn attributes(&self, element: &str, attribute: &str) -> Vec<String> {
        self.each(element, |node| {
            node.attribute(attribute).unwrap_or_default().to_owned()
        })
    }

    /// As a reader of XML has them that is not our own.
    fn each(&self, element: &str, of: impl Fn(roxmltree::Node<'_, '_>) -> String) -> Vec<String> {
        let document = roxmltree::Document::parse(&self.xml).unwrap();
        let nodes = document.descendants();
        let named = nodes.filter(|node| node.tag_name().name() == element);
        named.map(of).collect()
    }
}

impl Desk {
    /// A registry with the zone `tld` and two registrars, where contacts are kept or not.
    pub(crate) fn new(data_model: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("registry.db"));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(Database::init(&location, START)).unwrap();
        let mut desk = Self {
            runtime,
            store: Store(Mutex::new(database)),
            _folder: folder,
            at: START,
            services: Services::all(&Offer::default()),
            frames: Vec::new(),
            transactions: AtomicU64::new(0),
            keeps_contacts: data_model == "maximum",
        };
        desk.operate(json!({"zone": {"create": {
            "apex": "tld", "mname": "ns1.registry.example", "rname": "dns.registry.example",
            "records": ["tld. 86400 NS ns1.registry.example.", "tld. 86400 NS ns2.registry.example."],
        }}}));
        desk.operate(json!({"zone": {"policy": {
            "apex": "tld", "change": {"data-model": data_model},
        }}}));
        for registrar in ["reg-a", "reg-b"] {
            let create = json!({"handle": registrar, "name": registrar});
            desk.operate(json!({"registrar": {"create": create}}));
        }
        desk
    }

    /// The registry's own commands; what comes of them.
    pub(crate) fn operate(&mut self, command: Value) -> Value {
        self.operate_because(command, None)
    }

    /// The same, with why.
    pub(crate) fn operate_because(&mut self, command: Value, cause: Option<Cause>) -> Value {
        let command: Command = serde_json::from_value(command).unwrap();
        let mut actor = Actor::operator("tests");
        actor.cause = cause;
        let request = model::Request {
            actor,
            at: self.at,
            lab: false,
            command,
        };
        let outcome = self.runtime.block_on(self.store.execute(request)).unwrap();
        serde_json::to_value(outcome).unwrap()
    }

    /// What somebody says, logged in or not.
    pub(crate) fn said(&mut self, who: Option<&Handle>, xml: &str) -> Reply {
        let session = Session {
            registrar: who,
            services: &self.services,
            lab: false,
        };
        let number = self.transactions.fetch_add(1, Ordering::Relaxed);
        let transaction = format!("R-1-{number}");
        let response = match Request::read(xml.as_bytes()) {
            Ok(request) => {
                let name = format!("{number:04}-command");
                let xml = xml.to_owned();
                self.frames.push(Frame { name, xml });
                let answer =
                    dispatch::answer(&self.store, &session, &request, self.at, &transaction);
                self.runtime.block_on(answer)
            }
            Err(refused) => dispatch::refuse(&session, refused, &transaction),
        };
        let xml = response.write(&self.services);
        let name = format!("{number:04}-response");
        self.frames.push(Frame {
            name,
            xml: xml.clone(),
        });
        let code = response.code.number();
        assert_ne!(code, 2400, "{xml}");
        Reply { code, xml }
    }
}

/// A registry that registrars talk to, in this process or over TLS.
pub(crate) trait Talks {
    /// What a registrar says, and is answered.
    fn say(&mut self, who: &str, xml: &str) -> Reply;

    /// Whether a domain has a registrant here.
    fn keeps_contacts(&self) -> bool;

    /// What is to be answered with this code.
    #[track_caller]
    fn expect(&mut self, code: u16, who: &str, xml: &str) -> Reply {
        let reply = self.say(who, xml);
        assert_eq!(reply.code, code, "{xml}\n{}", reply.xml);
        reply
    }

    /// Makes what another test may have made.
    #[track_caller]
    fn make(&mut self, who: &str, xml: &str) {
        let reply = self.say(who, xml);
        assert!([1000, 2302].contains(&reply.code), "{xml}\n{}", reply.xml);
    }

    /// A domain with two name servers outside and, where there are any, a registrant, which
    /// are made where they are missing.
    #[track_caller]
    fn register(&mut self, who: &str, name: &str) {
        for host in OUTSIDE {
            self.make(who, &host_create(host, &[]));
        }
        let mut holder = String::new();
        if self.keeps_contacts() {
            holder = format!("of-{who}");
            self.make(who, &contact_create(&holder));
        }
        self.expect(1000, who, &domain_create(name, &OUTSIDE, &holder, AUTH, ""));
    }

    /// A contact.
    #[track_caller]
    fn contact(&mut self, who: &str, id: &str) {
        self.expect(1000, who, &contact_create(id));
    }
}

impl Talks for Desk {
    fn say(&mut self, who: &str, xml: &str) -> Reply {
        let handle = Handle::parse(who).unwrap();
        self.said(Some(&handle), xml)
    }

    fn keeps_contacts(&self) -> bool {
        self.keeps_contacts
    }
}

/// Name servers that are in no zone of the registry.
pub(crate) const OUTSIDE: [&str; 2] = ["ns1.outside.example", "ns2.outside.example"];

/// A command of an object, with an extension or none.
pub(crate) fn command(verb: &str, object: &str, body: &str, extension: &str) -> String {
    let name = verb.split(' ').next().unwrap();
    let extension = match extension {
        "" => String::new(),
        some => format!("<extension>{some}</extension>"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
         <epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><{verb}>\
         <{object}:{name} xmlns:{object}=\"urn:ietf:params:xml:ns:{object}-1.0\">{body}\
         </{object}:{name}></{name}>{extension}<clTRID>ABC-12345</clTRID></command></epp>"
    )
}

/// A command without an object.
pub(crate) fn plain(body: &str) -> String {
    format!(
        "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command>{body}\
         <clTRID>ABC-12345</clTRID></command></epp>"
    )
}

pub(crate) fn name(object: &str, name: &str) -> String {
    format!("<{object}:name>{name}</{object}:name>")
}

pub(crate) fn host_create(host: &str, addresses: &[(&str, &str)]) -> String {
    let mut body = name("host", host);
    for (family, address) in addresses {
        body.push_str(&format!("<host:addr ip=\"{family}\">{address}</host:addr>"));
    }
    command("create", "host", &body, "")
}

/// Name servers by their names.
pub(crate) fn hosts(hosts: &[&str]) -> String {
    let hosts = hosts.iter().filter(|host| !host.is_empty());
    let hosts: String = hosts
        .map(|host| format!("<domain:hostObj>{host}</domain:hostObj>"))
        .collect();
    match hosts.is_empty() {
        true => hosts,
        false => format!("<domain:ns>{hosts}</domain:ns>"),
    }
}

/// Authorization information that nobody guesses.
pub(crate) const AUTH: &str = "qK7!rT2#wZ9&amp;mP4$xL8*";

pub(crate) fn domain_create(
    domain: &str,
    servers: &[&str],
    registrant: &str,
    auth: &str,
    extension: &str,
) -> String {
    let registrant = match registrant {
        "" => String::new(),
        some => format!("<domain:registrant>{some}</domain:registrant>"),
    };
    let body = format!(
        "{}<domain:period unit=\"y\">1</domain:period>{}{registrant}\
         <domain:authInfo><domain:pw>{auth}</domain:pw></domain:authInfo>",
        name("domain", domain),
        hosts(servers)
    );
    command("create", "domain", &body, extension)
}

pub(crate) fn contact_create(id: &str) -> String {
    let body = format!(
        "<contact:id>{id}</contact:id><contact:postalInfo type=\"int\">\
         <contact:name>A. Person</contact:name><contact:addr><contact:street>1 Way\
         </contact:street><contact:city>Town</contact:city><contact:pc>12345</contact:pc>\
         <contact:cc>NL</contact:cc></contact:addr></contact:postalInfo>\
         <contact:voice x=\"12\">+31.201234567</contact:voice>\
         <contact:email>person@example.com</contact:email>\
         <contact:authInfo><contact:pw/></contact:authInfo>"
    );
    command("create", "contact", &body, "")
}
