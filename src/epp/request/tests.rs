use proptest::prelude::*;

use super::*;

/// A command of an object with its extension.
fn framed(verb: &str, object: &str, body: &str, extension: &str) -> String {
    let name = verb.split(' ').next().unwrap();
    let extension = match extension {
        "" => String::new(),
        some => format!("<extension>{some}</extension>"),
    };
    format!(
        "<epp xmlns='{EPP}'><command><{verb}><o:{name} xmlns:o='urn:ietf:params:xml:ns:{object}-1.0'>\
         {body}</o:{name}></{name}>{extension}<clTRID>ABC-1</clTRID></command></epp>"
    )
}

fn fault(frame: &str) -> (u16, String) {
    match Request::read(frame.as_bytes()) {
        Err(refused) => (refused.fault.code.number(), refused.fault.element),
        Ok(request) => panic!("{frame} is read as {request:?}"),
    }
}

fn read(frame: &str) -> Request {
    match Request::read(frame.as_bytes()) {
        Ok(request) => request,
        Err(refused) => panic!("{frame}: {}", refused.fault),
    }
}

/// Verb, object, body, code, and the element that is meant.
const FAULTS: &[(&str, &str, &str, u16, &str)] = &[
    ("check", "domain", "", 2001, "check"),
    ("check", "domain", "<o:name/>", 2005, "name"),
    ("delete", "domain", "<o:name>-a.tld</o:name>", 2005, "name"),
    (
        "delete",
        "domain",
        "<o:name>a.b</o:name><o:name>c.d</o:name>",
        2001,
        "name",
    ),
    (
        "info",
        "domain",
        "<o:name hosts='some'>a.b</o:name>",
        2005,
        "name",
    ),
    (
        "info",
        "domain",
        "<o:name odd='1'>a.b</o:name>",
        2001,
        "name",
    ),
    ("create", "domain", "<o:name>a.b</o:name>", 2001, "create"),
    (
        "renew",
        "domain",
        "<o:name>a.b</o:name><o:curExpDate>x</o:curExpDate>",
        2005,
        "curExpDate",
    ),
    ("renew", "host", "<o:name>a.b</o:name>", 2101, "renew"),
    (
        "transfer op='request'",
        "host",
        "<o:name>a.b</o:name>",
        2101,
        "transfer",
    ),
    (
        "transfer",
        "domain",
        "<o:name>a.b</o:name>",
        2001,
        "transfer",
    ),
    (
        "transfer op='steal'",
        "domain",
        "<o:name>a.b</o:name>",
        2001,
        "transfer",
    ),
    (
        "create",
        "host",
        "<o:name>a.b</o:name><o:addr ip='v6'>192.0.2.1</o:addr>",
        2005,
        "addr",
    ),
    (
        "create",
        "host",
        "<o:name>a.b</o:name><o:addr>192.0.2</o:addr>",
        2005,
        "addr",
    ),
    ("info", "contact", "<o:id>ab</o:id>", 2005, "id"),
    ("info", "org", "<o:id>abc</o:id>", 2307, "info"),
    (
        "update",
        "domain",
        "<o:name>a.b</o:name><o:chg/><o:add/>",
        2001,
        "add",
    ),
    (
        "update",
        "domain",
        "<o:name>a.b</o:name><o:add><o:status/></o:add>",
        2001,
        "status",
    ),
    (
        "update",
        "domain",
        "<o:name>a.b</o:name><o:add><o:status s='x'/></o:add>",
        2005,
        "status",
    ),
];

#[test]
fn each_fault_has_its_code_and_names_its_element() {
    for (verb, object, body, code, element) in FAULTS {
        let frame = framed(verb, object, body, "");
        assert_eq!(fault(&frame), (*code, (*element).to_owned()), "{frame}");
    }
}

