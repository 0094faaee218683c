//! Transfers: who may, when, and what goes along.

use super::life::{shown, tick};
use super::*;
use crate::registry::calendar::add_years;
use crate::registry::command::domain::TransferInfo;

const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";
const WRONG: &str = "auth=K9$Tq2-vX7mB!zR4pL0w";

async fn check(script: &str) {
    let script = script.replace("AUTH", AUTH).replace("WRONG", WRONG);
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, &script).await;
    }
}

async fn transfer(test: &mut TestDatabase) -> TransferInfo {
    let query = parse("op domain transfer a.tld op=query");
    match run(test, &query).await.unwrap() {
        Outcome::Read(info) => match *info {
            Info::Transfer(info) => info,
            info => panic!("{info:?}"),
        },
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn a_transfer_is_asked_for_with_authorization_and_answered_by_its_sides() {
    check(
        "op registrar create reg-c = 1000
         reg-a domain create a.tld auth=weak = 2306
         reg-a domain create a.tld = 1000
         reg-b domain transfer a.tld op=request = 2003
         reg-b domain transfer none.tld op=request AUTH = 2303
         reg-b domain transfer a.tld op=request AUTH = 2202
         reg-b domain transfer a.tld op=request auth= = 2202
         reg-a domain transfer a.tld op=query = 2301
         reg-a domain transfer a.tld op=approve = 2301
         reg-b domain transfer a.tld op=approve = 2201
         reg-b domain transfer a.tld op=cancel = 2301
         reg-a domain update a.tld AUTH = 1000
         reg-b domain transfer a.tld op=request WRONG = 2202
         reg-b domain transfer a.tld op=request auth= = 2202
         reg-b domain info a.tld = 1000
         reg-b domain info a.tld WRONG = 2202
         reg-b domain info a.tld AUTH = 1000
         reg-a domain info a.tld WRONG = 1000
         reg-a domain transfer a.tld op=request AUTH = 2106
         reg-b domain transfer a.tld op=request AUTH by=reg-c = 2201
         reg-b domain transfer a.tld op=request AUTH years=10 = 2306
         reg-a domain update a.tld status=clientTransferProhibited = 1000
         reg-b domain transfer a.tld op=request AUTH = 2304
         reg-a domain update a.tld -status=clientTransferProhibited = 1000
         op domain update a.tld status=serverTransferProhibited = 1000
         reg-b domain transfer a.tld op=request AUTH = 2304
         op domain update a.tld -status=serverTransferProhibited = 1000
         reg-b domain transfer a.tld op=request AUTH = 1001
         reg-c domain transfer a.tld op=request AUTH = 2300
         reg-a domain update a.tld status=clientHold = 2300
         reg-a domain delete a.tld = 2300
         reg-a domain renew a.tld from=2019-03-12 = 2300
         reg-c domain transfer a.tld op=query = 2201
         reg-c domain transfer a.tld op=query WRONG = 2202
         reg-c domain transfer a.tld op=query AUTH = 1000
         reg-b domain transfer a.tld op=query = 1000
         reg-b domain transfer a.tld op=approve = 2201
         reg-b domain transfer a.tld op=reject = 2201
         reg-a domain transfer a.tld op=cancel = 2201
         reg-c domain transfer a.tld op=cancel = 2201
         op registrar delete reg-b = 2305
         reg-b domain transfer a.tld op=cancel = 1000
         reg-b domain transfer a.tld op=cancel = 2301
         reg-b domain transfer a.tld op=request AUTH = 1001
         reg-a domain transfer a.tld op=reject = 1000
         reg-a domain update a.tld status=clientHold = 1000
         reg-b domain transfer a.tld op=request AUTH = 1001
         reg-a domain transfer a.tld op=approve = 1000
         reg-a domain update a.tld -status=clientHold = 2201
         reg-b domain update a.tld -status=clientHold = 1000
         reg-a domain transfer a.tld op=request AUTH = 2202
         op domain transfer a.tld op=request = 2003
         op domain transfer a.tld op=request by=reg-x = 2303
         op domain transfer a.tld op=request by=reg-a = 1001
         op domain transfer a.tld op=approve = 1000
         reg-a domain delete a.tld at=9d = 1001
         reg-a domain update a.tld AUTH at=9d = 2304
         op domain transfer a.tld op=request by=reg-b at=9d = 2304",
    )
    .await;
}

#[tokio::test]
async fn hosts_go_along_and_the_authorization_does_not() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let script = "reg-a domain create a.tld AUTH = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
             reg-a host create ns2.a.tld ip=192.0.2.2 = 1000
             reg-a domain update a.tld ns=ns1.a.tld ns=ns2.a.tld = 1000
             reg-b domain transfer a.tld op=request AUTH years=2 at=10d = 1001
             reg-a domain transfer a.tld op=approve at=11d = 1000
             reg-a host update ns1.a.tld ip=192.0.2.9 at=11d = 2201
             reg-b host update ns1.a.tld ip=192.0.2.9 at=11d = 1000
             reg-a domain transfer a.tld op=request AUTH at=11d = 2202";
        play(test, &script.replace("AUTH", AUTH)).await;
        let found = shown(test, "reg-b domain info a.tld at=12d").await;
        assert_eq!(found.registrar, "reg-b");
        assert_eq!(found.transferred_at, Some(later("11d")));
        assert_eq!(found.expires_at, Some(add_years(NOW, 3)));
        assert_eq!(found.rgp_statuses, ["transferPeriod"]);
        assert_eq!(found.statuses, ["ok"]);
        assert!(found.published);
        let last = transfer(test).await;
        assert_eq!(
            (
                last.state.as_str(),
                last.losing.as_str(),
                last.gaining.as_str()
            ),
            ("clientApproved", "reg-a", "reg-b")
        );
        assert_eq!(last.acted_at, later("11d"));
        // No grace period of the one that lost it gives anything back.
        play(test, "reg-b domain delete a.tld at=12d = 1001").await;
    }
}

