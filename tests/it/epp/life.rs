//! A life of objects from the first create to the last purge, by two registrars.

use super::desk::{
    AUTH, DAY, Desk, Frame, Talks as _, command, domain_create, host_create, hosts, name, plain,
};

const RGP: &str = "urn:ietf:params:xml:ns:rgp-1.0";
const SEC_DNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";
const DS: &str = "<secDNS:dsData><secDNS:keyTag>12345</secDNS:keyTag><secDNS:alg>13</secDNS:alg>\
    <secDNS:digestType>2</secDNS:digestType><secDNS:digest>\
    49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC1234</secDNS:digest></secDNS:dsData>";

/// Says something and holds the code of the answer.
macro_rules! expect {
    ($code:literal, $desk:expr, $who:literal, $xml:expr) => {{
        let reply = $desk.say($who, &$xml);
        assert_eq!(reply.code, $code, "{}", reply.xml);
        reply
    }};
}

mod contacts;

fn authorized(domain: &str, auth: &str) -> String {
    let pw = format!("<domain:authInfo><domain:pw>{auth}</domain:pw></domain:authInfo>");
    name("domain", domain) + &pw
}

fn transfer(op: &str, body: &str) -> String {
    command(&format!("transfer op=\"{op}\""), "domain", body, "")
}

fn update(domain: &str, body: &str, extension: &str) -> String {
    let body = name("domain", domain) + body;
    command("update", "domain", &body, extension)
}

fn sec_dns(element: &str, body: &str) -> String {
    let name = element.split(' ').next().unwrap();
    format!("<secDNS:{element} xmlns:secDNS=\"{SEC_DNS}\">{body}</secDNS:{name}>")
}

fn restore(op: &str, report: &str) -> String {
    format!(
        "<rgp:update xmlns:rgp=\"{RGP}\"><rgp:restore op=\"{op}\">{report}</rgp:restore>\
         </rgp:update>"
    )
}

/// Hosts, and a domain with delegation signers.
fn begin(desk: &mut Desk) {
    let servers = ["ns1.example.tld", "ns2.outside.example"];
    expect!(1000, desk, "reg-a", host_create("ns1.outside.example", &[]));
    expect!(1000, desk, "reg-a", host_create(servers[1], &[]));
    let names = ["example.tld", "-bad-.tld", "elsewhere.example"];
    let names: String = names.iter().map(|domain| name("domain", domain)).collect();
    let reply = expect!(1000, desk, "reg-a", command("check", "domain", &names, ""));
    assert!(
        reply.xml.contains("avail=\"1\">example.tld<"),
        "{}",
        reply.xml
    );
    assert_eq!(reply.xml.matches("avail=\"0\"").count(), 2, "{}", reply.xml);

    let outside = ["ns1.outside.example", servers[1]];
    let create = domain_create("example.tld", &outside, "", AUTH, &sec_dns("create", DS));
    let reply = expect!(1000, desk, "reg-a", create);
    assert_eq!(
        reply.text("domain:exDate"),
        Some("2019-03-12T10:20:00Z"),
        "{}",
        reply.xml
    );
    assert_eq!(reply.text("clTRID"), Some("ABC-12345"));
    assert!(
        reply.text("svTRID").unwrap().starts_with("M-"),
        "{}",
        reply.xml
    );
    expect!(2302, desk, "reg-b", create);
    let address = [("v4", "208.77.190.201"), ("v6", "2602:800:900e:1257::9")];
    expect!(1000, desk, "reg-a", host_create(servers[0], &address));
    let change = format!(
        "<domain:add>{}</domain:add><domain:rem>{}</domain:rem>",
        hosts(&servers[..1]),
        hosts(&outside[..1])
    );
    expect!(1000, desk, "reg-a", update("example.tld", &change, ""));
    let checked = name("host", servers[0]) + &name("host", "free.outside.example");
    let reply = expect!(1000, desk, "reg-b", command("check", "host", &checked, ""));
    assert_eq!(reply.text("host:reason"), Some("in use"), "{}", reply.xml);
    let reply = expect!(
        1000,
        desk,
        "reg-b",
        command("info", "host", &name("host", servers[0]), "")
    );
    assert!(
        reply.xml.contains("<host:status s=\"linked\"/>"),
        "{}",
        reply.xml
    );
}

