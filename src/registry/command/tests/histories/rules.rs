//! What holds after every step of every history.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;

use super::super::published::{owner, read_by_name};
use super::state::{Domain, State, all};
use crate::registry::calendar::add_years;
use crate::registry::database::Timestamp;
use crate::registry::life::Phase;
use crate::registry::policy::RegistrationPolicy;
use crate::registry::testing::TestDatabase;
use crate::registry::types::{Status, Statuses};

/// A step: the registry before it and after, and what is published.
pub(super) struct Step<'s> {
    pub(super) line: &'s str,
    pub(super) before: &'s State,
    pub(super) after: &'s State,
    pub(super) records: [&'s BTreeSet<String>; 2],
    /// Domains that it is about.
    pub(super) touched: &'s BTreeSet<String>,
    /// Whether timers ran.
    pub(super) is_time: bool,
    pub(super) policy: &'s RegistrationPolicy,
    pub(super) now: Timestamp,
    /// Whether timers ever were refused a step, and so put it off.
    pub(super) has_put_off: bool,
}

impl Step<'_> {
    pub(super) async fn check(&self, test: &mut TestDatabase) {
        self.noted(test).await;
        self.kept(test).await;
        self.lives(test).await;
        self.glue();
        self.parkable(test).await;
        for fault in FAULTS {
            let found = sqlx::query_scalar::<_, i64>(fault);
            let found = found.fetch_one(test.database.connection()).await;
            let found = found.unwrap_or_else(|error| panic!("{fault}: {error}"));
            assert_eq!(found, 0, "{}: {fault}", self.line);
        }
    }

    /// Each owner whose records differ is noted by one of the events, and is read by its
    /// name as in the whole; the serial is another one.
    async fn noted(&self, test: &mut TestDatabase) {
        let (line, [before, after]) = (self.line, self.records);
        let first = self.before.last_event;
        if self.after.last_event == first {
            assert_eq!(before, after, "{line}: without an event");
            return;
        }
        let is_soa = |record: &&String| record.contains("\tSOA\t");
        let differs = before.symmetric_difference(after);
        let owners = differs
            .filter(|record| !is_soa(record))
            .map(|record| owner(record));
        let owners: BTreeSet<_> = owners.collect();
        let noted = sqlx::query_scalar("SELECT owner FROM changed_names WHERE event > $1");
        let noted: Vec<String> = noted
            .bind(first)
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        let noted: BTreeSet<_> = noted.into_iter().collect();
        let missing: Vec<_> = owners.difference(&noted).collect();
        assert!(
            noted.contains("") || missing.is_empty(),
            "{line}: {missing:?}"
        );
        let soa = |records: &BTreeSet<String>| records.iter().find(is_soa).cloned();
        assert!(
            owners.is_empty() || soa(before) != soa(after),
            "{line}: the old serial"
        );
        read_by_name(test, u64::try_from(first + 1).unwrap(), after, line);
    }

    /// Nobody lost a domain, a name server or its publication by a command on something
    /// else, and whose name servers have other names was told, or did it.
    async fn kept(&self, test: &mut TestDatabase) {
        let line = self.line;
        let after: BTreeMap<_, _> = self
            .after
            .domains
            .iter()
            .map(|held| (held.life.id, held))
            .collect();
        for held in &self.before.domains {
            let name = &held.name;
            if self.touched.contains(name) {
                continue;
            }
            let Some(now) = after.get(&held.life.id) else {
                assert!(self.is_time, "{line}: {name} is gone");
                continue;
            };
            let hosts = |held: &Domain| held.hosts.keys().copied().collect::<Vec<_>>();
            assert_eq!(hosts(now), hosts(held), "{line}: {name}");
            if !self.is_time {
                assert_eq!(now.registrar, held.registrar, "{line}: {name}");
                assert_eq!(now.is_published, held.is_published, "{line}: {name}");
            }
            if now.hosts != held.hosts {
                assert!(
                    self.is_told(test, held).await,
                    "{line}: {name} was not told"
                );
            }
        }
    }

    /// Whether a sponsor knows that its name servers have other names.
    async fn is_told(&self, test: &mut TestDatabase, held: &Domain) -> bool {
        let words: Vec<_> = self.line.split_whitespace().collect();
        // Who renames a host renames it for all that name it (RFC 5732 section 3.2.5).
        if words
            .get(3)
            .is_some_and(|name| self.before.host(name).is_some())
        {
            return true;
        }
        let told = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM poll_messages m JOIN registrars r \
             ON r.id = m.registrar_id WHERE m.kind = 'name-servers-renamed' \
             AND m.event > $1 AND r.handle = $2) + (SELECT COUNT(*) FROM events \
             WHERE number > $1 AND actor = $3)",
        );
        let told: i64 = told
            .bind(self.before.last_event)
            .bind(&held.registrar)
            .bind(format!("registrar:{}", held.registrar))
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        told > 0
    }

    /// What is stored of a domain's life follows from it; statuses bear each other.
    async fn lives(&self, test: &mut TestDatabase) {
        let waiting = all(test, "SELECT object_id FROM changes").await;
        let waiting: BTreeSet<i64> = waiting.iter().map(|row| row.get(0)).collect();
        let (hosts, contacts) = (self.after.hosts.iter(), self.after.contacts.iter());
        for held in hosts.chain(contacts) {
            let (name, line) = (&held.name, self.line);
            assert_eq!(held.statuses.conflict(), None, "{line}: {name}");
        }
        let limit = add_years(self.now, 10);
        for held in &self.after.domains {
            let Domain {
                name,
                statuses,
                life,
                ..
            } = held;
            let line = self.line;
            assert_eq!(statuses.conflict(), None, "{line}: {name}");
            if !waiting.contains(&life.id) {
                let waits = statuses.has(Status::PendingTransfer);
                assert_eq!(waits, life.transfer_ends_at.is_some(), "{line}: {name}");
                let goes = statuses.has(Status::PendingDelete);
                assert_eq!(goes, life.phase != Phase::Registered, "{line}: {name}");
                let pending = statuses.iter().filter(|status| status.is_pending()).count();
                assert_eq!(
                    pending,
                    usize::from(waits || goes),
                    "{line}: {name}: {statuses:?}"
                );
            }
            let due = life.next(self.policy).map(|due| (due.step, due.at.0));
            match (held.due, due) {
                (Some((step, at)), Some((next, earliest))) if self.has_put_off => {
                    assert!(step == next && at >= earliest, "{line}: {name}");
                }
                (stored, due) => assert_eq!(stored, due, "{line}: {name}"),
            }
            assert!(
                life.expires_at.is_none_or(|at| at <= limit),
                "{line}: {name}"
            );
        }
    }

    /// Every name server below the apex has an address, every address below a registered
    /// domain is a name server's, and nobody is delegated to a single one.
    fn glue(&self) {
        let (line, records) = (self.line, self.records[1]);
        let words = records
            .iter()
            .map(|record| record.split_whitespace().collect());
        let words: Vec<Vec<&str>> = words.collect();
        let of = |kinds: &[&str]| {
            let found = words.iter().filter(|words| kinds.contains(&words[3]));
            found.collect::<Vec<_>>()
        };
        let servers = of(&["NS"]);
        let targets: BTreeSet<_> = servers.iter().map(|words| words[4]).collect();
        let addresses: BTreeSet<_> = of(&["A", "AAAA"]).iter().map(|words| words[0]).collect();
        for target in targets.iter().filter(|target| target.ends_with(".tld.")) {
            assert!(
                addresses.contains(target),
                "{line}: {target} has no address"
            );
        }
        for address in addresses.iter().filter(|address| **address != "www.tld.") {
            assert!(targets.contains(address), "{line}: {address} is nobody's");
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for words in servers.iter().filter(|words| words[0] != "tld.") {
            *counts.entry(words[0]).or_default() += 1;
        }
        for (domain, count) in counts {
            assert!(count >= 2, "{line}: {domain} has {count}");
        }
    }

    /// What is stored of whether a domain can be parked follows from it, its name servers
    /// and the hosts below it.
    async fn parkable(&self, test: &mut TestDatabase) {
        let line = self.line;
        for row in all(test, PARKABLE).await {
            let (name, statuses): (String, String) = (row.get(0), row.get(1));
            let (parkable, hosts): (i64, i64) = (row.get(2), row.get(3));
            let statuses = Statuses::from_column(&statuses).unwrap();
            let expected = statuses.allow_publication() && hosts == 0;
            assert_eq!(parkable, i64::from(expected), "{line}: {name} {statuses:?}");
        }
    }
}