#[tokio::test]
async fn a_transfer_that_nobody_answers_is_approved_by_time() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let script = "reg-a domain create a.tld AUTH = 1000
             reg-b domain transfer a.tld op=request AUTH at=10d = 1001";
        play(test, &script.replace("AUTH", AUTH)).await;
        assert_eq!(transfer(test).await.acted_at, later("15d"));
        assert_eq!(tick(test, "1295999s").await.taken, 0);
        assert_eq!(tick(test, "15d").await.taken, 1);
        assert_eq!(tick(test, "15d").await.taken, 0);
        assert_eq!(transfer(test).await.state, "serverApproved");
        let found = shown(test, "reg-b domain info a.tld at=15d").await;
        assert_eq!(found.registrar, "reg-b");
        assert_eq!(found.updated_by.as_deref(), Some("registry"));
    }
}

#[tokio::test]
async fn a_transfer_in_the_auto_renew_period_undoes_the_renewal() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, &format!("reg-a domain create a.tld {AUTH} = 1000")).await;
        assert_eq!(tick(test, "365d").await.taken, 1);
        let request = format!("reg-b domain transfer a.tld op=request {AUTH} at=400d = 1001");
        play(test, &request).await;
        assert_eq!(transfer(test).await.expires_at, Some(add_years(NOW, 2)));
        play(
            test,
            "reg-a domain transfer a.tld op=approve at=402d = 1000",
        )
        .await;
        let found = shown(test, "reg-b domain info a.tld at=402d").await;
        assert_eq!(found.expires_at, Some(add_years(NOW, 2)));
        assert_eq!(found.rgp_statuses, ["transferPeriod"]);
    }
}

#[tokio::test]
async fn no_secret_is_in_the_event_log_or_in_a_row() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let secret = AUTH.strip_prefix("auth=").unwrap();
        let script = "reg-a domain create a.tld AUTH = 1000
             reg-a domain update a.tld AUTH = 1000
             reg-b domain transfer a.tld op=request AUTH = 1001";
        play(test, &script.replace("AUTH", AUTH)).await;
        let details: Vec<(String,)> =
            sqlx::query_as("SELECT detail FROM events WHERE object = 'a.tld'")
                .fetch_all(test.database.connection())
                .await
                .unwrap();
        assert_eq!(details.len(), 3);
        for (detail,) in details {
            assert!(detail.contains("\"auth-info\":\"(masked)\""), "{detail}");
            assert!(!detail.contains(secret), "{detail}");
        }
        let kept: (Vec<u8>,) = sqlx::query_as("SELECT auth FROM domains WHERE name = 'a.tld'")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(kept.0.len(), 48);
        let text = String::from_utf8_lossy(&kept.0).into_owned();
        assert!(!text.contains(secret));
        let request = parse(&format!("reg-b domain info a.tld {AUTH}"));
        assert!(!format!("{request:?}").contains(secret));
    }
}
