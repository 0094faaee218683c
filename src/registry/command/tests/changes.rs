//! Changes that wait for consent, line by line: what waits, who may decide, what is shown
//! meanwhile, and what comes of it.

use super::*;
use crate::registry::audit;
use crate::registry::command::changes::{ChangeInfo, ChangeSignature, ChangesCommand};
use crate::registry::command::domain::DomainInfo;
use crate::registry::command::lock::DomainLock;
use crate::registry::command::poll::Message;
use crate::registry::timers::Timers;
use crate::registry::types::DomainName;

/// Reads a command on changes; a name stands for the change of that object.
pub(super) fn command(
    verb: &str,
    name: &str,
    values: &dyn Fn(&str) -> Vec<String>,
) -> ChangesCommand {
    let id = || name.parse().unwrap();
    match verb {
        "approve" => ChangesCommand::Approve(id()),
        "reject" => ChangesCommand::Reject(id()),
        "withdraw" => ChangesCommand::Withdraw(id()),
        "expire" => ChangesCommand::Expire {
            id: id(),
            expires_at: NOW,
        },
        "sign" => ChangesCommand::Sign(Box::new(ChangeSignature {
            id: id(),
            contact: all(values("contact=")).pop().unwrap(),
            signature: values("signature=").pop().unwrap(),
        })),
        "text" => ChangesCommand::Text(id()),
        "info" => ChangesCommand::Info(id()),
        _ => ChangesCommand::List {
            registrar: all(values("by=")).pop(),
        },
    }
}

/// `approvals=COUNT` and `approver=NAME`, repeated.
pub(super) fn lock(name: DomainName, values: &dyn Fn(&str) -> Vec<String>) -> DomainCommand {
    DomainCommand::Lock(Box::new(DomainLock {
        name,
        approvals: values("approvals=")[0].parse().unwrap(),
        approvers: values("approver=").try_into().unwrap(),
    }))
}

/// The line with the number of a change in the place of its object.
pub(super) async fn numbered(test: &mut TestDatabase, line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    let [who, "change", verb, name, rest @ ..] = &words[..] else {
        return line.to_owned();
    };
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM changes WHERE object = $1")
        .bind(*name)
        .fetch_optional(test.database.connection())
        .await
        .unwrap();
    // No object has the number 0, and so no change.
    let id = found.or_else(|| name.parse().ok()).unwrap_or_default();
    format!("{who} change {verb} {id} {}", rest.join(" "))
}

const POLICY: &str =
    "op zone policy tld change-control=verify approvals=2 approvers=ada,bob,eve = 1000";

async fn verified(engine: crate::registry::Engine) -> TestDatabase {
    let mut test = stage(engine).await;
    play(&mut test, POLICY).await;
    test
}

async fn domain(test: &mut TestDatabase, line: &str) -> DomainInfo {
    let Ok(Outcome::Read(info)) = run(test, &parse(line)).await else {
        panic!("{line}")
    };
    let Info::Domain(info) = *info else {
        panic!("{info:?}")
    };
    *info
}

async fn change_of(test: &mut TestDatabase, object: &str) -> ChangeInfo {
    let line = numbered(test, &format!("op change info {object}")).await;
    let Ok(Outcome::Read(info)) = run(test, &parse(&line)).await else {
        panic!("{line}")
    };
    let Info::Change(info) = *info else {
        panic!("{info:?}")
    };
    *info
}

/// The oldest message of a registrar, acknowledged.
async fn told(test: &mut TestDatabase, registrar: &str) -> Option<Message> {
    let by = Actor::registrar(registrar.parse().unwrap());
    let next = Command::Poll(PollCommand::Next { registrar: None });
    let Ok(Outcome::Read(info)) = run(test, &request(by.clone(), next)).await else {
        panic!("{registrar}")
    };
    let Info::Poll(poll) = *info else {
        panic!("{info:?}")
    };
    let message = poll.message?;
    let ack = Command::Poll(PollCommand::Ack {
        id: message.id,
        registrar: None,
    });
    run(test, &request(by, ack)).await.unwrap();
    Some(message)
}

