//! Requests and their pages, without sockets. What a page is made of is read by an XML
//! parser that others wrote: the templates are written so that it can.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::json;

use super::*;
use crate::lookup::counters::Outcome;
use crate::lookup::testing::{Engine, execute, lookups, lookups_with, stage};
use crate::lookup::{Lookups, QueryName};

mod hostile;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// As DNS would answer, had it the event 7.
fn served(name: &QueryName) -> Served {
    let record = |rtype: &str, data: &str| ServedRecord {
        owner: name.ascii().to_owned(),
        ttl: 3600,
        rtype: rtype.to_owned(),
        data: data.to_owned(),
    };
    Served {
        generation: 42,
        event: 1_000,
        zone: Some(ServedZone {
            apex: "tld".to_owned(),
            serial: 2_026_112_500,
        }),
        answered: Answered::Referral,
        records: vec![record("NS", "ns1.org.tld."), record("A", "192.0.2.1")],
    }
}

/// Says what it was asked.
fn echo(outcome: Outcome) -> FormSource {
    Box::new(move |asked: String| {
        let text = format!("asked: {asked}\r\nno \u{202e}more");
        Box::pin(async move { Form { outcome, text } })
    })
}

fn responder(lookups: Arc<Lookups>) -> Responder {
    Responder::new(
        lookups,
        "Registry <of> tld",
        Box::new(served),
        echo(Outcome::Found),
    )
    .with_terms("https://nic.example/terms")
    .with_rdap("https://rdap.nic.example/".to_owned(), echo(Outcome::Found))
}

async fn get(responder: &Responder, target: &str) -> Reply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    responder.respond(CLIENT, path, query).await
}

/// A page as a tree.
fn tree(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}: {page}"))
}

fn is_named<'a>(name: &'static str) -> impl Fn(&Node<'a, 'a>) -> bool {
    move |node| node.has_tag_name(name)
}

/// All text of a node, blanks put together.
fn text_of(node: Node<'_, '_>) -> String {
    let pieces = node.descendants().filter(Node::is_text);
    let text: String = pieces.filter_map(|piece| piece.text()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn heading(page: &str) -> String {
    let tree = tree(page);
    let headings: Vec<_> = tree
        .descendants()
        .filter(|node| node.has_tag_name("h1"))
        .collect();
    assert_eq!(headings.len(), 1, "{page}");
    text_of(headings[0])
}

/// What is said under a name on a page, in the order of the page.
fn said(page: &str, name: &str) -> Vec<String> {
    let tree = tree(page);
    let terms = tree.descendants().filter(|node| node.has_tag_name("dt"));
    let mut found = Vec::new();
    for term in terms.filter(|term| text_of(*term) == name) {
        let values = term.next_siblings().filter(|node| node.has_tag_name("dd"));
        found.extend(values.map(text_of));
    }
    found
}

#[tokio::test]
async fn a_domain_has_what_the_registry_and_dns_have_of_it() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let reply = get(&responder, "/domain/PERSON.tld").await;
    assert_eq!((reply.status, reply.cache), (200, Cache::Short));
    assert_eq!(reply.outcome, Some(("domain", Outcome::Found)));
    let page = &reply.body;
    assert_eq!(heading(page), "person.tld");
    for (name, expected) in [
        ("Name servers", &["ns1.org.tld", "ns2.outside.example"][..]),
        ("DS", &[crate::lookup::testing::DS]),
        ("IANA ID", &["9995"]),
        ("Report abuse", &["abuse@reg-a.example"]),
        ("Web pages", &["https://www.reg-a.example/"]),
        ("E-mail", &["c-open@mail.example"]),
    ] {
        assert_eq!(said(page, name), expected, "{name}");
    }
    assert_eq!(said(page, "Status")[0], "ok Nothing restricts it");
    let whole = text_of(tree(page).root());
    assert!(whole.contains("Delegated."), "{whole}");
    assert!(
        whole.contains("Generation 42, zone tld with serial 2026112500."),
        "{whole}"
    );
    assert!(
        whole.contains("All that the registry has accepted is served."),
        "{whole}"
    );
    for link in [
        "href=\"/nameserver/ns1.org.tld\"",
        "href=\"/registrar/9995\"",
        "href=\"/domain/person.tld/whois.txt\"",
        "href=\"https://rdap.nic.example/domain/person.tld\"",
        "href=\"https://nic.example/terms\"",
        "aria-current=\"page\"",
    ] {
        assert!(page.contains(link), "{link}");
    }
}

#[tokio::test]
async fn what_is_withheld_is_named_and_not_there() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let page = get(&responder, "/domain/person.tld").await.body;
    let withheld = said(&page, "Withheld");
    assert_eq!(
        withheld[0],
        "Name, organization, street, city, postal code, telephone, fax, e-mail and Registry ID"
    );
    for secret in [
        "Jo Doe",
        "Main Street",
        "c-person",
        "Hostmaster",
        "49.7654321",
    ] {
        assert!(!page.contains(secret), "{secret}");
    }
    // What a contact wishes to show is there.
    let page = get(&responder, "/domain/open.tld").await.body;
    assert_eq!(said(&page, "Street"), ["Main Street 1", "Back door"]);
    assert_eq!(said(&page, "Telephone"), ["+49.1234567 ext. 89"]);
    assert_eq!(said(&page, "Withheld"), ["Registry ID"]);
    // A registrar that keeps no contacts shows none.
    let page = get(&responder, "/domain/thin.tld").await.body;
    assert!(said(&page, "Withheld").is_empty());
    assert_eq!(said(&page, "Name servers"), ["None"]);
}

