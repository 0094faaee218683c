use zone_image::Memory;

use super::*;
use crate::dns::testing::install;

#[test]
fn a_note_is_of_one_image_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    install(path);
    let image = Generation::open(path, Memory::Mapped).unwrap();
    assert_eq!(Mark::read(path, &image), None, "nobody wrote one");
    let mark = Mark { event: 7, time: -9 };
    mark.write(path, &image);
    assert_eq!(Mark::read(path, &image), Some(mark));
    let note = std::fs::read_to_string(path.join(FILE)).unwrap();
    for torn in ["", "\n", &note[..note.len() - 1], &note[..40], &note[1..]] {
        std::fs::write(path.join(FILE), torn).unwrap();
        assert_eq!(Mark::read(path, &image), None, "{torn:?}");
    }
    mark.write(path, &image);
    install(path);
    let other = Generation::open(path, Memory::Mapped).unwrap();
    assert_eq!(Mark::read(path, &other), None, "another image");
}
