//! The error matrix: one line a case, in the order of checks.

use super::*;

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

#[tokio::test]
async fn domains_are_created_once_in_their_zone_by_a_registrar() {
    check(
        "reg-a domain create a.tld = 1000
         reg-a domain create a.tld = 2302
         reg-b domain create a.tld = 2302
         op domain create b.tld = 2003
         op domain create b.tld by=reg-b = 1000
         op domain create c.tld by=reg-x = 2303
         reg-a domain create c.tld by=reg-b = 2201
         reg-x domain create c.tld = 2201
         reg-a domain create tld = 2306
         reg-a domain create c.other = 2306
         reg-a domain create x.c.tld = 2306
         reg-a domain create www.tld = 2306
         reg-a domain create mail.tld = 2306
         reg-a domain info nothing.tld = 2303
         reg-b domain info a.tld = 1000",
    )
    .await;
}

#[tokio::test]
async fn name_servers_are_none_or_two_to_thirteen_known_hosts() {
    check(
        "reg-a domain create a.tld ns=ns1.ext.example = 2308
         reg-a domain create a.tld ns=ns1.ext.example ns=ns1.ext.example = 2306
         reg-a domain create a.tld ns=ns1.ext.example ns=ns9.ext.example = 2303
         reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
         reg-a domain update a.tld -ns=ns1.ext.example = 2308
         reg-a domain update a.tld ns=ns1.ext.example = 2306
         reg-a domain update a.tld ns=ns1.ext.example -ns=ns1.ext.example = 2306
         reg-a domain update a.tld -ns=ns1.ext.example -ns=ns2.ext.example = 1000
         reg-a domain update a.tld -ns=ns1.ext.example = 2306
         reg-a domain update a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
         reg-a domain update a.tld = 2003
         reg-a domain update b.tld status=clientHold = 2303
         reg-b domain update a.tld status=clientHold = 2201",
    )
    .await;
}

#[tokio::test]
async fn a_fourteenth_name_server_is_refused() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut servers = String::new();
        for number in 3..=14 {
            let line = format!("reg-a host create ns{number}.ext.example = 1000");
            play(&mut test, &line).await;
        }
        for number in 1..=13 {
            servers.push_str(&format!(" ns=ns{number}.ext.example"));
        }
        let all = format!("reg-a domain create a.tld{servers} = 1000");
        play(&mut test, &all).await;
        play(
            &mut test,
            "reg-a domain update a.tld ns=ns14.ext.example = 2306",
        )
        .await;
        let all = format!("reg-a domain create b.tld{servers} ns=ns14.ext.example = 2306");
        play(&mut test, &all).await;
    }
}

#[tokio::test]
async fn statuses_forbid_what_they_say() {
    check(
        "reg-a domain create a.tld = 1000
         reg-a domain update a.tld status=serverHold = 2306
         reg-a domain update a.tld status=pendingDelete = 2306
         op domain update a.tld status=pendingDelete = 2306
         reg-a domain update a.tld status=clientDeleteProhibited = 1000
         reg-a domain delete a.tld = 2304
         reg-a domain update a.tld status=clientUpdateProhibited = 1000
         reg-a domain update a.tld status=clientHold = 2304
         reg-a domain update a.tld -status=clientUpdateProhibited status=clientHold = 2304
         reg-a domain update a.tld -status=clientDeleteProhibited = 2304
         reg-a domain update a.tld -status=clientUpdateProhibited = 1000
         reg-a domain update a.tld -status=clientDeleteProhibited = 1000
         op domain update a.tld status=serverDeleteProhibited = 1000
         reg-a domain update a.tld -status=serverDeleteProhibited = 2306
         op domain delete a.tld = 2304
         op domain update a.tld -status=serverDeleteProhibited = 1000
         reg-b domain delete a.tld = 2201
         reg-a domain delete a.tld = 1000
         reg-a domain delete a.tld = 2303",
    )
    .await;
}

#[tokio::test]
async fn ds_are_of_known_kinds() {
    let good = format!("12345_13_2_{}", "AB".repeat(32));
    let odd = format!("12345_13_2_{}", "AB".repeat(20));
    check(&format!(
        "reg-a domain create a.tld ds=1_1_2_{sha} = 2306
         reg-a domain create a.tld ds={odd} = 2306
         reg-a domain create a.tld ds={good} ds={good} = 2306
         reg-a domain create a.tld ds={good} = 1000
         reg-a domain update a.tld ds={good} = 2306
         reg-a domain update a.tld -ds={good} = 1000
         reg-a domain update a.tld -ds={good} = 2306",
        sha = "AB".repeat(32)
    ))
    .await;
}

