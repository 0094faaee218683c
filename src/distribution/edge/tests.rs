//! Several sources of which one is bad, and what a node remembers.

use super::*;
use crate::distribution::state::TROUBLES;
use crate::distribution::testing::{Node, Primary, Store};
use crate::dns::testing::eventually;

fn primary(store: &Store) -> Primary {
    let mut primary = Primary::new(300);
    primary.start(Primary::settings(store));
    eventually("the first manifest", || primary.is_done());
    primary
}

fn packs(store: &Store) -> Vec<PathBuf> {
    let files = std::fs::read_dir(store.objects.join("packs")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

fn counted(node: &Node, trouble: Trouble) -> u64 {
    let at = TROUBLES.iter().position(|(one, _)| *one == trouble);
    node.edge.as_ref().unwrap().state().failures()[at.unwrap()]
}

#[test]
fn what_is_damaged_at_one_source_is_taken_from_the_next() {
    let (bad, good) = (Store::folder(), Store::folder());
    let first = primary(&bad);
    let mut second = Primary::new(0);
    second.generations = Arc::clone(&first.generations);
    second.start(Primary::settings(&good));
    eventually("the same elsewhere", || second.is_done());
    let pack = packs(&bad).remove(0);
    let mut octets = std::fs::read(&pack).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    std::fs::write(&pack, &octets).unwrap();
    let mut node = Node::cold();
    node.start(node.settings(&[&bad, &good]));
    eventually("serial 1", || node.serial() == 1);
    assert_eq!(counted(&node, Trouble::Segment), 0);
    // Also where a fetch that was cut off had begun with what is wrong.
    let name = packs(&good).remove(0);
    assert_eq!(name.file_name(), pack.file_name());
    let mut late = Node::cold();
    let manifest = std::fs::read(good.objects.join("manifest")).unwrap();
    let manifest = Manifest::verify(&manifest, &crate::distribution::testing::trusted()).unwrap();
    let (segment, _, part) = manifest.segments().next().unwrap();
    let begun = zone_image::shipment::segment_file_name(&segment.digest);
    let begun = late.folder.path().join(begun).with_extension("part");
    let taken = usize::try_from(part.bytes).unwrap() - 1;
    std::fs::write(begun, &octets[..taken]).unwrap();
    late.start(late.settings(&[&good]));
    eventually("serial 1", || late.serial() == 1);
    assert_eq!(counted(&late, Trouble::Segment), 0);
    assert!(late.bytes() > part.bytes);
}

#[test]
fn an_older_manifest_is_taken_where_the_newest_cannot_be() {
    let (newer, older) = (Store::folder(), Store::folder());
    let ahead = primary(&newer);
    let _behind = primary(&older);
    ahead.publish(2, 300);
    let state = ahead.distributor.as_ref().unwrap().state();
    eventually("the second manifest", || state.manifests() == 2);
    packs(&newer)
        .iter()
        .for_each(|pack| std::fs::remove_file(pack).unwrap());
    let mut node = Node::cold();
    node.start(node.settings(&[&newer, &older]));
    eventually("serial 1", || node.serial() == 1);
    eventually("what is wrong with the other is said", || {
        node.trouble() == Some(Trouble::Store)
    });
}

#[test]
fn a_kept_manifest_that_cannot_be_used_is_said() {
    let store = Store::folder();
    let _primary = primary(&store);
    let mut node = Node::cold();
    node.start(node.settings(&[&store]));
    eventually("serial 1", || node.serial() == 1);
    assert_eq!(counted(&node, Trouble::Manifest), 0);
    node.edge = None;
    let path = node.folder.path().join(MANIFEST_FILE);
    std::fs::write(&path, "damaged").unwrap();
    node.restart(node.settings(&[&store]));
    eventually("it is said", || counted(&node, Trouble::Manifest) == 1);
    node.edge = None;
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let generations = Arc::clone(&node.generations);
    let work = Work::new(node.settings(&[&store]), generations, Arc::default());
    assert!(work.kept().is_none());
    let said = work.state.failure().map(|failure| failure.trouble);
    assert_eq!(said, Some(Trouble::Disk));
    std::fs::remove_dir(&path).unwrap();
    assert!(work.kept().is_none());
    assert_eq!(work.state.failures().iter().sum::<u64>(), 1);
}

#[test]
fn a_source_that_fails_again_is_left_alone_for_longer() {
    let mut source = Source::new(Place::Folder("/".into()));
    let mut pauses = Vec::new();
    for _ in 0..9 {
        source.failed(Failure::new(Trouble::Segment, "damaged"));
        pauses.push(source.pause);
    }
    assert!(pauses.is_sorted() && pauses[0] == PAUSE_MIN * 2);
    assert_eq!(pauses[8], PAUSE_MAX);
    source.succeeded();
    source.failed(Failure::new(Trouble::Segment, "damaged"));
    assert_eq!(source.pause, PAUSE_MIN * 2);
}
