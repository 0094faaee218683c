//! Words that must not stand in the tree.

use super::source::Source;

/// What is looked for is put together from pieces, so that this file is clean itself.
pub(super) fn faults(source: &Source) -> Vec<String> {
    let unfinished = [
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("dbg", "!"),
    ];
    let mut faults: Vec<_> = unfinished
        .iter()
        .flat_map(|word| source.words(word).map(move |offset| (offset, *word)))
        .map(|(offset, word)| format!("{}:{}: {word}", source.path, source.line(offset)))
        .collect();
    for (offset, _) in source.code.match_indices(concat!("#[ig", "nore")) {
        faults.push(format!(
            "{}:{}: a test that is switched off",
            source.path,
            source.line(offset)
        ));
    }
    for (offset, _) in source.code.match_indices(concat!("assert!(", "true")) {
        faults.push(format!(
            "{}:{}: a test of nothing",
            source.path,
            source.line(offset)
        ));
    }
    for (number, line) in source.text.lines().enumerate() {
        let open = [concat!("TO", "DO"), concat!("FIX", "ME")];
        if open
            .iter()
            .any(|word| line.contains(word) && !line.contains(&format!("{word}(#")))
        {
            faults.push(format!(
                "{}:{}: open work without an issue",
                source.path,
                number + 1
            ));
        }
    }
    faults
}

/// Paths that exist on one machine only.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<String> {
    if path == "Cargo.lock" {
        return Vec::new();
    }
    let directories = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for directory in directories {
            // Such a word may stand within a path of ours; only at its start it is a root.
            let machine = line.match_indices(directory).any(|(offset, _)| {
                let before = line[..offset].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "_.-})".contains(c))
            });
            if machine {
                faults.push(format!(
                    "{path}:{}: path of one machine below {directory}",
                    number + 1
                ));
            }
        }
    }
    faults
}