// A change that waits is none yet, whatever its domain shows of it.
const PARKABLE: &str = "SELECT d.name, COALESCE(w.statuses, d.statuses), d.parkable, \
    (SELECT COUNT(*) FROM delegations n WHERE n.domain_id = d.id) + \
    (SELECT COUNT(*) FROM hosts h WHERE h.domain_id = d.id \
    AND h.statuses NOT LIKE '%pendingCreate%') FROM domains d \
    LEFT JOIN changes w ON w.object_id = d.id";

/// Rows that must not be there.
const FAULTS: [&str; 19] = [
    // A name server that nobody has.
    "SELECT COUNT(*) FROM delegations n LEFT JOIN hosts h ON h.id = n.host_id \
     WHERE h.id IS NULL",
    // An address of no host.
    "SELECT COUNT(*) FROM host_addresses a LEFT JOIN hosts h ON h.id = a.host_id \
     WHERE h.id IS NULL",
    // A host of the zone without its domain: a lame Zone Host.
    "SELECT COUNT(*) FROM hosts h LEFT JOIN domains d ON d.id = h.domain_id \
     WHERE (h.zone_id IS NOT NULL AND d.id IS NULL) \
     OR (h.name LIKE '%.tld' AND h.domain_id IS NULL)",
    // A host elsewhere than below its domain.
    "SELECT COUNT(*) FROM hosts h JOIN domains d ON d.id = h.domain_id \
     WHERE h.name <> d.name AND h.name NOT LIKE '%.' || d.name",
    // A name server of the zone without an address.
    "SELECT COUNT(*) FROM hosts h JOIN delegations n ON n.host_id = h.id \
     WHERE h.domain_id IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM host_addresses a WHERE a.host_id = h.id)",
    // A host outside with one.
    "SELECT COUNT(*) FROM hosts h JOIN host_addresses a ON a.host_id = h.id \
     WHERE h.domain_id IS NULL",
    // Glue without somebody who is served by it, or the other way round.
    "SELECT COUNT(*) FROM hosts h WHERE h.published <> (SELECT COUNT(*) FROM (SELECT 1 FROM \
     delegations n JOIN domains d ON d.id = n.domain_id WHERE n.host_id = h.id \
     AND d.published = 1 LIMIT 1) AS one)",
    // A published domain that a status withholds, or that has no name server.
    "SELECT COUNT(*) FROM domains d WHERE d.published = 1 AND (d.statuses LIKE '%Hold%' \
     OR d.statuses LIKE '%pendingCreate%' OR (d.statuses LIKE '%pendingDelete%' \
     AND d.phase <> 'registered') OR NOT EXISTS (SELECT 1 FROM delegations n \
     WHERE n.domain_id = d.id))",
    // A host below a domain of another sponsor's.
    "SELECT COUNT(*) FROM hosts h JOIN domains d ON d.id = h.domain_id \
     WHERE h.registrar_id <> d.registrar_id",
    // A transfer that waits without its domain knowing of it.
    "SELECT COUNT(*) FROM transfers t JOIN domains d ON d.id = t.domain_id \
     WHERE (t.state = 'pending') <> (d.transfer_ends_at IS NOT NULL)",
    // A lock, grace period or transfer of a domain that is gone.
    "SELECT (SELECT COUNT(*) FROM locks) + (SELECT COUNT(*) FROM grace_periods) \
     + (SELECT COUNT(*) FROM transfers) \
     - (SELECT COUNT(*) FROM locks l JOIN domains d ON d.id = l.domain_id) \
     - (SELECT COUNT(*) FROM grace_periods g JOIN domains d ON d.id = g.domain_id) \
     - (SELECT COUNT(*) FROM transfers t JOIN domains d ON d.id = t.domain_id)",
    // A locked domain that its statuses leave open.
    "SELECT COUNT(*) FROM domains d JOIN locks l ON l.domain_id = d.id \
     WHERE d.statuses NOT LIKE '%pending%' AND NOT (d.statuses LIKE '%serverDelete%' \
     AND d.statuses LIKE '%serverTransfer%' AND d.statuses LIKE '%serverUpdate%')",
    // A change of an object that is gone, or that does not show that it waits.
    "SELECT COUNT(*) FROM changes c LEFT JOIN domains d ON d.id = c.object_id \
     LEFT JOIN hosts h ON h.id = c.object_id LEFT JOIN contacts p ON p.id = c.object_id \
     WHERE COALESCE(d.statuses, h.statuses, p.statuses, '') NOT LIKE '%pending%'",
    // A host or a contact that waits for nothing.
    "SELECT COUNT(*) FROM (SELECT h.id FROM hosts h WHERE h.statuses LIKE '%pending%' \
     UNION ALL SELECT p.id FROM contacts p WHERE p.statuses LIKE '%pending%') AS waiting \
     WHERE waiting.id NOT IN (SELECT object_id FROM changes) \
     AND waiting.id NOT IN (SELECT contact_id FROM contact_transfers WHERE state = 'pending')",
    // A contact's transfer that waits without the contact showing it, or the other way round.
    "SELECT COUNT(*) FROM contacts p LEFT JOIN contact_transfers t ON t.contact_id = p.id \
     WHERE (p.statuses LIKE '%pendingTransfer%') <> (COALESCE(t.state, '') = 'pending')",
    // A contact whose data was erased, and that still has some.
    "SELECT COUNT(*) FROM contacts p WHERE p.erased_at IS NOT NULL AND (p.voice IS NOT NULL \
     OR p.street IS NOT NULL OR p.loc_name IS NOT NULL)",
    // A consent to nothing.
    "SELECT COUNT(*) FROM consents s LEFT JOIN changes c ON c.id = s.change_id \
     WHERE c.id IS NULL",
    // A domain that names a contact which is gone.
    "SELECT (SELECT COUNT(*) FROM domain_contacts n LEFT JOIN contacts c \
     ON c.id = n.contact_id WHERE c.id IS NULL) + (SELECT COUNT(*) FROM domains d \
     LEFT JOIN contacts c ON c.id = d.registrant_id \
     WHERE d.registrant_id IS NOT NULL AND c.id IS NULL)",
    // A queue whose count is not that of its messages.
    "SELECT COUNT(*) FROM poll_queues q WHERE q.waiting <> (SELECT COUNT(*) \
     FROM poll_messages m WHERE m.registrar_id = q.registrar_id)",
];
