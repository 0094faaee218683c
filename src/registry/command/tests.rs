//! Commands on both engines: what each answers, what it writes, what is published.
//!
//! A case is a script: who, what, and the code that comes. Afterwards the records
//! that the compiler reads are compared.

mod attributes;
mod changes;
mod consents;
mod contact_transfer;
mod contacts;
mod domain_keys;
mod erasure;
mod histories;
mod idn;
mod life;
mod matrix;
mod noted;
mod parking;
mod past;
mod policy;
mod published;
mod sandbox;
mod servers;
mod transfer;

use super::*;
use crate::registry::code::ResultCode;
use crate::registry::policy::{DataModel, RegistrationChange};
use crate::registry::testing::{NOW, TestDatabase, engines, row_counts, test_database};
use crate::registry::types::{AuthInfo, Years, ZoneRecord};

/// A zone `tld`, registrars `reg-a` and `reg-b`, external hosts `ns1.ext.example` and
/// `ns2.ext.example` of `reg-a`.
pub(in crate::registry) async fn stage(engine: crate::registry::Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    let record = |text| ZoneRecord::parse(text).unwrap();
    let zone = ZoneCommand::Create(zone::ZoneCreate {
        apex: "tld".parse().unwrap(),
        mname: "ns1.nic.example".parse().unwrap(),
        rname: "hostmaster.nic.example".parse().unwrap(),
        records: vec![
            record("tld. 3600 NS ns1.nic.example."),
            record("www.tld. 3600 A 192.0.2.80"),
            record("_dmarc.mail.tld. 3600 TXT \"v=DMARC1\""),
        ],
    });
    run(&mut test, &operator(Command::Zone(zone)))
        .await
        .unwrap();
    for line in [
        "op registrar create reg-a",
        "op registrar create reg-b",
        "reg-a host create ns1.ext.example",
        "reg-a host create ns2.ext.example",
    ] {
        run(&mut test, &parse(line)).await.unwrap();
    }
    test
}

pub(in crate::registry) async fn run(
    test: &mut TestDatabase,
    request: &Request,
) -> Result<Outcome, CommandError> {
    Box::pin(test.database.execute(request)).await
}

pub(super) fn operator(command: Command) -> Request {
    request(Actor::operator("test"), command)
}

fn request(actor: Actor, command: Command) -> Request {
    Request {
        actor,
        at: NOW,
        lab: true,
        command,
    }
}

