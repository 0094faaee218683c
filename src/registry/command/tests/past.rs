//! What objects were is what `info` said of them then, whatever happened since.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::registry::audit::{self, BreakKind};
use crate::registry::calendar::to_text;
use crate::registry::command::past::{Moment, Past, show};
use crate::registry::timers::Timers;

const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";

/// Fields that follow from other objects or the zone's policy as well.
fn comparable(kind: &str, mut info: Value) -> Value {
    let fields = info.as_object_mut().unwrap();
    if kind == "domain" {
        fields.retain(|field, _| !["next-step", "next-step-at", "parked"].contains(&&**field));
    } else {
        let statuses = fields["statuses"].as_array_mut().unwrap();
        statuses.retain(|status| status != "linked");
    }
    info
}

/// What `info` says of an object to the registry, if it is there.
async fn now(test: &mut TestDatabase, kind: &str, name: &str, at: Timestamp) -> Option<Value> {
    let mut request = parse(&format!("op {kind} info {name}"));
    request.at = at;
    match run(test, &request).await {
        Ok(Outcome::Read(info)) => {
            let info = serde_json::to_value(info).unwrap();
            Some(comparable(kind, info[kind].clone()))
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) if error.code() == ResultCode::ObjectDoesNotExist => None,
        Err(error) => panic!("{kind} {name}: {error}"),
    }
}

async fn then(test: &mut TestDatabase, name: &str, moment: &str) -> Result<Past, CommandError> {
    let moment: Moment = moment.parse().unwrap();
    Box::pin(show(&mut test.database, name, moment)).await
}

/// What objects are at each event that was looked at.
type Seen = BTreeMap<(i64, String, String), Option<Value>>;

struct Recorder {
    test: TestDatabase,
    objects: Vec<(&'static str, String)>,
    seen: Seen,
}

impl Recorder {
    async fn begin(engine: crate::registry::Engine) -> Self {
        let mut test = stage(engine).await;
        let mut objects = Vec::new();
        for number in 0..3 {
            objects.push(("domain", format!("d{number}.tld")));
            objects.push(("contact", format!("c-{number}")));
            objects.push(("host", format!("ns1.d{number}.tld")));
        }
        objects.push(("domain", "lame.tld".to_owned()));
        objects.push(("host", "ns1.ext.example".to_owned()));
        objects.push(("host", "ns3.ext.example".to_owned()));
        play(
            &mut test,
            "op zone policy tld data-model=maximum expiry=auto-renew approvers=ada = 1000
             reg-a contact create c-0 = 1000
             reg-b contact create c-1 = 1000
             reg-a contact create c-2 voice=+49.1 = 1000",
        )
        .await;
        Self {
            test,
            objects,
            seen: Seen::new(),
        }
    }

    /// Looks at everything, as of the newest event.
    async fn look(&mut self) {
        let row: (i64, i64) =
            sqlx::query_as("SELECT number, time FROM events ORDER BY number DESC LIMIT 1")
                .fetch_one(self.test.database.connection())
                .await
                .unwrap();
        let (event, at) = (row.0, Timestamp(row.1));
        for (kind, name) in &self.objects {
            let found = now(&mut self.test, kind, name, at).await;
            self.seen
                .insert((event, (*kind).to_owned(), name.clone()), found);
        }
    }

    /// Everything that was seen is shown again; how many were of an earlier state.
    async fn compare(mut self, story: &str) -> usize {
        let mut earlier = 0;
        for ((event, kind, name), seen) in self.seen {
            let place = format!("{story}\n{kind} {name} at event {event}");
            let shown = match then(&mut self.test, &name, &event.to_string()).await {
                Ok(past) => past.objects.into_iter().find(|object| object.kind == kind),
                Err(error) => {
                    assert_eq!(
                        error.code(),
                        ResultCode::ObjectDoesNotExist,
                        "{place}: {error}"
                    );
                    None
                }
            };
            earlier += usize::from(shown.as_ref().is_some_and(|o| o.until_event.is_some()));
            let shown = shown.map(|object| comparable(&kind, object.info));
            assert_eq!(shown, seen, "{place}");
        }
        let verified = audit::verify(&mut self.test.database, &[], &mut |_, _| {}).await;
        assert_eq!(verified.unwrap().told, [], "{story}");
        earlier
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % bound
    }

    fn of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        let index = self.below(words.len() as u64);
        words[usize::try_from(index).unwrap()]
    }
}