#[test]
fn a_period_is_a_number_of_a_range_and_in_years() {
    let auth = "<o:authInfo><o:pw/></o:authInfo>";
    for (period, code) in [
        ("<o:period unit='y'>0</o:period>", 2004),
        ("<o:period unit='y'>11</o:period>", 2004),
        ("<o:period unit='y'>-1</o:period>", 2004),
        ("<o:period unit='y'>100</o:period>", 2004),
        ("<o:period unit='y'>1.5</o:period>", 2005),
        ("<o:period unit='x'>1</o:period>", 2005),
        ("<o:period>1</o:period>", 2001),
    ] {
        let frame = framed(
            "create",
            "domain",
            &format!("<o:name>a.b</o:name>{period}{auth}"),
            "",
        );
        assert_eq!(fault(&frame), (code, "period".to_owned()), "{frame}");
    }
}

#[test]
fn commands_of_epp_itself_have_their_codes() {
    let command = |body: &str| format!("<epp xmlns='{EPP}'>{body}</epp>");
    for (body, code) in [
        ("<command><fly/></command>", 2000),
        ("<command/>", 2001),
        ("<command><clTRID>ABC-1</clTRID></command>", 2001),
        ("<command><logout/><logout/></command>", 2001),
        ("<command><logout>now</logout></command>", 2001),
        ("<command><logout/><clTRID>AB</clTRID></command>", 2005),
        ("<command><poll/></command>", 2001),
        ("<command><poll op='ack'/></command>", 2003),
        ("<command><poll op='req' msgID='1'/></command>", 2001),
        ("<greeting/>", 2000),
        ("<hello>you</hello>", 2001),
        ("", 2001),
    ] {
        assert_eq!(fault(&command(body)).0, code, "{body}");
    }
    assert_eq!(fault("<command/>").0, 2001);
    assert_eq!(read(&command("<hello/>")).command, Command::Hello);
    let poll = read(&command("<command><poll op='ack' msgID=' 12 '/></command>"));
    assert_eq!(
        poll.command,
        Command::Poll(Poll::Acknowledge("12".to_owned()))
    );
}

#[test]
fn a_clients_name_for_its_command_is_found_in_what_is_refused() {
    let frame = framed("delete", "domain", "<o:name>-.tld</o:name>", "");
    let refused = Request::read(frame.as_bytes()).unwrap_err();
    assert_eq!(refused.client_transaction.as_deref(), Some("ABC-1"));
    assert!(
        Request::read(b"<a")
            .unwrap_err()
            .client_transaction
            .is_none()
    );
}

#[test]
fn what_only_policy_forbids_waits() {
    let create = |body: &str| {
        let body = format!("<o:name>a.tld</o:name>{body}<o:authInfo><o:pw/></o:authInfo>");
        read(&framed("create", "domain", &body, ""))
            .refusal
            .map(|fault| fault.code.number())
    };
    assert_eq!(create(""), None);
    assert_eq!(create("<o:period unit='m'>12</o:period>"), Some(2306));
    let attribute = "<o:ns><o:hostAttr><o:hostName>ns.a.tld</o:hostName></o:hostAttr></o:ns>";
    assert_eq!(
        create(attribute),
        None,
        "the registry knows the zone's model"
    );
    let status = "<o:name>a.tld</o:name><o:add><o:status s='ok'/></o:add>";
    let refusal = read(&framed("update", "domain", status, "")).refusal;
    assert_eq!(refusal.map(|fault| fault.code.number()), Some(2306));
    let names = "<o:name>a.tld</o:name>".repeat(101);
    assert!(
        read(&framed("check", "domain", &names, ""))
            .refusal
            .is_some()
    );
}

#[test]
fn extensions_stand_where_they_belong_and_once() {
    let name = "<o:name>a.tld</o:name>";
    let token = "<t:allocationToken xmlns:t='urn:ietf:params:xml:ns:allocationToken-1.0'>x\
        </t:allocationToken>";
    let sec_dns = "<s:create xmlns:s='urn:ietf:params:xml:ns:secDNS-1.1'><s:dsData><s:keyTag>1\
        </s:keyTag><s:alg>13</s:alg><s:digestType>2</s:digestType><s:digest>AB</s:digest>\
        </s:dsData></s:create>";
    let of = |verb: &str, extension: &str| fault(&framed(verb, "domain", name, extension)).0;
    assert_eq!(of("delete", token), 2002);
    assert_eq!(of("check", sec_dns), 2002);
    assert_eq!(of("check", &format!("{token}{token}")), 2002);
    assert_eq!(of("check", "<x xmlns='urn:x'/>"), 2103);
    assert_eq!(of("check", "text"), 2001);
    assert!(
        read(&framed("check", "domain", name, token))
            .token
            .is_some()
    );
    let info = "<s:infData xmlns:s='urn:ietf:params:xml:ns:secDNS-1.1'/>";
    assert_eq!(of("info", info), 2001);
}

