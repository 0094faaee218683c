//! Random graphs of domains and hosts, cycles among them, and random removals: no sponsor
//! loses a name server that it did not remove itself, and nothing dangles.

use std::collections::{BTreeMap, BTreeSet};

use loadtest::generate::Random;
use zone_compiler::install::{Input, install_with};

use super::*;

/// Registries of each engine and policy.
const ROUNDS: u64 = 2;
const DOMAINS: u64 = 9;
const REMOVALS: usize = 8;

/// Domain -> ids of the hosts that it names, published or not, and its sponsor.
type Delegations = BTreeMap<String, (i64, BTreeSet<i64>)>;

async fn delegations(test: &mut TestDatabase) -> Delegations {
    let found: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT d.name, d.registrar_id, n.host_id FROM domains d \
         JOIN delegations n ON n.domain_id = d.id JOIN hosts h ON h.id = n.host_id",
    )
    .fetch_all(test.database.connection())
    .await
    .unwrap();
    let mut delegations = Delegations::new();
    for (name, sponsor, host) in found {
        let entry = delegations.entry(name);
        entry
            .or_insert_with(|| (sponsor, BTreeSet::new()))
            .1
            .insert(host);
    }
    delegations
}

/// Rows that refer to nothing, hosts out of place, and in-zone name servers without an
/// address: all must be none.
const FAULTS: [&str; 5] = [
    "SELECT COUNT(*) FROM delegations n LEFT JOIN hosts h ON h.id = n.host_id WHERE h.id IS NULL",
    "SELECT COUNT(*) FROM host_addresses a LEFT JOIN hosts h ON h.id = a.host_id WHERE h.id IS NULL",
    "SELECT COUNT(*) FROM hosts h LEFT JOIN domains d ON d.id = h.domain_id \
     WHERE (h.zone_id IS NOT NULL AND d.id IS NULL) OR h.name LIKE '%.tld' AND h.domain_id IS NULL",
    "SELECT COUNT(*) FROM hosts h JOIN delegations n ON n.host_id = h.id WHERE h.domain_id \
     IS NOT NULL AND NOT EXISTS (SELECT 1 FROM host_addresses a WHERE a.host_id = h.id)",
    "SELECT COUNT(*) FROM hosts h WHERE h.published <> (SELECT COUNT(*) FROM (SELECT 1 FROM \
     delegations n JOIN domains d ON d.id = n.domain_id WHERE n.host_id = h.id \
     AND d.published = 1 LIMIT 1) AS one)",
];

/// NS records of each published domain.
fn served(test: &TestDatabase) -> BTreeMap<String, usize> {
    let mut served = BTreeMap::new();
    for line in test.published() {
        let words: Vec<_> = line.split_whitespace().collect();
        if words[3] == "NS" && words[0] != "tld." {
            *served.entry(words[0].to_owned()).or_insert(0) += 1;
        }
    }
    served
}

/// Every domain has a host below it, and names two or three hosts of any of them.
async fn graph(test: &mut TestDatabase, random: &mut Random) {
    let registrar = |domain: u64| ["reg-a", "reg-b", "reg-c"][usize::try_from(domain % 3).unwrap()];
    let mut script = String::new();
    for domain in 0..DOMAINS {
        let by = registrar(domain);
        script += &format!("{by} domain create d{domain}.tld = 1000\n");
        for host in 0..=random.below(2) {
            script += &format!(
                "{by} host create ns{host}.d{domain}.tld ip=192.0.2.{} = 1000\n",
                domain * 10 + host + 1
            );
        }
    }
    for domain in 0..DOMAINS {
        let mut named = BTreeSet::new();
        while named.len() < 2 {
            named.insert(random.below(DOMAINS));
        }
        let named: Vec<_> = named.iter().map(|of| format!("ns=ns0.d{of}.tld")).collect();
        let by = registrar(domain);
        script += &format!(
            "{by} domain update d{domain}.tld {} = 1000\n",
            named.join(" ")
        );
    }
    play(test, &script).await;
}

/// Removes a random domain by its sponsor or the registry, and looks at the rest.
async fn remove(test: &mut TestDatabase, random: &mut Random, refuses: bool, seed: u64) {
    let (before, was_served) = (delegations(test).await, served(test));
    let names: Vec<_> = before.keys().filter(|name| *name != "lame.tld").collect();
    let Some(name) = names.get(usize::try_from(random.below(names.len() as u64)).unwrap()) else {
        return;
    };
    let who = match random.below(4) {
        0 => "op".to_owned(),
        _ => {
            let sponsor = "SELECT r.handle FROM registrars r JOIN domains d \
                           ON d.registrar_id = r.id WHERE d.name = $1";
            let sponsor = sqlx::query_scalar(sponsor).bind(name.as_str());
            sponsor.fetch_one(test.database.connection()).await.unwrap()
        }
    };
    let outcome = run(test, &parse(&format!("{who} domain delete {name}"))).await;
    let (after, is_served) = (delegations(test).await, served(test));
    let context = format!("seed {seed}, {who} removes {name}: {outcome:?}");
    match &outcome {
        Err(error) => {
            assert!(refuses, "{context}");
            assert_eq!(error.code().number(), 2305, "{context}");
            assert_eq!((before, was_served), (after, is_served), "{context}");
        }
        Ok(_) => {
            let mut expected = before.clone();
            expected.remove(*name);
            assert_eq!(expected, after, "a name server was taken away: {context}");
            let mut expected = was_served;
            expected.remove(&format!("{name}."));
            assert_eq!(expected, is_served, "{context}");
        }
    }
    for fault in FAULTS {
        let count: i64 = sqlx::query_scalar(fault)
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(count, 0, "{fault}: {context}");
    }
}

/// What is left is a zone that compiles, without a fault or a warning about glue.
fn compile(test: &TestDatabase, seed: u64) {
    let image = test.folder.path().join("image");
    std::fs::create_dir(&image).unwrap();
    let input = Input::Database(test.location.as_source());
    let options = zone_compiler::Options::default();
    let compiled = install_with(&input, &image, &options, &|_, _| {});
    let (reports, _) = compiled.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    for report in reports {
        assert_eq!(report.warnings.count(), 0, "seed {seed}: {report:?}");
    }
}

#[tokio::test]
async fn no_removal_takes_a_name_server_from_anybody() {
    use HostOrphan::{Invalid, Lame, Refuse, Restore};
    let first = std::env::var("MERIDIAN_SEED").ok();
    let first = first.and_then(|seed| seed.parse().ok()).unwrap_or(1);
    eprintln!("MERIDIAN_SEED={first}");
    for engine in engines() {
        for orphan in [Lame, Invalid, Restore, Refuse] {
            for seed in first..first + ROUNDS {
                let mut random = Random::new(seed);
                let mut test = staged(engine, orphan).await;
                play(&mut test, "op registrar create reg-c = 1000").await;
                graph(&mut test, &mut random).await;
                for _ in 0..REMOVALS {
                    remove(&mut test, &mut random, orphan == Refuse, seed).await;
                }
                compile(&test, seed);
            }
        }
    }
}
