//! What is asked is answered from one snapshot, by connections that only read.

use serde_json::json;

use super::search::{Property, Sort};
use super::testing::{execute, lookups, lookups_with, stage};
use super::*;
use crate::registry::testing::{NOW, engines};

fn name(text: &str) -> QueryName {
    QueryName::parse(text).unwrap()
}

async fn found(lookups: &Lookups, query: Query) -> Found {
    lookups.ask(&query).await.unwrap().found
}

#[tokio::test]
async fn objects_are_found_by_what_they_are_called() {
    for engine in engines() {
        let test = stage(engine).await;
        let lookups = lookups(&test);
        let Found::Domain(domain, contacts) =
            found(&lookups, Query::Domain(name("PERSON.tld."))).await
        else {
            panic!("person.tld is there");
        };
        let servers: Vec<_> = domain.servers.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(servers, ["ns1.org.tld", "ns2.outside.example"]);
        assert_eq!(domain.zone, "tld");
        assert_eq!(domain.registrar.iana_id, Some(9995));
        assert_eq!(domain.ds[0].to_string(), super::testing::DS);
        assert_eq!(
            (domain.statuses.as_slice(), &*domain.rgp_statuses),
            (&["ok".to_owned()][..], &["addPeriod"][..])
        );
        assert!(domain.contacts.is_empty(), "only what is shown goes on");
        assert_eq!(contacts.len(), 3);
        let Found::Nameserver(host) = found(&lookups, Query::Nameserver(name("ns1.org.tld"))).await
        else {
            panic!("ns1.org.tld is there");
        };
        let addresses: Vec<_> = host.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.0.2.1", "2001:db8::1"]);
        for text in ["9995", "reg-a", "Registrar A", "registrar a"] {
            let found = found(&lookups, Query::Registrar(text.to_owned())).await;
            assert!(
                matches!(found, Found::Registrar(one) if one.handle == "reg-a"),
                "{text}"
            );
        }
        for query in [
            Query::Domain(name("nobody.tld")),
            Query::Domain(name("tld")),
            Query::Nameserver(name("ns1.nobody.tld")),
            Query::Registrar("c-org".to_owned()),
            Query::Entity("1-OTHER".to_owned()),
            Query::Entity("99999-MERIDIAN".to_owned()),
        ] {
            assert_eq!(
                found(&lookups, query.clone()).await,
                Found::Nothing,
                "{query:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_last_update_is_the_newest_event_that_is_in_the_answer() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let lookups = lookups(&test);
        for suffix in ["a", "b"] {
            let created = format!("later-{suffix}.tld");
            let query = Query::Domain(name(&created));
            let before = lookups.ask(&query).await.unwrap();
            let command =
                json!({ "domain": { "create": { "name": created, "registrar": "reg-b" } } });
            let event = execute(&mut test, command).await;
            let after = lookups.ask(&query).await.unwrap();
            assert_eq!(
                (before.found, before.last_update.event),
                (Found::Nothing, event - 1)
            );
            assert_eq!(after.last_update.event, event);
            assert_eq!(
                after.last_update.at,
                Timestamp(NOW.0 + (event - 1) * 1_000_000)
            );
            assert!(matches!(after.found, Found::Domain(..)));
        }
    }
}

#[tokio::test]
async fn a_reader_cannot_write_and_its_snapshot_stays() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut reader = Reader::open(&test.location).await.unwrap();
        let mut snapshot = reader.snapshot().await.unwrap();
        let event = snapshot.last_update().event;
        // A write goes on beside it, and is not seen in it.
        let command =
            json!({ "domain": { "create": { "name": "beside.tld", "registrar": "reg-b" } } });
        assert_eq!(execute(&mut test, command).await, event + 1);
        assert_eq!(snapshot.domain("beside.tld", NOW).await.unwrap(), None);
        snapshot.end().await.unwrap();
        let refused = crate::registry::lookup::try_to_write(&mut reader).await;
        assert!(refused.is_err());
    }
}

