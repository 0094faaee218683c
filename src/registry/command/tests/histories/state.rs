//! What a registry holds, as far as the rules of histories are about it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::registry::command::changes::Needs;
use crate::registry::database::Timestamp;
use crate::registry::life::{Life, Phase, Step};
use crate::registry::testing::TestDatabase;
use crate::registry::types::{Status, Statuses};

/// A domain as it is stored.
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) registrar: String,
    pub(super) statuses: Statuses,
    pub(super) life: Life,
    pub(super) due: Option<(Step, i64)>,
    pub(super) is_published: bool,
    /// Its name servers, by number.
    pub(super) hosts: BTreeMap<i64, String>,
}

/// A host or a contact.
pub(super) struct Object {
    pub(super) name: String,
    pub(super) registrar: String,
    pub(super) statuses: Statuses,
}

/// All of a registry.
#[derive(Default)]
pub(super) struct State {
    pub(super) domains: Vec<Domain>,
    pub(super) hosts: Vec<Object>,
    pub(super) contacts: Vec<Object>,
    /// Objects that wait for a change, and who has to agree.
    pub(super) waiting: Vec<(String, Needs)>,
    /// Accounts whose domains have contacts.
    thick: BTreeSet<String>,
    pub(super) last_event: i64,
}

impl State {
    pub(super) fn domain(&self, name: &str) -> Option<&Domain> {
        self.domains.iter().find(|held| held.name == name)
    }

    pub(super) fn host(&self, name: &str) -> Option<&Object> {
        self.hosts.iter().find(|held| held.name == name)
    }

    pub(super) fn contact(&self, name: &str) -> Option<&Object> {
        self.contacts.iter().find(|held| held.name == name)
    }

    pub(super) fn is_thick(&self, registrar: &str) -> bool {
        self.thick.contains(registrar)
    }

    pub(super) async fn read(test: &mut TestDatabase) -> Self {
        let domains = all(test, DOMAINS).await;
        let mut hosts_of: BTreeMap<i64, BTreeMap<i64, String>> = BTreeMap::new();
        for row in all(test, NAMED).await {
            let hosts = hosts_of.entry(row.get(0)).or_default();
            hosts.insert(row.get(1), row.get(2));
        }
        let domain = |row: &AnyRow| domain(row, &mut hosts_of);
        let one = |row: &AnyRow| -> String { row.get(0) };
        let waits = |row: &AnyRow| -> (String, Needs) {
            let needs: String = row.get(1);
            (row.get(0), serde_json::from_str(&needs).unwrap())
        };
        let last = all(test, "SELECT last_event FROM registry").await;
        Self {
            domains: domains.iter().map(domain).collect(),
            hosts: all(test, HOSTS).await.iter().map(object).collect(),
            contacts: all(test, CONTACTS).await.iter().map(object).collect(),
            waiting: all(test, WAITING).await.iter().map(waits).collect(),
            thick: all(test, THICK).await.iter().map(one).collect(),
            last_event: last[0].get(0),
        }
    }
}

const DOMAINS: &str = "SELECT d.id, d.name, r.handle, d.statuses, d.phase, d.phase_ends_at, \
    d.redemption_ends_at, d.expires_at, d.transfer_ends_at, d.due_step, d.due_at, d.published, \
    (SELECT COUNT(*) FROM locks l WHERE l.domain_id = d.id) \
    FROM domains d JOIN registrars r ON r.id = d.registrar_id ORDER BY d.name";
const NAMED: &str = "SELECT n.domain_id, n.host_id, h.name FROM delegations n \
    LEFT JOIN hosts h ON h.id = n.host_id";
const HOSTS: &str = "SELECT h.name, r.handle, h.statuses FROM hosts h \
    JOIN registrars r ON r.id = h.registrar_id ORDER BY h.name";
const CONTACTS: &str = "SELECT c.handle, r.handle, c.statuses FROM contacts c \
    JOIN registrars r ON r.id = c.registrar_id ORDER BY c.handle";
const WAITING: &str = "SELECT object, needs FROM changes ORDER BY id";
const THICK: &str = "SELECT r.handle FROM registrars r, zones z WHERE z.data_model = 'maximum' \
    OR (z.data_model = 'per-registrar' AND r.data_model = 'maximum')";

/// All rows of a query.
pub(super) async fn all(test: &mut TestDatabase, query: &'static str) -> Vec<AnyRow> {
    let rows = sqlx::query(query).fetch_all(test.database.connection());
    rows.await
        .unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn object(row: &AnyRow) -> Object {
    Object {
        name: row.get(0),
        registrar: row.get(1),
        statuses: Statuses::from_column(&row.get::<String, _>(2)).unwrap(),
    }
}

fn domain(row: &AnyRow, hosts_of: &mut BTreeMap<i64, BTreeMap<i64, String>>) -> Domain {
    let time = |index: usize| row.get::<Option<i64>, _>(index).map(Timestamp);
    let id: i64 = row.get(0);
    let statuses = Statuses::from_column(&row.get::<String, _>(3)).unwrap();
    let step: Option<String> = row.get(9);
    Domain {
        name: row.get(1),
        registrar: row.get(2),
        life: Life {
            id,
            phase: Phase::parse(&row.get::<String, _>(4)).unwrap(),
            phase_ends_at: time(5),
            redemption_ends_at: time(6),
            expires_at: time(7),
            transfer_ends_at: time(8),
            is_kept: statuses.has(Status::ServerDeleteProhibited) || row.get::<i64, _>(12) > 0,
        },
        statuses,
        due: step.map(|step| (Step::parse(&step).unwrap(), time(10).unwrap().0)),
        is_published: row.get::<i64, _>(11) == 1,
        hosts: hosts_of.remove(&id).unwrap_or_default(),
    }
}
