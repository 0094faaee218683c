//! What a zone's policy lets through.

use super::*;

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

#[tokio::test]
async fn policies_are_the_registrys_own_and_in_range() {
    check(
        "reg-a zone policy tld years-max=5 = 2201
         op zone policy tld = 2003
         op zone policy none years-max=5 = 2303
         op zone policy tld years-max=11 = 2004
         op zone policy tld years-max=1 years-min=2 = 2004
         op zone policy tld contacts-max=2 = 2004
         op zone policy tld years-min=2 years-max=5 = 1000
         reg-a domain create a.tld = 2306
         reg-a domain create a.tld years=6 = 2306
         reg-a domain create a.tld years=5 = 1000
         op registrar update reg-a model=maximum = 1000
         op registrar update reg-a model=per-registrar = 2306",
    )
    .await;
}

#[tokio::test]
async fn labels_are_refused_by_rule_and_by_name() {
    check(
        "reg-a domain create 4a.tld = 1000
         op zone policy tld name-rule=rfc1035 label-min=2 label-max=8 = 1000
         reg-a domain create 5a.tld = 2306
         reg-a domain create a.tld = 2306
         reg-a domain create abcdefghi.tld = 2306
         reg-a domain create xn--4ca.tld = 2306
         reg-a domain create abcdefgh.tld = 1000
         reg-a zone labels tld reserve=gov = 2201
         op zone labels tld = 2003
         op zone labels tld reserve=gov block=evil = 1000
         op zone labels tld release=mil = 2306
         reg-a domain create gov.tld = 2306
         reg-a domain create evil.tld = 2306
         op domain create evil.tld by=reg-a = 2306
         op domain create gov.tld by=reg-a = 1000
         op zone labels tld release=evil = 1000
         reg-a domain create evil.tld = 1000
         op domain delete gov.tld = 1000
         op domain delete evil.tld = 1000
         op domain delete abcdefgh.tld = 1000
         op domain delete 4a.tld = 1000
         op zone delete tld = 1000",
    )
    .await;
}

#[tokio::test]
async fn a_premium_label_is_for_whoever_agrees_to_its_terms() {
    check(
        "reg-a zone labels tld premium=gold = 2201
         op zone labels tld premium=gold premium=silver = 1000
         reg-a domain create gold.tld = 2306
         op domain create gold.tld by=reg-a = 2306
         reg-a domain create gold.tld consent=some_terms = 2306
         reg-a domain create gold.tld consent=policy_of_the_registry = 1000
         reg-b domain create gold.tld consent=policy_of_the_registry = 2302
         op zone labels tld reserve=silver = 1000
         reg-a domain create silver.tld consent=policy_of_the_registry = 2306
         op zone labels tld release=silver = 1000
         reg-a domain create silver.tld consent=anything = 1000",
    )
    .await;
}