fn page_after(after: &str) -> Page {
    Page {
        after: after.to_owned(),
        most: 3,
        ..Page::default()
    }
}

fn shops() -> Names {
    Names {
        prefix: "shop".to_owned(),
        suffix: ".tld".to_owned(),
    }
}

/// The names that a search finds, where the next page begins, and how many there are.
async fn searched(lookups: &Lookups, query: Query) -> (Vec<String>, Option<String>, Option<usize>) {
    let Found::Page {
        objects,
        next,
        total,
    } = found(lookups, query).await
    else {
        panic!("a search gives a page");
    };
    let names = objects.into_iter().map(|object| match object {
        Found::Domain(domain, _) => domain.name,
        Found::Nameserver(host) => host.name,
        Found::Registrar(registrar) => registrar.name,
        other => panic!("{other:?} in a page"),
    });
    (names.collect(), next, total)
}

#[tokio::test]
async fn searches_give_pages_that_go_on_where_the_last_ended() {
    for engine in engines() {
        let mut test = stage(engine).await;
        for number in 0..7 {
            let created = format!("shop-{number}.tld");
            let command =
                json!({ "domain": { "create": { "name": created, "registrar": "reg-b" } } });
            execute(&mut test, command).await;
        }
        let lookups = lookups(&test);
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..4 {
            let page = page_after(&after);
            let (found, next, _) = searched(&lookups, Query::Domains(shops(), page)).await;
            assert!(found.len() <= 3);
            all.extend(found);
            let Some(next) = next else { break };
            after = next;
        }
        let expected: Vec<_> = (0..7).map(|number| format!("shop-{number}.tld")).collect();
        assert_eq!(all, expected);
        for (address, expected) in [("192.0.2.1", 1), ("2001:db8::1", 1), ("192.0.2.2", 0)] {
            let query = Query::NameserversAt(address.parse().unwrap(), page_after(""));
            let (found, next, total) = searched(&lookups, query).await;
            assert_eq!(
                (found.len(), next, total),
                (expected, None, None),
                "{address}"
            );
        }
        for (pattern, expected) in [
            (
                RegistrarPattern::Name("registrar ".to_owned(), Some(String::new())),
                2,
            ),
            (RegistrarPattern::Name("registrar".to_owned(), None), 0),
            (
                RegistrarPattern::Handle("9".to_owned(), Some("5".to_owned())),
                1,
            ),
        ] {
            let query = Query::Registrars(pattern.clone(), page_after(""));
            let (found, ..) = searched(&lookups, query).await;
            assert_eq!(found.len(), expected, "{pattern:?}");
        }
    }
}

/// All pages of a search, one after the other, as one list.
async fn all_pages(lookups: &Lookups, query: impl Fn(Page) -> Query, page: Page) -> Vec<String> {
    let (mut all, mut page) = (Vec::new(), page);
    loop {
        let (found, next, _) = searched(lookups, query(page.clone())).await;
        assert!(found.len() <= page.most);
        all.extend(found);
        let Some(next) = next else { return all };
        page.after = next;
        page.before += 1;
    }
}

