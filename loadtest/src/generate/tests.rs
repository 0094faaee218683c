use std::collections::{HashMap, HashSet};

use super::*;

fn registry(domains: u64, seed: u64) -> Registry {
    let apex = Name::parse_absolute("example.").unwrap();
    Registry::new(Parameters {
        apex,
        domains,
        seed,
        queries: 1000,
        exponent: 1.0,
        signed: false,
    })
    .unwrap()
}

fn zone_text(registry: &Registry) -> String {
    let mut text = Vec::new();
    zone_file::write(registry, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn query_text(registry: &Registry, kind: QueryKind) -> String {
    let mut text = Vec::new();
    query_file::write(registry, kind, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_zone_and_queries() {
    let (one, same, other) = (registry(500, 7), registry(500, 7), registry(500, 8));
    assert_eq!(zone_text(&one), zone_text(&same));
    assert_ne!(zone_text(&one), zone_text(&other));
    for kind in QueryKind::ALL {
        assert_eq!(query_text(&one, kind), query_text(&same, kind));
        assert_ne!(query_text(&one, kind), query_text(&other, kind));
    }
}

#[test]
fn a_domain_does_not_depend_on_how_many_follow_it() {
    let (short, long) = (registry(100, 3), registry(1000, 3));
    for index in 0..100 {
        assert_eq!(short.domain(index).label, long.domain(index).label);
        assert_eq!(short.domain(index).ds_count, long.domain(index).ds_count);
    }
}

#[test]
fn labels_are_distinct_host_names_of_realistic_length() {
    let registry = registry(20_000, 1);
    let mut seen = HashSet::new();
    let mut octets = 0;
    for domain in registry.domains() {
        let label = domain.label.as_bytes();
        assert!(seen.insert(domain.label), "{} twice", domain.label);
        assert!((3..=63).contains(&label.len()), "{}", domain.label);
        assert!(
            label
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        );
        assert!(
            !label.starts_with(b"-") && !label.ends_with(b"-"),
            "{}",
            domain.label
        );
        octets += label.len();
    }
    let mean = octets as f64 / 20_000.0;
    assert!((10.0..14.0).contains(&mean), "mean length {mean}");
}

#[test]
fn shares_are_as_documented() {
    let registry = registry(40_000, 1);
    let (mut in_domain, mut sibling, mut secure) = (0, 0, 0);
    let mut operators: HashMap<u64, u64> = HashMap::new();
    for domain in registry.domains() {
        match domain.name_servers {
            NameServers::InDomain { .. } => in_domain += 1,
            NameServers::Sibling(host) => {
                assert_eq!(host % 4, 0, "a host without name servers of its own");
                sibling += 1;
            }
            NameServers::Operator { operator, .. } => *operators.entry(operator).or_default() += 1,
        }
        secure += u64::from(domain.ds_count > 0);
    }
    assert_eq!(in_domain, 10_000);
    assert!((4_400..5_200).contains(&sibling), "{sibling} siblings");
    assert!((3_000..3_400).contains(&secure), "{secure} secure");
    let most = operators.values().max().unwrap();
    assert!(*most > 4_000, "the largest operator has {most} domains");
    assert!(operators.len() > 300, "only {} operators", operators.len());
}

#[test]
fn zipf_follows_its_law() {
    for exponent in [0.8, 1.0, 1.3] {
        let zipf = Zipf::new(1000, exponent);
        let mut random = Random::new(5);
        let mut counts = vec![0u32; 1000];
        for _ in 0..400_000 {
            counts[usize::try_from(zipf.draw(&mut random)).unwrap()] += 1;
        }
        for rank in [2u32, 10, 30] {
            let ratio = f64::from(counts[0]) / f64::from(counts[rank as usize - 1]);
            let law = f64::from(rank).powf(exponent);
            assert!(
                (ratio / law - 1.0).abs() < 0.1,
                "{exponent} {rank}: {ratio}, law {law}"
            );
        }
        assert!(counts[999] > 0, "the last rank is never drawn");
    }
}

#[test]
fn every_referral_query_names_a_domain_and_no_nxdomain_query_does() {
    let registry = registry(300, 9);
    let labels: HashSet<_> = registry
        .domains()
        .map(|domain| domain.label.to_owned())
        .collect();
    let registered = |line: &str| {
        let name = line
            .split_once(' ')
            .unwrap()
            .0
            .strip_suffix(".example.")
            .unwrap()
            .to_owned();
        labels.contains(name.rsplit('.').next().unwrap())
    };
    assert!(
        query_text(&registry, QueryKind::Referral)
            .lines()
            .all(registered)
    );
    assert!(
        !query_text(&registry, QueryKind::NxDomain)
            .lines()
            .any(registered)
    );
    assert_eq!(
        query_text(&registry, QueryKind::Mixed).lines().count(),
        1000
    );
}

#[test]
fn in_domain_name_servers_always_have_glue() {
    let text = zone_text(&registry(2000, 4));
    let owners: HashSet<_> = text
        .lines()
        .filter(|line| line.contains(" IN A "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let inside = text
        .lines()
        .filter_map(|line| line.split_once(" IN NS "))
        .filter(|(_, target)| target.ends_with(".example."));
    let mut count = 0;
    for (owner, target) in inside {
        assert!(owners.contains(target), "{owner} NS {target} has no glue");
        count += 1;
    }
    assert!(count > 1000);
}

#[test]
fn the_csv_files_hold_what_the_zone_file_holds() {
    let registry = registry(2000, 4);
    let folder = tempfile::tempdir().unwrap();
    csv_files::write(&registry, folder.path()).unwrap();
    let rows = |name: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let fields = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().skip(1).map(fields).collect()
    };
    let zone = zone_text(&registry);
    let records = |kind: &str| -> HashSet<String> {
        let lines = zone.lines().filter(|line| !line.starts_with(['@', '$']));
        let parts = lines.filter_map(|line| line.split_once(kind));
        parts
            .map(|(owner, data)| format!("{} {data}", owner.replace(" 86400", "")))
            .collect()
    };
    let own = rows("delegations.csv");
    let own: HashSet<_> = own.iter().map(|row| row.join(" ")).collect();
    assert_eq!(own, records(" IN NS "));
    let own = rows("ds.csv");
    let own: HashSet<_> = own.iter().map(|row| row.join(" ")).collect();
    assert_eq!(own, records(" IN DS "));
    let addresses = rows("addresses.csv");
    let own: HashSet<_> = addresses.iter().map(|row| row.join(" ")).collect();
    let nic = |record: &String| record.contains(".nic.example.");
    let all = records(" IN A ").into_iter().chain(records(" IN AAAA "));
    let all: HashSet<_> = all.filter(|record| !nic(record)).collect();
    assert_eq!(own, all);
    let hosts: HashSet<_> = rows("hosts.csv")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(hosts.len(), rows("hosts.csv").len(), "a host twice");
    for row in rows("delegations.csv") {
        assert!(hosts.contains(&row[1]), "{row:?}");
    }
    assert_eq!(rows("domains.csv").len(), 2000);
    assert_eq!(rows("records.csv").len(), 12);
}

#[test]
fn small_zones_are_files_that_name_their_number_and_serial() {
    let directory = tempfile::tempdir().unwrap();
    let zones = SmallZones {
        parent: Name::parse_absolute("test.").unwrap(),
        first: 5,
        count: 3,
        serial: 9,
    };
    let (folder, queries) = zones.write(directory.path()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["zone-5.zone", "zone-6.zone", "zone-7.zone"]);
    let text = std::fs::read_to_string(folder.join("zone-6.zone")).unwrap();
    assert!(text.starts_with("$ORIGIN zone-6.test.\n"), "{text}");
    assert!(text.contains("hostmaster 9 "), "{text}");
    let queries = std::fs::read_to_string(queries).unwrap();
    for number in 5..8 {
        let line = format!("www.zone-{number}.test. A\n");
        assert_eq!(queries.matches(&line).count(), 1, "{queries}");
    }
    let none = SmallZones { count: 0, ..zones };
    assert!(none.write(directory.path()).is_err());
}

#[test]
fn a_signed_zone_has_a_closed_chain_and_a_signature_for_each_ds() {
    let parameters = Parameters {
        signed: true,
        ..registry(2000, 5).parameters().clone()
    };
    let registry = Registry::new(parameters).unwrap();
    let text = zone_text(&registry);
    let records: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let is = |record: &&Vec<&str>, rtype: &str| record.get(3) == Some(&rtype);
    let chain: Vec<_> = records
        .iter()
        .filter(|record| is(record, "NSEC3"))
        .collect();
    assert!(chain.is_sorted_by_key(|record| record[0]));
    for (own, next) in chain.iter().zip(chain.iter().cycle().skip(1)) {
        assert_eq!(own[8], next[0]);
    }
    let secure = registry.domains().filter(|domain| domain.ds_count > 0);
    // Besides the secure ones: the apex, `nic` and four name servers.
    assert_eq!(chain.len(), secure.count() + 6);
    let signed = |rtype| {
        let signatures = records.iter().filter(|record| is(record, "RRSIG"));
        signatures.filter(|record| record[4] == rtype).count()
    };
    assert_eq!(signed("DS"), chain.len() - 6);
    assert_eq!(signed("NSEC3"), chain.len());
    for record in records.iter().filter(|record| is(record, "RRSIG")) {
        assert_eq!(record.last().unwrap().len(), 88, "64 octets in base64");
    }
}