#[tokio::test]
async fn a_held_label_is_for_whoever_has_its_token_which_is_not_kept() {
    const TOKEN: &str = "kQ7-vT2rW9zM4xL8aB3c";
    for engine in engines() {
        let mut test = stage(engine).await;
        let hold = |label: &str, kind: &str, token: &str| {
            let held = serde_json::json!({ "label": label, "kind": kind, "reason": "terms",
                "token": token });
            let command = serde_json::json!({ "zone": { "labels": { "apex": "tld",
                "hold": [held] } } });
            operator(serde_json::from_value(command).unwrap())
        };
        for (label, kind, token, code) in [
            (
                "gold",
                "premium",
                "short",
                Some(ResultCode::ParameterPolicy),
            ),
            ("gold", "blocked", TOKEN, Some(ResultCode::ParameterPolicy)),
            ("gold", "premium", TOKEN, None),
            ("nic", "reserved", TOKEN, None),
        ] {
            let outcome = run(&mut test, &hold(label, kind, token)).await;
            assert_eq!(
                outcome.err().map(|error| error.code()),
                code,
                "{label} {kind}"
            );
        }
        // Who only mends the reason keeps the token.
        let again = serde_json::json!({ "zone": { "labels": { "apex": "tld",
            "hold": [{ "label": "gold", "kind": "premium", "reason": "better terms" }] } } });
        let again = operator(serde_json::from_value(again).unwrap());
        run(&mut test, &again).await.unwrap();
        play(
            &mut test,
            &format!(
                "reg-a domain create gold.tld = 2201
                 reg-a domain create gold.tld token=kQ7-vT2rW9zM4xL8aB3d = 2201
                 reg-a domain create free.tld token={TOKEN} = 2201
                 reg-a domain create gold.tld token={TOKEN} = 1000
                 reg-b domain create gold.tld token={TOKEN} = 2302
                 op zone policy tld change-control=verify approvers=ada,bob = 1000
                 reg-a domain create nic.tld token={TOKEN} = 2306"
            ),
        )
        .await;
        let details = sqlx::query_scalar("SELECT detail FROM events WHERE detail IS NOT NULL");
        let details: Vec<String> = details.fetch_all(test.database.connection()).await.unwrap();
        assert!(
            details.iter().all(|detail| !detail.contains(TOKEN)),
            "{details:?}"
        );
    }
}

#[tokio::test]
async fn a_check_says_what_a_create_would() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create taken.tld = 1000
             op zone labels tld reserve=gov premium=gold premium=taken = 1000",
        )
        .await;
        for (line, expected) in [
            ("reg-a domain check free.tld", None),
            ("reg-b domain check taken.tld", Some("registered already")),
            (
                "reg-b domain check gov.tld",
                Some("reserved: policy of the registry"),
            ),
            ("op domain check gov.tld", None),
            (
                "reg-b domain check gold.tld",
                Some("premium: policy of the registry; agree to these terms, word for word"),
            ),
            (
                "reg-a domain check a.b.tld",
                Some("more than one label below tld"),
            ),
        ] {
            let found = run(&mut test, &parse(line)).await.unwrap();
            let Outcome::Read(info) = found else {
                panic!("{line}")
            };
            let Info::Availability(found) = *info else {
                panic!("{line}")
            };
            assert_eq!(found.available, expected.is_none(), "{line}");
            assert_eq!(found.reason.as_deref(), expected, "{line}");
            let terms = line
                .contains("gold")
                .then(|| "policy of the registry".to_owned());
            assert_eq!(found.terms, terms, "{line}");
        }
    }
}

#[tokio::test]
async fn a_zone_has_two_to_thirteen_name_servers_where_its_policy_says_so() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let noted = |done: Result<Outcome, CommandError>| done.unwrap().notes().join("\n");
        let ns = |number: usize| format!("record=tld._3600_NS_ns{number}.far.example.");
        // `tld` has one: by default that is noted, as often as its servers change.
        let swap = "op zone update tld record=tld._3600_NS_ns1.far.example. \
                    -record=tld._3600_NS_ns1.nic.example.";
        let swapped = noted(run(test, &parse(swap)).await);
        assert!(swapped.contains("1 name servers of the zone"), "{swapped}");
        let other = "op zone update tld record=www.tld._60_A_192.0.2.1";
        assert_eq!(noted(run(test, &parse(other)).await), "");
        play(
            test,
            &format!(
                "op zone policy tld zone-servers=require = 2308
                 op zone policy tld zone-servers=off = 1000
                 op zone update tld {} = 1000
                 op zone policy tld zone-servers=require = 1000
                 op zone update tld -{} = 2308
                 op zone update tld {} = 1000
                 op zone update tld {} = 2308
                 op zone policy tld zone-servers=off = 1000
                 op zone update tld {} = 1000
                 op zone update tld -{} = 1000",
                ns(2),
                ns(2),
                (3..=13).map(ns).collect::<Vec<_>>().join(" "),
                ns(14),
                ns(14),
                ns(14)
            ),
        )
        .await;
    }
}