/// Reads `WHO OBJECT VERB NAME [WORD..]`. A word is `by=REGISTRAR`, `ns=HOST`,
/// `nsa=HOST_ADDRESS`, `ip=ADDRESS`,
/// `ds=TEXT` with underscores for blanks, `status=WORD`, `to=NAME`, `ttl=SECONDS`; a
/// minus before it removes. `at=30d` is when, counted from [`NOW`]; `op:ada` is the operator
/// ada, `reason=` and `case=` say why.
pub(in crate::registry) fn parse(line: &str) -> Request {
    let words: Vec<_> = line.split_whitespace().collect();
    let [who, object, verb, name, rest @ ..] = &words[..] else {
        panic!("{line}")
    };
    let mut actor = match who.split_once(':') {
        Some(("op", name)) => Actor::operator(name),
        Some(("contact", handle)) => Actor::contact(handle.parse().unwrap()),
        _ if *who == "op" => Actor::operator("test"),
        _ => Actor::registrar(who.parse().unwrap()),
    };
    let (reason, case) = (all_of(rest, "reason=").pop(), all_of(rest, "case=").pop());
    if reason.is_some() || case.is_some() {
        actor.cause = Some(Cause { reason, case });
    }
    let values = |key: &str| -> Vec<String> {
        let found = all_of(rest, key).into_iter();
        found.map(|value| value.replace('_', " ")).collect()
    };
    let command = match (*object, *verb) {
        ("registrar", "create") => {
            Command::Registrar(RegistrarCommand::Create(registrar::RegistrarCreate {
                handle: name.parse().unwrap(),
                name: (*name).to_owned(),
                iana_id: None,
            }))
        }
        ("registrar", "update") => {
            Command::Registrar(RegistrarCommand::Update(registrar::RegistrarUpdate {
                handle: name.parse().unwrap(),
                name: None,
                iana_id: None,
                data_model: values("model=")
                    .first()
                    .map(|word| DataModel::parse(word).unwrap()),
                status: values("status=").first().map(|word| {
                    serde_json::from_value(serde_json::Value::String(word.clone())).unwrap()
                }),
            }))
        }
        ("timers", "resume") => Command::Timers(TimersCommand::Resume {
            purges_max: values("purges=").first().map(|text| text.parse().unwrap()),
        }),
        ("registrar", "delete") => {
            Command::Registrar(RegistrarCommand::Delete(name.parse().unwrap()))
        }
        ("registrar", "stage") => Command::Registrar(RegistrarCommand::Access(Box::new(
            sandbox::stage(name, rest[0]),
        ))),
        ("registrar", "info") => Command::Registrar(RegistrarCommand::Info(name.parse().unwrap())),
        ("contact", verb) => Command::Contact(contacts::command(verb, name, &values)),
        ("host", verb) => Command::Host(host_command(verb, name, &values)),
        ("change", verb) => Command::Changes(changes::command(verb, name, &values)),
        ("domain", verb) => Command::Domain(domain_command(verb, name, &values)),
        ("zone", verb) => Command::Zone(zone_command(verb, name, rest, &values)),
        _ => panic!("{line}"),
    };
    Request {
        at: all_of(rest, "at=").first().map_or(NOW, |text| later(text)),
        ..request(actor, command)
    }
}

fn all_of(words: &[&str], key: &str) -> Vec<String> {
    let found = words.iter().filter_map(|word| word.strip_prefix(key));
    found.map(ToOwned::to_owned).collect()
}

/// `NOW` and some days or seconds: `5d`, `3600s`.
pub(in crate::registry) fn later(text: &str) -> Timestamp {
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = match unit {
        "d" => 86_400,
        "s" => 1,
        _ => panic!("{text}"),
    };
    Timestamp(NOW.0 + number.parse::<i64>().unwrap() * seconds * 1_000_000)
}

/// `KEY=VALUE` words as a change of policy.
fn policy_of(words: &[&str]) -> RegistrationChange {
    let words = words.iter().filter(|word| !word.starts_with("at="));
    let fields = words.map(|word| {
        let (key, value) = word.split_once('=').unwrap();
        let value = match value.parse::<u32>() {
            Ok(number) => number.into(),
            Err(_) if matches!(key, "contacts-required" | "approvers") => {
                value.split(',').collect::<Vec<_>>().into()
            }
            Err(_) => value.into(),
        };
        (key.to_owned(), value)
    });
    serde_json::from_value(serde_json::Value::Object(fields.collect())).unwrap()
}

fn zone_command(
    verb: &str,
    name: &str,
    rest: &[&str],
    values: &dyn Fn(&str) -> Vec<String>,
) -> ZoneCommand {
    let apex = name.parse().unwrap();
    match verb {
        "policy" => ZoneCommand::Policy(Box::new(zone::ZonePolicy {
            apex,
            change: policy_of(rest),
        })),
        "labels" => {
            let held = |key: &str, kind| {
                let label = move |label: &String| zone::HeldLabel {
                    label: label.parse().unwrap(),
                    kind,
                    reason: "policy of the registry".to_owned(),
                    token: None,
                };
                values(key).iter().map(label).collect::<Vec<_>>()
            };
            let mut hold = held("reserve=", zone::LabelKind::Reserved);
            hold.extend(held("block=", zone::LabelKind::Blocked));
            hold.extend(held("premium=", zone::LabelKind::Premium));
            ZoneCommand::Labels(Box::new(zone::ZoneLabels {
                apex,
                hold,
                release: all(values("release=")),
            }))
        }
        "parking" => ZoneCommand::Parking(Box::new(zone::ZoneParking {
            apex,
            servers: all(values("server=")),
            rname: None,
            ttl: crate::registry::types::Ttl::new(300).unwrap(),
            records: all(values("record=")),
        })),
        "delete" => ZoneCommand::Delete(apex),
        "info" => ZoneCommand::Info(apex),
        _ => {
            let mut update = zone::ZoneUpdate::new(apex);
            let records = |key| values(key).iter().map(|r| r.parse().unwrap()).collect();
            (update.add, update.remove) = (records("record="), records("-record="));
            let ttl =
                |ttl: &String| crate::registry::types::Ttl::new(ttl.parse().unwrap()).unwrap();
            update.ns_ttl = values("ttl=").first().map(ttl);
            ZoneCommand::Update(Box::new(update))
        }
    }
}

