//! Each dependency has its reason in a comment above it.

/// Faults of one Cargo.toml.
pub(super) fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut dependencies = false;
    // The first word of the dependency above, if that one has its reason.
    let mut explained: Option<String> = None;
    let mut comment = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            dependencies = line.ends_with("dependencies]");
            (explained, comment) = (None, false);
        } else if line.starts_with('#') {
            comment = true;
        } else if line.is_empty() {
            (explained, comment) = (None, false);
        } else if dependencies {
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let name = name.trim();
            // Reasons of shared dependencies stand in the root's Cargo.toml; packages of
            // this repository need none.
            let shared = name.ends_with(".workspace") || value.contains("workspace = true");
            if shared || value.contains("path = \"") {
                continue;
            }
            let family = name.split(['-', '_']).next().unwrap_or(name).to_owned();
            if comment || explained.as_ref() == Some(&family) {
                explained = Some(family);
            } else {
                faults.push(format!(
                    "{path}:{}: `{name}` without its reason above it",
                    number + 1
                ));
            }
            comment = false;
        }
    }
    faults
}
