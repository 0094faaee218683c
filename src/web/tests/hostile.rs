//! Whatever stands in the registry or comes with a request: no page has more elements,
//! attributes or links for it than for harmless words, and none of its characters is lost.

use super::*;
use crate::disclosure::{Part, Phone, PublicContact};
use crate::web::moment::Moment;
use crate::web::page::{FormPage, Link, Message, ObjectPage, Site, Tab};
use crate::web::view::{self, Object, Row, Section, Tone, Value};
use askama::Template;

/// Names of elements and attributes, and addresses, in their order.
fn shape(page: &str) -> Vec<String> {
    let mut shape = Vec::new();
    for node in tree(page).descendants() {
        if node.is_element() {
            let attributes = node.attributes();
            let attributes = attributes.map(|attribute| attribute.name());
            let attributes: Vec<_> = attributes.collect();
            shape.push(format!("{} {attributes:?}", node.tag_name().name()));
        } else if node.is_comment() || node.is_pi() {
            shape.push("neither element nor text".to_owned());
        }
    }
    shape
}

/// What a reader of the page sees for a value.
fn escaped(text: &str) -> String {
    let shown = text.chars().map(|c| match crate::lookup::is_plain(c) {
        true => c.to_string(),
        false => format!("\\u{{{:x}}}", u32::from(c)),
    });
    shown.collect()
}

fn site(text: &str) -> Site {
    Site {
        name: text.to_owned(),
        terms_url: text.to_owned(),
        rdap_url: Some(text.to_owned()),
        whois_server: text.to_owned(),
        style: text.to_owned(),
    }
}

fn contact(text: &str) -> PublicContact {
    let part = || Part::Shown(text.to_owned());
    let phone = || {
        Part::Shown(Phone {
            number: text.to_owned(),
            extension: Some(text.to_owned()),
        })
    };
    PublicContact {
        role: None,
        is_legal: true,
        handle: part(),
        name: part(),
        organization: part(),
        street: Part::Shown(vec![text.to_owned(); 3]),
        city: part(),
        province: part(),
        postal_code: part(),
        country: part(),
        voice: phone(),
        fax: phone(),
        // Some texts are addresses, and those are links.
        email: Part::Hidden,
        statuses: vec![text.to_owned()],
    }
}

fn object_page(text: &str) -> String {
    let owned = || text.to_owned();
    let values = vec![
        Value::Text(owned()),
        Value::Code(owned()),
        Value::Page {
            href: owned(),
            text: owned(),
        },
        Value::Web(owned()),
        Value::Mail(owned()),
        Value::Status {
            word: owned(),
            meaning: "",
        },
        Value::Note(owned()),
    ];
    let rows = vec![Row {
        name: "Values",
        values,
    }];
    let object = Object {
        kind: "Domain",
        name: owned(),
        unicode: Some(owned()),
        marks: Vec::new(),
        main: vec![Section { title: "All", rows }],
        side: vec![view::contact(&contact(text))],
    };
    let record = ServedRecord {
        owner: owned(),
        ttl: 0,
        rtype: owned(),
        data: owned(),
    };
    let dns = view::Dns {
        tone: Tone::Good,
        state: "",
        meaning: "",
        records: vec![record],
        generation: 0,
        zone: Some(ServedZone {
            apex: owned(),
            serial: 0,
        }),
        is_behind: true,
        freshness: owned(),
    };
    let page = ObjectPage {
        site: &site(text),
        asked: text,
        object: &object,
        tabs: vec![Tab {
            href: owned(),
            text: "",
            is_current: true,
        }],
        dns: Some(dns),
        links: vec![Link {
            href: owned(),
            text: owned(),
        }],
        read_at: Moment {
            machine: owned(),
            people: owned(),
        },
    };
    page.render().unwrap()
}

fn form_page(text: &str) -> String {
    let page = FormPage {
        site: &site(text),
        asked: text,
        kind: "Domain",
        name: text,
        service: "WHOIS",
        tabs: Vec::new(),
        lines: vec![text, text],
        link: Link {
            href: text.to_owned(),
            text: text.to_owned(),
        },
    };
    page.render().unwrap()
}

fn message(text: &str) -> String {
    let page = Message {
        site: &site(text),
        asked: text,
        title: text,
        paragraphs: vec![text.to_owned()],
        links: vec![Link {
            href: text.to_owned(),
            text: text.to_owned(),
        }],
    };
    page.render().unwrap()
}

/// Pieces of what is used to break out of a text, an attribute, a line or a direction.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "<script>alert(1)</script>",
            "</title>",
            "</pre>",
            "\" onfocus=\"alert(1)",
            "' autofocus '",
            "<!--",
            "-->",
            "]]>",
            "&lt;",
            "&#60;",
            "&",
            "javascript:alert(1)",
            "\r\n\r\n<b>",
            "\u{0}",
            "\u{1b}[2J",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{202e}",
            "\u{2066}",
            "\u{feff}",
            "{{7*7}}",
            "{% x %}",
            "\\u{0}",
            "</span>\n",
            "<img src=x onerror=alert(1)>",
            "+ADw-script+AD4-",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_value_is_anything_but_text(text in hostile()) {
        for page in [object_page, form_page, message] {
            let (harmless, page) = (page("word"), page(&text));
            prop_assert_eq!(shape(&page), shape(&harmless));
            let harmless_lines = harmless.lines().count();
            prop_assert_eq!(page.lines().count(), harmless_lines, "{}", &page);
            let is_plain = |c: char| c == '\n' || crate::lookup::is_plain(c);
            prop_assert!(page.chars().all(is_plain));
            let shown = escaped(&text);
            for node in tree(&page).descendants().filter(|node| node.has_tag_name("input")) {
                prop_assert_eq!(node.attribute("value"), Some(shown.as_str()));
            }
        }
    }

    #[test]
    fn a_link_leads_to_the_web_or_to_a_mail_program(text in hostile(), start in "(https?://)?") {
        let text = format!("{start}{text}");
        if let Value::Web(url) = Value::web(&text) {
            prop_assert!(url.starts_with("http://") || url.starts_with("https://"));
        }
        if let Value::Mail(address) = Value::mail(&text) {
            prop_assert!(!address.contains([':', '/', '?', '&', '"', '<']));
        }
    }

    #[test]
    fn whatever_is_asked_is_a_page(path in "\\PC{0,40}", query in "\\PC{0,40}") {
        let fault = crate::web::path::read(&format!("/{path}"), &query);
        if let Err(fault) = fault {
            let page = message(&format!("q{}", fault.asked));
            prop_assert_eq!(shape(&page), shape(&message("word")));
        }
    }
}