fn all<T: std::str::FromStr<Err: std::fmt::Debug>>(values: Vec<String>) -> Vec<T> {
    values.iter().map(|value| value.parse().unwrap()).collect()
}

/// A report that has all it needs but perhaps its reason.
fn report(reason: &str) -> domain::RestoreReport {
    domain::RestoreReport {
        pre_data: "as it was".to_owned(),
        post_data: "as it is".to_owned(),
        deleted_at: NOW,
        restored_at: NOW,
        reason: reason.to_owned(),
        statements: ["not for others", "all true"].map(ToOwned::to_owned),
        other: None,
    }
}

fn auth(values: &dyn Fn(&str) -> Vec<String>) -> Option<AuthInfo> {
    values("auth=")
        .first()
        .map(|text| AuthInfo::parse(text).unwrap())
}

fn years(values: &[String]) -> Years {
    let years = values
        .first()
        .map(|years| Years::new(years.parse().unwrap()));
    years.map_or_else(Years::default, Result::unwrap)
}

fn host_command(verb: &str, name: &str, values: &dyn Fn(&str) -> Vec<String>) -> HostCommand {
    let name = name.parse().unwrap();
    match verb {
        "create" => HostCommand::Create(host::HostCreate {
            name,
            registrar: all(values("by=")).pop(),
            addresses: all(values("ip=")),
        }),
        "delete" => HostCommand::Delete(name),
        "info" => HostCommand::Info(name),
        "check" => HostCommand::Check(name),
        _ => HostCommand::Update(host::HostUpdate {
            name,
            add: host::HostParts {
                addresses: all(values("ip=")),
                statuses: all(values("status=")),
            },
            remove: host::HostParts {
                addresses: all(values("-ip=")),
                statuses: all(values("-status=")),
            },
            new_name: all(values("to=")).pop(),
        }),
    }
}

