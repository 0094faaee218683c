//! The web pages in a browser that we did not write: headless Chromium looks at each by the
//! width of a telephone and of a desk, light and dark, and goes through them by keys alone.
//!
//! `MERIDIAN_PICTURES` names a folder that is given a picture of each.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod chromium;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::chromium::Browser;
use super::wanted;
use crate::lookup::{Live, apply};

const LOOK: &str = include_str!("web/look.js");
const TELEPHONE: u32 = 390;
const DESK: u32 = 1280;
/// Of contact data, as a registrar could send it.
const HOSTILE: &str =
    "\"></title><script>document.title='taken'</script><img src=x onerror=alert(1)>";

/// Pages by what their pictures are called, with their status.
const PAGES: [(&str, &str, u16); 15] = [
    ("home", "/", 200),
    ("help", "/help", 200),
    ("domain", "/domain/person.tld", 200),
    ("domain-open", "/domain/open.tld", 200),
    ("domain-held", "/domain/thin.tld", 200),
    ("whois", "/domain/person.tld/whois", 200),
    ("rdap", "/domain/person.tld/rdap", 200),
    ("nameserver", "/nameserver/ns1.org.tld", 200),
    ("address", "/address/192.0.2.1", 200),
    ("registrar", "/registrar/9995", 200),
    ("free", "/availability?q=a-name-that-nobody-has.tld", 200),
    ("taken", "/availability?q=person.tld", 200),
    ("idn", "/availability?q=b%C3%BCcher.tld", 200),
    ("missing", "/domain/a-name-that-nobody-has.tld", 404),
    ("malformed", "/lookup?q=not..a..name", 400),
];

/// A server with more to show.
fn live() -> Live {
    let live = Live::with("terms-url = \"https://nic.tld/terms\"", "");
    let contact = json!({ "contact": { "create": {
        "handle": "hostile", "registrar": "reg-a", "kind": "org",
        "int": { "name": HOSTILE, "organization": HOSTILE, "address": {
            "street": [HOSTILE], "city": HOSTILE, "country": "DE" } },
        "email": "hostile@mail.example",
        "disclose": { "show": true, "elements": ["name-int", "org-int", "addr-int", "email"] },
    } } });
    let mut commands = vec![contact];
    commands.push(
        json!({ "domain": { "create": { "name": "hostile.tld", "registrar": "reg-a",
        "registrant": "hostile" } } }),
    );
    commands.push(
        json!({ "domain": { "update": { "name": "thin.tld", "add": { "statuses": [
        "serverHold", "serverTransferProhibited", "serverDeleteProhibited"] } } } }),
    );
    apply(&live.folder, &commands);
    live
}

fn octets(base64: &str) -> Vec<u8> {
    let value = |octet: u8| match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut octets, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for six in base64.bytes().filter_map(value) {
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push((held >> bits & 0xff) as u8);
        }
    }
    octets
}

/// What the browser complains of, and asks others for.
fn complaints(browser: &mut Browser, origin: &str, status: u16) -> Vec<String> {
    let said = [
        "Log.entryAdded",
        "Runtime.exceptionThrown",
        "Runtime.consoleAPICalled",
    ];
    let mut faults: Vec<_> = browser.take(&said).iter().map(Value::to_string).collect();
    // A page that says that there is nothing is itself said to be missing.
    let own = format!("responded with a status of {status}");
    faults.retain(|fault| status == 200 || !fault.contains(&own));
    for request in browser.take(&["Network.requestWillBeSent"]) {
        let url = request["params"]["request"]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        if !url.starts_with(origin) {
            faults.push(format!("asked for {url}"));
        }
    }
    for response in browser.take(&["Network.responseReceived"]) {
        let response = &response["params"];
        if response["type"] == "Document" && response["response"]["status"] != status {
            faults.push(format!("{}", response["response"]["status"]));
        }
    }
    faults
}

/// What a reader of screens is told: everything that can be used has a name, and the parts
/// of the page are there.
fn unnamed(browser: &mut Browser) -> Vec<String> {
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<_> = tree["nodes"].as_array().unwrap().iter().collect();
    let nodes = nodes.iter().filter(|node| node["ignored"] == false);
    let named: Vec<_> = nodes
        .map(|node| {
            let word = |key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
            (word("role"), word("name"))
        })
        .collect();
    let used = [
        "textbox",
        "searchbox",
        "button",
        "link",
        "navigation",
        "heading",
        "table",
    ];
    let is_bare =
        |(role, name): &&(String, String)| used.contains(&role.as_str()) && name.is_empty();
    let mut faults: Vec<_> = named
        .iter()
        .filter(is_bare)
        .map(|(role, _)| format!("a {role} without a name"))
        .collect();
    for role in ["banner", "main", "contentinfo", "navigation", "heading"] {
        if !named.iter().any(|(found, _)| found == role) {
            faults.push(format!("no {role}"));
        }
    }
    faults
}