/// What each may see.
fn look(desk: &mut Desk) {
    let own = command("info", "domain", &name("domain", "example.tld"), "");
    let reply = expect!(1000, desk, "reg-a", own);
    for part in [
        "secDNS:keyTag>12345<",
        "rgpStatus s=\"addPeriod\"",
        "hostObj>ns1.example.tld<",
    ] {
        assert!(reply.xml.contains(part), "no {part}: {}", reply.xml);
    }
    assert!(
        !reply.xml.contains("authInfo"),
        "never returned: {}",
        reply.xml
    );
    expect!(1000, desk, "reg-b", own);
    expect!(
        2202,
        desk,
        "reg-b",
        command("info", "domain", &authorized("example.tld", "no"), "")
    );
    expect!(
        1000,
        desk,
        "reg-b",
        command("info", "domain", &authorized("example.tld", AUTH), "")
    );
    let none = "<domain:name hosts=\"none\">example.tld</domain:name>";
    let reply = expect!(1000, desk, "reg-a", command("info", "domain", none, ""));
    assert!(!reply.xml.contains("hostObj") && !reply.xml.contains("domain:host>"));
    let token = "<t:info xmlns:t=\"urn:ietf:params:xml:ns:allocationToken-1.0\"/>";
    let asks = |body: &str| command("info", "domain", body, token);
    expect!(2303, desk, "reg-a", asks(&name("domain", "example.tld")));
    expect!(2201, desk, "reg-b", asks(&name("domain", "example.tld")));
    expect!(
        2303,
        desk,
        "reg-b",
        command("info", "domain", &name("domain", "gone.tld"), "")
    );
}

/// Statuses, signers, a longer registration.
fn change(desk: &mut Desk) {
    let all = sec_dns(
        "update",
        &format!(
            "<secDNS:rem><secDNS:all>true</secDNS:all></secDNS:rem><secDNS:add>{}</secDNS:add>",
            DS.replace("12345", "54321"),
        ),
    );
    expect!(1000, desk, "reg-a", update("example.tld", "", &all));
    expect!(2201, desk, "reg-b", update("example.tld", "", &all));
    let urgent = sec_dns("update urgent=\"1\"", "<secDNS:chg/>");
    expect!(2102, desk, "reg-a", update("example.tld", "", &urgent));
    expect!(2003, desk, "reg-a", update("example.tld", "", ""));
    let lock = "<domain:add><domain:status s=\"clientUpdateProhibited\"/></domain:add>";
    expect!(1000, desk, "reg-a", update("example.tld", lock, ""));
    expect!(2304, desk, "reg-a", update("example.tld", "", &all));
    let unlock = lock.replace("add>", "rem>");
    expect!(1000, desk, "reg-a", update("example.tld", &unlock, ""));
    let renew = |date: &str, period: &str| {
        let body = format!("<domain:curExpDate>{date}</domain:curExpDate>{period}");
        command(
            "renew",
            "domain",
            &(name("domain", "example.tld") + &body),
            "",
        )
    };
    expect!(2306, desk, "reg-a", renew("2020-01-01", ""));
    let reply = expect!(1000, desk, "reg-a", renew("2019-03-12", ""));
    assert_eq!(reply.text("domain:exDate"), Some("2020-03-12T10:20:00Z"));
    let months = "<domain:period unit=\"m\">6</domain:period>";
    expect!(2306, desk, "reg-a", renew("2020-03-12", months));
    expect!(2201, desk, "reg-b", renew("2020-03-12", months));
}

/// To the other registrar, with messages to both.
fn go_over(desk: &mut Desk) {
    let domain = name("domain", "example.tld");
    expect!(2301, desk, "reg-a", transfer("query", &domain));
    expect!(2301, desk, "reg-a", transfer("approve", &domain));
    expect!(2003, desk, "reg-b", transfer("request", &domain));
    expect!(
        2202,
        desk,
        "reg-b",
        transfer("request", &authorized("example.tld", "wrong"))
    );
    expect!(
        2106,
        desk,
        "reg-a",
        transfer("request", &authorized("example.tld", AUTH))
    );
    let reply = expect!(
        1001,
        desk,
        "reg-b",
        transfer("request", &authorized("example.tld", AUTH))
    );
    assert_eq!(reply.text("domain:trStatus"), Some("pending"));
    expect!(
        2300,
        desk,
        "reg-b",
        transfer("request", &authorized("example.tld", AUTH))
    );
    expect!(2201, desk, "reg-b", transfer("approve", &domain));
    expect!(2201, desk, "reg-a", transfer("cancel", &domain));
    let request = plain("<poll op=\"req\"/>");
    let reply = expect!(1301, desk, "reg-a", request);
    assert_eq!(reply.text("domain:reID"), Some("reg-b"), "{}", reply.xml);
    let reply = expect!(1000, desk, "reg-a", transfer("approve", &domain));
    assert_eq!(reply.text("domain:trStatus"), Some("clientApproved"));
    let reply = expect!(1301, desk, "reg-b", request);
    assert_eq!(
        reply.text("domain:trStatus"),
        Some("clientApproved"),
        "{}",
        reply.xml
    );
    acknowledge(desk);
}

