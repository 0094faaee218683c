//! The order of checks, and a registry that does not take what it is given.

use std::sync::Arc;

use meridian::epp::dispatch::{self, Registry, Session};
use meridian::epp::{Offer, Request, Services};
use meridian::registry::types::Handle;
use meridian::registry::{
    CommandError, Outcome, RegistryError, {self as model},
};

use super::desk::{AUTH, Desk, START, Talks as _, command, domain_create, hosts, name};

/// A store that is full.
struct Full;

impl Registry for Full {
    async fn execute(&self, _: model::Request) -> Result<Outcome, CommandError> {
        let source = std::io::Error::other("disk full in /secret/place");
        let place = "secret-place".to_owned();
        Err(CommandError::Failed(Arc::new(RegistryError::InDoubt {
            place,
            source,
        })))
    }
}

#[test]
fn a_store_that_fails_is_2400_and_says_nothing_of_itself() {
    let services = Services::all(&Offer::default());
    let handle = Handle::parse("reg-a").unwrap();
    let session = Session {
        registrar: Some(&handle),
        services: &services,
        lab: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for frame in [
        command("check", "domain", &name("domain", "a.tld"), ""),
        command("info", "domain", &name("domain", "a.tld"), ""),
        domain_create("a.tld", &[], "", AUTH, ""),
        super::desk::plain("<poll op=\"req\"/>"),
    ] {
        let request = Request::read(frame.as_bytes()).unwrap();
        let answer = dispatch::answer(&Full, &session, &request, START, "R-1-1");
        let response = runtime.block_on(answer);
        let written = response.write(&services);
        assert_eq!(response.code.number(), 2400, "{written}");
        assert!(!response.code.ends_session(), "the session stays");
        assert!(!written.contains("secret"), "{written}");
        assert!(written.contains("<svTRID>R-1-1</svTRID>"), "{written}");
    }
}

/// An update that policy forbids: name servers as attributes.
fn attributes(domain: &str) -> String {
    let body = format!(
        "{}<domain:add><domain:ns><domain:hostAttr><domain:hostName>ns.x.example\
         </domain:hostName></domain:hostAttr></domain:ns></domain:add>",
        name("domain", domain)
    );
    command("update", "domain", &body, "")
}

#[test]
fn existence_and_sponsorship_come_before_policy() {
    let mut desk = Desk::new("minimum");
    desk.register("reg-a", "there.tld");
    assert_eq!(desk.say("reg-a", &attributes("gone.tld")).code, 2303);
    assert_eq!(desk.say("reg-b", &attributes("there.tld")).code, 2201);
    assert_eq!(desk.say("reg-a", &attributes("there.tld")).code, 2306);
    let token = "<t:allocationToken xmlns:t=\"urn:ietf:params:xml:ns:allocationToken-1.0\">abc\
        </t:allocationToken>";
    let with_token = |domain| domain_create(domain, &[], "", AUTH, token);
    assert_eq!(desk.say("reg-b", &with_token("there.tld")).code, 2302);
    assert_eq!(desk.say("reg-b", &with_token("free.tld")).code, 2201);
    let keys = "<s:update xmlns:s=\"urn:ietf:params:xml:ns:secDNS-1.1\"><s:rem><s:keyData>\
        <s:flags>257</s:flags><s:protocol>3</s:protocol><s:alg>13</s:alg><s:pubKey>AQID</s:pubKey>\
        </s:keyData></s:rem></s:update>";
    let update = |domain| command("update", "domain", &name("domain", domain), keys);
    assert_eq!(desk.say("reg-b", &update("gone.tld")).code, 2303);
    assert_eq!(desk.say("reg-a", &update("there.tld")).code, 2306);
}

#[test]
fn a_refusal_names_the_element_that_holds_the_value() {
    let mut desk = Desk::new("minimum");
    desk.register("reg-a", "there.tld");
    let body = format!(
        "{}<domain:add>{}</domain:add>",
        name("domain", "there.tld"),
        hosts(&["NS9.Nowhere.Example"])
    );
    let reply = desk.say("reg-a", &command("update", "domain", &body, ""));
    assert_eq!(reply.code, 2303);
    let value = "<domain:hostObj xmlns:domain=\"urn:ietf:params:xml:ns:domain-1.0\">\
        ns9.nowhere.example</domain:hostObj>";
    assert!(reply.xml.contains(value), "{}", reply.xml);
    let weak = domain_create("weak.tld", &[], "", "password", "");
    let reply = desk.say("reg-a", &weak);
    assert_eq!(reply.code, 2306, "{}", reply.xml);
    assert!(!reply.xml.contains(">password<"), "{}", reply.xml);
}

#[test]
fn a_message_says_which_name_servers_were_renamed() {
    let mut desk = Desk::new("minimum");
    desk.operate(serde_json::json!({"zone": {"orphans": {
        "apex": "tld", "policy": "invalid",
    }}}));
    desk.register("reg-a", "parent.tld");
    for host in ["ns1.parent.tld", "ns2.parent.tld"] {
        let create = super::desk::host_create(host, &[("v4", "208.77.190.205")]);
        assert_eq!(desk.say("reg-a", &create).code, 1000);
    }
    let servers = ["ns1.parent.tld", "ns2.parent.tld"];
    let reply = desk.say("reg-b", &domain_create("child.tld", &servers, "", AUTH, ""));
    assert_eq!(reply.code, 1000, "{}", reply.xml);
    // In its add period it goes at once.
    let delete = command("delete", "domain", &name("domain", "parent.tld"), "");
    let reply = desk.say("reg-a", &delete);
    assert_eq!(reply.code, 1000, "{}", reply.xml);
    let reply = desk.say("reg-b", &super::desk::plain("<poll op=\"req\"/>"));
    assert_eq!(reply.code, 1301, "{}", reply.xml);
    let text = "parent.tld was removed, name servers renamed; ns1.parent.tld is now ns-";
    assert!(reply.xml.contains(text), "{}", reply.xml);
}

#[test]
fn a_change_that_waited_is_told_by_its_transaction() {
    let mut desk = Desk::new("minimum");
    desk.register("reg-a", "slow.tld");
    desk.operate(
        serde_json::json!({"zone": {"policy": {"apex": "tld", "change": {
            "change-control": "verify", "approvers": ["tests"], "approvals": 1,
        }}}}),
    );
    let lock = "<domain:add><domain:status s=\"clientHold\"/></domain:add>";
    let body = name("domain", "slow.tld") + lock;
    let reply = desk.say("reg-a", &command("update", "domain", &body, ""));
    assert_eq!(reply.code, 1001, "{}", reply.xml);
    let transaction = reply.text("svTRID").unwrap().to_owned();
    let reply = desk.say("reg-a", &command("update", "domain", &body, ""));
    assert_eq!(reply.code, 2304, "{}", reply.xml);
    let waiting = desk.operate(serde_json::json!({"changes": {"list": {}}}));
    let id = waiting.pointer("/read/changes/changes/0/id");
    let id = id.unwrap_or_else(|| panic!("{waiting}")).clone();
    desk.operate(serde_json::json!({"changes": {"approve": id}}));
    let reply = desk.say("reg-a", &super::desk::plain("<poll op=\"req\"/>"));
    let told = "<domain:name paResult=\"1\">slow.tld</domain:name><domain:paTRID>\
        <clTRID>ABC-12345</clTRID><svTRID>";
    let told = format!("{told}{transaction}</svTRID>");
    assert!(reply.xml.contains(&told), "{}", reply.xml);
}
