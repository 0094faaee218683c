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

    let status = generation_status(&generation);
    assert_eq!(status.zones_count, count as u64);
    let apexes: Vec<_> = status.zones.into_iter().map(|zone| zone.apex).collect();
    let expected: Vec<_> = (0..ZONES_MAX)
        .map(|number| format!("z{number:03}."))
        .collect();
    assert_eq!(apexes, expected);
}
