//! The table of rights, row by row, and that each row does what it says.

use super::super::tests::{parse, play, stage};
use super::*;
use crate::registry::testing::engines;

/// A command for each field, on a domain with contacts of all roles.
const COMMANDS: [(Field, &str); 13] = [
    (
        Field::NameServers,
        "domain update a.tld ns=ns1.ext.example ns=ns2.ext.example",
    ),
    (
        Field::Ds,
        "domain update a.tld ds=1_13_2_ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB",
    ),
    (Field::Registrant, "domain update a.tld registrant=new-1"),
    (Field::Admin, "domain update a.tld contact=admin:new-1"),
    (Field::Tech, "domain update a.tld contact=tech:new-1"),
    (Field::Billing, "domain update a.tld contact=billing:new-1"),
    (Field::Abuse, "domain update a.tld contact=abuse:new-1"),
    (
        Field::AuthInfo,
        "domain update a.tld auth=k9$Tq2-vX7mB!zR4pL0w",
    ),
    (Field::Statuses, "domain update a.tld status=clientHold"),
    (Field::Renewal, "domain renew a.tld from=2019-03-12"),
    (Field::Restore, "domain restore a.tld"),
    (Field::Deletion, "domain delete a.tld"),
    (Field::Unlock, "domain unlock a.tld"),
];

#[tokio::test]
async fn each_role_may_change_what_the_table_says() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, "op zone policy tld data-model=maximum = 1000").await;
        for place in ["registrant", "admin", "tech", "billing", "abuse", "new"] {
            play(&mut test, &format!("reg-a contact create {place}-1 = 1000")).await;
        }
        let create = "reg-a domain create a.tld registrant=registrant-1 contact=admin:admin-1 \
             contact=tech:tech-1 contact=billing:billing-1 contact=abuse:abuse-1 = 1000";
        play(&mut test, create).await;
        for (place, allowed) in RIGHTS {
            for (field, command) in COMMANDS {
                let request = parse(&format!("contact:{place}-1 {command}"));
                // What a right lets through may have other faults: nothing is restored here.
                let done = test.database.rehearse(&request).await;
                let code = done.map_or_else(|error| error.code().number(), |_| 1000);
                assert_eq!(
                    code != 2201,
                    allowed.contains(&field),
                    "{place} {field}: {code}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_contact_acts_on_its_own_and_sees_no_others() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "op zone policy tld data-model=maximum = 1000
             reg-a contact create jo-1 = 1000
             reg-a contact create al-1 = 1000
             reg-a contact create tech-1 = 1000
             reg-a domain create a.tld registrant=jo-1 contact=admin:al-1 contact=tech:tech-1 = 1000
             reg-a domain create b.tld registrant=al-1 = 1000
             contact:nobody domain info a.tld = 2201
             contact:tech-1 domain update none.tld ns=ns1.ext.example = 2303
             contact:tech-1 domain update b.tld ns=ns1.ext.example ns=ns2.ext.example = 2201
             contact:tech-1 domain update a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
             contact:tech-1 domain update a.tld -ns=ns1.ext.example registrant=tech-1 = 2201
             contact:tech-1 domain create c.tld registrant=tech-1 = 2201
             contact:jo-1 domain transfer a.tld op=approve = 2201
             contact:jo-1 domain purge a.tld = 2201
             contact:jo-1 registrar update reg-a status=active = 2201
             contact:jo-1 zone update tld ttl=60 = 2201
             contact:jo-1 timers resume timers = 2201
             contact:tech-1 host create ns1.a.tld ip=192.0.2.1 = 1000
             contact:tech-1 host update ns1.a.tld ip=192.0.2.2 = 1000
             contact:tech-1 host create ns1.b.tld ip=192.0.2.1 = 2201
             contact:tech-1 host create ns7.ext.example = 2201
             contact:tech-1 domain info a.tld = 1000
             contact:tech-1 domain info b.tld = 2201
             contact:tech-1 domain check c.tld = 1000
             contact:tech-1 contact info tech-1 = 1000
             contact:tech-1 contact info jo-1 = 2201
             contact:al-1 contact info jo-1 = 1000
             contact:tech-1 registrar info reg-a = 2201
             contact:tech-1 contact update tech-1 email=new@mail.example = 1000
             contact:tech-1 contact update jo-1 email=new@mail.example = 2201
             contact:al-1 contact update jo-1 email=new@mail.example = 1000
             contact:al-1 contact update al-1 status=clientDeleteProhibited = 2201
             contact:jo-1 contact delete jo-1 = 2201
             op registrar update reg-a status=suspended = 1000
             contact:tech-1 domain info a.tld = 2201",
        )
        .await;
    }
}