#[tokio::test]
async fn what_is_found_is_counted_and_sorted_where_that_is_asked_for() {
    for engine in engines() {
        let mut test = stage(engine).await;
        for number in [3, 1, 4, 0, 2] {
            let created = format!("shop-{number}.tld");
            let command =
                json!({ "domain": { "create": { "name": created, "registrar": "reg-b" } } });
            execute(&mut test, command).await;
        }
        let rename =
            sqlx::query("UPDATE domains SET name = 'xn--bcher-kva.tld' WHERE name = 'shop-4.tld'");
        rename.execute(test.database.connection()).await.unwrap();
        let lookups = lookups(&test);
        let sorted = |property, descends| Page {
            most: 2,
            counts: true,
            order: vec![Sort { property, descends }],
            ..Page::default()
        };
        let domains = |page| Query::Domains(shops(), page);
        let page = sorted(Property::Created, false);
        let (_, _, total) = searched(&lookups, domains(page.clone())).await;
        assert_eq!(total, Some(4));
        let shop = |numbers: [u8; 4]| numbers.map(|number| format!("shop-{number}.tld"));
        assert_eq!(all_pages(&lookups, domains, page).await, shop([3, 1, 0, 2]));
        let page = sorted(Property::Name, true);
        assert_eq!(all_pages(&lookups, domains, page).await, shop([3, 2, 1, 0]));
        // What has none comes last, whichever the direction.
        let update = json!({ "domain": { "update": { "name": "shop-1.tld",
            "add": { "statuses": ["clientHold"] } } } });
        execute(&mut test, update).await;
        for descends in [false, true] {
            let page = sorted(Property::Updated, descends);
            let found = all_pages(&lookups, domains, page).await;
            assert_eq!(found[0], "shop-1.tld");
        }
        // U-labels are sorted as such.
        let any = |page| {
            let (prefix, suffix) = (String::new(), ".tld".to_owned());
            Query::Domains(Names { prefix, suffix }, page)
        };
        let found = all_pages(&lookups, any, sorted(Property::Name, false)).await;
        assert_eq!(found[0], "xn--bcher-kva.tld", "{found:?}");
        let hosts = |page| {
            let (prefix, suffix) = ("ns".to_owned(), String::new());
            Query::Nameservers(Names { prefix, suffix }, page)
        };
        let found = all_pages(&lookups, hosts, sorted(Property::V6, true)).await;
        assert_eq!(found, ["ns1.org.tld", "ns2.outside.example"]);
        let all = RegistrarPattern::Name(String::new(), Some(String::new()));
        let registrars = |page| Query::Registrars(all.clone(), page);
        let found = all_pages(&lookups, registrars, sorted(Property::Handle, true)).await;
        assert_eq!(found, ["Registrar B", "Registrar A"]);
    }
}

#[tokio::test]
async fn domains_are_found_by_their_name_servers() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let other = "ns3.outside.example";
        let command = json!({ "host": { "create": { "name": other, "registrar": "reg-b" } } });
        execute(&mut test, command).await;
        for number in 0..4 {
            let command = json!({ "domain": { "create": { "name": format!("d{number}.tld"),
                "registrar": "reg-b", "hosts": ["ns1.org.tld", other] } } });
            execute(&mut test, command).await;
        }
        let lookups = lookups(&test);
        let like = |prefix: &str| {
            let (prefix, suffix) = (prefix.to_owned(), String::new());
            Servers::Like(Names { prefix, suffix })
        };
        let all = [
            "person.tld",
            "open.tld",
            "d0.tld",
            "d1.tld",
            "d2.tld",
            "d3.tld",
        ];
        for (servers, expected) in [
            (Servers::Named(name("ns1.org.tld")), &all[..]),
            (Servers::Named(name("ns2.outside.example")), &all[..2]),
            (Servers::Named(name("ns4.outside.example")), &[]),
            (Servers::At("2001:db8::1".parse().unwrap()), &all),
            (Servers::At("192.0.2.2".parse().unwrap()), &[]),
            (like("ns"), &all),
        ] {
            let domains = |page| Query::DomainsServedBy(servers.clone(), page);
            let page = page_after("");
            let found = all_pages(&lookups, domains, page.clone()).await;
            assert_eq!(found, expected, "{servers:?}");
            let counted = Page {
                counts: true,
                ..page
            };
            let (_, _, total) = searched(&lookups, domains(counted.clone())).await;
            assert_eq!(total, Some(expected.len()), "{servers:?}");
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(all_pages(&lookups, domains, counted).await, expected);
        }
    }
}

