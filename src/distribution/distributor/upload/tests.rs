use object_store::memory::InMemory;

use super::*;
use crate::distribution::depot::Depot;
use crate::distribution::testing::Store;

/// Octets that are like no others near them.
fn octets(length: usize) -> Vec<u8> {
    let words =
        (0..length.div_ceil(8)).map(|word| (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut octets: Vec<_> = words.flat_map(u64::to_be_bytes).collect();
    octets.truncate(length);
    octets
}

#[tokio::test]
async fn what_is_written_is_there_whole() {
    let objects = InMemory::new();
    for length in [1, PIECE_BYTES + 1, PART_BYTES, 2 * PART_BYTES + 5] {
        let path = Path::from("pack");
        let mut output = Output::new(&objects, path.clone());
        let wanted = octets(length);
        for piece in wanted.chunks(1 << 20) {
            output.write(piece).await.unwrap();
        }
        output.end().await.unwrap();
        let found = objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert!(found == wanted, "{length}");
    }
}

#[test]
fn an_upload_that_fails_leaves_nothing_behind() {
    for store in Store::each() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let files = || {
            let mut count = 0;
            let mut folders = vec![store._folder.path().to_owned()];
            while let Some(folder) = folders.pop() {
                for file in std::fs::read_dir(folder).unwrap().flatten() {
                    let path = file.path();
                    match path.is_dir() {
                        true => folders.push(path),
                        false => count += 1,
                    }
                }
            }
            count
        };
        let before = files();
        runtime.block_on(async {
            let depot = Depot::open(&store.place, &store.access).unwrap();
            let (objects, prefix) = depot.objects().unwrap();
            let path = prefix.clone().join("packs").join("00");
            let mut output = Output::new(objects.as_ref(), path);
            output.write(&octets(PART_BYTES + 1)).await.unwrap();
            while !output.under_way.is_empty() {
                output.end_one().await.unwrap();
            }
            assert!(files() > before, "{}", store.place);
            output.abort().await;
        });
        assert_eq!(files(), before, "{}", store.place);
    }
}
