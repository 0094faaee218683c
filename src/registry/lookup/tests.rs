//! Reads go by an index, and only read.

use super::*;
use crate::registry::testing::test_database;

/// Tries to write by a reader's connection.
pub(crate) async fn try_to_write(reader: &mut Reader) -> Result<u64, RegistryError> {
    let write = sqlx::query("UPDATE registry SET epoch = epoch + 1");
    reader.database.tables().run(write).await
}

/// Ends its connection without telling it.
pub(crate) async fn break_connection(reader: &mut Reader) {
    let broken = match reader.database.engine() {
        Engine::Sqlite => "DROP TABLE no_such_table",
        Engine::Postgres => "SELECT pg_terminate_backend(pg_backend_pid())",
    };
    let _ = reader.database.tables().run(sqlx::query(broken)).await;
    // SQLite's connections do not end; a transaction that is left open makes the next
    // fail all the same.
    if reader.database.engine() == Engine::Sqlite {
        let begin = sqlx::query("BEGIN");
        reader.database.tables().run(begin).await.unwrap();
    }
}

/// The statements of this folder, in which strings go on over lines.
fn statements() -> Vec<String> {
    let files = [
        include_str!("contact.rs"),
        include_str!("domain.rs"),
        include_str!("host.rs"),
        include_str!("registrar.rs"),
        include_str!("search.rs"),
    ];
    let mut all = Vec::new();
    for file in files {
        let file = file.replace("\\\n", "");
        for text in file.split('"').filter(|text| text.starts_with("SELECT ")) {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.contains(" WHERE ") && !text.contains('{') {
                all.push(text);
            }
        }
    }
    all
}

#[tokio::test]
async fn no_read_goes_through_a_whole_table() {
    let mut test = test_database(Engine::Sqlite).await;
    let statements = statements();
    assert!(statements.len() >= 10, "{statements:#?}");
    for text in statements {
        let plan = format!("EXPLAIN QUERY PLAN {text}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(plan));
        let rows = rows.fetch_all(test.database.connection()).await.unwrap();
        for row in rows {
            let step: String = sqlx::Row::get(&row, 3);
            assert!(!step.starts_with("SCAN"), "{text}: {step}");
        }
    }
}