#[test]
fn signers_are_read_as_ds_or_as_keys() {
    let with = |body: &str| {
        let update = format!(
            "<s:update xmlns:s='urn:ietf:params:xml:ns:secDNS-1.1'><s:add>{body}</s:add></s:update>"
        );
        Request::read(framed("update", "domain", "<o:name>a.tld</o:name>", &update).as_bytes())
    };
    let ds = |tag: &str, digest: &str| {
        format!(
            "<s:dsData><s:keyTag>{tag}</s:keyTag><s:alg>13</s:alg><s:digestType>2</s:digestType>\
             <s:digest>{digest}</s:digest></s:dsData>"
        )
    };
    let key = |key: &str| {
        format!(
            "<s:keyData><s:flags>257</s:flags><s:protocol>3</s:protocol><s:alg>13</s:alg>\
             <s:pubKey>{key}</s:pubKey></s:keyData>"
        )
    };
    let code = |body: &str| with(body).unwrap_err().fault.code.number();
    assert_eq!(code(&ds("65536", "AB")), 2004);
    assert_eq!(code(&ds("x", "AB")), 2005);
    assert_eq!(code(&ds("1", "ABC")), 2005);
    assert_eq!(code(&format!("{}{}", ds("1", "AB"), key("AQID"))), 2001);
    assert_eq!(code(&key("no key.")), 2005);
    assert_eq!(code("<s:maxSigLife>1</s:maxSigLife>"), 2102);
    assert!(with(&ds("1", "AB")).unwrap().refusal.is_none());
    // Which of the two a zone takes is the registry's to say; what is no key is said here.
    assert!(with(&key("AQID")).unwrap().refusal.is_none());
    let odd = key("AQID").replace("protocol>3", "protocol>1");
    let odd = with(&odd).unwrap().refusal.unwrap();
    assert_eq!(odd.code, Code::ParameterPolicy);
}

/// A login with these passwords, and what loginSec says.
fn login(password: &str, new: &str, security: &str) -> Result<Login, Refused> {
    let extension = match security {
        "" => String::new(),
        some => format!(
            "<extension><l:loginSec xmlns:l='urn:ietf:params:xml:ns:epp:loginSec-1.0'>{some}\
             </l:loginSec></extension>"
        ),
    };
    let frame = format!(
        "<epp xmlns='{EPP}'><command><login><clID>client</clID><pw>{password}</pw>{new}<options>\
         <version>1.0</version><lang>en</lang></options><svcs><objURI>urn:a</objURI><svcExtension>\
         <extURI>urn:b</extURI></svcExtension></svcs></login>{extension}</command></epp>"
    );
    match Request::read(frame.as_bytes())?.command {
        Command::Login(login) => Ok(*login),
        other => panic!("{other:?}"),
    }
}

#[test]
fn passwords_of_a_login_are_short_or_in_the_extension() {
    const THERE: &str = "[LOGIN-SECURITY]";
    let code = |refused: Refused| refused.fault.code.number();
    assert_eq!(
        login("secret-1", "", "").unwrap().password.reveal(),
        "secret-1"
    );
    assert_eq!(code(login("short", "", "").unwrap_err()), 2005);
    assert_eq!(code(login("seventeen letters", "", "").unwrap_err()), 2005);
    assert_eq!(code(login(THERE, "", "").unwrap_err()), 2003);
    let long = "<l:pw>a password that is long</l:pw>";
    let read = login(THERE, "", long).unwrap();
    assert_eq!(read.password.reveal(), "a password that is long");
    assert_eq!(code(login("secret-1", "", long).unwrap_err()), 2306);
    let new = format!("<newPW>{THERE}</newPW>");
    assert_eq!(code(login("secret-1", &new, "").unwrap_err()), 2003);
    let read = login(
        "secret-1",
        &new,
        "<l:newPW>another one that is long</l:newPW>",
    )
    .unwrap();
    assert_eq!(
        read.new_password.unwrap().reveal(),
        "another one that is long"
    );
    let agent = "<l:userAgent><l:app>client 1</l:app><l:os>here</l:os></l:userAgent>";
    let read = login("secret-1", "", agent).unwrap();
    assert_eq!(
        read.user_agent.unwrap().application.as_deref(),
        Some("client 1")
    );
    assert_eq!(
        code(login("secret-1", "", "<l:userAgent/>").unwrap_err()),
        2001
    );
    assert!(!format!("{:?}", login("secret-1", "", "")).contains("secret-1"));
}