#[tokio::test]
async fn hosts_registrars_and_addresses_have_pages() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let page = get(&responder, "/nameserver/ns1.org.tld").await.body;
    assert_eq!(said(&page, "Addresses"), ["192.0.2.1", "2001:db8::1"]);
    assert!(page.contains("Below a delegation"));
    assert!(page.contains("href=\"/address/2001%3Adb8%3A%3A1\""));
    let page = get(&responder, "/address/2001:db8::1").await.body;
    assert_eq!(said(&page, "Name servers"), ["ns1.org.tld"]);
    for called in ["9995", "Registrar%20A", "reg-a"] {
        let page = get(&responder, &format!("/registrar/{called}")).await.body;
        assert_eq!(heading(&page), "Registrar A", "{called}");
        assert_eq!(said(&page, "Street"), ["Registrar Road 5"]);
        assert_eq!(said(&page, "Name"), ["Ada Min", "Tom Tech"]);
        // What the registry calls it by itself is nobody's business.
        assert!(called == "reg-a" || !page.contains("reg-a<"), "{page}");
    }
}

#[tokio::test]
async fn the_other_forms_are_shown_on_pages_and_handed_out() {
    let test = stage(Engine::Sqlite).await;
    let lookups = lookups(&test);
    let responder = self::responder(Arc::clone(&lookups));
    let page = get(&responder, "/domain/org.tld/whois").await.body;
    assert!(page.contains("<span>asked: domain org.tld</span>\n<span>no \\u{202e}more</span>"));
    let page = get(&responder, "/registrar/Registrar%20A/rdap").await.body;
    assert!(
        page.contains("<span>asked: entity/Registrar%20A</span>"),
        "{page}"
    );
    let reply = get(&responder, "/nameserver/ns1.org.tld/whois.txt").await;
    assert_eq!(reply.media, "text/plain; charset=utf-8");
    assert!(reply.body.starts_with("asked: nameserver ns1.org.tld\r\n"));
    let without = Responder::new(lookups, "x", Box::new(served), echo(Outcome::Missing));
    let page = get(&without, "/domain/org.tld").await.body;
    assert!(!page.contains("RDAP</a>"), "{page}");
    assert_eq!(get(&without, "/domain/org.tld/rdap").await.status, 404);
    assert_eq!(get(&without, "/domain/nobody.tld/whois").await.status, 404);
    assert_eq!(get(&without, "/domain/org.tld/whois.txt").await.status, 404);
}

