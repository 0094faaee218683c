use super::*;
use crate::generate::Parameters;
use crate::latency::DEPENDANTS;

fn registry() -> Registry {
    Registry::new(Parameters {
        apex: "example.".parse().unwrap(),
        domains: 1000,
        seed: 1,
        queries: 0,
        exponent: 1.0,
        signed: false,
    })
    .unwrap()
}

#[test]
fn every_second_change_takes_back_the_one_before() {
    let registry = registry();
    for (kind, ways) in [
        (Kind::Ns, ["--add-host", "--remove-host"]),
        (Kind::Ds, ["--add-ds", "--remove-ds"]),
    ] {
        let mut changes = Changes::new(kind, &registry, 0);
        let mut names = Vec::new();
        for _ in 0..3 {
            let [first, second] = [changes.next_command(), changes.next_command()];
            assert_eq!([&first[4], &second[4]], ways);
            assert_eq!(first[3], second[3]);
            names.push(first[3].clone());
        }
        names.dedup();
        assert_eq!(names.len(), 3, "{names:?}");
    }
    let mut changes = Changes::new(Kind::Rename, &registry, 0);
    let [first, second] = [changes.next_command(), changes.next_command()];
    assert_eq!((&first[3], &first[5]), (&second[5], &second[3]));
}

#[test]
fn all_dependants_name_the_host() {
    let [domains, hosts, updates] = dependants(DEPENDANTS, ".example.");
    assert_eq!(domains.len() as u64, DEPENDANTS + 1);
    // Two that are shared, and one of every second domain.
    assert_eq!(hosts.len() as u64, 2 + DEPENDANTS / 2);
    let named = updates
        .iter()
        .filter(|line| line.contains("\"ns0.renamed.example.\""));
    assert_eq!(named.count() as u64, DEPENDANTS);
    for line in domains.iter().chain(&hosts).chain(&updates) {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn a_ttl_is_another_one_in_the_next_run() {
    let registry = registry();
    let ttl = |serial| Changes::new(Kind::Ttl, &registry, serial).next_command();
    assert_eq!(ttl(1)[3], ttl(2)[3]);
    assert_ne!(ttl(1)[5], ttl(2)[5]);
    assert_eq!(ttl_of(1000, u32::MAX, 1), 1000 + 967_296);
}
