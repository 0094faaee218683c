//! What the demo shows the public: a registrar with a number at IANA and the fields that
//! WHOIS, RDAP and web pages tell of it, and a domain with a registrant and a technical
//! contact. The names and numbers are of nobody.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{registrars, sample};
use crate::app;
use crate::cli::output;
use crate::config::{Config, Rdap, Web, Whois};
use crate::registry::{Actor, Command, Database, Request, Timestamp};

/// Its label.
const LABEL: &str = "with-contacts";

/// WHOIS, RDAP and web pages on ports that the system picks.
pub(super) fn configure(config: &mut Config, listen: SocketAddr) {
    let any = SocketAddr::new(listen.ip(), 0);
    config.whois = Whois {
        listen: vec![any],
        ..config.whois.clone()
    };
    config.rdap = Rdap {
        listen_plain: vec![any],
        ..config.rdap.clone()
    };
    config.web = Web {
        listen_plain: vec![any],
        site_name: "Demo registry".to_owned(),
        ..config.web.clone()
    };
}

/// The commands that make it.
fn commands() -> Vec<Value> {
    let zone = sample::APEX.trim_end_matches('.');
    let registrar = registrars::REGISTRARS[1];
    let contact = |handle: &str, kind: &str, name: &str| {
        json!({ "contact": { "create": {
            "handle": handle, "registrar": registrar, "kind": kind,
            "int": { "name": name, "address": { "street": ["Sample Street 1"], "city": "Sampleton",
                "postal-code": "12345", "country": "CH" } },
            "voice": { "number": "+41.000000000" }, "email": format!("{handle}@mail.example"),
        } } })
    };
    vec![
        json!({ "zone": { "policy": { "apex": zone, "change": { "data-model": "per-registrar" } } } }),
        json!({ "registrar": { "update": {
            "handle": registrar, "iana-id": 9999, "data-model": "maximum" } } }),
        json!({ "registrar": { "public": { "handle": registrar, "set": {
            "street": "Registrar Road 2", "city": "Sampleton", "country": "CH",
            "voice": "+41.000000001", "email": "office@demo-b.example",
            "url": "https://www.demo-b.example/", "abuse-email": "abuse@demo-b.example",
            "abuse-voice": "+41.000000002" } } } }),
        contact("person", "person", "Sam Sample"),
        contact("hostmaster", "role", "Hostmaster"),
        json!({ "domain": { "create": { "name": format!("{LABEL}.{zone}"), "registrar": registrar,
            "registrant": "person",
            "contacts": [{ "role": "tech", "contact": "hostmaster" }] } } }),
    ]
}

/// Makes it.
pub(super) async fn make(database: &mut Database, now: Timestamp) -> anyhow::Result<()> {
    for command in commands() {
        let command: Command = serde_json::from_value(command)?;
        let request = Request {
            actor: Actor::operator("demo"),
            at: now,
            lab: true,
            command,
        };
        Box::pin(database.execute(&request)).await?;
    }
    Ok(())
}

/// Says what to try.
pub(super) fn invite(server: &app::Server) {
    let name = format!("{LABEL}.{}", sample::APEX.trim_end_matches('.'));
    for whois in server.whois_addresses() {
        let (ip, port) = (whois.ip(), whois.port());
        output::line(format_args!("WHOIS on {whois}:"));
        output::line(format_args!("  whois -h {ip} -p {port} {name}"));
        output::line(format_args!(
            "  whois -h {ip} -p {port} -- \"-a free.{}\"",
            sample::APEX
        ));
    }
    for rdap in server.rdap_addresses() {
        output::line(format_args!("RDAP on {rdap}:"));
        for path in [&format!("domain/{name}"), "entity/9999", "help"] {
            output::line(format_args!("  curl http://{rdap}/{path}"));
        }
    }
    for web in server.web_addresses() {
        output::line(format_args!("web pages, for a browser:"));
        for path in ["", &format!("domain/{name}")] {
            output::line(format_args!("  http://{web}/{path}"));
        }
    }
}
