use super::*;

#[test]
fn paths_are_read_as_they_are_written() {
    let name = |text: &str| QueryName::parse(text).unwrap();
    for (path, query, expected) in [
        ("help", "", Target::Help),
        (
            "domain/Example.TLD",
            "",
            Target::Domain(name("example.tld")),
        ),
        (
            "domain/example.tld.",
            "x=y",
            Target::Domain(name("example.tld")),
        ),
        (
            "domain/b%C3%BCcher.tld",
            "",
            Target::Domain(name("xn--bcher-kva.tld")),
        ),
        (
            "domain/b\u{fc}cher.tld",
            "",
            Target::Domain(name("xn--bcher-kva.tld")),
        ),
        (
            "nameserver/ns1.tld",
            "",
            Target::Nameserver(name("ns1.tld")),
        ),
        (
            "entity/Registrar%20A%2fB",
            "",
            Target::Entity("Registrar A/B".to_owned()),
        ),
    ] {
        assert_eq!(read(path, query), Ok(expected), "{path}?{query}");
    }
}

#[test]
fn searches_are_read_as_they_are_written() {
    let like = |start: &str, end: &str| Names {
        prefix: start.to_owned(),
        suffix: end.to_owned(),
    };
    let names = |start: &str, end: &str| Pattern::Names(like(start, end));
    let view = |query: &str| View {
        fields: FieldSet::Full,
        cursor: (String::new(), 1),
        order: Vec::new(),
        counts: false,
        query: query.to_owned(),
    };
    let served = |servers: Servers, query: &str| {
        Target::Search(Class::Domain, Pattern::Servers(servers), view(query))
    };
    for (path, query, expected) in [
        (
            "domains",
            "name=exa*.tld",
            Target::Search(Class::Domain, names("exa", ".tld"), view("name=exa*.tld")),
        ),
        (
            "domains",
            "name=exa%2A",
            Target::Search(Class::Domain, names("exa", ""), view("name=exa%2A")),
        ),
        (
            "nameservers",
            "ip=2001:db8::1",
            Target::Search(
                Class::Nameserver,
                Pattern::Address("2001:db8::1".parse().unwrap()),
                view("ip=2001:db8::1"),
            ),
        ),
        (
            "domains",
            "nsIp=192.0.2.1",
            served(Servers::At("192.0.2.1".parse().unwrap()), "nsIp=192.0.2.1"),
        ),
        (
            "domains",
            "nsLdhName=NS1.tld",
            served(
                Servers::Named(QueryName::parse("ns1.tld").unwrap()),
                "nsLdhName=NS1.tld",
            ),
        ),
        (
            "domains",
            "nsLdhName=ns1*.tld",
            served(Servers::Like(like("ns1", ".tld")), "nsLdhName=ns1*.tld"),
        ),
        (
            "entities",
            "fn=Reg*",
            Target::Search(
                Class::Entity,
                Pattern::Registrars(RegistrarPattern::Name(
                    "reg".to_owned(),
                    Some(String::new()),
                )),
                view("fn=Reg*"),
            ),
        ),
    ] {
        assert_eq!(read(path, query), Ok(expected), "{path}?{query}");
    }
}

#[test]
fn what_is_no_request_is_answered_with_its_status() {
    for (path, query, status) in [
        ("", "", 404),
        ("nothing", "", 404),
        ("help/me", "", 404),
        ("domains/x", "name=exam*", 404),
        ("domain/", "", 400),
        ("domain/a..b", "", 400),
        ("domain/a/b", "", 400),
        ("domain/%zz.tld", "", 400),
        ("domain/%ff.tld", "", 400),
        ("domain/a%00.tld", "", 400),
        ("domain/xn--bcher-kva.b%C3%BCcher", "", 400),
        ("entity/", "", 400),
        ("entity/a%0d%0ab", "", 400),
        ("domains", "", 400),
        ("domains", "name=a&name=b", 400),
        ("nameservers", "ip=1.2.3", 400),
        ("domains", "name=exam*&fieldSet=all", 400),
        ("domains", "name=exam*&fieldSet=", 400),
        ("domains", "name=exam*&cursor=1", 400),
        ("domains", "name=exam*&cursor=2-0", 400),
        ("domains", "name=exam*&cursor=2-ff", 400),
        ("domains", "name=exam*&sort=lockedDate", 400),
        ("domains", "name=exam*&sort=", 400),
        ("domains", "name=exam*&sort=name:x", 400),
        ("domains", "name=exam*&sort=name,name,name,name,name", 400),
        ("nameservers", "name=exam*&sort=expirationDate", 400),
        ("domains", "name=exam*&count=2", 400),
        ("domains", "name=exam*&count=", 400),
        ("domains", "nsIp=192.0.2.256", 400),
        ("domains", "nsIp=192.0.2.*", 400),
        ("domains", "nsLdhName=a..b", 400),
        ("domains", "nsLdhName=ns*", 422),
        ("domains", "name=ex*", 422),
        ("domains", "name=*.tld", 422),
        ("domains", "name=exa*le.tld", 422),
        ("domains", "name=exam*.*", 422),
        ("domains", "name=b%C3%BCch*.tld", 422),
        ("ip/192.0.2.1", "", 501),
        ("autnum/1", "", 501),
    ] {
        let found = read(path, query).map_err(|fault| fault.status);
        assert_eq!(found, Err(status), "{path}?{query}");
    }
}

#[test]
fn an_order_is_read_and_told_in_the_same_words() {
    for (class, text, told) in [
        (Class::Domain, "name", "name"),
        (
            Class::Domain,
            "name:a,expirationDate:d",
            "name,expirationDate:d",
        ),
        (Class::Nameserver, "ipv4:d", "ipv4:d"),
        (Class::Entity, "handle,fn:d", "handle,fn:d"),
    ] {
        let path = match class {
            Class::Domain => "domains?name=exam*",
            Class::Nameserver => "nameservers?name=exam*",
            Class::Entity => "entities?fn=Reg*",
        };
        let (path, query) = path.split_once('?').unwrap();
        let query = format!("{query}&sort={text}&count=yes");
        let Ok(Target::Search(_, _, view)) = read(path, &query) else {
            panic!("{query} is a search");
        };
        assert_eq!(view.order_text(class), told);
        assert!(view.counts && view.query == query);
    }
}
