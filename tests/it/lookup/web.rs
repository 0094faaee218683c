//! The web pages of a server that runs: headers, both ways to reach them, what they share
//! with WHOIS and RDAP.

use super::client::{get, head, request, tls_config, tls_session, whois};
use super::{Live, apply};
use crate::tls;

use serde_json::json;

#[test]
fn every_page_forbids_scripts_and_says_how_long_it_is_good() {
    let live = Live::new();
    for (path, status, cache) in [
        ("/domain/person.tld", 200, "public, max-age=10"),
        ("/domain/free.tld", 404, "public, max-age=10"),
        ("/availability?q=free.tld", 200, "public, max-age=10"),
        ("/domain/a..b", 400, "no-store"),
        ("/lookup?q=person.tld", 303, "no-store"),
        ("/", 200, "no-store"),
    ] {
        let reply = get(live.web, path);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        for (name, expected) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                 base-uri 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", cache),
        ] {
            assert_eq!(
                reply.header(name).as_deref(),
                Some(expected),
                "{path}: {name}"
            );
        }
        let head = head(live.web, path);
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{path}");
        if status != 303 {
            let length = head
                .header("content-length")
                .unwrap()
                .parse::<usize>()
                .unwrap();
            // The moment of the read is as long as ever.
            assert_eq!(length, reply.body.len(), "{path}");
        }
    }
    let page = get(live.web, "/").body;
    let style = page.split("href=\"/style.css?").nth(1).unwrap();
    let style = style.split('"').next().unwrap();
    let reply = get(live.web, &format!("/style.css?{style}"));
    assert_eq!(
        reply.header("content-type").as_deref(),
        Some("text/css; charset=utf-8")
    );
    let cache = reply.header("cache-control");
    assert_eq!(cache.as_deref(), Some("public, max-age=86400, immutable"));
    let mut stream = std::net::TcpStream::connect(live.web).unwrap();
    let refused = request(&mut stream, "POST", "/", "Content-Length: 0\r\n");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD".to_owned()))
    );
}

#[test]
fn pages_are_served_over_tls_with_a_certificate_of_their_own() {
    let live = Live::new();
    let versions = [&rustls::version::TLS13];
    let config = tls_config(&live.folder.path(tls::CERTIFICATE), &versions);
    let mut session = tls_session(&config, live.web_tls);
    let reply = request(&mut session, "GET", "/domain/person.tld", "");
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.contains("<h1><bdi>person.tld</bdi></h1>"),
        "{}",
        reply.body
    );
}

#[test]
fn pages_show_the_forms_that_whois_and_rdap_send() {
    let live = Live::new();
    let without_time = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with(">>> Last update"));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (path, question) in [
        ("/domain/person.tld", "domain person.tld"),
        ("/nameserver/ns1.org.tld", "nameserver ns1.org.tld"),
        ("/registrar/9995", "registrar 9995"),
    ] {
        let text = without_time(&whois(live.whois, question));
        let raw = get(live.web, &format!("{path}/whois.txt")).body;
        assert_eq!(without_time(&raw), text, "{path}");
        let page = get(live.web, &format!("{path}/whois")).body;
        for line in text
            .lines()
            .filter(|line| !line.contains(['&', '<', '>', '"', '\'']))
        {
            assert!(
                page.contains(&format!("<span>{line}</span>")),
                "{path}: {line}"
            );
        }
    }
    let page = get(live.web, "/domain/person.tld/rdap").body;
    assert!(
        page.contains("&#34;ldhName&#34;: &#34;person.tld&#34;"),
        "{page}"
    );
    let link = format!("href=\"http://{}/domain/person.tld\"", live.rdap);
    assert!(page.contains(&link), "{page}");
    // Neither of them was asked for it.
    for service in ["rdap", "whois"] {
        let asked = format!("meridian_{service}_answer_seconds_count");
        let expected = if service == "whois" { 3 } else { 0 };
        assert_eq!(live.server.metric(&asked), expected, "{service}");
    }
    assert_eq!(
        live.server
            .metric("meridian_lookups_total{service=\"web\",outcome=\"found\"}"),
        7
    );
}

#[test]
fn whoever_asks_whois_too_often_is_told_on_a_page_when_to_come_again() {
    let live = Live::with("queries-per-second = 1\nburst = 2", "");
    for _ in 0..2 {
        whois(live.whois, "thin.tld");
    }
    let reply = get(live.web, "/domain/thin.tld");
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("1".to_owned()))
    );
    assert!(reply.body.contains("Too many questions from your network"));
    assert_eq!(get(live.web, "/help").status, 200);
}

#[test]
fn what_a_rule_or_a_person_withholds_is_on_no_page() {
    let live = Live::new();
    let page = |path: &str| get(live.web, path).body;
    for path in [
        "/domain/person.tld",
        "/domain/person.tld/whois",
        "/domain/person.tld/rdap",
    ] {
        let shown = page(path);
        for secret in ["Jo Doe", "Main Street", "c-person@mail.example"] {
            assert!(!shown.contains(secret), "{path}: {secret}");
        }
    }
    let set = [
        "registry",
        "zone",
        "disclosure",
        "tld",
        "--set",
        "registrant.name=always",
    ];
    live.folder.succeed(&set);
    for path in [
        "/domain/person.tld",
        "/domain/person.tld/whois",
        "/domain/person.tld/rdap",
    ] {
        assert!(page(path).contains("Jo Doe"), "{path}");
    }
    // A purge or a delete is there as soon as it is accepted.
    apply(
        &live.folder,
        &[json!({ "domain": { "delete": "thin.tld" } })],
    );
    assert_eq!(get(live.web, "/domain/thin.tld").status, 404);
}
