//! What a history came to, as CSV files into an empty registry: that publishes the same
//! zone, gives the same files, and has the same steps of time before it.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::Row as _;

use super::play::History;
use super::state::all;
use crate::registry::testing::{NOW, TestDatabase, test_database};
use crate::registry::{CsvOptions, export_csv, import_csv};

async fn exported(test: &mut TestDatabase, folder: &Path) -> BTreeMap<String, String> {
    let written = Box::pin(export_csv(&mut test.database, folder, &mut |_| {})).await;
    written.unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |file: std::fs::DirEntry| {
        let text = std::fs::read_to_string(file.path()).unwrap();
        (file.file_name().into_string().unwrap(), text)
    };
    files.map(read).collect()
}

/// The next step of each domain that does not wait for anybody.
async fn due(test: &mut TestDatabase) -> Vec<String> {
    let rows = all(
        test,
        "SELECT d.name || ' ' || COALESCE(d.due_step, '') || ' ' || COALESCE(d.due_at, 0) \
         FROM domains d WHERE d.statuses NOT LIKE '%pendingCreate%' ORDER BY d.name",
    );
    rows.await.iter().map(|row| row.get(0)).collect()
}

pub(super) async fn check(history: &mut History) {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first");
    let files = exported(&mut history.test, &first).await;
    let mut other = test_database(history.test.database.engine()).await;
    let options = CsvOptions::new(&first, NOW);
    let imported = Box::pin(import_csv(&mut other.database, &options, &mut |_| {})).await;
    assert_eq!(imported.unwrap().rejected, 0, "rows of our own");
    let again = exported(&mut other, &folder.path().join("second")).await;
    for (file, text) in &files {
        assert_eq!(&again[file], text, "{file}");
    }
    assert_eq!(other.published(), history.test.published());
    if history.put_off == 0 {
        assert_eq!(due(&mut other).await, due(&mut history.test).await);
    }
}