/// The messages of a queue, and what is said once they are gone.
fn acknowledge(desk: &mut Desk) {
    let request = plain("<poll op=\"req\"/>");
    expect!(2003, desk, "reg-b", plain("<poll op=\"ack\"/>"));
    expect!(
        2303,
        desk,
        "reg-b",
        plain("<poll op=\"ack\" msgID=\"999\"/>")
    );
    let reply = desk.say("reg-b", &request);
    let start = reply.xml.find(" id=\"").unwrap() + 5;
    let id = reply.xml[start..].split('"').next().unwrap();
    let ack = plain(&format!("<poll op=\"ack\" msgID=\"{id}\"/>"));
    expect!(2303, desk, "reg-a", ack);
    expect!(1000, desk, "reg-b", ack);
    expect!(2303, desk, "reg-b", ack);
    expect!(1300, desk, "reg-b", request);
}

/// What the registry says of its own changes.
fn hear(desk: &mut Desk) {
    desk.operate(serde_json::json!({"domain": {"update": {
        "name": "example.tld", "add": {"statuses": ["serverTransferProhibited"]},
    }}}));
    let reply = expect!(1301, desk, "reg-b", plain("<poll op=\"req\"/>"));
    for part in [
        "changePoll:operation>update<",
        "state=\"after\"",
        "serverTransferProhibited",
    ] {
        assert!(reply.xml.contains(part), "no {part}: {}", reply.xml);
    }
}

/// Deleted, restored, deleted.
fn end(desk: &mut Desk) {
    let domain = name("domain", "example.tld");
    desk.at.0 += 10 * DAY;
    expect!(
        2304,
        desk,
        "reg-b",
        update("example.tld", "", &restore("request", ""))
    );
    expect!(
        1001,
        desk,
        "reg-b",
        command("delete", "domain", &domain, "")
    );
    let mixed = "<domain:add><domain:status s=\"clientHold\"/></domain:add>";
    expect!(
        2002,
        desk,
        "reg-b",
        update("example.tld", mixed, &restore("request", ""))
    );
    let reply = expect!(
        1000,
        desk,
        "reg-b",
        update("example.tld", "", &restore("request", ""))
    );
    assert!(
        reply.xml.contains("rgpStatus s=\"pendingRestore\""),
        "{}",
        reply.xml
    );
    let report = "<rgp:report><rgp:preData>as <b xmlns=\"urn:x\">it</b> was</rgp:preData>\
        <rgp:postData>as it is</rgp:postData><rgp:delTime>2018-03-22T10:20:00.0Z</rgp:delTime>\
        <rgp:resTime>2018-03-22T10:20:00.0Z</rgp:resTime><rgp:resReason>by mistake</rgp:resReason>\
        <rgp:statement>for nobody else</rgp:statement><rgp:statement lang=\"en\">all this is true\
        </rgp:statement></rgp:report>";
    expect!(
        1000,
        desk,
        "reg-b",
        update("example.tld", "", &restore("report", report))
    );
    let reply = expect!(1000, desk, "reg-b", command("info", "domain", &domain, ""));
    assert!(!reply.xml.contains("pendingDelete"), "{}", reply.xml);
    expect!(
        1001,
        desk,
        "reg-b",
        command("delete", "domain", &domain, "")
    );
    expect!(
        2304,
        desk,
        "reg-b",
        command("delete", "domain", &domain, "")
    );
    let reply = expect!(1000, desk, "reg-b", command("info", "domain", &domain, ""));
    assert!(
        reply.xml.contains("rgpStatus s=\"redemptionPeriod\""),
        "{}",
        reply.xml
    );
    expect!(1500, desk, "reg-b", plain("<logout/>"));
}

