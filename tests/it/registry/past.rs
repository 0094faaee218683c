//! What was, and what is not to be known any more, by the command line.

use super::{Place, Registry};

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn an_object_is_shown_as_it_was_and_a_person_is_forgotten() {
    for place in [Place::Sqlite, Place::Postgres] {
        let Some(registry) = Registry::at(place) else {
            continue;
        };
        let succeed = |line: &str| registry.succeed(&words(line));
        succeed("zone policy tld --set data-model=maximum");
        let contact = r#"{"kind": "person", "email": "jo@mail.example", "int": {"name": "Jo Doe",
            "address": {"city": "Town", "country": "DE"}}}"#;
        std::fs::write(registry.folder.path().join("jo.json"), contact).unwrap();
        succeed("contact create c-1 --file jo.json --as reg-a");
        let made = succeed("domain create a.tld --as reg-a --registrant c-1");
        let event = made.trim_start_matches("event ").trim().to_owned();
        succeed("domain update a.tld --as reg-a --add-status clientHold");
        succeed("domain purge a.tld --reason test");
        let shown = succeed(&format!("show a.tld --at {event}"));
        assert!(
            shown.starts_with(&format!("domain at event {event}, ")),
            "{shown}"
        );
        assert!(shown.contains("statuses           inactive\n"), "{shown}");
        assert!(shown.contains("registrant         c-1\n"), "{shown}");
        let (_, fault) = registry.fail(&words("show a.tld --at 2100-01-01"));
        assert!(fault.contains("nothing had this name at event"), "{fault}");
        let (_, fault) = registry.fail(&words("show a.tld --at 2000-01-01T00:00:00Z"));
        assert!(fault.contains("before the first event"), "{fault}");
        let then = format!("show c-1 --at {event} --json");
        assert!(succeed(&then).contains("jo@mail.example"));

        let anchor = registry.audit(&[]);
        let anchor = anchor.trim().rsplit(' ').next().unwrap().to_owned();
        let (_, fault) = registry.fail(&words("contact erase c-1"));
        assert!(fault.contains("number of its case"), "{fault}");
        let output = registry
            .command(&words("contact erase c-1 --case 7 --dry-run"))
            .output()
            .unwrap();
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(note.contains("note: c-1 is left without name"), "{note}");
        assert!(succeed(&then).contains("jo@mail.example"), "only tried");
        succeed("contact erase c-1 --case 7");
        let shown = succeed(&then);
        assert!(
            !shown.contains("jo@") && !shown.contains("Jo Doe"),
            "{shown}"
        );
        assert!(shown.contains("\"erased\":true"), "{shown}");
        let shown = succeed("contact info c-1");
        assert!(
            shown.contains("erased-at") && !shown.contains("email"),
            "{shown}"
        );
        registry.audit(&["--anchor", &anchor]);
    }
}
