//! Searches: their pages, counts and orders, and what they are by.

use super::*;

#[tokio::test]
async fn searches_lead_from_page_to_page_and_show_what_is_wanted() {
    let mut test = stage(Engine::Sqlite).await;
    for number in 0..5 {
        let created = format!("shop-{number}.tld");
        let command = json!({ "domain": { "create": { "name": created, "registrar": "reg-b" } } });
        execute(&mut test, command).await;
    }
    let responder = responder(lookups(&test));
    let mut target = "domains?name=shop*.tld&fieldSet=id".to_owned();
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let body = got(&responder, &target).await;
        pages += 1;
        for object in at(&body, "$.domainSearchResults[*]") {
            names.push(object["ldhName"].as_str().unwrap().to_owned());
            let keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys, ["ldhName", "links", "objectClassName"]);
        }
        assert_eq!(body["paging_metadata"]["pageNumber"], json!(pages));
        assert_eq!(body["paging_metadata"]["pageSize"], json!(2));
        assert_eq!(body["subsetting_metadata"]["currentFieldSet"], "id");
        let levels = body["rdapConformance"].as_array().unwrap();
        assert!(levels.contains(&json!("paging")) && levels.contains(&json!("subsetting")));
        match at(&body, "$.paging_metadata.links[?@.rel=='next'].href")[..] {
            [href] => {
                let href = href.as_str().unwrap();
                target = href
                    .strip_prefix("https://rdap.nic.example/v1/")
                    .unwrap()
                    .to_owned();
            }
            _ => break,
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(
        names,
        [
            "shop-0.tld",
            "shop-1.tld",
            "shop-2.tld",
            "shop-3.tld",
            "shop-4.tld"
        ]
    );
    let brief = got(&responder, "domains?name=person.tld&fieldSet=brief").await;
    assert!(at(&brief, "$.domainSearchResults[0].entities").is_empty());
    one(&brief, "$.domainSearchResults[0].handle");
    let registrars = got(&responder, "entities?fn=Reg*").await;
    assert_eq!(at(&registrars, "$.entitySearchResults[*]").len(), 2);
    // Contacts are never found by a search.
    let (status, _) = get(&responder, "entities?fn=Big*").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn searches_are_counted_and_sorted_and_say_how_else() {
    let mut test = stage(Engine::Sqlite).await;
    for number in [1, 0, 2] {
        let created = format!("shop-{number}.tld");
        let command = json!({ "domain": { "create": { "name": created, "registrar": "reg-b" } } });
        execute(&mut test, command).await;
    }
    let responder = responder(lookups(&test));
    let target = "domains?name=shop*.tld&count=true&sort=registrationDate:d";
    let body = got(&responder, target).await;
    let first = at(&body, "$.domainSearchResults[*].ldhName");
    assert_eq!(first, [&json!("shop-2.tld"), &json!("shop-0.tld")]);
    for (path, expected) in [
        ("$.paging_metadata.totalCount", json!(3)),
        ("$.paging_metadata.pageSize", json!(2)),
        ("$.paging_metadata.pageNumber", json!(1)),
        (
            "$.sorting_metadata.currentSort",
            json!("registrationDate:d"),
        ),
    ] {
        assert_eq!(one(&body, path), expected, "{path}");
    }
    let levels = body["rdapConformance"].as_array().unwrap();
    for level in ["paging", "sorting", "subsetting"] {
        assert!(levels.contains(&json!(level)), "{level}");
    }
    let next = one(&body, "$.paging_metadata.links[?@.rel=='next'].href");
    let next = next.as_str().unwrap();
    let rest = got(&responder, next.strip_prefix(&responder.base).unwrap()).await;
    assert_eq!(
        at(&rest, "$.domainSearchResults[*].ldhName"),
        [&json!("shop-1.tld")]
    );
    assert_eq!(one(&rest, "$.paging_metadata.totalCount"), json!(3));
    // Every link leads to the same objects, and every path to what it is said to be of.
    for class in [
        "domains?name=person*.tld",
        "nameservers?name=ns1*",
        "entities?handle=9995",
    ] {
        let body = got(&responder, class).await;
        let sorts = at(&body, "$.sorting_metadata.availableSorts[*]");
        assert!(sorts.len() >= 4, "{class}");
        for sort in sorts {
            let path = sort["jsonPath"].as_str().unwrap();
            let never = ["lastChangedDate", "transferDate"].map(Value::from);
            let is_there = !at(&body, path).is_empty();
            assert!(
                is_there || never.contains(&sort["property"]),
                "{path}: {body:#}"
            );
            for link in at(sort, "$.links[*].href") {
                let href = link
                    .as_str()
                    .unwrap()
                    .strip_prefix(&responder.base)
                    .unwrap();
                let again = got(&responder, href).await;
                let member = at(&body, "$['domainSearchResults','nameserverSearchResults']");
                let same = at(&again, "$['domainSearchResults','nameserverSearchResults']");
                assert_eq!(member.len(), same.len(), "{href}");
            }
        }
        // Not more than was asked for is told.
        assert!(at(&body, "$.paging_metadata").is_empty(), "{class}");
        assert!(at(&body, "$.sorting_metadata.currentSort").is_empty());
        let counted = got(&responder, &format!("{class}&count=1")).await;
        assert_eq!(counted["paging_metadata"], json!({ "totalCount": 1 }));
    }
}

#[tokio::test]
async fn domains_are_searched_by_name_server_and_its_address() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for target in [
        "domains?nsLdhName=NS1.org.tld",
        "domains?nsLdhName=ns1*.tld",
        "domains?nsIp=192.0.2.1",
        "domains?nsIp=2001:DB8::1&sort=name:d",
    ] {
        let body = got(&responder, target).await;
        let mut names = at(&body, "$.domainSearchResults[*].ldhName");
        names.sort_by_key(|name| name.to_string());
        assert_eq!(
            names,
            [&json!("open.tld"), &json!("person.tld")],
            "{target}"
        );
    }
    for target in ["domains?nsLdhName=ns9.org.tld", "domains?nsIp=192.0.2.9"] {
        assert_eq!(get(&responder, target).await.0, 404, "{target}");
    }
}