fn next(random: &mut Random) -> String {
    let who = random.of(&["reg-a", "reg-a", "reg-b", "op"]);
    let domain = random.of(&["d0.tld", "d1.tld", "d2.tld"]);
    let other = random.of(&["d0.tld", "d1.tld", "d2.tld"]);
    let contact = random.of(&["c-0", "c-1", "c-2"]);
    let servers = "ns=ns1.ext.example ns=ns2.ext.example";
    match random.below(26) {
        0..4 => format!(
            "{who} domain create {domain} registrant={contact} contact=admin:{contact} {AUTH}"
        ),
        4..6 => format!("{who} domain update {domain} {servers}"),
        6 => format!("{who} domain update {domain} ns=ns1.{other}"),
        7 => format!("{who} domain update {domain} -ns=ns1.ext.example -ns=ns2.ext.example"),
        8 => format!("{who} domain update {domain} registrant={contact} contact=tech:{contact}"),
        9 => format!("{who} domain update {domain} status=clientHold"),
        10 => format!("{who} domain update {domain} -status=clientHold"),
        11 => format!("{who} domain delete {domain}"),
        12 => format!("{who} domain restore {domain}"),
        13 => format!("op domain purge {domain}"),
        14 => format!("reg-b domain transfer {domain} op=request {AUTH}"),
        15 => {
            let op = random.of(&["approve", "approve", "reject", "cancel"]);
            format!("{who} domain transfer {domain} op={op}")
        }
        16 => format!("op domain move {domain} from=reg-a by=reg-b case=1"),
        17 | 18 => format!("{who} host create ns1.{domain} ip=192.0.2.1"),
        19 => format!("{who} host update ns1.{domain} to=ns1.{other}"),
        20 => format!("{who} host update ns1.{domain} ip=192.0.2.7"),
        21 => format!(
            "{who} contact update {contact} email=mail{}@a.example",
            random.below(9)
        ),
        22 => match random.below(3) {
            0 => format!("{who} contact delete {contact}"),
            1 => format!("{who} contact create {contact} voice=+49.2"),
            _ => format!("{who} contact update {contact} status=clientDeleteProhibited"),
        },
        23 => format!("op domain lock {domain} approvals=1 approver=ada case=2"),
        24 => format!(
            "op:ada change {} {domain} reason=no",
            random.of(&["approve", "approve", "reject"])
        ),
        _ => format!("{who} domain unlock {domain}"),
    }
}

#[tokio::test]
async fn what_was_is_shown_as_it_was_seen() {
    for engine in engines() {
        let (seeds, steps) = match engine {
            crate::registry::Engine::Sqlite => (6_u64, 300),
            crate::registry::Engine::Postgres => (1, 150),
        };
        let mut earlier = 0;
        for seed in 0..seeds {
            let mut recorder = Recorder::begin(engine).await;
            let mut random = Random(seed);
            let setting = match seed % 3 {
                0 => "op zone policy tld change-control=auto",
                1 => "op zone policy tld change-control=verify",
                _ => "op zone policy tld transfer-grace=60",
            };
            let mut story = format!("{engine:?}, seed {seed}\n{setting}\n");
            run(&mut recorder.test, &parse(setting)).await.unwrap();
            let (mut timers, mut seconds) = (Timers::default(), 0_i64);
            for _ in 0..steps {
                if random.below(12) == 0 {
                    for _ in 0..random.below(40) {
                        seconds += 86_400;
                        let at = later(&format!("{seconds}s"));
                        let steady = Duration::from_secs(seconds.unsigned_abs());
                        let look = timers.look(&mut recorder.test.database, at, steady);
                        Box::pin(look).await.unwrap();
                    }
                    story += &format!("time to {seconds}s\n");
                } else {
                    let line = format!("{} at={seconds}s", next(&mut random));
                    let line = changes::numbered(&mut recorder.test, &line).await;
                    let done = run(&mut recorder.test, &parse(&line)).await;
                    if done.is_err() {
                        continue;
                    }
                    story += &format!("{line}\n");
                }
                recorder.look().await;
            }
            earlier += recorder.compare(&story).await;
        }
        assert!(earlier > 60, "{earlier}: the histories show nothing");
    }
}

