//! Images that are opened by several threads: the verdict is that of one thread, and so
//! is the fault, whatever is wrong with the image and however many threads there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::*;
use crate::layout::{Denial, NODE_SLOTS};
use crate::segment::read_generation_file;
use crate::team::Team;
use crate::verify;

/// Octets of a reference.
const WORD: usize = 8;
const TEAMS: [Team; 4] = [Team::ALONE, Team::of(1), Team::of(2), Team::of(5)];

/// A whole image, and where in its largest segment references and counts stand.
struct Base {
    directory: TempDir,
    previous: Option<Generation>,
    digest: [u8; 32],
    nodes: Vec<usize>,
    zones: Vec<usize>,
}

impl Base {
    fn new(directory: TempDir, previous: Option<Generation>) -> Self {
        let generation = open(directory.path()).unwrap();
        let is_new = |digest: &[u8; 32]| {
            let mut old = previous
                .iter()
                .flat_map(|old| old.segments.iter().flatten());
            !old.any(|old| old.digest() == digest)
        };
        let segments = generation.segments.iter().flatten();
        let segment = segments
            .filter(|segment| is_new(segment.digest()))
            .max_by_key(|segment| segment.bytes())
            .unwrap();
        let words = |kind: PageKind| {
            let pages = segment.toc().pages.iter();
            let pages = pages.filter(|page| page.kind == kind as u8);
            let words = pages.flat_map(|page| {
                let start = page.offset_units.to_native() as usize * 64;
                (start..start + usize::from(page.units.to_native()) * 64).step_by(WORD)
            });
            words.collect::<Vec<_>>()
        };
        Self {
            digest: *segment.digest(),
            nodes: words(PageKind::Node),
            zones: [words(PageKind::Zone), words(PageKind::Catalog)].concat(),
            directory,
            previous,
        }
    }

    /// A copy of the image whose segment was changed.
    fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> TempDir {
        let copy = TempDir::new().unwrap();
        for file in std::fs::read_dir(self.directory.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        reseal_segment(copy.path(), &self.digest, change);
        copy
    }

    /// What comes of opening a copy, by so many threads.
    fn verdict(&self, copy: &TempDir, team: Team) -> Result<Vec<u64>, String> {
        let opened = Generation::open_by(copy.path(), Memory::Mapped, self.previous.as_ref(), team);
        let opened = opened.map_err(|error| error.to_string())?;
        Ok((0..64).map(|slot| opened.live.bytes(slot)).collect())
    }
}

/// A change of a segment.
#[derive(Debug, Clone)]
enum Edit {
    /// One octet, anywhere.
    Octet(prop::sample::Index, u8),
    /// One slot of a node gets what another one has.
    Copy(prop::sample::Index, prop::sample::Index),
    /// Two slots of nodes change places.
    Swap(prop::sample::Index, prop::sample::Index),
    /// One octet of a zone page or the catalog.
    Zone(prop::sample::Index, usize, u8),
}

impl Edit {
    fn apply(&self, base: &Base, segment: &mut [u8]) {
        match self {
            Self::Octet(at, value) => {
                segment[HEADER_BYTES + at.index(segment.len() - HEADER_BYTES)] = *value;
            }
            Self::Copy(from, to) => {
                let (from, to) = (*from.get(&base.nodes), *to.get(&base.nodes));
                segment.copy_within(from..from + WORD, to);
            }
            Self::Swap(one, two) => {
                let (one, two) = (*one.get(&base.nodes), *two.get(&base.nodes));
                (0..WORD).for_each(|octet| segment.swap(one + octet, two + octet));
            }
            Self::Zone(at, octet, value) => segment[at.get(&base.zones) + octet] = *value,
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = || any::<prop::sample::Index>();
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, value)| Edit::Octet(at, value)),
        3 => (at(), at()).prop_map(|(from, to)| Edit::Copy(from, to)),
        3 => (at(), at()).prop_map(|(one, two)| Edit::Swap(one, two)),
        1 => (at(), 0..WORD, any::<u8>()).prop_map(|(at, octet, value)| Edit::Zone(at, octet, value)),
    ]
}

/// Many names; a chain of NSEC3; names in order; a zone that came anew beside another.
static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
    let plain = image(&[("example.", 1, 3000), ("two.", 1, 2), (".", 1, 70)]);
    let mut nsec3 = proofs::History::new(Denial::Nsec3);
    let hashes = (0..3000u16).map(|place| (proofs::hash(0, place.wrapping_mul(40_503)), true));
    nsec3.step(&hashes.collect::<BTreeMap<_, _>>());
    let mut nsec = proofs::History::new(Denial::Nsec);
    nsec.toggle(&(0..3000u16).collect::<BTreeSet<_>>());
    let twice = image(&[("one.", 1, 100), ("example.", 1, 3000)]);
    let previous = open(twice.path()).unwrap();
    let mut installer = Installer::update(twice.path()).unwrap();
    add_zone(&mut installer, "example.", 2, 3100);
    installer.commit().unwrap();
    vec![
        Base::new(plain, None),
        Base::new(nsec3.directory, None),
        Base::new(nsec.directory, None),
        Base::new(twice, Some(previous)),
    ]
});

fn unverified(base: &Base) -> Generation {
    let directory = base.directory.path();
    let file = read_generation_file(&directory.join(GENERATION_FILE)).unwrap();
    let known = [None, None];
    Generation::unverified(directory, &file, Memory::Mapped, known, Team::of(3)).unwrap()
}

#[test]
fn several_threads_reach_in_whole_images_what_one_does() {
    for base in BASES.iter() {
        let generation = unverified(base);
        let alone = verify::alone(&generation).unwrap();
        for threads in [2, 3, 8] {
            assert_eq!(
                verify::together(&generation, Team::of(threads)),
                Some(alone.clone())
            );
        }
        let whole = base.changed(|_| {});
        let verdicts = TEAMS.map(|team| base.verdict(&whole, team).unwrap());
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn the_verdict_and_the_fault_are_those_of_one_thread(
        base in 0..4usize,
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let base = &BASES[base];
        let copy = base.changed(|segment| edits.iter().for_each(|edit| edit.apply(base, segment)));
        let [alone, more @ ..] = TEAMS.map(|team| base.verdict(&copy, team));
        for (verdict, team) in more.into_iter().zip(&TEAMS[1..]) {
            prop_assert_eq!(&verdict, &alone, "{:?}", team);
        }
    }
}

/// Of faults that different threads meet the lowest place is told: pages of names change
/// places that stand far apart in the tree of one zone.
#[test]
fn of_two_faults_the_lower_place_is_told() {
    let base = &BASES[0];
    let copy = base.changed(|segment| {
        let word = |at: usize| segment[at..at + WORD].to_vec();
        // Of all nodes the root of the many names has the most pages below it.
        let nodes = base.nodes.chunks(NODE_SLOTS).map(|node| {
            let mut starts = node.to_vec();
            starts.dedup_by_key(|at| word(*at));
            starts
        });
        let starts = nodes.max_by_key(Vec::len).unwrap();
        assert!(starts.len() > 40, "{}", starts.len());
        let (one, two) = (starts[3], starts[starts.len() - 2]);
        (0..WORD).for_each(|octet| segment.swap(one + octet, two + octet));
    });
    let expected = base.verdict(&copy, Team::ALONE).unwrap_err();
    assert!(expected.contains("off the path"), "{expected}");
    for _ in 0..20 {
        for team in TEAMS {
            assert_eq!(base.verdict(&copy, team), Err(expected.clone()), "{team:?}");
        }
    }
}