fn domain_command(verb: &str, name: &str, values: &dyn Fn(&str) -> Vec<String>) -> DomainCommand {
    let name = name.parse().unwrap();
    match verb {
        "create" => DomainCommand::Create(Box::new(domain::DomainCreate {
            registrar: all(values("by=")).pop(),
            period: years(&values("years=")),
            hosts: all(values("ns=")),
            attributes: all(values("nsa=")),
            ds: all(values("ds=")),
            keys: all(values("key=")),
            statuses: all(values("status=")),
            idn_tag: values("idn=").pop(),
            consent: values("consent=").pop(),
            token: values("token=")
                .pop()
                .map(|text| AuthInfo::parse(&text).unwrap()),
            registrant: all(values("registrant=")).pop(),
            contacts: contacts::links(&values("contact=")),
            auth_info: auth(values),
            ..domain::DomainCreate::new(name)
        })),
        "delete" => DomainCommand::Delete(name),
        "move" => DomainCommand::Move(Box::new(domain::DomainMove {
            name,
            from: values("from=")[0].parse().unwrap(),
            to: values("by=")[0].parse().unwrap(),
        })),
        "lock" => changes::lock(name, values),
        "unlock" => DomainCommand::Unlock(name),
        "servers" => servers::command(name, values),
        "purge" => DomainCommand::Purge(name),
        "renew" => DomainCommand::Renew(domain::DomainRenew {
            name,
            current_expiry: values("from=")[0].parse().unwrap(),
            period: years(&values("years=")),
        }),
        "restore" => DomainCommand::Restore(Box::new(domain::DomainRestore {
            name,
            report: values("report=").first().map(|reason| report(reason)),
        })),
        "check" => DomainCommand::Check(name),
        "info" => DomainCommand::Info(domain::DomainQuery {
            name,
            auth_info: auth(values),
        }),
        "transfer" => DomainCommand::Transfer(Box::new(domain::DomainTransfer {
            name,
            op: values("op=")[0].parse().unwrap(),
            period: values("years=")
                .first()
                .map(|years| Years::new(years.parse().unwrap()).unwrap()),
            registrar: all(values("by=")).pop(),
            auth_info: auth(values),
        })),
        _ => DomainCommand::Update(Box::new(domain::DomainUpdate {
            add: parts("", values),
            remove: parts("-", values),
            registrant: contacts::registrant(&values("registrant=")),
            auth_info: auth(values),
            ..domain::DomainUpdate::new(name)
        })),
    }
}

/// What an update adds, or removes where the words have a minus before them.
fn parts(sign: &str, values: &dyn Fn(&str) -> Vec<String>) -> domain::DomainParts {
    let of = |key: &str| values(&format!("{sign}{key}="));
    domain::DomainParts {
        hosts: all(of("ns")),
        attributes: all(of("nsa")),
        ds: all(of("ds")),
        keys: all(of("key")),
        statuses: all(of("status")),
        contacts: contacts::links(&of("contact")),
    }
}

/// Runs lines of `COMMAND = CODE`; a refused one must change no row.
pub(in crate::registry) async fn play(test: &mut TestDatabase, script: &str) {
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (command, code) = line.rsplit_once(" = ").unwrap();
        let before = row_counts(&mut test.database).await;
        let command = changes::numbered(test, command).await;
        let outcome = run(test, &parse(&command)).await;
        let found = match &outcome {
            Ok(outcome) => outcome.code().number(),
            Err(error) => error.code().number(),
        };
        let engine = test.database.engine();
        assert_eq!(found.to_string(), code, "{engine:?}: {line}: {outcome:?}");
        if outcome.is_err() {
            let after = row_counts(&mut test.database).await;
            assert_eq!(before, after, "{engine:?}: {line}");
        }
    }
}

#[tokio::test]
async fn a_change_is_one_event_with_its_names() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let create = parse("reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example");
        let event = run(&mut test, &create).await.unwrap().event().unwrap();
        let connection = test.database.connection();
        let row: (String, String, String, String) =
            sqlx::query_as("SELECT kind, actor, object, detail FROM events WHERE number = $1")
                .bind(event)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        assert_eq!(
            (row.0.as_str(), row.1.as_str()),
            ("domain-create", "registrar:reg-a")
        );
        assert_eq!(row.2, "a.tld");
        let logged: Command = serde_json::from_str(&row.3).unwrap();
        assert_eq!(logged, create.command);
        let changed: Vec<(String,)> =
            sqlx::query_as("SELECT owner FROM changed_names WHERE event = $1")
                .bind(event)
                .fetch_all(connection)
                .await
                .unwrap();
        assert_eq!(changed, [("a.tld".to_owned(),)]);
    }
}

#[test]
fn codes_are_those_of_epp() {
    let numbers: Vec<_> = ResultCode::ALL.iter().map(|code| code.number()).collect();
    assert!(numbers.iter().all(|number| (1000..2503).contains(number)));
    assert_eq!(
        serde_json::to_string(&ResultCode::ObjectExists).unwrap(),
        "2302"
    );
}