#[test]
fn every_page_looks_right_by_telephone_and_desk_light_and_dark() {
    if !wanted(&["chromium"]) {
        return;
    }
    let live = live();
    let origin = format!("http://{}", live.web);
    let pictures = std::env::var_os("MERIDIAN_PICTURES").map(PathBuf::from);
    let mut browser = Browser::start();
    let mut faults = Vec::new();
    for (width, scheme) in [
        (DESK, "light"),
        (DESK, "dark"),
        (TELEPHONE, "light"),
        (TELEPHONE, "dark"),
    ] {
        browser.look_by(width, scheme);
        for (called, path, status) in PAGES {
            browser.open(&format!("{origin}{path}"));
            let mut found = complaints(&mut browser, &origin, status);
            let look: Vec<String> = serde_json::from_value(browser.value(LOOK)).unwrap();
            found.extend(look);
            found.extend(unnamed(&mut browser));
            let named = format!("{called}-{width}-{scheme}");
            faults.extend(found.iter().map(|fault| format!("{named}: {fault}")));
            let picture = octets(&browser.picture());
            assert!(picture.starts_with(b"\x89PNG"), "{named}");
            if let Some(folder) = &pictures {
                std::fs::write(folder.join(format!("{named}.png")), picture).unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    // The judge can tell: a text that is hardly there, and one that is wider than the page.
    browser.value(
        "const sheet = new CSSStyleSheet(); \
         sheet.replaceSync('h1 { white-space: nowrap; width: 3000px; } label { color: var(--card); }'); \
         document.adoptedStyleSheets.push(sheet); 1",
    );
    let look: Vec<String> = serde_json::from_value(browser.value(LOOK)).unwrap();
    for fault in ["contrast 1.", "wider than the page"] {
        assert!(
            look.iter().any(|found| found.starts_with(fault)),
            "{look:?}"
        );
    }
}

/// What has the focus: what it is, what it says, and whether that is to be seen.
fn focus(browser: &mut Browser) -> (String, bool) {
    let found = browser.value(
        "(() => { const at = document.activeElement; const style = getComputedStyle(at); \
         const box = at.getBoundingClientRect(); \
         return [at.tagName + ' ' + (at.id || at.textContent.trim()), \
         style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0]; })()",
    );
    serde_json::from_value(found).unwrap()
}

#[test]
fn every_page_can_be_used_by_keys_alone() {
    if !wanted(&["chromium"]) {
        return;
    }
    let live = live();
    let origin = format!("http://{}", live.web);
    let mut browser = Browser::start();
    browser.look_by(DESK, "light");
    browser.open(&format!("{origin}/"));
    for expected in [
        "A Skip to the content",
        "A Meridian",
        "A Look up",
        "A Help",
        "INPUT q",
        "BUTTON Look up",
        "BUTTON Is it free?",
        "A Terms of use",
    ] {
        browser.press("Tab");
        assert_eq!(focus(&mut browser), (expected.to_owned(), true));
    }
    browser.open(&format!("{origin}/"));
    browser.press("Tab");
    browser.press("Enter");
    assert_eq!(focus(&mut browser).0, "MAIN content");
    // From the content on, the field is next.
    browser.press("Tab");
    assert_eq!(focus(&mut browser).0, "INPUT q");
    browser.call("Input.insertText", json!({ "text": "PERSON.tld" }));
    browser.press("Enter");
    browser.wait_for("Page.loadEventFired");
    let place = |browser: &mut Browser| browser.value("location.pathname + location.search");
    assert_eq!(place(&mut browser), "/domain/person.tld");
    let title = browser.value("document.title");
    assert_eq!(title, "person.tld – Meridian");
    // Along the page to its other forms.
    let go_to = |browser: &mut Browser, wanted: &str| {
        for _ in 0..40 {
            browser.press("Tab");
            let (found, is_seen) = focus(browser);
            assert!(is_seen, "{found} has the focus and does not show it");
            if found == wanted {
                return;
            }
        }
        panic!("no way by keys to {wanted}");
    };
    go_to(&mut browser, "A WHOIS");
    browser.press("Enter");
    browser.wait_for("Page.loadEventFired");
    assert_eq!(place(&mut browser), "/domain/person.tld/whois");
    go_to(&mut browser, "INPUT q");
    browser.value("document.activeElement.select()");
    browser.call("Input.insertText", json!({ "text": "free.tld" }));
    go_to(&mut browser, "BUTTON Is it free?");
    browser.press(" ");
    browser.wait_for("Page.loadEventFired");
    assert_eq!(place(&mut browser), "/availability?q=free.tld");
    assert_eq!(complaints(&mut browser, &origin, 200), [] as [String; 0]);
}

#[test]
fn what_a_registrar_sends_is_text_and_no_script_runs() {
    if !wanted(&["chromium"]) {
        return;
    }
    let live = live();
    let origin = format!("http://{}", live.web);
    let mut browser = Browser::start();
    for path in ["", "/whois", "/rdap"] {
        browser.open(&format!("{origin}/domain/hostile.tld{path}"));
        assert!(
            browser
                .value("document.title")
                .as_str()
                .unwrap()
                .starts_with("hostile.tld")
        );
        assert_eq!(
            browser.value("document.querySelectorAll('script, img').length"),
            0
        );
        let text = browser.value("document.querySelector('main').textContent");
        let text = text.as_str().unwrap().replace("\\\"", "\"");
        assert!(text.contains(HOSTILE), "{path}: {text}");
    }
    assert_eq!(complaints(&mut browser, &origin, 200), [] as [String; 0]);
    // Were there a script, it would not run; nor would a style or a picture of others.
    browser.value(
        "for (const [tag, text] of [['script', 'window.ran = 1'], ['style', 'body { display: none }']]) { \
         const made = document.createElement(tag); made.textContent = text; document.body.append(made); } 1",
    );
    assert_eq!(
        browser.value("window.ran === undefined && getComputedStyle(document.body).display"),
        "flex"
    );
    assert_eq!(browser.take(&["Log.entryAdded"]).len(), 2);
    // On paper there is the object alone.
    browser.open(&format!("{origin}/domain/person.tld"));
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let hidden = "[...document.querySelectorAll('.search, .tabs, header nav')].every((at) => !at.getClientRects().length)";
    assert_eq!(browser.value(hidden), true);
    assert_eq!(
        browser.value("getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)"
    );
}
