use zone_compiler::install::{Input, install};
use zone_image::{Generation, Memory};

use super::*;

#[test]
fn of_many_zones_the_first_are_listed_and_all_counted() {
    let folder = tempfile::tempdir().unwrap();
    let count = ZONES_MAX + 7;
    for number in 0..count {
        let text =
            format!("$ORIGIN z{number:03}.\n$TTL 60\n@ SOA ns.a. x.a. 1 2 3 4 5\n@ NS ns.a.\n");
        std::fs::write(folder.path().join(format!("{number}.zone")), text).unwrap();
    }
    let input = Input::ZoneFiles {
        paths: vec![folder.path().to_owned()],
        origin: None,
        replace: true,
    };
    let image = folder.path().join("image");
    install(&input, &image, &|_, _| {}).unwrap();
    let generation = Generation::open(&image, Memory::Mapped).unwrap();

    let status = generation_status(&generation, &[]);
    assert_eq!(status.zones_count, count as u64);
    let apexes: Vec<_> = status.zones.into_iter().map(|zone| zone.apex).collect();
    let expected: Vec<_> = (0..ZONES_MAX)
        .map(|number| format!("z{number:03}."))
        .collect();
    assert_eq!(apexes, expected);
}

#[test]
fn zones_of_the_registry_are_looked_at_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    for apex in ["a", "b", "c"] {
        let text = format!("$ORIGIN {apex}.\n$TTL 60\n@ SOA ns.a. x.a. 1 2 3 4 5\n@ NS ns.a.\n");
        std::fs::write(folder.path().join(format!("{apex}.zone")), text).unwrap();
    }
    let input = Input::ZoneFiles {
        paths: vec![folder.path().to_owned()],
        origin: None,
        replace: true,
    };
    let image = folder.path().join("image");
    install(&input, &image, &|_, _| {}).unwrap();
    let generation = Generation::open(&image, Memory::Mapped).unwrap();
    // Other zones would be child zones of parked names, of which nobody looks at one.
    let registry = ["a.", "c.", "d."].map(|apex| zone_image::Name::parse_absolute(apex).unwrap());
    let mut looked = Vec::new();
    each_own_zone(&generation, &registry, &mut |zone| {
        looked.push(zone.info().apex.to_string());
        false
    });
    assert_eq!(looked, ["a.", "c."]);
    let status = generation_status(&generation, &registry);
    assert_eq!((status.zones.len(), status.zones_count), (2, 3));
    looked.clear();
    each_own_zone(&generation, &registry, &mut |zone| {
        looked.push(zone.info().apex.to_string());
        true
    });
    assert_eq!(looked, ["a."]);
}