#[tokio::test]
async fn internal_hosts_belong_to_a_domain_and_have_addresses() {
    check(
        "reg-a domain create a.tld = 1000
         reg-b domain create b.tld = 1000
         reg-a host create ns1.a.tld = 2003
         reg-a host create ns1.none.tld ip=192.0.2.1 = 2303
         reg-a host create ns1.b.tld ip=192.0.2.1 = 2201
         op host create ns1.b.tld by=reg-a ip=192.0.2.1 = 2201
         reg-a host create ns1.a.tld ip=10.0.0.1 = 2306
         reg-a host create ns1.a.tld ip=192.0.2.1 ip=192.0.2.1 = 2306
         reg-a host create ns1.a.tld ip=192.0.2.1 ip=2001:db8::1 = 1000
         reg-a host create ns1.a.tld ip=192.0.2.1 = 2302
         reg-a host create ns3.ext.example ip=192.0.2.1 = 2306
         reg-a host create ns2.a.tld ip=192.0.2.2 = 1000
         reg-b domain update b.tld ns=ns1.a.tld ns=ns2.a.tld = 1000
         reg-a host update ns2.a.tld -ip=192.0.2.2 = 2305
         reg-a host update ns2.a.tld -ip=192.0.2.9 = 2306
         reg-a host update ns2.a.tld ip=192.0.2.3 -ip=192.0.2.2 = 1000
         reg-a host update ns2.a.tld = 2003
         reg-a host update ns2.a.tld status=clientHold = 2306
         reg-a host delete ns2.a.tld = 2305
         reg-b host delete ns2.a.tld = 2201
         reg-a host delete ns9.a.tld = 2303
         reg-a domain delete a.tld = 2305
         reg-b domain update b.tld -ns=ns1.a.tld -ns=ns2.a.tld = 1000
         reg-a host update ns2.a.tld status=clientDeleteProhibited = 1000
         reg-a host delete ns2.a.tld = 2304
         reg-a host update ns2.a.tld -status=clientDeleteProhibited = 1000
         reg-a host update ns2.a.tld -ip=192.0.2.3 = 1000
         reg-b domain update b.tld ns=ns1.a.tld ns=ns2.a.tld = 2306
         reg-a host delete ns2.a.tld = 1000
         reg-a domain delete a.tld = 1000
         reg-a host info ns1.a.tld = 2303",
    )
    .await;
}

#[tokio::test]
async fn hosts_are_renamed_where_nobody_else_is_hurt() {
    check(
        "reg-a domain create a.tld = 1000
         reg-b domain create b.tld = 1000
         reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
         reg-a host create ns2.a.tld ip=192.0.2.2 = 1000
         reg-a host update ns1.a.tld to=ns2.a.tld = 2302
         reg-a host update ns1.a.tld to=ns1.none.tld = 2303
         reg-a host update ns1.a.tld to=ns1.b.tld = 2201
         op host update ns1.a.tld to=ns1.b.tld = 2201
         reg-a domain update a.tld ns=ns1.a.tld ns=ns2.a.tld = 1000
         reg-a host update ns1.a.tld to=dns1.a.tld = 1000
         reg-b domain update b.tld ns=dns1.a.tld ns=ns1.ext.example = 1000
         reg-a host update dns1.a.tld to=ns5.ext.example = 2305
         reg-a host update ns1.ext.example to=ns6.ext.example = 2305
         reg-a host update dns1.a.tld to=ns1.a.tld = 1000
         reg-b domain update b.tld -ns=ns1.a.tld -ns=ns1.ext.example = 1000
         reg-a host update ns1.a.tld to=ns5.ext.example = 1000
         reg-a host update ns5.ext.example to=ns1.a.tld = 2305
         reg-a host update ns1.ext.example to=ns9.a.tld = 1000
         reg-a host info ns9.a.tld = 1000",
    )
    .await;
}

#[tokio::test]
async fn registrars_and_zones_are_the_registrys_own() {
    check(
        "reg-a registrar create reg-c = 2201
         op registrar create reg-a = 2302
         op registrar delete reg-b = 1000
         op registrar delete reg-b = 2303
         op registrar delete reg-a = 2305
         reg-a registrar info reg-a = 1000
         op registrar create reg-b = 1000
         reg-a registrar info reg-b = 2201
         op registrar update reg-a status=suspended = 1000
         reg-a domain create a.tld = 2201
         op domain create a.tld by=reg-a = 2304
         op domain create a.tld by=reg-b = 1000
         op zone delete tld = 2305
         reg-b zone delete tld = 2201
         reg-b domain delete a.tld = 1000
         op zone update tld = 2003
         op zone update tld record=sub.tld._60_NS_ns.example. = 2306
         op zone update tld record=other._60_TXT_x = 2306
         op zone update tld record=tld._60_TXT_x = 1000
         op zone update tld record=tld._60_TXT_x = 2306
         op zone update tld -record=tld._60_TXT_y = 2306
         op zone update tld record=tld._60_CNAME_a.example. = 2306
         op zone update tld record=www.tld._60_CNAME_a.example. = 2306
         op zone update tld -record=tld._3600_NS_ns1.nic.example. = 2308
         op zone update tld -record=tld._3600_NS_ns1.nic.example. record=tld._60_NS_a.example. = 1000
         op zone update nothing ttl=60 = 2303
         op zone update tld ttl=60 = 1000
         op zone delete tld = 1000
         op zone info tld = 2303",
    )
    .await;
}

#[tokio::test]
async fn documentation_addresses_need_a_lab() {
    let mut test = stage(crate::registry::Engine::Sqlite).await;
    play(&mut test, "reg-a domain create a.tld = 1000").await;
    let mut create = parse("reg-a host create ns1.a.tld ip=192.0.2.1");
    create.lab = false;
    let error = run(&mut test, &create).await.unwrap_err();
    assert_eq!(error.code(), ResultCode::ParameterPolicy);
    let mut create = parse("reg-a host create ns1.a.tld ip=8.8.8.8");
    create.lab = false;
    run(&mut test, &create).await.unwrap();
}