#[tokio::test]
async fn in_a_verified_zone_what_a_registrar_asks_for_waits() {
    for engine in engines() {
        let mut test = verified(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1001
             reg-a domain create a.tld = 2302
             reg-b domain create a.tld = 2302
             reg-a domain create b.tld ns=ns1.ext.example = 2308
             reg-a domain create b.tld ns=ns9.ext.example = 2303
             reg-a domain update a.tld status=clientHold = 2304
             reg-b domain update a.tld status=clientHold = 2201
             reg-a domain delete a.tld = 2304
             reg-a host create ns1.a.tld ip=192.0.2.1 = 2304
             op domain update a.tld status=serverHold = 2304
             reg-a change approve a.tld = 2201
             op:mallory change approve a.tld = 2201
             op:ada change approve 99999 = 2303
             op:ada change approve a.tld = 1001
             op:ada change approve a.tld = 2306",
        )
        .await;
        let shown = domain(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(shown.statuses, ["pendingCreate", "inactive"]);
        assert!(
            !test
                .published()
                .iter()
                .any(|record| record.starts_with("a.tld."))
        );
        let waiting = change_of(&mut test, "a.tld").await;
        assert_eq!(waiting.consents.len(), 1);
        assert_eq!(waiting.asked_by, "registrar:reg-a");
        play(
            &mut test,
            "op:bob change approve a.tld at=1d = 1000
             op:bob change approve a.tld at=1d = 2303",
        )
        .await;
        let made = domain(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(
            made.roid, shown.roid,
            "the number of a name that was held stays"
        );
        assert_eq!(
            (made.statuses, made.created_at),
            (vec!["ok".to_owned()], later("1d"))
        );
        assert_eq!(made.created_by.as_deref(), Some("reg-a"));
        assert!(
            test.published()
                .iter()
                .any(|record| record.starts_with("a.tld."))
        );
        let message = told(&mut test, "reg-a").await.unwrap();
        assert_eq!(message.kind.name(), "domain-change-approved");
        let review = message.content.review.unwrap();
        assert!(review.approved);
        assert_eq!(
            review.event, waiting.event,
            "the transaction that is answered"
        );
        assert_eq!(review.decided_at, later("1d"));
        let checked = audit::verify(&mut test.database, &[], &mut |_, _| {}).await;
        assert_eq!(checked.unwrap().told, []);
    }
}

#[tokio::test]
async fn each_command_shows_its_own_pending_status_and_what_is_rejected_leaves_no_trace() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example auth=k9$Tq2-vX7mB!zR4pL0w = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000",
        )
        .await;
        play(&mut test, POLICY).await;
        let records = test.published();
        let before = domain(&mut test, "reg-a domain info a.tld").await;
        for (line, status) in [
            (
                "reg-a domain update a.tld -ns=ns1.ext.example -ns=ns2.ext.example = 1001",
                "pendingUpdate",
            ),
            (
                "reg-a domain renew a.tld from=2019-03-12 = 1001",
                "pendingRenew",
            ),
            ("reg-a domain delete a.tld at=6d = 1001", "pendingDelete"),
            (
                "reg-b domain transfer a.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 1001",
                "pendingTransfer",
            ),
        ] {
            play(&mut test, line).await;
            let shown = domain(&mut test, "reg-a domain info a.tld").await;
            assert!(
                shown.statuses.contains(&status.to_owned()),
                "{line}: {shown:?}"
            );
            assert_eq!(test.published(), records, "{line}");
            let other = match status {
                "pendingTransfer" => "2300",
                _ => "2304",
            };
            play(
                &mut test,
                &format!(
                    "reg-a domain update a.tld status=clientHold = {other}
                     reg-a domain delete a.tld = {other}
                     reg-a domain transfer a.tld op=approve = 2301
                     op:ada change reject a.tld = 2003
                     reg-a change reject a.tld reason=no = 2201
                     op:mallory change reject a.tld reason=no = 2201
                     op:ada change reject a.tld reason=no = 1000"
                ),
            )
            .await;
            let after = domain(&mut test, "reg-a domain info a.tld").await;
            assert_eq!(after.statuses, before.statuses, "{line}");
            assert_eq!(after.updated_at, before.updated_at, "{line}");
            let registrar = &line[..5];
            let message = told(&mut test, registrar).await.unwrap();
            assert_eq!(message.kind.name(), "domain-change-refused", "{line}");
            assert_eq!(message.content.cause.unwrap().reason.as_deref(), Some("no"));
        }
        // That somebody else asked for its domain is news.
        let message = told(&mut test, "reg-a").await.unwrap();
        assert_eq!(message.kind.name(), "domain-change-waits");
        assert!(told(&mut test, "reg-a").await.is_none());
    }
}

#[tokio::test]
async fn hosts_wait_like_their_domains_and_who_asked_may_withdraw() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000",
        )
        .await;
        play(&mut test, POLICY).await;
        for (line, status) in [
            (
                "reg-a host update ns1.a.tld ip=192.0.2.2 = 1001",
                "pendingUpdate",
            ),
            ("reg-a host delete ns1.a.tld = 1001", "pendingDelete"),
        ] {
            play(&mut test, line).await;
            let line = parse("op host info ns1.a.tld");
            let shown = format!("{:?}", run(&mut test, &line).await.unwrap());
            assert!(shown.contains(status), "{shown}");
            play(
                &mut test,
                "reg-a host update ns1.a.tld ip=192.0.2.9 = 2304
                 reg-b change withdraw ns1.a.tld = 2201
                 op change withdraw ns1.a.tld = 2201
                 reg-a change withdraw ns1.a.tld = 1000",
            )
            .await;
        }
        assert!(
            told(&mut test, "reg-a").await.is_none(),
            "who withdraws knows it"
        );
    }
}

