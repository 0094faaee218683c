//! Clocks that are believed and clocks that are not, and who takes a step.

use super::super::command::tests::{later, play, stage};
use super::super::testing::{NOW, TestDatabase, engines};
use super::*;

async fn look(test: &mut TestDatabase, timers: &mut Timers, now: Timestamp, steady: u64) -> Looked {
    let steady = Duration::from_secs(steady);
    Box::pin(timers.look(&mut test.database, now, steady))
        .await
        .unwrap()
}

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

#[tokio::test]
async fn a_clock_that_jumps_stops_everything_until_an_operator_says_so() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, "reg-a domain create a.tld = 1000").await;
        let mut timers = Timers::default();
        assert_eq!(look(test, &mut timers, NOW, 100).await.stopped, None);
        assert_eq!(look(test, &mut timers, after(90), 130).await.stopped, None);
        let year = 400 * 86_400;
        let looked = look(test, &mut timers, after(year), 160).await;
        assert!(looked.stopped.is_some() && looked.taken == 0, "{looked:?}");
        // Another node, and this one after a restart, are stopped by it.
        let looked = look(test, &mut Timers::default(), after(year), 0).await;
        assert!(looked.stopped.is_some(), "{looked:?}");
        play(test, "op timers resume timers at=400d = 1000").await;
        let mut timers = Timers::default();
        let looked = look(test, &mut timers, after(year), 0).await;
        assert_eq!((looked.stopped, looked.taken), (None, 1));
        let looked = look(test, &mut timers, after(year - 61), 1).await;
        assert!(
            looked
                .stopped
                .is_some_and(|reason| reason.contains("jumped by -62 s"))
        );
    }
}

#[tokio::test]
async fn a_clock_far_from_the_last_run_is_not_believed_after_a_restart() {
    for engine in engines() {
        for (seconds, is_believed) in [
            (-299, true),
            (-301, false),
            (7 * 86_400, true),
            (7 * 86_400 + 1, false),
        ] {
            let mut test = stage(engine).await;
            let test = &mut test;
            let looked = look(test, &mut Timers::default(), NOW, 0).await;
            assert_eq!(looked, Looked::default());
            let looked = look(test, &mut Timers::default(), after(seconds), 0).await;
            assert_eq!(looked.stopped.is_none(), is_believed, "{seconds}");
        }
    }
}

#[tokio::test]
async fn more_purges_than_usual_wait_for_an_operator() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            "op zone policy tld redemption=0 pending-delete=0 add-grace=0 = 1000
             op timers resume timers purges=2 = 1000",
        )
        .await;
        for name in ["a.tld", "b.tld", "c.tld"] {
            play(
                test,
                &format!(
                    "reg-a domain create {name} = 1000
                     reg-a domain delete {name} at=1s = 1001"
                ),
            )
            .await;
        }
        let now = later("2d");
        let looked = look(test, &mut Timers::default(), now, 0).await;
        assert!(looked.purges_held && looked.taken == 0, "{looked:?}");
        let looked = look(test, &mut Timers::default(), now, 0).await;
        assert!(looked.purges_held && looked.taken == 0, "{looked:?}");
        play(test, "op timers resume timers purges=3 at=2d = 1000").await;
        let looked = look(test, &mut Timers::default(), now, 0).await;
        assert_eq!((looked.taken, looked.purges_held), (3, false));
        play(
            test,
            "reg-a domain create d.tld at=2d = 1000
             reg-a domain delete d.tld at=2d = 1001",
        )
        .await;
        // The next day is another hour.
        let looked = look(test, &mut Timers::default(), later("3d"), 0).await;
        assert_eq!((looked.taken, looked.purges_held), (1, false));
    }
}

#[tokio::test]
async fn a_step_is_taken_once_whoever_saw_it_due() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, "reg-a domain create a.tld = 1000").await;
        let now = later("366d");
        let seen = due_steps(&mut test.database, Step::Expire, now, 10).await;
        let seen = seen.unwrap();
        assert_eq!(seen.len(), 1);
        let due: Vec<_> = seen.iter().cloned().map(Due::Step).collect();
        let mut looked = Looked::default();
        take(&mut test.database, &due, now, &mut looked)
            .await
            .unwrap();
        take(&mut test.database, &due, now, &mut looked)
            .await
            .unwrap();
        assert_eq!((looked.taken, looked.refused), (1, 0));
        // Nobody but the timers may take one.
        let step = DomainCommand::Step(seen[0].clone());
        let mut request = system(now, Command::Domain(step));
        request.actor = Actor::operator("test");
        let error = Box::pin(test.database.execute(&request)).await.unwrap_err();
        assert_eq!(error.code().number(), 2201);
    }
}

#[tokio::test]
async fn a_step_that_is_refused_is_put_off_and_holds_up_no_other() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            "op zone policy tld redemption=0 pending-delete=0 add-grace=0 = 1000
             reg-a domain create a.tld = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
             reg-a domain create b.tld = 1000
             reg-a domain delete a.tld at=1s = 1001
             reg-a domain delete b.tld at=1s = 1001
             reg-b domain create c.tld = 1000",
        )
        .await;
        // As nothing in the registry would do it: somebody's name server below a.tld.
        sqlx::query(
            "INSERT INTO delegations (domain_id, host_id) SELECT d.id, h.id FROM domains d, \
             hosts h WHERE d.name = 'c.tld' AND h.name = 'ns1.a.tld'",
        )
        .execute(test.database.connection())
        .await
        .unwrap();
        let now = later("2d");
        let looked = look(test, &mut Timers::default(), now, 0).await;
        assert_eq!((looked.taken, looked.refused), (1, 1));
        let looked = look(test, &mut Timers::default(), now, 0).await;
        assert_eq!((looked.taken, looked.refused), (0, 0));
        sqlx::query("DELETE FROM delegations")
            .execute(test.database.connection())
            .await
            .unwrap();
        let hour = Timestamp(now.0 + HOUR);
        let looked = look(test, &mut Timers::default(), hour, 0).await;
        assert_eq!((looked.taken, looked.refused), (1, 0));
    }
}
