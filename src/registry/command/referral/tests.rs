//! Which commands ask how long a referral is, and what they let pass.

use super::super::tests::{parse, play, run, stage};
use sqlx::Row as _;

use crate::registry::Engine;
use crate::registry::testing::engines;

/// A name of three labels, the first two of `letters` letters.
fn long(number: usize, letters: usize) -> String {
    let label = "n".repeat(letters);
    format!("{label}.{label}.e{number}.example")
}

fn servers(range: std::ops::Range<usize>, letters: usize) -> String {
    range.map(|n| format!(" ns={}", long(n, letters))).collect()
}

#[tokio::test]
async fn no_command_makes_a_referral_that_does_not_fit() {
    for engine in engines() {
        let mut test = stage(engine).await;
        for number in 0..9 {
            let create = format!("reg-a host create {}", long(number, 60));
            run(&mut test, &parse(&create)).await.unwrap();
        }
        let (six, seven) = (servers(0..6, 60), servers(0..7, 60));
        let rename = |number, to: usize| format!("reg-a host update {} to=", long(number, to));
        let script = format!(
            "reg-a domain create a.tld{seven} = 2306
             reg-a domain create a.tld{six} = 1000
             reg-a domain update a.tld ns={} = 2306
             reg-a domain update a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
             reg-a host update ns1.ext.example to={} = 2306
             reg-a host update ns1.ext.example to=ns3.ext.example = 1000
             {}ns.short.example = 1000
             reg-a domain update a.tld status=clientHold = 1000",
            long(6, 60),
            long(20, 60),
            rename(0, 60),
        );
        play(&mut test, &script).await;
    }
}

#[tokio::test]
async fn an_address_can_make_the_domain_above_it_too_long() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, "reg-a domain create a.tld = 1000").await;
        let mut all = String::new();
        for number in 0..4 {
            let addresses: String = (1..10).map(|n| format!(" ip=192.0.2.{n}")).collect();
            let create = format!("reg-a host create ns{number}.a.tld{addresses}");
            run(&mut test, &parse(&create)).await.unwrap();
            all += &format!(" ns=ns{number}.a.tld");
        }
        let found = run(
            &mut test,
            &parse(&format!("reg-a domain update a.tld{all}")),
        )
        .await;
        found.unwrap();
        let more: String = (1..13).map(|n| format!(" ip=2001:db8::{n}")).collect();
        let (first, rest) = more.trim_start().split_once(' ').unwrap();
        let script = format!(
            "reg-a host update ns0.a.tld {first} = 1000
             reg-a host update ns0.a.tld {rest} = 2306
             reg-a host update ns0.a.tld -ip=192.0.2.1 = 1000
             reg-a domain create b.tld ns=ns0.a.tld ns=ns1.a.tld = 1000"
        );
        play(&mut test, &script).await;
    }
}

#[tokio::test]
async fn what_is_too_long_already_may_shrink_and_not_grow() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut zone =
            "$ORIGIN big.\n$TTL 60\n@ SOA a.test. b.test. 1 2 3 4 5\n@ NS a.test.\n".to_owned();
        for number in 0..10 {
            zone += &format!("a NS {}.\n", long(number, 60));
        }
        test.import(&zone).await.unwrap();
        let script = format!(
            "op host create ns.longer.example by=reg-a = 1000
             op domain update a.big ns=ns1.ext.example = 2306
             op domain update a.big ns=ns1.ext.example -ns={} = 1000
             op host update {} to=ns9.ext.example = 1000",
            long(0, 60),
            long(1, 60)
        );
        play(&mut test, &script).await;
    }
}

/// A rename in a zone of ten million took 14 seconds of CPU for a thousand domains.
#[tokio::test]
async fn the_domains_that_name_a_host_are_found_by_it() {
    let mut test = stage(Engine::Sqlite).await;
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", super::NEAR));
    let plan = sqlx::query(explain).fetch_all(test.database.connection());
    let plan: Vec<String> = plan
        .await
        .unwrap()
        .iter()
        .map(|s| s.get("detail"))
        .collect();
    let first = plan.first().expect("a plan has steps");
    assert!(first.contains("delegations_by_host"), "{plan:#?}");
    assert!(
        plan.iter().all(|step| !step.contains("_of_zone")),
        "{plan:#?}"
    );
}
