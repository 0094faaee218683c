use proptest::prelude::*;

use super::*;

fn domain(text: &str) -> Subject {
    Subject::Domain(QueryName::parse(text).unwrap())
}

fn check(path: &str, query: &str, expected: &Target) {
    assert_eq!(read(path, query).as_ref(), Ok(expected), "{path}?{query}");
}

#[test]
fn each_page_has_its_address() {
    check("/", "", &Target::Home);
    check("/help", "", &Target::Help);
    check("/style.css", "v=1", &Target::Asset(Asset::Style));
    check("/favicon.ico", "", &Target::Asset(Asset::Icon));
    for (view, end) in [
        (View::Summary, ""),
        (View::Whois, "/whois"),
        (View::WhoisText, "/whois.txt"),
        (View::Rdap, "/rdap"),
    ] {
        let path = format!("/domain/EXAMPLE.tld.{end}");
        check(&path, "", &Target::Object(domain("example.tld"), view));
        let registrar = Subject::Registrar("A/S & Sons".to_owned());
        let path = format!("{}{end}", registrar.path());
        check(&path, "", &Target::Object(registrar, view));
    }
    let umlaut = domain("xn--bcher-kva.tld");
    check(
        "/domain/b%C3%BCcher.tld",
        "",
        &Target::Object(umlaut, View::Summary),
    );
    check(
        "/address/2001%3Adb8%3A%3A1",
        "",
        &Target::Servers("2001:db8::1".parse().unwrap()),
    );
}

#[test]
fn the_field_takes_what_people_paste() {
    let name = || QueryName::parse("example.tld").unwrap();
    let moved = |path: &str| Target::Moved(path.to_owned());
    for (query, expected) in [
        ("q=example.tld", Target::Either(name())),
        ("q=++Example.TLD.++", Target::Either(name())),
        ("q=https%3A%2F%2Fexample.tld%2Fpath", Target::Either(name())),
        ("q=192.0.2.1", moved("/address/192.0.2.1")),
        ("q=2001%3Adb8%3A%3A1", moved("/address/2001%3Adb8%3A%3A1")),
        ("q=9995", moved("/registrar/9995")),
        ("q=Registrar+reg-a", moved("/registrar/Registrar%20reg-a")),
        ("q=Names+Inc.", moved("/registrar/Names%20Inc.")),
        ("q=", Target::Empty),
        ("", Target::Empty),
    ] {
        check("/lookup", query, &expected);
    }
    check(
        "/availability",
        "q=example.tld",
        &Target::Availability(name()),
    );
    check("/availability", "q=+", &Target::Empty);
}

#[test]
fn what_is_no_question_says_what_is_wrong_with_it() {
    for (path, query, status, part) in [
        ("/domain/a..b", "", 400, "Not a domain name"),
        ("/domain/b%C3%BCcher.xn--bcher-kva", "", 400, "A-labels"),
        ("/domain/%0d%0aset-cookie", "", 400, "characters"),
        ("/lookup", "q=a%00b.tld", 400, "control characters"),
        ("/lookup", "q=a..b", 400, "Not a domain name"),
        ("/address/300.1.2.3", "", 400, "IPv4"),
        ("/domain", "", 404, "no page"),
        ("/domain/example.tld/more", "", 404, "no page"),
        ("/contact/x", "", 404, "no page"),
        ("/registrar/", "", 404, "no page"),
        ("/.git/config", "", 404, "no page"),
    ] {
        let fault = read(path, query).unwrap_err();
        assert_eq!(fault.status, status, "{path}?{query}");
        assert!(
            fault.reason.contains(part),
            "{path}?{query}: {}",
            fault.reason
        );
    }
    let long = read(&format!("/domain/{}", "a".repeat(TARGET_BYTES_MAX)), "").unwrap_err();
    assert_eq!(long.status, 400);
}

proptest! {
    #[test]
    fn any_request_is_read_or_refused(path in "/[ -~]{0,60}", query in "[ -~]{0,60}") {
        let _ = read(&path, &query);
    }

    #[test]
    fn whatever_is_written_leads_to_an_address_of_ours(text in "\\PC{0,40}") {
        let query = format!("q={}", encode(&text));
        if let Ok(Target::Moved(path)) = read("/lookup", &query) {
            prop_assert!(path.starts_with("/address/") || path.starts_with("/registrar/"));
            let is_plain = |c: char| c.is_ascii_graphic();
            prop_assert!(path.chars().all(is_plain), "{path}");
            prop_assert!(matches!(read(&path, ""), Ok(Target::Object(..) | Target::Servers(_))));
        }
    }
}
