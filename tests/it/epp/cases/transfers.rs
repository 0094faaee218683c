//! epp-19 and epp-20: domains that go to another registrar, or do not.

use super::super::desk::{AUTH, Talks, command, name};
use super::super::live::Sessions;
use super::{begin, graces, is_years_after, shown, statuses, update};

/// Of 128 bits, and of none that anybody would have to guess (RFC 9154 section 4.1).
const SECURE: &str = "Zk3vQ8!nR5tW2yB7mX4cJ6hG9pL1sD";
const INSECURE: [&str; 3] = ["password", "epp-19.tld", "12345678"];

fn set_auth(auth: &str) -> String {
    format!(
        "<domain:chg><domain:authInfo><domain:pw>{auth}</domain:pw></domain:authInfo></domain:chg>"
    )
}

/// A `transfer` with what stands between name and authorization, and that.
fn transfer(op: &str, domain: &str, period: &str, auth: &str) -> String {
    let auth = match auth {
        "" => String::new(),
        auth => format!("<domain:authInfo><domain:pw>{auth}</domain:pw></domain:authInfo>"),
    };
    let body = name("domain", domain) + period + &auth;
    command(&format!("transfer op=\"{op}\""), "domain", &body, "")
}

/// A domain of `reg-a` that `reg-b` has asked for; when it ended before.
fn requested(sessions: &mut Sessions, domain: &str) -> String {
    const ONE: &str = "<domain:period unit=\"y\">1</domain:period>";
    const TEN: &str = "<domain:period unit=\"y\">10</domain:period>";
    sessions.register("reg-a", domain);
    for insecure in INSECURE {
        sessions.expect(
            2306,
            "reg-a",
            &update("domain", domain, &set_auth(insecure)),
        );
    }
    sessions.expect(1000, "reg-a", &update("domain", domain, &set_auth(SECURE)));
    let before = shown(sessions, "reg-a", "domain", domain);
    // What was set before is no longer right, and nobody guesses what is.
    for wrong in [AUTH, "Zk3vQ8!nR5tW2yB7mX4cJ6hG9pL1sE"] {
        sessions.expect(2202, "reg-b", &transfer("request", domain, ONE, wrong));
    }
    sessions.expect(2003, "reg-b", &transfer("request", domain, ONE, ""));
    // Eleven years from now.
    sessions.expect(2306, "reg-b", &transfer("request", domain, TEN, SECURE));
    let asked = sessions.expect(1001, "reg-b", &transfer("request", domain, ONE, SECURE));
    assert_eq!(asked.texts("trStatus"), ["pending"], "{}", asked.xml);
    for who in ["reg-a", "reg-b"] {
        let pending = statuses(&shown(sessions, who, "domain", domain));
        assert!(
            pending.contains(&"pendingTransfer".to_owned()),
            "{who}: {pending:?}"
        );
    }
    before.texts("exDate").concat()
}

#[test]
fn epp_19_domain_transfer() {
    let mut sessions = begin();
    let before = requested(&mut sessions, "epp-19.tld");
    let approve = transfer("approve", "epp-19.tld", "", "");
    sessions.expect(2201, "reg-b", &approve);
    sessions.expect(1000, "reg-a", &approve);
    let gained = shown(&mut sessions, "reg-b", "domain", "epp-19.tld");
    assert_eq!(gained.texts("clID"), ["reg-b"], "{}", gained.xml);
    assert!(!statuses(&gained).contains(&"pendingTransfer".to_owned()));
    assert!(
        graces(&gained).contains(&"transferPeriod".to_owned()),
        "{}",
        gained.xml
    );
    let after = gained.texts("exDate").concat();
    assert!(is_years_after(&after, &before, 1), "{before} {after}");
    // The authorization that was used is none any more (RFC 9154 section 4.4).
    sessions.expect(
        2202,
        "reg-a",
        &transfer("request", "epp-19.tld", "", SECURE),
    );
}

#[test]
fn epp_20_domain_transfer_rejection() {
    let mut sessions = begin();
    let before = requested(&mut sessions, "epp-20.tld");
    let reject = transfer("reject", "epp-20.tld", "", "");
    sessions.expect(2201, "reg-b", &reject);
    sessions.expect(1000, "reg-a", &reject);
    let kept = shown(&mut sessions, "reg-a", "domain", "epp-20.tld");
    assert_eq!(kept.texts("clID"), ["reg-a"], "{}", kept.xml);
    assert!(!statuses(&kept).contains(&"pendingTransfer".to_owned()));
    assert!(!graces(&kept).contains(&"transferPeriod".to_owned()));
    assert_eq!(kept.texts("exDate").concat(), before);
    sessions.expect(2301, "reg-a", &reject);
    let query = transfer("query", "epp-20.tld", "", "");
    let told = sessions.expect(1000, "reg-a", &query);
    assert_eq!(told.texts("trStatus"), ["clientRejected"], "{}", told.xml);
}