#[tokio::test]
async fn an_approval_runs_the_command_of_that_moment() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a host create ns3.ext.example = 1000
             reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example auth=k9$Tq2-vX7mB!zR4pL0w = 1000
             op zone policy tld change-control=verify approvers=ada,bob = 1000
             reg-a domain update a.tld ns=ns3.ext.example auth=Zz1-yX8nC!wQ5oM9vKju = 1001
             op:ada change approve a.tld = 1000
             reg-b domain transfer a.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 2202
             reg-b domain transfer a.tld op=request auth=Zz1-yX8nC!wQ5oM9vKju = 1001
             reg-a domain transfer a.tld op=cancel = 2201
             reg-b domain transfer a.tld op=cancel = 1000
             reg-b domain transfer a.tld op=cancel = 2301
             reg-b domain transfer a.tld op=request auth=Zz1-yX8nC!wQ5oM9vKju = 1001
             op:bob change approve a.tld = 1000
             reg-a domain transfer a.tld op=approve = 1000
             reg-b domain delete a.tld at=6d = 1001
             op:ada change approve a.tld at=7d = 1000
             reg-b domain restore a.tld at=8d = 1001
             reg-b domain restore a.tld at=8d = 2304
             op:ada change approve a.tld at=8d = 1000
             reg-b domain restore a.tld report=error at=9d = 1001
             op:ada change approve a.tld at=9d = 1000
             reg-b domain create b.tld ns=ns3.ext.example ns=ns1.ext.example = 1001
             reg-a domain delete b.tld = 2201
             op domain purge b.tld = 1000
             op:ada change approve b.tld = 2303",
        )
        .await;
        // The world moved on: the reason is the command's own, and nothing has changed.
        play(
            &mut test,
            "reg-a host create ns1.a.tld ip=192.0.2.1 = 2201
             reg-b host create ns1.a.tld ip=192.0.2.1 = 1001
             op:ada change approve ns1.a.tld = 1000
             reg-b domain update a.tld ns=ns1.a.tld = 1001
             op host update ns1.a.tld -ip=192.0.2.1 = 1000
             op:ada change approve a.tld = 2306
             op host update ns1.a.tld ip=192.0.2.4 = 1000
             op registrar update reg-b status=suspended = 1000
             op:ada change approve a.tld = 2201
             op registrar delete reg-b = 2305
             op registrar update reg-b status=active = 1000
             op:ada change approve a.tld = 1000",
        )
        .await;
        assert!(
            test.published()
                .iter()
                .any(|record| record.starts_with("ns1.a.tld.") && record.contains("192.0.2.4"))
        );
    }
}

#[tokio::test]
async fn a_change_shows_its_effect_and_expires() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
             op zone policy tld change-control=verify approvals=2 approvers=ada,bob review-wait=3600 = 1000
             reg-a domain update a.tld status=clientHold = 1001",
        )
        .await;
        let line = numbered(&mut test, "op:ada change approve a.tld").await;
        let effect = test.database.rehearse(&parse(&line)).await.unwrap();
        assert_eq!(
            (effect.added.len(), effect.removed.len()),
            (0, 2),
            "{effect:?}"
        );
        let asked = parse("reg-a domain create b.tld ns=ns1.ext.example ns=ns2.ext.example");
        let effect = test.database.rehearse(&asked).await.unwrap();
        assert_eq!(
            (effect.added.len(), effect.removed.len()),
            (2, 0),
            "{effect:?}"
        );
        play(&mut test, "op:ada change expire a.tld at=1d = 2201").await;
        let mut timers = Timers::default();
        for (seconds, taken) in [(3599, 0), (3600, 1), (3601, 0)] {
            let now = later(&format!("{seconds}s"));
            let look = timers.look(
                &mut test.database,
                now,
                std::time::Duration::from_secs(seconds),
            );
            let looked = Box::pin(look).await.unwrap();
            assert_eq!((looked.taken, looked.refused), (taken, 0), "{seconds}");
        }
        let shown = domain(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(shown.statuses, ["ok"]);
        let message = told(&mut test, "reg-a").await.unwrap();
        assert_eq!(message.kind.name(), "domain-change-refused");
        assert_eq!(message.content.who, "system:timers");
    }
}

