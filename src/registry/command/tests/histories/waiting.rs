//! Changes that wait, and locks, in random histories: what is decided, and what holds.

use std::collections::BTreeSet;

use super::{CommandError, History, Outcome, Random};

/// A decision about a change, or a lock; mostly an approval.
pub(super) fn decision(random: &mut Random, who: &str, objects: [&str; 3]) -> String {
    let (object, name) = (random.of(&objects), objects[0]);
    let approver = random.of(&["ada", "bob"]);
    match random.below(10) {
        0 => format!("op:{approver} change reject {object} reason=no"),
        1 => format!("{who} change withdraw {object}"),
        2 => format!("op:cat domain lock {name} approvals=1 approver=ada approver=bob case=7"),
        3 => format!("{who} domain unlock {name}"),
        _ => format!("op:{approver} change approve {object}"),
    }
}

/// Whether an approval was the last that was needed: the command has an event of its own.
pub(super) fn is_made(outcome: &Result<Outcome, CommandError>) -> bool {
    matches!(outcome, Ok(Outcome::Changed { .. }))
}

impl History {
    /// Numbers of objects that wait for a change. They are there, with what they show of it.
    pub(super) async fn waiting(&mut self, line: &str) -> BTreeSet<i64> {
        let rows: Vec<(i64, String, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT c.object_id, c.object, d.statuses, h.statuses FROM changes c \
             LEFT JOIN domains d ON d.id = c.object_id LEFT JOIN hosts h ON h.id = c.object_id",
        )
        .fetch_all(self.test.database.connection())
        .await
        .unwrap();
        let mut waiting = BTreeSet::new();
        for (id, object, domain, host) in rows {
            let statuses = domain.or(host);
            let statuses = statuses.unwrap_or_else(|| panic!("{line}: {object} is gone"));
            assert!(statuses.contains("pending"), "{line}: {object}: {statuses}");
            waiting.insert(id);
        }
        let odd: Vec<(String, String)> = sqlx::query_as(
            "SELECT d.name, d.statuses FROM domains d JOIN locks l ON l.domain_id = d.id \
             WHERE d.statuses NOT LIKE '%pending%' AND NOT (d.statuses LIKE \
             '%serverDelete%' AND d.statuses LIKE '%serverTransfer%' AND d.statuses LIKE \
             '%serverUpdate%')",
        )
        .fetch_all(self.test.database.connection())
        .await
        .unwrap();
        assert!(odd.is_empty(), "{line}: open locks: {odd:?}");
        let hosts: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, name FROM hosts WHERE statuses LIKE '%pending%'")
                .fetch_all(self.test.database.connection())
                .await
                .unwrap();
        let stuck = hosts.iter().find(|(id, _)| !waiting.contains(id));
        assert_eq!(stuck, None, "{line}: waits for nothing");
        waiting
    }
}
