//! Passes over delegations: each asked once a pass, what is found is kept until it is good.

use super::super::command::tests::{play, stage};
use super::super::testing::{TestDatabase, engines};
use super::*;

const DAY: u32 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp(super::super::testing::NOW.0 + seconds * 1_000_000)
}

/// Names of a whole pass; servers whose name has `bad` do wrong, as far as `faults` says.
async fn pass(test: &mut TestDatabase, now: Timestamp, fault: Option<&str>) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(page) = take(&mut test.database, now, DAY).await.unwrap() {
        assert!(page.domains.len() <= usize::try_from(PAGE).unwrap());
        let faults: Vec<Vec<_>> = page
            .domains
            .iter()
            .map(|domain| {
                let servers = domain.servers.iter();
                let judge = |server: &DelegatedServer| {
                    let is_bad = server.name.as_str().contains("bad");
                    fault.filter(|_| is_bad).map(str::to_owned)
                };
                servers.map(judge).collect()
            })
            .collect();
        keep(&mut test.database, &page, &faults, now).await.unwrap();
        names.extend(page.domains.iter().map(|domain| domain.name.to_string()));
    }
    names
}

async fn staged(engine: super::super::Engine) -> TestDatabase {
    let mut test = stage(engine).await;
    let mut script = "reg-a host create bad.ext.example = 1000
        reg-a domain create held.tld ns=ns1.ext.example ns=bad.ext.example status=clientHold = 1000
        reg-a domain create none.tld = 1000\n"
        .to_owned();
    for number in 0..20 {
        script += &format!(
            "reg-b domain create d{number:02}.tld ns=ns1.ext.example ns=ns2.ext.example = 1000\n"
        );
    }
    script += "reg-a domain create a.tld ns=ns1.ext.example ns=bad.ext.example = 1000
        reg-a host create bad.a.tld ip=192.0.2.1 = 1000
        reg-b domain create b.tld ns=bad.a.tld ns=bad.ext.example = 1000";
    play(&mut test, &script).await;
    test
}

#[tokio::test]
async fn a_pass_asks_each_delegation_once_and_the_next_waits() {
    for engine in engines() {
        let mut test = staged(engine).await;
        let events = super::super::last_event(&mut test.database).await.unwrap();
        let names = pass(&mut test, at(0), Some("no answer")).await;
        let mut expected: Vec<_> = (0..20).map(|number| format!("d{number:02}.tld")).collect();
        expected.extend(["a.tld".to_owned(), "b.tld".to_owned()]);
        assert_eq!(names, expected, "{engine:?}: published ones, in order");
        assert_eq!(
            pass(&mut test, at(86_399), None).await,
            [""; 0],
            "too early"
        );
        assert_eq!(pass(&mut test, at(86_400), None).await.len(), 22);
        let last = super::super::last_event(&mut test.database).await.unwrap();
        assert_eq!(last, events, "looking is no event");
    }
}

#[tokio::test]
async fn what_is_found_is_reported_until_it_is_good() {
    for engine in engines() {
        let mut test = staged(engine).await;
        let empty = report(&mut test.database, None, 1, 10).await.unwrap();
        assert_eq!((empty.started_at, empty.count), (None, 0));
        for (day, fault) in [(0, "no answer"), (1, "answers with code 5")] {
            pass(&mut test, at(day * 86_400), Some(fault)).await;
        }
        let found = report(&mut test.database, None, 2, 10).await.unwrap();
        assert_eq!((found.count, found.domains), (3, 22));
        assert_eq!(found.finished_at, Some(at(86_400)));
        let pairs: Vec<_> = found
            .lame
            .iter()
            .map(|lame| (lame.domain.as_str(), lame.host.as_str(), lame.foreign))
            .collect();
        let expected = [
            ("a.tld", "bad.ext.example", true),
            ("b.tld", "bad.a.tld", false),
            ("b.tld", "bad.ext.example", true),
        ];
        assert_eq!(pairs, expected, "{engine:?}");
        let first = &found.lame[0];
        assert_eq!((first.since, first.times), (at(0), 2));
        assert_eq!(first.fault, "answers with code 5");
        assert_eq!(
            (first.checked_at, first.registrar.as_str()),
            (at(86_400), "reg-a")
        );
        let few = report(&mut test.database, None, 1, 2).await.unwrap();
        assert_eq!((few.count, few.lame.len()), (3, 2));
        let other = "other".parse().unwrap();
        assert_eq!(
            report(&mut test.database, Some(&other), 1, 9)
                .await
                .unwrap()
                .count,
            0
        );
        // What is not delegated so any more is not told, and goes with the next pass.
        play(&mut test, "reg-a domain delete a.tld = 2305").await;
        play(
            &mut test,
            "reg-b domain update b.tld -ns=bad.a.tld ns=ns1.ext.example = 1000",
        )
        .await;
        assert_eq!(
            report(&mut test.database, None, 1, 9).await.unwrap().count,
            2
        );
        play(&mut test, "reg-a domain delete a.tld = 1000").await;
        assert_eq!(
            report(&mut test.database, None, 1, 9).await.unwrap().count,
            1
        );
        pass(&mut test, at(2 * 86_400), None).await;
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM lame_delegations")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(left, 0, "{engine:?}");
    }
}

#[tokio::test]
async fn nodes_share_a_pass() {
    for engine in engines() {
        let mut test = staged(engine).await;
        let mut other = Database::open(&test.location).await.unwrap();
        let first = take(&mut test.database, at(0), DAY).await.unwrap().unwrap();
        let second = take(&mut other, at(0), DAY).await.unwrap().unwrap();
        assert!(
            take(&mut test.database, at(0), DAY)
                .await
                .unwrap()
                .is_none()
        );
        let names = |page: &Page| {
            page.domains
                .iter()
                .map(|d| d.name.to_string())
                .collect::<Vec<_>>()
        };
        let both = [names(&first), names(&second)].concat();
        assert_eq!(both.len(), 22, "{engine:?}");
        assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 22);
    }
}
