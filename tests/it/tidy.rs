//! House rules that a compiler does not check.
//!
//! Layering, sizes of files and functions, module docs, leftovers, and a reason for
//! each dependency. Every rule is a function from a file to its faults, and each has
//! samples that must be refused: a rule that finds nothing is a rule that is broken.

mod layers;
mod manifest;
mod samples;
mod sizes;
mod source;
mod words;

use std::path::{Path, PathBuf};

use source::Source;

/// Directories that hold nothing of ours.
const SKIPPED: [&str; 2] = ["target", ".git"];
/// Most files looked at: more means that the walk has left the tree.
const FILES_MAX: usize = 20_000;

#[test]
fn the_tree_keeps_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    let mut sources = 0;
    for path in files(root) {
        let name = path
            .strip_prefix(root)
            .expect("walked from the root")
            .display()
            .to_string();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        faults.extend(words::machine_paths(&name, &text));
        if name.ends_with("Cargo.toml") {
            faults.extend(manifest::faults(&name, &text));
        }
        if name.ends_with(".rs") {
            sources += 1;
            faults.extend(source_faults(&Source::new(&name, &text)));
        }
    }
    assert!(
        sources > 20,
        "only {sources} source files: the walk is broken"
    );
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn source_faults(source: &Source) -> Vec<String> {
    let rules = [layers::faults, sizes::faults, words::faults];
    rules.iter().flat_map(|rule| rule(source)).collect()
}

/// Every file below `root`, sorted.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory).expect("a directory of the tree can be read");
        for entry in entries {
            let path = entry.expect("an entry of the tree can be read").path();
            let name = path
                .file_name()
                .expect("an entry has a name")
                .to_string_lossy();
            if path.is_symlink() || SKIPPED.contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                open.push(path)
            } else {
                found.push(path)
            }
            assert!(found.len() < FILES_MAX, "more than {FILES_MAX} files");
        }
    }
    found.sort();
    found
}