#[test]
fn a_login_agrees_with_the_offer_or_is_refused() {
    use super::super::services::{Offer, Services};
    let with = |change: fn(&mut Login)| {
        let mut login = login("secret-1", "", "").unwrap();
        login.objects = vec![namespace::DOMAIN.to_owned()];
        login.extensions = vec![namespace::RGP.to_owned()];
        change(&mut login);
        let agreed = Services::agree(&Offer::default(), &login);
        agreed.map_err(|fault| fault.code.number())
    };
    let services = with(|_| ()).unwrap();
    assert!(services.has(namespace::RGP) && !services.has(namespace::HOST));
    assert_eq!(with(|login| login.version = "2.0".into()), Err(2100));
    assert_eq!(with(|login| login.language = "tlh".into()), Err(2102));
    assert!(with(|login| login.language = "EN".into()).is_ok());
    assert_eq!(with(|login| login.objects.push("urn:x".into())), Err(2307));
    assert_eq!(
        with(|login| login.extensions.push("urn:x".into())),
        Err(2103)
    );
}

#[test]
fn places_name_the_element_of_a_value_and_hold_no_secret() {
    let body = "<o:name>A.tld</o:name><o:ns><o:hostObj>ns1.x.example</o:hostObj></o:ns>\
        <o:authInfo><o:pw>hidden-hidden</o:pw></o:authInfo>";
    let request = read(&framed("create", "domain", body, ""));
    let place = request.places.find("ns1.x.example").unwrap();
    assert_eq!(place.element, "hostObj");
    assert_eq!(request.places.find("a.tld").unwrap().element, "name");
    assert!(!format!("{request:?}").contains("hidden-hidden"));
}

proptest! {
    #[test]
    fn any_change_of_a_frame_is_a_request_or_a_fault(
        at in 0usize..600,
        octets in proptest::collection::vec(any::<u8>(), 0..6),
        cut in 0usize..10,
    ) {
        let body = "<o:name>a.tld</o:name><o:period unit='y'>2</o:period><o:ns><o:hostObj>ns.b.c\
            </o:hostObj></o:ns><o:authInfo><o:pw roid='A-1'>x</o:pw></o:authInfo>";
        let mut frame = framed("create", "domain", body, "").into_bytes();
        let at = at.min(frame.len());
        let end = (at + cut).min(frame.len());
        frame.splice(at..end, octets);
        if let Err(refused) = Request::read(&frame) {
            prop_assert!(!refused.fault.code.is_success());
        }
    }

    #[test]
    fn names_and_periods_come_through(label in "[a-z][a-z0-9]{0,20}", years in 1u8..=10) {
        let body = format!(
            "<o:name>{label}.tld</o:name><o:period unit='y'>{years}</o:period><o:authInfo><o:pw/>\
             </o:authInfo>"
        );
        let request = read(&framed("create", "domain", &body, ""));
        let Command::Registry(command) = request.command else {
            return Err(TestCaseError::fail("a create"));
        };
        let registry::Command::Domain(registry::command::DomainCommand::Create(create)) = *command
        else {
            return Err(TestCaseError::fail("of a domain"));
        };
        prop_assert_eq!(create.name.as_str(), format!("{label}.tld"));
        prop_assert_eq!(create.period.count(), years);
    }
}
