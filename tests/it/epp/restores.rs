//! Domains that come back (RFC 3915), and what is said about it.

use serde_json::json;

use super::desk::{Desk, Talks as _, command, name};

const RGP: &str = "urn:ietf:params:xml:ns:rgp-1.0";

fn restore(op: &str, report: &str) -> String {
    let restore = format!(
        "<rgp:update xmlns:rgp=\"{RGP}\"><rgp:restore op=\"{op}\">{report}</rgp:restore>\
         </rgp:update>"
    );
    command("update", "domain", &name("domain", "back.tld"), &restore)
}

/// Section 4.2.5: a request is answered with one status, a report without the extension,
/// whatever grace periods the domain is in besides.
#[test]
fn a_request_is_told_by_one_status_and_a_report_by_none() {
    let mut desk = Desk::new("minimum");
    desk.operate(json!({"zone": {"policy": {"apex": "tld", "change": {"add-grace": 0}}}}));
    desk.register("reg-a", "back.tld");
    let named = name("domain", "back.tld");
    let renew = named.clone() + "<domain:curExpDate>2019-03-12</domain:curExpDate>";
    desk.expect(1000, "reg-a", &command("renew", "domain", &renew, ""));
    desk.expect(1001, "reg-a", &command("delete", "domain", &named, ""));
    let requested = desk.expect(1000, "reg-a", &restore("request", ""));
    let statuses = requested.attributes("rgpStatus", "s");
    assert_eq!(statuses, ["pendingRestore"], "{}", requested.xml);
    let report = "<rgp:report><rgp:preData>as it was</rgp:preData><rgp:postData>as it is\
        </rgp:postData><rgp:delTime>2018-03-12T10:20:00.0Z</rgp:delTime>\
        <rgp:resTime>2018-03-12T10:20:00.0Z</rgp:resTime><rgp:resReason>by mistake\
        </rgp:resReason><rgp:statement>for nobody else</rgp:statement>\
        <rgp:statement>all this is true</rgp:statement></rgp:report>";
    let reported = desk.expect(1000, "reg-a", &restore("report", report));
    assert!(!reported.xml.contains("extension"), "{}", reported.xml);
    let info = command("info", "domain", &named, "");
    let shown = desk.expect(1000, "reg-a", &info);
    let statuses = shown.attributes("rgpStatus", "s");
    assert_eq!(statuses, ["renewPeriod"], "{}", shown.xml);
}
