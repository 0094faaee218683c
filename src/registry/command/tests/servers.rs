//! What policy makes of name servers that were asked, and of those that were not.

use super::*;
use crate::registry::types::DomainName;

/// `good=HOST` and `bad=HOST`.
pub(super) fn command(name: DomainName, values: &dyn Fn(&str) -> Vec<String>) -> DomainCommand {
    let results = |key: &str, fault: Option<&str>| -> Vec<_> {
        let hosts = values(key).into_iter();
        let result = |host: String| domain::ServerResult {
            host: host.parse().unwrap(),
            fault: fault.map(ToOwned::to_owned),
        };
        hosts.map(result).collect()
    };
    let mut servers = results("good=", None);
    servers.extend(results("bad=", Some("answers with code 5")));
    DomainCommand::Servers(Box::new(domain::DomainServers { name, servers }))
}

#[tokio::test]
async fn servers_that_were_not_asked_or_do_wrong_are_refused_where_policy_says_so() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let both = "ns=ns1.ext.example ns=ns2.ext.example";
        play(
            &mut test,
            &format!(
                "op zone policy tld server-check=require = 1000
                 reg-a domain create a.tld {both} = 2306
                 reg-a domain servers a.tld good=ns1.ext.example = 2201
                 op domain servers a.tld good=ns1.ext.example bad=ns2.ext.example = 1000
                 reg-a domain create a.tld {both} = 2306
                 op domain servers b.tld good=ns1.ext.example good=ns2.ext.example = 1000
                 reg-a domain create a.tld {both} = 2306
                 op domain servers a.tld good=ns2.ext.example = 1000
                 reg-a domain create a.tld {both} at=3601s = 2306
                 reg-a domain create a.tld {both} at=3600s = 1000
                 reg-a domain create c.tld = 1000
                 reg-a domain update c.tld {both} = 2306
                 op domain update c.tld {both} = 1000
                 reg-a domain update c.tld status=clientHold = 1000
                 op domain servers d.tld good=ns1.ext.example at=2d = 1000"
            ),
        )
        .await;
        let kept: Vec<String> = sqlx::query_scalar("SELECT pair FROM server_checks")
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        assert_eq!(kept, ["d.tld ns1.ext.example"], "what is old goes");
    }
}

#[tokio::test]
async fn a_warning_is_a_note() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let both = "ns=ns1.ext.example ns=ns2.ext.example";
        play(
            &mut test,
            "op zone policy tld server-check=warn = 1000
             op domain servers a.tld good=ns1.ext.example bad=ns2.ext.example = 1000",
        )
        .await;
        let create = parse(&format!("reg-a domain create a.tld {both}"));
        let asked = test.database.servers_to_ask(&create.command).await.unwrap();
        assert_eq!(asked.unwrap().servers.len(), 2);
        let done = run(&mut test, &create).await.unwrap();
        assert_eq!(
            done.notes(),
            ["name server ns2.ext.example answers with code 5"]
        );
        play(&mut test, "op zone policy tld server-check=off = 1000").await;
        let asked = test.database.servers_to_ask(&create.command).await.unwrap();
        assert_eq!(asked, None);
    }
}
