//! What is noted of an object is all that its row says of it.
//!
//! Each column is changed in turn, and what would be noted has to differ: a column that comes
//! later is noted, or stands here with the reason why not.

use super::*;
use crate::registry::command::changes::ObjectKind;
use crate::registry::command::contact::shown_of;
use crate::registry::command::past::{Key, load};
use crate::registry::command::tables::Tables;

/// Columns that are not noted.
const LEFT_OUT: [(&str, &[&str]); 3] = [
    (
        "domains",
        &[
            // A secret.
            "auth",
            // When a phase ends follows from when it began and from the zone's policy.
            "phase_ends_at",
            "redemption_ends_at",
            "transfer_ends_at",
            "due_step",
            "due_at",
            "parkable",
            // Which table admitted its label, once; nobody is shown it.
            "idn_tag",
        ],
    ),
    (
        "hosts",
        &[
            // Follows from its name.
            "zone_id",
            // Whether it is an object follows from the zone's policy.
            "attribute",
            // Where a name server of somebody else's came from: the registry's own work.
            "lame_of",
            "lame_zone",
            "lame_since",
            "lame_told_at",
        ],
    ),
    ("contacts", &["auth"]),
];

/// What would be noted, or why nothing; what is sealed differs each time and is opened.
async fn noted(test: &mut TestDatabase, kind: ObjectKind, id: i64) -> String {
    let engine = test.database.engine();
    let mut tables = Tables::new(engine, "test", test.database.connection());
    let before = match load(&mut tables, kind, Key::Id(id)).await {
        Ok(Some(before)) => before,
        other => return format!("{other:?}"),
    };
    if kind != ObjectKind::Contact {
        return format!("{before:?}");
    }
    let shown = shown_of(&mut tables, &before).await;
    let (name, first_event) = (before.name, before.first_event);
    format!("{name} {first_event} {shown:?}")
}

/// Columns whose change nobody would note.
async fn unnoticed(test: &mut TestDatabase, table: &str, kind: ObjectKind, id: i64) -> Vec<String> {
    let expected = noted(test, kind, id).await;
    let text =
        format!("SELECT CAST(name AS TEXT), CAST(type AS TEXT) FROM pragma_table_info('{table}')");
    let columns: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(text))
        .fetch_all(test.database.connection())
        .await
        .unwrap();
    assert!(columns.len() > 10, "{table}: {columns:?}");
    let mut found = Vec::new();
    for (column, is) in columns {
        let value = match is.as_str() {
            "BIGINT" | "INTEGER" => format!("COALESCE(1 - {column}, 7)"),
            "BLOB" => "x'0102'".to_owned(),
            _ => "'show x'".to_owned(),
        };
        let change = format!("UPDATE {table} SET {column} = {value} WHERE id = {id}");
        for step in ["BEGIN", &change] {
            let done = sqlx::query(sqlx::AssertSqlSafe(step.to_owned()))
                .execute(test.database.connection())
                .await;
            done.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        if noted(test, kind, id).await == expected {
            found.push(column);
        }
        let back = sqlx::query("ROLLBACK");
        back.execute(test.database.connection()).await.unwrap();
    }
    found
}

#[tokio::test]
async fn every_column_of_an_object_is_noted_or_said_why_not() {
    let sqlite = engines()
        .into_iter()
        .find(|engine| *engine == crate::registry::Engine::Sqlite);
    let mut test = stage(sqlite.unwrap()).await;
    play(
        &mut test,
        "op zone policy tld data-model=maximum = 1000
         reg-a contact create jo-1 = 1000
         reg-a domain create a.tld registrant=jo-1 contact=admin:jo-1 = 1000
         reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
         reg-a domain update a.tld ns=ns1.ext.example ns=ns1.a.tld = 1000
         reg-a contact update jo-1 voice=+49.1 = 1000",
    )
    .await;
    for pragma in [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA ignore_check_constraints = ON",
    ] {
        let run = sqlx::query(pragma)
            .execute(test.database.connection())
            .await;
        run.unwrap();
    }
    for (table, left_out) in LEFT_OUT {
        let kind = match table {
            "domains" => ObjectKind::Domain,
            "hosts" => ObjectKind::Host,
            _ => ObjectKind::Contact,
        };
        let of = "registrar_id = (SELECT id FROM registrars WHERE handle = 'reg-a')";
        let text = format!("SELECT id FROM {table} WHERE {of} ORDER BY id DESC LIMIT 1");
        let id: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        let mut found = unnoticed(&mut test, table, kind, id).await;
        found.sort_unstable();
        let mut left_out: Vec<_> = left_out.iter().map(ToString::to_string).collect();
        left_out.sort_unstable();
        assert_eq!(found, left_out, "{table}");
    }
}
