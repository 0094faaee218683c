//! Consents of contacts: the registrant's about who gets its domain, and signatures by keys
//! on file.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use super::changes::numbered;
use super::*;
use crate::registry::openpgp::tests::Owner;
use crate::registry::timers::Timers;

/// `a.tld` of registrant `old-1` with administrator `adm-1`; `new-1` is to get it.
async fn thick(engine: crate::registry::Engine, policy: &str) -> TestDatabase {
    let mut test = stage(engine).await;
    play(
        &mut test,
        "op zone policy tld data-model=maximum = 1000
         reg-a contact create old-1 = 1000
         reg-a contact create new-1 = 1000
         reg-a contact create adm-1 = 1000
         reg-a contact create tech-1 = 1000
         reg-a domain create a.tld registrant=old-1 contact=admin:adm-1 contact=tech:tech-1 = 1000",
    )
    .await;
    play(&mut test, &format!("op zone policy tld {policy} = 1000")).await;
    test
}

async fn registrant(test: &mut TestDatabase) -> String {
    sqlx::query_scalar(
        "SELECT c.handle FROM domains d JOIN contacts c ON c.id = d.registrant_id \
         WHERE d.name = 'a.tld'",
    )
    .fetch_one(test.database.connection())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_registrant_is_asked_before_another_gets_the_domain() {
    for engine in engines() {
        let mut test = thick(engine, "registrant-change=veto").await;
        play(
            &mut test,
            "reg-a domain update a.tld contact=tech:adm-1 = 1000
             reg-a domain update a.tld registrant=old-1 = 1000
             reg-a domain update a.tld registrant=new-1 = 1001
             reg-a domain update a.tld registrant=new-1 = 2304
             reg-b domain update a.tld registrant=new-1 = 2201
             reg-a change approve a.tld = 2201
             op:ada change approve a.tld = 2201
             contact:new-1 change approve a.tld = 2201
             contact:adm-1 change approve a.tld = 2201
             contact:adm-1 change info a.tld = 2201
             contact:old-1 change info a.tld = 1000
             contact:old-1 change reject a.tld = 2003
             contact:old-1 change reject a.tld reason=mine = 1000",
        )
        .await;
        assert_eq!(registrant(&mut test).await, "old-1");
        play(
            &mut test,
            "contact:adm-1 domain update a.tld registrant=new-1 = 1001
             reg-b change withdraw a.tld = 2201
             contact:old-1 change withdraw a.tld = 2201
             contact:adm-1 change withdraw a.tld = 1000
             contact:adm-1 domain update a.tld registrant=new-1 = 1001
             contact:old-1 change approve a.tld = 1000",
        )
        .await;
        assert_eq!(registrant(&mut test).await, "new-1");
        let told: Vec<String> = sqlx::query_scalar("SELECT kind FROM poll_messages ORDER BY id")
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        // Its own request, then twice its contact's, the latter with what came of it.
        let (waits, updated) = ("domain-change-waits", "domain-updated");
        let (refused, approved) = ("domain-change-refused", "domain-change-approved");
        assert_eq!(told, [refused, waits, waits, updated, approved]);
        // Whoever holds it need not be asked twice, and an order of the registry is one.
        play(
            &mut test,
            "contact:old-1 domain update a.tld registrant=old-1 = 2201
             contact:new-1 domain update a.tld registrant=old-1 = 1000
             op domain update a.tld registrant=new-1 = 1000",
        )
        .await;
        assert_eq!(registrant(&mut test).await, "new-1");
    }
}

#[tokio::test]
async fn a_registrant_is_asked_before_its_record_becomes_another_person() {
    for engine in engines() {
        let mut test = thick(engine, "registrant-change=veto").await;
        play(
            &mut test,
            "reg-a contact update new-1 email=new@mail.example = 1000
             reg-a contact update old-1 voice=+49.456 = 1000
             op contact update old-1 email=op@mail.example = 1000
             contact:old-1 contact update old-1 email=own@mail.example = 1000
             reg-b contact update old-1 email=thief@mail.example = 2201
             reg-a contact update old-1 email=thief@mail.example = 1001
             reg-a contact update old-1 voice=+49.789 = 2304
             reg-a contact delete old-1 = 2304
             contact:new-1 change approve old-1 = 2201
             contact:old-1 change reject old-1 reason=mine = 1000
             contact:adm-1 contact update old-1 email=moved@mail.example = 1001
             contact:old-1 change approve old-1 = 1000",
        )
        .await;
        let email: String = sqlx::query_scalar("SELECT email FROM contacts WHERE handle = 'old-1'")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(email, "moved@mail.example");
        // Of what did not come to be nothing personal is left.
        let of_thief = "SELECT COUNT(*) FROM events WHERE detail LIKE '%thief%'";
        let logged: i64 = sqlx::query_scalar(of_thief)
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(logged, 0);
        let told: Vec<String> = sqlx::query_scalar("SELECT kind FROM poll_messages ORDER BY id")
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        let (waits, approved) = ("contact-change-waits", "contact-change-approved");
        assert_eq!(told, ["contact-change-refused", waits, approved]);
    }
}

#[tokio::test]
async fn what_silence_means_is_policy() {
    for (silence, expected) in [("approve", "new-1"), ("reject", "old-1")] {
        for engine in engines() {
            let policy = format!("registrant-change=veto veto-wait=3600 veto-silence={silence}");
            let mut test = thick(engine, &policy).await;
            play(
                &mut test,
                "reg-a domain update a.tld registrant=new-1 = 1001",
            )
            .await;
            let mut timers = Timers::default();
            for seconds in [3599, 3600] {
                assert_eq!(registrant(&mut test).await, "old-1");
                let (now, steady) = (later(&format!("{seconds}s")), Duration::from_secs(seconds));
                let looked = Box::pin(timers.look(&mut test.database, now, steady)).await;
                assert_eq!(looked.unwrap().refused, 0);
            }
            assert_eq!(registrant(&mut test).await, expected, "{silence}");
        }
    }
}

#[tokio::test]
async fn silence_makes_nothing_that_the_rules_forbid_by_then() {
    for engine in engines() {
        let policy = "registrant-change=veto veto-wait=3600 veto-silence=approve";
        let mut test = thick(engine, policy).await;
        play(
            &mut test,
            "reg-a domain update a.tld registrant=new-1 = 1001
             op contact delete new-1 = 1000",
        )
        .await;
        let mut timers = Timers::default();
        let (now, steady) = (later("3600s"), Duration::from_secs(3600));
        let looked = Box::pin(timers.look(&mut test.database, now, steady)).await;
        assert_eq!(looked.unwrap().taken, 1);
        play(
            &mut test,
            "reg-a domain update a.tld contact=tech:adm-1 at=3600s = 1000",
        )
        .await;
        assert_eq!(registrant(&mut test).await, "old-1");
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

async fn text_of(test: &mut TestDatabase) -> String {
    let line = numbered(test, "op change text a.tld").await;
    let Ok(Outcome::Read(info)) = run(test, &parse(&line)).await else {
        panic!("{line}")
    };
    let Info::ChangeText(text) = *info else {
        panic!("{info:?}")
    };
    text.text
}

#[tokio::test]
async fn in_a_signed_zone_a_key_on_file_agrees() {
    let pair = |seed: u8| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let (own, other) = (pair(1), pair(2));
    let key = hex(own.public_key().as_ref());
    for engine in engines() {
        let mut test = thick(engine, "change-control=signed").await;
        play(
            &mut test,
            &format!(
                "reg-a domain update a.tld contact=tech:adm-1 = 2306
                 reg-a contact keys adm-1 key={key} case=1 = 2201
                 op contact keys adm-1 key={key} = 2003
                 op contact keys nobody key={key} case=1 = 2303
                 op contact keys adm-1 -key={key} case=1 = 2306
                 op contact keys adm-1 key={key} case=1 = 1000
                 op contact keys adm-1 key={key} case=1 = 2306
                 reg-a domain update a.tld contact=tech:adm-1 = 1001
                 op:ada change approve a.tld = 2201
                 reg-a change sign a.tld contact=old-1 signature=00 = 2202
                 reg-a change sign a.tld contact=adm-1 signature=zz = 2005
                 reg-a change sign a.tld contact=tech-1 signature=00 = 2201
                 reg-b change sign a.tld contact=adm-1 signature=00 = 2201"
            ),
        )
        .await;
        let text = text_of(&mut test).await;
        assert!(
            text.contains("domain.update.add.contacts.0.contact: \"adm-1\"\n"),
            "{text}"
        );
        let sign = |key: &Ed25519KeyPair, text: &str| hex(key.sign(text.as_bytes()).as_ref());
        let (good, changed) = (
            sign(&own, &text),
            sign(&own, &text.replace("adm-1", "new-1")),
        );
        play(
            &mut test,
            &format!(
                "reg-a change sign a.tld contact=adm-1 signature={} = 2202
                 reg-a change sign a.tld contact=adm-1 signature={changed} = 2202
                 reg-a change sign a.tld contact=old-1 signature={good} = 2202
                 reg-a change sign a.tld contact=adm-1 signature={good} = 1000
                 reg-a domain update a.tld -contact=tech:adm-1 = 1001",
                sign(&other, &text)
            ),
        )
        .await;
        // A signature is for one change, and a key that was taken off is none.
        let next = sign(&own, &text_of(&mut test).await);
        play(
            &mut test,
            &format!(
                "reg-a change sign a.tld contact=adm-1 signature={good} = 2202
                 op contact keys adm-1 -key={key} case=2 = 1000
                 reg-a change sign a.tld contact=adm-1 signature={next} = 2202
                 op:ada change reject a.tld reason=no = 1000
                 reg-a domain create b.tld registrant=adm-1 = 2306
                 op contact keys adm-1 key={key} case=3 = 1000
                 reg-a domain create b.tld registrant=adm-1 = 1001
                 op domain update a.tld contact=tech:adm-1 = 2306
                 op domain update a.tld -contact=tech:adm-1 = 1000"
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn in_a_signed_zone_a_key_of_openpgp_agrees() {
    let now = u32::try_from(NOW.0 / 1_000_000).unwrap();
    let (own, other) = (Owner::new(1, now - 100), Owner::new(2, now - 100));
    let key = hex(&own.certificate(&[]));
    // A life of 90 seconds is over, one of 200 lasts for 100 more.
    let (expired, short) = (
        hex(&own.certificate(&[5, 9, 0, 0, 0, 90])),
        hex(&own.certificate(&[5, 9, 0, 0, 0, 200])),
    );
    for engine in engines() {
        let mut test = thick(engine, "change-control=signed").await;
        play(
            &mut test,
            &format!(
                "reg-a contact keys adm-1 key={key} case=1 = 2201
                 op contact keys adm-1 key={expired} case=1 = 2306
                 op contact keys adm-1 key={key} case=1 = 1000
                 reg-a domain update a.tld contact=tech:adm-1 = 1001"
            ),
        )
        .await;
        let text = text_of(&mut test).await;
        let sign = |owner: &Owner, text: &str| hex(&owner.signature(text.as_bytes(), now));
        let good = sign(&own, &text);
        play(
            &mut test,
            &format!(
                "reg-a change sign a.tld contact=adm-1 signature={} = 2202
                 reg-a change sign a.tld contact=adm-1 signature={} = 2202
                 reg-a change sign a.tld contact=adm-1 signature={good}00 = 2202
                 reg-a change sign a.tld contact=adm-1 signature={} = 2005
                 reg-a change sign a.tld contact=adm-1 signature={good} = 1000
                 reg-a domain update a.tld -contact=tech:adm-1 = 1001
                 reg-a change sign a.tld contact=adm-1 signature={good} = 2202",
                sign(&other, &text),
                sign(&own, &text.to_uppercase()),
                "00".repeat(8193),
            ),
        )
        .await;
        // A key is taken off by its fingerprint, and agrees to nothing at its end.
        let line = "op contact info adm-1";
        let Ok(Outcome::Read(info)) = run(&mut test, &parse(line)).await else {
            panic!("{line}")
        };
        let Info::Contact(contact) = *info else {
            panic!("{info:?}")
        };
        let [name] = &contact.keys[..] else {
            panic!("{:?}", contact.keys)
        };
        assert_eq!(name.len(), "openpgp4fpr:".len() + 40, "{name}");
        let next = sign(&own, &text_of(&mut test).await);
        play(
            &mut test,
            &format!(
                "op contact keys adm-1 -key={name} case=2 = 1000
                 reg-a change sign a.tld contact=adm-1 signature={next} = 2202
                 op contact keys adm-1 key={short} case=3 = 1000
                 reg-a change sign a.tld contact=adm-1 signature={next} at=100s = 2202
                 reg-a change sign a.tld contact=adm-1 signature={next} at=99s = 1000"
            ),
        )
        .await;
        // The log has nothing of the name that stands in the key, in octets or in digits.
        let log: Vec<String> =
            sqlx::query_scalar("SELECT detail FROM events WHERE detail IS NOT NULL")
                .fetch_all(test.database.connection())
                .await
                .unwrap();
        let name = hex(b"jo@mail.example");
        assert!(!log.iter().any(|detail| detail.contains(&name)), "{log:?}");
    }
}

#[tokio::test]
async fn a_key_of_openpgp_is_refreshed_by_adding_it_again() {
    let now = u32::try_from(NOW.0 / 1_000_000).unwrap();
    let owner = Owner::new(1, now - 100);
    let key = hex(&owner.certificate(&[]));
    let (expired, short) = (
        hex(&owner.certificate(&[5, 9, 0, 0, 0, 90])),
        hex(&owner.certificate(&[5, 9, 0, 0, 0, 200])),
    );
    for engine in engines() {
        let mut test = thick(engine, "change-control=signed").await;
        play(
            &mut test,
            &format!(
                "op contact keys adm-1 key={short} case=1 = 1000
                 op contact keys adm-1 key={short} case=1 = 2306
                 op contact keys adm-1 key={short} key={key} case=1 = 2306
                 op contact keys adm-1 key={expired} case=1 = 2306
                 op contact keys adm-1 key={key} case=1 = 1000
                 reg-a domain update a.tld contact=tech:adm-1 = 1001"
            ),
        )
        .await;
        // What was on file would have ended.
        let text = text_of(&mut test).await;
        let signature = hex(&owner.signature(text.as_bytes(), now));
        let line =
            format!("reg-a change sign a.tld contact=adm-1 signature={signature} at=101s = 1000");
        play(&mut test, &line).await;
    }
}