#[tokio::test]
async fn a_search_leads_to_whatever_there_is() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for (written, expected) in [
        ("person.tld", "/domain/person.tld"),
        ("ns1.org.tld", "/nameserver/ns1.org.tld"),
        ("nobody.tld", "/domain/nobody.tld"),
        ("Registrar+A", "/registrar/Registrar%20A"),
        ("192.0.2.1", "/address/192.0.2.1"),
        ("", "/"),
    ] {
        let reply = get(&responder, &format!("/lookup?q={written}")).await;
        assert_eq!(reply.status, 303, "{written}");
        assert_eq!(reply.location.as_deref(), Some(expected), "{written}");
        assert_eq!(reply.cache, Cache::Never);
    }
}

#[tokio::test]
async fn whether_a_name_is_free_is_said_with_what_to_do() {
    let mut test = stage(Engine::Sqlite).await;
    let command = json!({ "zone": { "labels": { "apex": "tld", "hold": [
        { "label": "mine", "kind": "reserved", "reason": "for the registry" }] } } });
    execute(&mut test, command).await;
    let responder = responder(lookups(&test));
    for (name, verdict, reason) in [
        (
            "free.tld",
            "Yes, it is free",
            "Ask a registrar to register it for you.",
        ),
        (
            "org.tld",
            "No, it cannot be registered",
            "Registered already.",
        ),
        (
            "mine.tld",
            "No, it cannot be registered",
            "Reserved: for the registry.",
        ),
        (
            "free.example",
            "No, it cannot be registered",
            "In no zone of this registry.",
        ),
    ] {
        let reply = get(&responder, &format!("/availability?q={name}")).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(heading(&reply.body), name);
        let whole = text_of(tree(&reply.body).root());
        assert!(
            whole.contains(&format!("{verdict} {reason}")),
            "{name}: {whole}"
        );
    }
    let page = get(&responder, "/availability?q=b%C3%BCcher.tld")
        .await
        .body;
    assert_eq!(heading(&page), "bücher.tld");
}

#[tokio::test]
async fn what_is_not_there_says_what_to_do_next() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for (path, status, title, next) in [
        (
            "/domain/free.tld",
            404,
            "free.tld is not in this registry",
            "It is free. Ask a registrar",
        ),
        (
            "/domain/a..b",
            400,
            "This is not a name that can be looked up",
            "example.tld",
        ),
        (
            "/nameserver/ns1.no.tld",
            404,
            "No name server is called ns1.no.tld",
            "/domain/ns1",
        ),
        (
            "/registrar/nobody",
            404,
            "No registrar is called “nobody”",
            "number at IANA",
        ),
        (
            "/address/192.0.2.99",
            404,
            "No name server has the address 192.0.2.99",
            "zones",
        ),
        ("/no/such/page", 404, "There is no such page", "href=\"/\""),
    ] {
        let reply = get(&responder, path).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(heading(&reply.body), title, "{path}");
        assert!(reply.body.contains(next), "{path}: {}", reply.body);
        assert!(reply.body.contains("action=\"/lookup\""), "{path}");
    }
}

/// What a person wrote is that person's fault, whoever found it; what failed is kept nowhere.
#[tokio::test]
async fn forms_of_other_services_keep_their_outcome() {
    let test = stage(Engine::Sqlite).await;
    for (outcome, status, cache, retry_after) in [
        (Outcome::Found, 200, Cache::Short, None),
        (Outcome::Missing, 404, Cache::Short, None),
        (Outcome::Malformed, 400, Cache::Never, None),
        (Outcome::Failed, 503, Cache::Never, Some(5)),
    ] {
        let name = "Registry of tld";
        let responder = Responder::new(lookups(&test), name, Box::new(served), echo(outcome));
        let raw = get(&responder, "/domain/person.tld/whois.txt").await;
        assert_eq!((raw.status, raw.cache), (status, cache), "{outcome:?}");
        assert_eq!(raw.retry_after, retry_after, "{outcome:?}");
        assert_eq!(raw.outcome, Some(("domain", outcome)));
        let page = get(&responder, "/domain/person.tld/whois").await;
        assert_eq!(page.status, status, "{outcome:?}");
        assert_eq!(page.outcome, Some(("domain", outcome)));
    }
    let responder = responder(lookups(&test));
    let long = format!("/registrar/{}/whois", "a".repeat(256));
    assert_eq!(get(&responder, &long).await.status, 400);
    assert_eq!(get(&responder, "/registrar/%20/whois").await.status, 404);
}

