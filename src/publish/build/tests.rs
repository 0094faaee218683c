//! What the builder knows of an image beside the registry.

use std::time::Duration;

use serde_json::json;
use zone_compiler::source::RecordList;
use zone_compiler::{Record, RecordType};
use zone_image::Memory;

use super::*;
use crate::publish::schedule::Timing;
use crate::registry::testing::{NOW, TestDatabase, test_database};
use crate::registry::{Actor, Command, Engine, Request};

fn name(text: &str) -> Name {
    Name::parse_absolute(text).unwrap()
}

async fn execute(test: &mut TestDatabase, command: serde_json::Value) {
    let command: Command = serde_json::from_value(command).unwrap();
    let request = Request {
        actor: Actor::operator("test"),
        at: NOW,
        lab: true,
        command,
    };
    Box::pin(test.database.execute(&request)).await.unwrap();
}

fn settings(test: &TestDatabase) -> Settings {
    let pause = Duration::from_secs(1);
    Settings {
        location: test.location.clone(),
        directory: test.folder.path().join("image"),
        timing: Timing {
            poll_interval: pause,
            debounce: pause,
            debounce_max: pause,
            retry_max: pause,
        },
        vanished_percent_max: 100,
        signers: None,
    }
}

/// An image, and who builds it from the registry.
struct Builds {
    builder: Builder,
    image: Arc<Generation>,
}

impl Builds {
    fn open(settings: &Settings) -> Arc<Generation> {
        Arc::new(Generation::open(&settings.directory, Memory::Mapped).unwrap())
    }

    fn build(&mut self, settings: &Settings) {
        let gates = &mut Gates::new(settings.vanished_percent_max);
        let mut built = self.builder.build(Some(&self.image), gates).unwrap();
        if let Some(staged) = built.staged.take() {
            staged.install().unwrap();
            self.image = Self::open(settings);
        }
        self.builder.installed(built, &self.image);
    }

    fn has(&self, apex: &str) -> bool {
        self.image.zone(name(apex).as_wire()).is_some()
    }
}

/// Adds what a compile makes for a parked name: a zone without an event.
fn add_child(settings: &Settings, apex: &str) {
    let mut soa = [name("p.example").as_wire(), name("h.example").as_wire()].concat();
    soa.extend_from_slice(&[0; 20]);
    let record = |owner: String, rtype, rdata: &[u8]| Record {
        owner: name(&owner),
        rtype,
        ttl: 60,
        rdata: rdata.into(),
    };
    let records = vec![
        record(apex.to_owned(), RecordType::SOA, &soa),
        record(apex.to_owned(), RecordType::NS, name("p.example").as_wire()),
        record(format!("*.{apex}"), RecordType::A, &[192, 0, 2, 1]),
    ];
    let mut source = RecordList::new(name(apex), 0, records);
    let mut installer = Installer::update(&settings.directory).unwrap();
    compile_with(&mut source, &mut installer, &Options::default(), &|_| {}).unwrap();
    installer.commit().unwrap();
}

#[tokio::test]
async fn a_zone_in_the_place_of_a_child_zone_has_nothing_of_it_and_hides_no_other() {
    let mut test = test_database(Engine::Sqlite).await;
    let zone = |apex: &str| {
        json!({ "zone": { "create": { "apex": apex, "mname": "ns1.nic.example",
            "rname": "hostmaster.nic.example",
            "records": [format!("{apex}. 3600 NS ns1.nic.example.")] } } })
    };
    for apex in ["tld", "gone"] {
        execute(&mut test, zone(apex)).await;
    }
    let settings = settings(&test);
    super::super::install_first(&settings).unwrap();
    add_child(&settings, "parked.tld");
    let mut builds = Builds {
        builder: Builder::new(&settings),
        image: Builds::open(&settings),
    };
    builds.build(&settings);
    assert!(builds.has("parked.tld"), "it goes with its parent only");
    execute(&mut test, zone("parked.tld")).await;
    builds.build(&settings);
    let own = builds.image.zone(name("parked.tld").as_wire()).unwrap();
    assert!(own.event() > 0);
    assert!(own.find(name("*.parked.tld").as_wire()).is_none());
    // One zone more than the registry has is a child zone no more.
    execute(&mut test, json!({ "zone": { "delete": "gone" } })).await;
    builds.build(&settings);
    assert!(!builds.has("gone"));
    assert!(builds.has("parked.tld") && builds.has("tld"));
}