#[tokio::test]
async fn a_name_is_what_it_was_at_a_time() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let orphans = operator(Command::Zone(ZoneCommand::Orphans(zone::ZoneOrphans {
            apex: "tld".parse().unwrap(),
            policy: Some(dependencies::HostOrphan::Invalid),
            own_hosts: None,
            label: None,
            registrar: None,
        })));
        run(&mut test, &orphans).await.unwrap();
        play(
            &mut test,
            "reg-a domain create a.tld at=1d = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 at=2d = 1000
             reg-b domain create b.tld ns=ns1.ext.example ns=ns1.a.tld at=3d = 1000
             reg-a host update ns1.a.tld to=ns2.a.tld at=4d = 1000
             reg-a domain delete a.tld at=5d = 1000
             reg-b domain create a.tld at=6d = 1000",
        )
        .await;
        let day = |day: u8| to_text(later(&format!("{day}d")));
        let mut shown = Vec::new();
        for at in 1..7 {
            let past = then(&mut test, "b.tld", &day(at)).await;
            shown.push(past.map_or(Value::Null, |past| past.objects[0].info["hosts"].clone()));
        }
        let hosts = |name: &str| serde_json::json!([name, "ns1.ext.example"]);
        assert_eq!(shown[..2], [Value::Null, Value::Null]);
        assert_eq!(shown[2], hosts("ns1.a.tld"));
        assert_eq!(
            shown[3],
            serde_json::json!(["ns1.ext.example", "ns2.a.tld"])
        );
        let renamed = shown[4][0].as_str().unwrap();
        assert!(renamed.ends_with(".sacrificial.invalid"), "{shown:?}");
        assert_eq!(shown[4], hosts(renamed));
        for (at, registrar, below) in [
            (1, "reg-a", vec![]),
            (2, "reg-a", vec!["ns1.a.tld"]),
            (4, "reg-a", vec!["ns2.a.tld"]),
            (6, "reg-b", vec![]),
        ] {
            let past = then(&mut test, "A.TLD.", &day(at)).await.unwrap();
            let info = &past.objects[0].info;
            assert_eq!(info["registrar"], registrar, "day {at}");
            assert_eq!(
                info["subordinate-hosts"],
                serde_json::json!(below),
                "day {at}"
            );
        }
        let gone = then(&mut test, "a.tld", &to_text(Timestamp(later("6d").0 - 1))).await;
        assert_eq!(gone.unwrap_err().code(), ResultCode::ObjectDoesNotExist);
        for (name, moment) in [
            ("a.tld", "2000-01-01"),
            ("a.tld", "0"),
            ("a.tld", "9999"),
            ("c.tld", "5"),
        ] {
            let missing = then(&mut test, name, moment).await;
            assert_eq!(
                missing.unwrap_err().code(),
                ResultCode::ObjectDoesNotExist,
                "{name} {moment}"
            );
        }
    }
}

#[test]
fn moments_are_events_or_times() {
    assert_eq!("17".parse(), Ok(Moment::Event(17)));
    let day = Timestamp(1_520_812_800_000_000);
    assert_eq!("2018-03-12".parse(), Ok(Moment::Time(day)));
    assert_eq!(
        "2018-03-12T00:00:01Z".parse(),
        Ok(Moment::Time(Timestamp(day.0 + 1_000_000)))
    );
    for odd in ["", "yesterday", "2018-13-01", "2018-03-12T00:00:00", "1e3"] {
        assert!(odd.parse::<Moment>().is_err(), "{odd}");
    }
}

/// The texts of everything that stays in the log.
async fn logged(test: &mut TestDatabase) -> String {
    let mut all = String::new();
    for text in [
        "SELECT detail FROM events WHERE detail IS NOT NULL",
        "SELECT state FROM object_states",
        "SELECT content FROM poll_messages",
    ] {
        let rows: Vec<(String,)> = sqlx::query_as(text)
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        all.extend(rows.into_iter().map(|(text,)| text + "\n"));
    }
    all
}

#[tokio::test]
async fn the_log_says_nothing_of_a_person_that_is_not_sealed() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "op zone policy tld data-model=maximum = 1000
             op zone policy tld approvers=ada registrant-change=veto = 1000
             reg-a contact create c-1 voice=+49.123 loc=Jörg street=First = 1000
             reg-a domain create a.tld registrant=c-1 = 1000
             reg-a contact update c-1 email=other@b.example = 1001
             contact:c-1 change approve c-1 = 1000
             reg-a contact update c-1 voice=+49.456 = 1000",
        )
        .await;
        let text = logged(&mut test).await;
        assert!(text.contains("c-1") && text.contains("sealed"), "{text}");
        for word in [
            "Jo Doe", "Jörg", "First", "Town", "12345", "+49", "jo@", "other@",
        ] {
            assert!(!text.contains(word), "{engine:?}: {word} in {text}");
        }
        let last = crate::registry::last_event(&mut test.database)
            .await
            .unwrap();
        let past = then(&mut test, "c-1", &(last - 1).to_string())
            .await
            .unwrap();
        let info = &past.objects[0].info;
        assert_eq!(
            (&info["email"], &info["voice"]),
            (&"other@b.example".into(), &"+49.123".into())
        );
    }
}

#[tokio::test]
async fn states_that_were_changed_are_found() {
    for engine in engines() {
        for change in [
            "UPDATE object_states SET state = replace(state, 'reg-a', 'reg-b')",
            "UPDATE object_states SET name = 'b.tld'",
            "UPDATE object_states SET first_event = 1",
            "DELETE FROM object_states",
            "UPDATE object_states SET until_event = until_event - 1",
        ] {
            let mut test = stage(engine).await;
            play(
                &mut test,
                "reg-a domain create a.tld = 1000
                 reg-a domain update a.tld status=clientHold = 1000",
            )
            .await;
            let done = sqlx::query(change)
                .execute(test.database.connection())
                .await;
            assert_eq!(done.unwrap().rows_affected(), 1, "{change}");
            let found = audit::verify(&mut test.database, &[], &mut |_, _| {}).await;
            let found = found.unwrap();
            assert!(
                found.told.iter().all(|told| told.kind == BreakKind::States),
                "{change}"
            );
            assert!(found.breaks > 0, "{change}");
        }
    }
}
