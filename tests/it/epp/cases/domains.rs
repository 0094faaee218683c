//! epp-14 to epp-16, epp-18 and epp-21: domains.

use super::super::desk::{
    AUTH, OUTSIDE, Reply, Talks, command, contact_create, domain_create, host_create, name,
};
use super::super::live::Sessions;
use super::{
    begin, check_rows, contact, delete, graces, info, is_years_after, shown, statuses, update,
};

/// Sets a rule of the zone.
fn set_policy(sessions: &Sessions, rule: &str) {
    let policy = ["registry", "zone", "policy", "tld", "--set", rule];
    sessions.live.folder.succeed(&policy);
}

#[test]
fn epp_14_domain_create() {
    let mut sessions = begin();
    check_rows(&mut sessions, "epp-14", 50);
    // Both registrars make domains.
    for (who, domain) in [("reg-a", "by-clid01.tld"), ("reg-b", "by-clid02.tld")] {
        sessions.register(who, domain);
        let shown = shown(&mut sessions, who, "domain", domain);
        let sponsors = [shown.texts("clID"), shown.texts("crID")].concat();
        assert_eq!(sponsors, [who, who], "{}", shown.xml);
        let roid = shown.texts("roid").concat();
        let (number, repository) = roid.split_once('-').unwrap();
        assert!(number.parse::<u64>().is_ok(), "{roid}");
        assert_eq!(repository, "MERIDIAN");
        let (made, ends) = (
            shown.texts("crDate").concat(),
            shown.texts("exDate").concat(),
        );
        assert!(is_years_after(&ends, &made, 1), "{made} {ends}");
    }
    // Where the registry keeps no contacts, a registrant is refused.
    set_policy(&sessions, "data-model=minimum");
    let create = |holder| domain_create("thin.tld", &OUTSIDE, holder, AUTH, "");
    sessions.expect(2306, "reg-a", &create("of-reg-a"));
    sessions.expect(1000, "reg-a", &create(""));
}

#[test]
fn epp_15_object_integrity() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-15.tld");
    let host = "ns1.epp-15.tld";
    let address = [("v4", "208.77.190.212")];
    sessions.expect(1000, "reg-a", &host_create(host, &address));
    let add = "<domain:add><domain:ns><domain:hostObj>ns1.epp-15.tld</domain:hostObj>\
        </domain:ns></domain:add>";
    sessions.expect(1000, "reg-a", &update("domain", "epp-15.tld", add));
    for linked in [OUTSIDE[0], OUTSIDE[1], host] {
        sessions.expect(2305, "reg-a", &delete("host", linked));
        let shown = shown(&mut sessions, "reg-a", "host", linked);
        assert!(
            statuses(&shown).contains(&"linked".to_owned()),
            "{}",
            shown.xml
        );
    }
    sessions.expect(2305, "reg-a", &contact("delete", "of-reg-a", ""));
    let shown = sessions.expect(1000, "reg-a", &contact("info", "of-reg-a", ""));
    assert!(
        statuses(&shown).contains(&"linked".to_owned()),
        "{}",
        shown.xml
    );
}

#[test]
fn epp_16_domain_update() {
    let mut sessions = begin();
    check_rows(&mut sessions, "epp-16", 80);
    sessions.register("reg-a", "epp-16.tld");
    sessions.expect(1000, "reg-a", &contact_create("another"));
    let registrant = "<domain:chg><domain:registrant>another</domain:registrant></domain:chg>";
    sessions.expect(1000, "reg-a", &update("domain", "epp-16.tld", registrant));
    let changed = shown(&mut sessions, "reg-a", "domain", "epp-16.tld");
    assert_eq!(changed.texts("registrant"), ["another"], "{}", changed.xml);
    assert_eq!(changed.texts("upID"), ["reg-a"]);
    let nobody = registrant.replace("another", "nobody");
    sessions.expect(2303, "reg-a", &update("domain", "epp-16.tld", &nobody));
    // Name servers as attributes are of the other host model.
    let attribute = "<domain:ns><domain:hostAttr><domain:hostName>ns1.outside.example\
        </domain:hostName></domain:hostAttr></domain:ns>";
    let attribute = format!("<domain:add>{attribute}</domain:add>");
    sessions.expect(2306, "reg-a", &update("domain", "epp-16.tld", &attribute));
    let hold = "<domain:add><domain:status s=\"clientHold\"/></domain:add>";
    for change in [registrant, hold] {
        sessions.expect(2201, "reg-b", &update("domain", "epp-16.tld", change));
    }
}