#[tokio::test]
async fn the_limit_is_that_of_all_services_and_pages_that_read_nothing_are_free() {
    let test = stage(Engine::Sqlite).await;
    let lookups = lookups_with(&test, |settings| {
        settings.queries_per_second = 1;
        settings.burst = 1;
    });
    let responder = responder(Arc::clone(&lookups));
    lookups.admit(CLIENT).unwrap();
    let reply = get(&responder, "/domain/org.tld").await;
    assert_eq!((reply.status, reply.retry_after), (429, Some(2)));
    assert!(reply.body.contains("Wait 2 seconds"), "{}", reply.body);
    assert_eq!(reply.outcome, Some(("none", Outcome::Limited)));
    assert_eq!(reply.cache, Cache::Never);
    for path in [
        "/",
        "/help",
        "/style.css",
        "/icon.svg",
        "/robots.txt",
        "/lookup?q=",
    ] {
        let reply = get(&responder, path).await;
        assert!([200, 303].contains(&reply.status), "{path}");
        assert_eq!(reply.outcome, None, "{path}");
    }
}

#[tokio::test]
async fn a_registry_that_is_gone_is_told_so() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    drop(test);
    let reply = get(&responder, "/domain/org.tld").await;
    assert_eq!((reply.status, reply.retry_after), (503, Some(5)));
    assert_eq!(heading(&reply.body), "No answer for now");
    assert_eq!(reply.outcome, Some(("domain", Outcome::Failed)));
}

#[tokio::test]
async fn every_page_has_its_language_landmarks_and_names() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for path in [
        "/",
        "/help",
        "/domain/person.tld",
        "/domain/person.tld/whois",
        "/domain/person.tld/rdap",
        "/domain/no.tld",
        "/nameserver/ns1.org.tld",
        "/registrar/9995",
        "/address/192.0.2.1",
        "/availability?q=free.tld",
        "/domain/-",
    ] {
        let page = get(&responder, path).await.body;
        let tree = tree(&page);
        assert_eq!(tree.root_element().attribute("lang"), Some("en"));
        for landmark in ["header", "main", "footer", "h1", "title"] {
            let count = tree.descendants().filter(is_named(landmark)).count();
            assert_eq!(count, 1, "{path}: {landmark}");
        }
        // Levels of headings go down one by one.
        let level = |node: Node<'_, '_>| node.tag_name().name().strip_prefix('h')?.parse().ok();
        let levels: Vec<u8> = tree.descendants().filter_map(level).collect();
        assert!(
            levels.is_sorted_by(|one, next| *next <= one + 1),
            "{path}: {levels:?}"
        );
        // What can be typed into has a label, and what is told by a number is there.
        for node in tree.descendants() {
            if node.has_tag_name("input") {
                let id = node.attribute("id");
                let labels = tree.descendants().filter(is_named("label"));
                assert_eq!(labels.filter(|one| one.attribute("for") == id).count(), 1);
            }
            for name in ["aria-describedby", "aria-labelledby"] {
                if let Some(target) = node.attribute(name) {
                    let there = tree
                        .descendants()
                        .filter(|one| one.attribute("id") == Some(target));
                    assert_eq!(there.count(), 1, "{path}: {target}");
                }
            }
            assert_eq!(node.attribute("style"), None, "{path}");
            assert!(
                !node.has_tag_name("script") && !node.has_tag_name("style"),
                "{path}"
            );
        }
    }
}