/// What is not shown is read all the same, so it counts: a bound of results alone would
/// let a search walk through every attribute of a registry.
#[tokio::test]
async fn a_counted_search_reads_no_more_of_what_is_withheld_than_of_what_is_shown() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001) \
             INSERT INTO hosts (id, name, registrar_id, statuses, created_at, published, attribute) \
             SELECT 1000000 + i, 'zz' || i || '.attribute.example', \
             (SELECT MIN(id) FROM registrars), '', 0, 0, 1 FROM n";
        sqlx::query(fill)
            .execute(test.database.connection())
            .await
            .unwrap();
        let counted = Page {
            counts: true,
            ..page_after("")
        };
        let names = Names {
            prefix: "zz".to_owned(),
            suffix: String::new(),
        };
        let query = Query::Nameservers(names, counted);
        assert_eq!(found(&lookups(&test), query).await, Found::TooMany);
    }
}

#[tokio::test]
async fn what_is_reserved_is_not_available_to_the_public() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let command = json!({ "zone": { "labels": { "apex": "tld", "hold": [
            { "label": "mine", "kind": "reserved", "reason": "for the registry" }] } } });
        execute(&mut test, command).await;
        let lookups = lookups(&test);
        for (asked, available, reason) in [
            ("free.tld", true, None),
            ("org.tld", false, Some("registered already")),
            ("mine.tld", false, Some("reserved: for the registry")),
            ("a.free.tld", false, Some("more than one label below tld")),
            ("free.example", false, Some("in no zone of this registry")),
        ] {
            let Found::Availability(found) =
                found(&lookups, Query::Availability(name(asked))).await
            else {
                panic!("availability is told of every name");
            };
            assert_eq!(
                (found.available, found.reason.as_deref()),
                (available, reason),
                "{asked}"
            );
        }
    }
}

#[tokio::test]
async fn a_contact_by_itself_is_shown_as_all_its_uses_allow() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let roid = async |test: &mut crate::registry::testing::TestDatabase, handle: &str| {
            let id: i64 = sqlx::query_scalar("SELECT id FROM contacts WHERE handle = $1")
                .bind(handle.to_owned())
                .fetch_one(test.database.connection())
                .await
                .unwrap();
            format!("{id}-MERIDIAN")
        };
        let (org, person) = (
            roid(&mut test, "c-org").await,
            roid(&mut test, "c-person").await,
        );
        let lookups = lookups(&test);
        let Found::Contact(shown) = found(&lookups, Query::Entity(org)).await else {
            panic!("an organization shows its identifier");
        };
        assert_eq!(
            shown.organization.shown().map(String::as_str),
            Some("Big Org Ltd")
        );
        assert!(shown.name.is_hidden() && shown.email.is_hidden());
        // A person that is also an administrative contact shows nothing, not even that it is
        // there.
        assert_eq!(found(&lookups, Query::Entity(person)).await, Found::Nothing);
    }
}

#[tokio::test]
async fn one_limit_is_for_all_questions_of_a_client_and_for_nobody_else() {
    let test = stage(crate::registry::Engine::Sqlite).await;
    let lookups = lookups_with(&test, |settings| {
        settings.queries_per_second = 1;
        settings.burst = 2;
    });
    let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
    assert_eq!(lookups.admit(one), Ok(()));
    assert_eq!(lookups.admit(one), Ok(()));
    assert_eq!(lookups.admit(one), Err(Duration::from_secs(1)));
    assert_eq!(lookups.admit(other), Ok(()));
}

#[tokio::test]
async fn a_connection_that_died_is_replaced_and_a_registry_that_is_gone_is_told() {
    let test = stage(crate::registry::Engine::Sqlite).await;
    let lookups = lookups(&test);
    let query = Query::Domain(name("org.tld"));
    lookups.ask(&query).await.unwrap();
    lookups.store.break_kept().await;
    lookups.ask(&query).await.unwrap();
    lookups.store.break_kept().await;
    drop(test);
    assert_eq!(lookups.ask(&query).await, Err(LookupError::Store));
}