fn renew(domain: &str, expiry: &str, period: &str) -> String {
    let body = format!(
        "{}<domain:curExpDate>{expiry}</domain:curExpDate>{period}",
        name("domain", domain)
    );
    command("renew", "domain", &body, "")
}

fn years(count: u32) -> String {
    format!("<domain:period unit=\"y\">{count}</domain:period>")
}

fn expiry(shown: &Reply) -> String {
    shown.texts("exDate").concat()
}

#[test]
fn epp_18_domain_renew() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-18.tld");
    let mut now = expiry(&shown(&mut sessions, "reg-a", "domain", "epp-18.tld"));
    for count in [1, 2, 3] {
        let command = renew("epp-18.tld", &now[..10], &years(count));
        let renewed = sessions.expect(1000, "reg-a", &command);
        let shown = shown(&mut sessions, "reg-a", "domain", "epp-18.tld");
        let next = expiry(&shown);
        assert_eq!(expiry(&renewed), next);
        let count = i32::try_from(count).unwrap();
        assert!(is_years_after(&next, &now, count), "{now} {next}");
        assert!(
            graces(&shown).contains(&"renewPeriod".to_owned()),
            "{}",
            shown.xml
        );
        now = next;
    }
    // Seven years from now: three more are the last.
    let day = &now[..10];
    for period in [years(4), years(10)] {
        sessions.expect(2306, "reg-a", &renew("epp-18.tld", day, &period));
    }
    for (code, period) in [
        (2004, years(0)),
        (2004, years(11)),
        (2004, years(99)),
        (2005, years(1).replace("\"y\"", "\"x\"")),
    ] {
        let refused = sessions.say("reg-a", &renew("epp-18.tld", day, &period));
        assert!(
            [code, 2001].contains(&refused.code),
            "{period}: {}",
            refused.xml
        );
    }
    sessions.expect(2306, "reg-a", &renew("epp-18.tld", "2018-03-12", &years(1)));
    sessions.expect(2201, "reg-b", &renew("epp-18.tld", day, &years(1)));
    let unchanged = shown(&mut sessions, "reg-a", "domain", "epp-18.tld");
    assert_eq!(expiry(&unchanged), now);
    sessions.expect(1000, "reg-a", &renew("epp-18.tld", day, &years(3)));
}

#[test]
fn epp_21_domain_delete() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-21.tld");
    // In its add period it is gone at once, and so can what it used.
    sessions.expect(1000, "reg-a", &delete("domain", "epp-21.tld"));
    sessions.expect(2303, "reg-a", &info("domain", "epp-21.tld"));
    for host in OUTSIDE {
        sessions.expect(1000, "reg-a", &delete("host", host));
        sessions.expect(2303, "reg-a", &info("host", host));
    }
    sessions.expect(1000, "reg-a", &contact("delete", "of-reg-a", ""));
    sessions.expect(2303, "reg-a", &contact("info", "of-reg-a", ""));
    // Without such a period it waits.
    set_policy(&sessions, "add-grace=0");
    sessions.register("reg-a", "later.tld");
    sessions.expect(1001, "reg-a", &delete("domain", "later.tld"));
    let shown = shown(&mut sessions, "reg-a", "domain", "later.tld");
    assert!(
        statuses(&shown).contains(&"pendingDelete".to_owned()),
        "{}",
        shown.xml
    );
    assert_eq!(graces(&shown), ["redemptionPeriod"]);
    sessions.expect(2304, "reg-a", &delete("domain", "later.tld"));
}
