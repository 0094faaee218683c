//! Groups, refusals inside them, who may write, and what a fault leaves behind.

use std::time::Duration;

use super::*;
use crate::registry::command::domain::DomainCreate;
use crate::registry::command::registrar::RegistrarCreate;
use crate::registry::command::{Actor, Command, DomainCommand, RegistrarCommand};
use crate::registry::database::Engine;
use crate::registry::testing::{NOW, TestDatabase, engines, test_database};

fn request(command: Command) -> Request {
    Request {
        actor: Actor::operator("test"),
        at: NOW,
        lab: true,
        command,
    }
}

fn registrar(handle: &str) -> Request {
    request(Command::Registrar(RegistrarCommand::Create(
        RegistrarCreate {
            handle: handle.parse().unwrap(),
            name: handle.to_owned(),
            iana_id: None,
        },
    )))
}

/// A registry with zone `tld` and registrar `reg-a`.
async fn stage(engine: Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    let zone =
        "$ORIGIN tld.\n$TTL 3600\n@ SOA ns1.nic hostmaster.nic 1 2 3 4 5\n@ NS ns1.ext.example.\n";
    test.import(zone).await.unwrap();
    test.database.execute(&registrar("reg-a")).await.unwrap();
    test
}

fn create(name: &str) -> Request {
    request(Command::Domain(DomainCommand::Create(Box::new(
        DomainCreate {
            registrar: Some("reg-a".parse().unwrap()),
            ..DomainCreate::new(name.parse().unwrap())
        },
    ))))
}

#[tokio::test]
async fn a_refused_command_leaves_the_rest_of_its_group() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let start = Writer::start(&test.location, "test", Standby::Refuse);
        let (writer, task) = start.await.unwrap();
        let mut jobs = Vec::new();
        for number in 0..40 {
            let writer = writer.clone();
            // Every name twice: one of two is refused, wherever they meet.
            let request = create(&format!("d{}.tld", number / 2));
            jobs.push(tokio::spawn(async move { writer.submit(request).await }));
        }
        let (mut events, mut refused) = (Vec::new(), 0);
        for job in jobs {
            match job.await.unwrap() {
                Ok(outcome) => events.push(outcome.event().unwrap()),
                Err(error) => {
                    assert_eq!(error.code().number(), 2302, "{error}");
                    refused += 1;
                }
            }
        }
        events.sort_unstable();
        assert_eq!((events.len(), refused), (20, 20));
        let expected: Vec<_> = (events[0]..events[0] + 20).collect();
        assert_eq!(events, expected, "numbers without gaps");
        drop(writer);
        task.await.unwrap().unwrap();
        let connection = test.database.connection();
        let counts: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM domains), (SELECT MAX(number) FROM events)",
        )
        .fetch_one(connection)
        .await
        .unwrap();
        assert_eq!(counts, (20, events[19]));
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_is_gone() {
    for engine in engines() {
        let test = stage(engine).await;
        let first = Writer::start(&test.location, "first", Standby::Refuse);
        let (writer, task) = first.await.unwrap();
        let second = Writer::start(&test.location, "second", Standby::Refuse);
        let error = second.await.unwrap_err();
        let RegistryError::Held { holder, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(holder, "first");
        let location = test.location.clone();
        let waiting = tokio::spawn(async move {
            let start = Writer::start(&location, "third", Standby::Wait);
            start.await.map(drop)
        });
        drop(writer);
        task.await.unwrap().unwrap();
        let waited = tokio::time::timeout(Duration::from_secs(10), waiting);
        waited.await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_deposed_writer_ends_and_writes_nothing() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let start = Writer::start(&test.location, "test", Standby::Refuse);
        let (writer, task) = start.await.unwrap();
        sqlx::query("UPDATE registry SET epoch = epoch + 1")
            .execute(test.database.connection())
            .await
            .unwrap();
        let error = writer.submit(create("a.tld")).await.unwrap_err();
        assert_eq!(error.code().number(), 2400);
        assert!(error.to_string().contains("taken over"), "{error}");
        assert!(task.await.unwrap().is_err());
        let error = writer.submit(create("b.tld")).await.unwrap_err();
        assert!(
            error.to_string().contains("the writer has ended"),
            "{error}"
        );
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM domains");
        let domains: i64 = query.fetch_one(test.database.connection()).await.unwrap();
        assert_eq!(domains, 0);
    }
}

/// A successor ends the session of a writer that hung. Without a command to write it
/// must hear of it all the same, or it would wait for ever.
#[tokio::test]
async fn an_idle_writer_that_was_deposed_ends() {
    for engine in engines().into_iter().filter(|e| *e == Engine::Postgres) {
        let mut test = stage(engine).await;
        let start = Writer::start(&test.location, "test", Standby::Refuse);
        let (_writer, task) = start.await.unwrap();
        for statement in [
            "UPDATE registry SET epoch = epoch + 1",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ] {
            let statement = sqlx::query(statement);
            statement.execute(test.database.connection()).await.unwrap();
        }
        let ended = tokio::time::timeout(Duration::from_secs(20), task).await;
        let error = ended
            .expect("it goes on without its epoch")
            .unwrap()
            .unwrap_err();
        assert!(error.to_string().contains("taken over"), "{error}");
    }
}

/// An operator's psql in the middle of a transaction, and the server ending every
/// session: clear words, nothing written, and the next command works.
#[tokio::test]
async fn faults_of_postgresql_are_told_and_got_over() {
    for engine in engines().into_iter().filter(|e| *e == Engine::Postgres) {
        let mut test = stage(engine).await;
        let start = Writer::start(&test.location, "test", Standby::Refuse);
        let (writer, task) = start.await.unwrap();
        let connection = test.database.connection();
        for statement in ["BEGIN", "LOCK TABLE domains IN ACCESS EXCLUSIVE MODE"] {
            sqlx::query(statement)
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        let error = writer.submit(create("a.tld")).await.unwrap_err();
        assert!(error.to_string().contains("locked by another"), "{error}");
        sqlx::query("ROLLBACK")
            .execute(&mut *connection)
            .await
            .unwrap();
        writer.submit(create("a.tld")).await.unwrap();
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(&mut *connection)
        .await
        .unwrap();
        let mut told = Vec::new();
        let outcome = loop {
            match writer.submit(create("b.tld")).await {
                Ok(outcome) => break outcome,
                Err(error) => told.push(error.to_string()),
            }
            assert!(told.len() < 3, "{told:?}");
        };
        assert!(outcome.event().is_some());
        assert!(
            told.iter().all(|error| error.contains("no connection")),
            "{told:?}"
        );
        drop(writer);
        task.await.unwrap().unwrap();
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM domains");
        let domains: i64 = query.fetch_one(test.database.connection()).await.unwrap();
        assert_eq!(domains, 2);
    }
}