/// Contacts, which only some registries keep.
fn contacts(desk: &mut Desk) {
    let id = "<contact:id>holder</contact:id>";
    desk.contact("reg-a", "holder");
    expect!(2201, desk, "reg-b", command("info", "contact", id, ""));
    let checked = format!("{id}<contact:id>nobody</contact:id>");
    let reply = expect!(
        1000,
        desk,
        "reg-b",
        command("check", "contact", &checked, "")
    );
    assert!(reply.xml.contains("avail=\"0\">holder<"), "{}", reply.xml);
    assert!(reply.xml.contains("avail=\"1\">nobody<"), "{}", reply.xml);
    let change = format!(
        "{id}<contact:chg><contact:postalInfo type=\"int\"><contact:org>Firm</contact:org>\
         </contact:postalInfo><contact:postalInfo type=\"loc\"><contact:name>Ж</contact:name>\
         <contact:addr><contact:city>Город</contact:city><contact:cc>RU</contact:cc>\
         </contact:addr></contact:postalInfo><contact:voice/>\
         <contact:disclose flag=\"0\"><contact:name type=\"int\"/><contact:email/>\
         </contact:disclose></contact:chg>"
    );
    expect!(
        1000,
        desk,
        "reg-a",
        command("update", "contact", &change, "")
    );
    let reply = expect!(1000, desk, "reg-a", command("info", "contact", id, ""));
    for part in [
        "name>A. Person<",
        "org>Firm<",
        "city>Town<",
        "city>Город<",
        "disclose flag=\"0\"",
    ] {
        assert!(reply.xml.contains(part), "no {part}: {}", reply.xml);
    }
    assert!(
        !reply.xml.contains("contact:voice>"),
        "removed: {}",
        reply.xml
    );
    let new_form = change.replace("loc", "int").replace("holder", "nobody");
    expect!(
        2005,
        desk,
        "reg-a",
        command("update", "contact", &new_form, "")
    );
    contacts::transfer(desk, id);
    contacts::erased(desk);
    desk.register("reg-a", "thick.tld");
    let reply = desk.say(
        "reg-a",
        &command("delete", "contact", "<contact:id>of-reg-a</contact:id>", ""),
    );
    assert_eq!(reply.code, 2305, "{}", reply.xml);
    expect!(1000, desk, "reg-a", command("delete", "contact", id, ""));
    expect!(2303, desk, "reg-a", command("delete", "contact", id, ""));
}

/// All of it, with the frames.
pub(crate) fn run() -> Vec<Frame> {
    let mut thin = Desk::new("minimum");
    begin(&mut thin);
    look(&mut thin);
    change(&mut thin);
    go_over(&mut thin);
    hear(&mut thin);
    end(&mut thin);
    let mut thick = Desk::new("maximum");
    contacts(&mut thick);
    thin.frames.into_iter().chain(thick.frames).collect()
}

#[test]
fn a_domain_lives_from_its_create_to_its_delete() {
    assert!(run().len() > 100);
}

#[test]
fn server_transactions_are_never_the_same() {
    let mut seen = std::collections::BTreeSet::new();
    let mut desk = Desk::new("minimum");
    begin(&mut desk);
    look(&mut desk);
    for frame in desk
        .frames
        .iter()
        .filter(|frame| frame.name.ends_with("response"))
    {
        let start = frame.xml.find("<svTRID>").unwrap() + 8;
        let transaction = frame.xml[start..].split('<').next().unwrap().to_owned();
        assert!(seen.insert(transaction), "twice: {}", frame.xml);
    }
}

#[test]
fn before_a_login_there_are_only_hello_and_login() {
    let mut desk = Desk::new("minimum");
    let info = command("info", "domain", &name("domain", "example.tld"), "");
    assert_eq!(desk.said(None, &info).code, 2002);
    // What is not offered is not told either.
    assert_eq!(
        desk.said(None, &info.replace("domain-1.0", "other-1.0"))
            .code,
        2002
    );
    assert_eq!(desk.said(None, "<epp/>").code, 2001);
    assert_eq!(
        desk.say("reg-a", &info.replace("domain-1.0", "other-1.0"))
            .code,
        2307
    );
}

#[test]
fn what_was_not_declared_is_not_used_and_not_sent() {
    use meridian::epp::{Offer, Request, Services, namespace, request::Command};
    let mut desk = Desk::new("minimum");
    begin(&mut desk);
    let login = "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><login><clID>reg-a</clID>\
        <pw>secret-1</pw><options><version>1.0</version><lang>en</lang></options><svcs>\
        <objURI>urn:ietf:params:xml:ns:domain-1.0</objURI></svcs></login></command></epp>";
    let request = Request::read(login.as_bytes()).unwrap();
    let Command::Login(login) = request.command else {
        panic!("a login");
    };
    desk.services = Services::agree(&Offer::default(), &login).unwrap();
    assert!(!desk.services.has(namespace::HOST));
    let reply = desk.say(
        "reg-a",
        &command("info", "domain", &name("domain", "example.tld"), ""),
    );
    assert_eq!(reply.code, 1000);
    // RFC 9038 section 3.2.
    assert!(!reply.xml.contains("<extension>"), "{}", reply.xml);
    let reason = "secDNS-1.1 not in login services</reason>";
    assert!(reply.xml.contains(reason), "{}", reply.xml);
    let reply = desk.say(
        "reg-a",
        &command("info", "host", &name("host", "ns1.example.tld"), ""),
    );
    assert_eq!(reply.code, 2002, "{}", reply.xml);
}