#[tokio::test]
async fn a_locked_domain_changes_only_if_its_approvers_agree() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
             reg-a domain create free.tld = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
             reg-a domain lock a.tld approvals=1 approver=ada case=7 = 2201
             op domain lock a.tld approvals=1 approver=ada = 2003
             op domain lock a.tld approvals=2 approver=ada case=7 = 2004
             op domain lock none.tld approvals=1 approver=ada case=7 = 2303
             op domain unlock a.tld = 2304
             op domain lock a.tld approvals=2 approver=ada approver=bob approver=eve case=7 = 1000
             op domain lock a.tld approvals=1 approver=ada case=7 = 2304
             reg-a domain update free.tld status=clientHold = 1000
             reg-a domain renew a.tld from=2019-03-12 = 1000
             reg-b domain update a.tld status=clientHold = 2201
             reg-a domain update a.tld -ns=ns1.ext.example = 2308
             reg-a host update ns1.a.tld ip=192.0.2.66 = 1001
             op host delete ns1.a.tld = 2304
             reg-a change withdraw ns1.a.tld = 1000
             reg-a domain update a.tld status=clientHold = 1001
             op domain purge a.tld = 2304
             op:ada change approve a.tld = 1001
             reg-a change approve a.tld = 2201
             op:bob change approve a.tld = 1000",
        )
        .await;
        const LOCK: [&str; 3] = [
            "serverDeleteProhibited",
            "serverTransferProhibited",
            "serverUpdateProhibited",
        ];
        let shown = domain(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(shown.statuses[0], "clientHold");
        assert_eq!(shown.statuses[1..], LOCK);
        // The registry's own as well, and nobody approves what he asked for.
        play(
            &mut test,
            "op:ada domain update a.tld -status=serverUpdateProhibited = 2306
             op:ada domain update a.tld -status=clientHold = 1001
             op:ada change approve a.tld = 2201
             op:bob change approve a.tld = 1001
             op:eve change approve a.tld = 1000
             op:ada domain unlock a.tld = 1001
             op:bob change approve a.tld = 1001
             op:eve change reject a.tld reason=no = 1000
             reg-a domain unlock a.tld = 1001
             op:ada change approve a.tld = 1001
             op:bob change approve a.tld = 1000
             reg-a domain update a.tld status=clientHold = 1000",
        )
        .await;
        let shown = domain(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(shown.statuses, ["clientHold"]);
    }
}

#[tokio::test]
async fn a_lock_outlives_a_transfer_and_a_restore() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example auth=k9$Tq2-vX7mB!zR4pL0w = 1000
             op zone policy tld restore-report=unneeded = 1000
             op domain lock a.tld approvals=1 approver=ada case=7 = 1000
             reg-b domain transfer a.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 1001
             op:ada change approve a.tld = 1000
             reg-a domain update a.tld status=clientHold = 2300
             reg-a domain transfer a.tld op=approve = 1000
             reg-b domain update a.tld status=clientHold = 1001
             reg-b change withdraw a.tld = 1000
             reg-b domain delete a.tld at=6d = 1001
             op:ada change approve a.tld at=6d = 1000
             reg-b domain restore a.tld at=7d = 1001
             op:ada change approve a.tld at=7d = 1000
             reg-b domain delete a.tld at=8d = 1001
             op:ada change reject a.tld reason=no at=8d = 1000",
        )
        .await;
        let shown = domain(&mut test, "reg-b domain info a.tld").await;
        assert_eq!(shown.statuses.len(), 3, "{:?}", shown.statuses);
    }
}

#[tokio::test]
async fn what_waits_is_exported_as_it_is_without() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, "reg-a domain create a.tld = 1000").await;
        play(&mut test, POLICY).await;
        play(
            &mut test,
            "reg-a domain update a.tld status=clientHold = 1001
             reg-a domain create b.tld = 1001",
        )
        .await;
        let folder = test.folder.path().join("out");
        crate::registry::export_csv(&mut test.database, &folder, &mut |_| {})
            .await
            .unwrap();
        let domains = std::fs::read_to_string(folder.join("domains.csv")).unwrap();
        assert!(
            domains.contains("a.tld") && !domains.contains("pending"),
            "{domains}"
        );
        assert!(!domains.contains("b.tld"), "{domains}");
    }
}

#[tokio::test]
async fn the_queue_of_an_account_is_bounded() {
    let mut test = verified(crate::registry::Engine::Sqlite).await;
    play(&mut test, "reg-a domain create a.tld = 1001").await;
    let copy = "INSERT INTO changes (id, event, object_type, object, object_id, registrar_id, \
         asked_at, expires_at, actor, command, lab, needs, nonce) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
         SELECT 100000 + i, event, object_type, object || i, 200000 + i, registrar_id, asked_at, \
         expires_at, actor, command, lab, needs, nonce FROM changes, n";
    sqlx::query(copy)
        .execute(test.database.connection())
        .await
        .unwrap();
    play(
        &mut test,
        "reg-a domain create b.tld = 2400
         reg-b domain create b.tld = 1001
         reg-a change withdraw a.tld = 1000
         reg-a domain create c.tld = 1001",
    )
    .await;
}
