//! Contacts that go to another registrar, and one whose personal data is erased.

use meridian::registry::command::Cause;
use serde_json::json;

use super::super::desk::{AUTH, Desk, Talks as _, command, plain};

/// Another registrar asks for it, once in vain, and has it (RFC 5733 section 3.2.4).
pub(super) fn transfer(desk: &mut Desk, id: &str) {
    let moved =
        |op: &str, body: &str| command(&format!("transfer op=\"{op}\""), "contact", body, "");
    let pw = |auth: &str| {
        format!("<contact:authInfo><contact:pw>{auth}</contact:pw></contact:authInfo>")
    };
    let authorized = id.to_owned() + &pw(AUTH);
    let chg = format!("{id}<contact:chg>{}</contact:chg>", pw(AUTH));
    expect!(2202, desk, "reg-b", moved("request", &authorized));
    expect!(1000, desk, "reg-a", command("update", "contact", &chg, ""));
    expect!(2003, desk, "reg-b", moved("request", id));
    let wrong = id.to_owned() + &pw("2fooBAR");
    expect!(2202, desk, "reg-b", moved("request", &wrong));
    expect!(2301, desk, "reg-a", moved("query", id));
    expect!(2301, desk, "reg-a", moved("approve", id));
    let reply = expect!(1001, desk, "reg-b", moved("request", &authorized));
    for part in [
        "contact:trnData",
        "id>holder<",
        "trStatus>pending<",
        "reID>reg-b<",
        "acID>reg-a<",
    ] {
        assert!(reply.xml.contains(part), "no {part}: {}", reply.xml);
    }
    expect!(2300, desk, "reg-b", moved("request", &authorized));
    expect!(2201, desk, "reg-b", moved("approve", id));
    expect!(1000, desk, "reg-a", moved("reject", id));
    expect!(1001, desk, "reg-b", moved("request", &authorized));
    let reply = expect!(1000, desk, "reg-a", moved("approve", id));
    assert!(reply.xml.contains("clientApproved<"), "{}", reply.xml);
    let reply = expect!(1000, desk, "reg-b", command("info", "contact", id, ""));
    assert!(reply.xml.contains("contact:clID>reg-b<"), "{}", reply.xml);
    assert!(reply.xml.contains("contact:trDate>"), "{}", reply.xml);
    expect!(1000, desk, "reg-a", moved("query", id));
    // What authorized it is void (RFC 9154), and the other way needs another.
    expect!(2202, desk, "reg-a", moved("request", &authorized));
    expect!(1000, desk, "reg-b", command("update", "contact", &chg, ""));
    expect!(1001, desk, "reg-a", moved("request", &authorized));
    let reply = expect!(1301, desk, "reg-b", plain("<poll op=\"req\"/>"));
    assert!(reply.xml.contains("contact:trnData"), "{}", reply.xml);
    assert!(
        reply.xml.contains("Transfer of holder rejected"),
        "{}",
        reply.xml
    );
    expect!(1000, desk, "reg-b", moved("approve", id));
}

/// Its sponsor sees that nothing is there any more, in the form that the schema asks for.
pub(super) fn erased(desk: &mut Desk) {
    let id = "<contact:id>nobody</contact:id>";
    desk.contact("reg-a", "nobody");
    let cause = Cause {
        reason: None,
        case: Some("17".to_owned()),
    };
    let erase = json!({"contact": {"erase": {"handle": "nobody"}}});
    desk.operate_because(erase, Some(cause));
    let reply = expect!(1000, desk, "reg-a", command("info", "contact", id, ""));
    for part in [
        "contact:name>-<",
        "contact:city>-<",
        "contact:cc>ZZ<",
        "contact:email>-<",
    ] {
        assert!(reply.xml.contains(part), "no {part}: {}", reply.xml);
    }
    for gone in ["Person", "Town", "contact:voice", "example.com"] {
        assert!(!reply.xml.contains(gone), "{gone}: {}", reply.xml);
    }
    let email = "<contact:chg><contact:email>a@b.example</contact:email></contact:chg>";
    let update = command("update", "contact", &format!("{id}{email}"), "");
    expect!(2304, desk, "reg-a", update);
    let reply = expect!(1301, desk, "reg-a", plain("<poll op=\"req\"/>"));
    assert!(reply.xml.contains("requested"), "{}", reply.xml);
    expect!(1000, desk, "reg-a", command("delete", "contact", id, ""));
}
