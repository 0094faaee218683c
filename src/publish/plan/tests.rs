use super::*;

/// An image that is no image; `is_listed` is whether somebody may ask for all zones.
struct Image {
    zones: BTreeMap<Name, InstalledZone>,
    segments: usize,
    is_listed: bool,
}

impl Installed for Image {
    fn zone(&self, apex: &Name) -> Option<InstalledZone> {
        self.zones.get(apex).copied()
    }

    fn zones_count(&self) -> usize {
        self.zones.len()
    }

    fn apexes(&self) -> Vec<Name> {
        assert!(self.is_listed, "a list of all zones for nothing");
        // In no order.
        self.zones.keys().rev().cloned().collect()
    }

    fn segments_count(&self) -> usize {
        self.segments
    }
}

fn name(text: &str) -> Name {
    Name::parse_absolute(text).unwrap()
}

/// `a 3 @7` is zone `a.` with serial 3 at event 7.
fn zones(text: &str) -> Vec<(Name, u32, u64)> {
    let zone = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        let number = |at: usize| {
            words
                .get(at)
                .map_or("0", |word| word.trim_start_matches('@'))
        };
        let (serial, event) = (number(1).parse().unwrap(), number(2).parse().unwrap());
        (name(words[0]), serial, event)
    };
    let parts = text.split(", ").filter(|part| !part.is_empty());
    parts.map(zone).collect()
}

/// `wanted` has the event of the last change where there is one; `refused` names zones.
#[track_caller]
fn check(wanted: &str, refused: &str, installed: Option<&str>, segments: usize, expected: &str) {
    let zones_wanted = zones(wanted);
    let changed = zones_wanted.iter().filter(|(_, _, event)| *event > 0);
    let mut wanted = Wanted {
        event: 10,
        changed: changed
            .map(|(apex, _, event)| (apex.clone(), *event))
            .collect(),
        zones: zones_wanted
            .iter()
            .map(|(apex, serial, _)| (apex.clone(), *serial))
            .collect(),
        refused: zones(refused)
            .into_iter()
            .map(|(apex, _, _)| apex)
            .collect(),
        follows: false,
        children: 0,
    };
    let there = zones(installed.unwrap_or_default());
    let is_child = |(apex, _, event): &&(Name, u32, u64)| wanted.is_child(apex, *event);
    wanted.children = there.iter().filter(is_child).count() as u64;
    let installed = installed.map(|installed| Image {
        is_listed: zones(installed).iter().any(|(apex, _, event)| {
            !wanted.zones.contains_key(apex) && !wanted.is_child(apex, *event)
        }),
        zones: zones(installed)
            .into_iter()
            .map(|(apex, serial, event)| (apex, InstalledZone { serial, event }))
            .collect(),
        segments,
    });
    let list = |names: Vec<Name>| {
        let names: Vec<_> = names.iter().map(Name::to_string).collect();
        names.concat()
    };
    let installed = installed.as_ref().map(|image| image as &dyn Installed);
    let found = match Plan::new(&wanted, installed) {
        Plan::Nothing => "nothing".to_owned(),
        Plan::Anew(zones) => format!("anew {}", list(zones)),
        Plan::Update { compile, remove } => format!("+{} -{}", list(compile), list(remove)),
    };
    assert_eq!(found.trim_end(), expected);
}

#[test]
fn without_an_image_everything_is_compiled() {
    check("a 1, b 1", "", None, 0, "anew a.b.");
    check("", "", None, 0, "anew");
}

#[test]
fn what_is_current_stays() {
    check("a 1, b 1", "", Some("a 1 @5, b 1 @9"), 2, "nothing");
    check("a 1 @5, b 1", "", Some("a 1 @5, b 1 @9"), 2, "nothing");
    check("", "", Some(""), 1, "nothing");
}

#[test]
fn what_changed_is_compiled() {
    check("a 1, b 2", "", Some("a 1 @5, b 1 @5"), 1, "+b. -");
    check("a 1, b 1 @6", "", Some("a 1 @5, b 1 @5"), 1, "+b. -");
    check("a 1, b 1, c 1", "", Some("a 1 @5, b 1 @5"), 1, "+c. -");
    check("a 1", "", Some("a 1 @5, b 1 @5"), 1, "+ -b.");
    check("a 1, c 1", "", Some("a 1 @5, b 1 @5"), 1, "+c. -b.");
}

#[test]
fn child_zones_of_parked_names_go_with_their_parents() {
    let installed = "a 1 @5, b 1 @5, x.a 1 @0, y.x.b 1 @0";
    check("a 1, b 1", "", Some(installed), 1, "nothing");
    check("a 1, b 2", "", Some(installed), 1, "+b. -");
    check("b 1", "", Some(installed), 1, "+ -a.x.a.");
    // One that is registered as a zone now is none, and neither is what has an event.
    check("a 1, b 1, x.a 1 @6", "", Some(installed), 1, "+x.a. -");
    check("a 1", "", Some("a 1 @5, x.a 1 @5"), 1, "+ -x.a.");
}

#[test]
fn another_registry_is_compiled_anew() {
    check("a 1", "", Some("a 2 @9"), 1, "anew a.");
    check("b 1", "", Some("a 1 @9"), 1, "anew b.");
    check("a 1, b 1", "", Some("a 1 @11, b 1 @5"), 1, "+a. -");
}

#[test]
fn all_zones_or_too_many_segments_make_a_new_image() {
    check("a 2, b 2", "", Some("a 1 @5, b 1 @5"), 1, "anew a.b.");
    let much = SEGMENTS_MAX;
    check("a 1, b 2", "", Some("a 1 @5, b 1 @5"), much, "anew a.b.");
    check("a 1, b 1", "", Some("a 1 @5, b 1 @5"), much, "nothing");
}

#[test]
fn a_refused_zone_keeps_its_last_good_pages() {
    check("a 2, b 2", "b", Some("a 1 @5, b 1 @5"), 1, "+a. -");
    check("a 1, b 2", "b", Some("a 1 @5, b 1 @5"), 1, "nothing");
    check("b 2", "b", Some("b 1 @5"), 1, "nothing");
    let much = SEGMENTS_MAX;
    check("a 2, b 2", "b", Some("a 1 @5, b 1 @5"), much, "+a. -");
    check("a 2, b 2", "b", None, 0, "anew a.");
    check("a 2, b 2", "b", Some("a 1 @5"), much, "anew a.");
}

#[test]
fn an_image_of_the_same_history_is_changed_and_not_made_anew() {
    let apex = name("a");
    let wanted = Wanted {
        event: 10,
        zones: [(apex.clone(), 2)].into(),
        follows: true,
        ..Wanted::default()
    };
    let zone = InstalledZone {
        serial: 1,
        event: 5,
    };
    let installed = Image {
        zones: [(apex.clone(), zone)].into(),
        segments: 9,
        is_listed: false,
    };
    let (compile, remove) = (vec![apex], Vec::new());
    let expected = Plan::Update { compile, remove };
    assert_eq!(Plan::new(&wanted, Some(&installed)), expected);
}
