//! Figures side by side.

use super::{Figures, Round};

/// One line a server; the first server is what the last column compares with.
pub(super) fn format(figures: &[Figures]) -> String {
    let mut lines = vec![format!(
        "{:<10} {:>8} {:>8} {:>10} {:>19} {:>8} {:>8} {:>8} {:>8} {:>6} {:>7}",
        "server",
        "load s",
        "MiB",
        "replies/s",
        "least..most",
        "user us",
        "sys us",
        "p50 us",
        "p99 us",
        "lost",
        "rate"
    )];
    let first = figures
        .first()
        .map_or(0.0, |figures| median(figures, |round| round.rate));
    for figures in figures {
        let rates = || figures.rounds.iter().map(|round| round.rate);
        let least = rates().fold(f64::INFINITY, f64::min);
        let most = rates().fold(0.0, f64::max);
        let rate = median(figures, |round| round.rate);
        lines.push(format!(
            "{:<10} {:>8.2} {:>8.1} {:>10.0} {:>19} {:>8.2} {:>8.2} {:>8.1} {:>8.1} {:>6} {:>6.2}x",
            figures.server,
            figures.load_seconds,
            figures.memory_bytes as f64 / f64::from(1 << 20),
            rate,
            format!("{least:.0}..{most:.0}"),
            median(figures, |round| round.user_microseconds),
            median(figures, |round| round.system_microseconds),
            median(figures, |round| round.p50),
            median(figures, |round| round.p99),
            figures.rounds.iter().map(|round| round.lost).sum::<u64>(),
            if rate > 0.0 { first / rate } else { 0.0 },
        ));
    }
    lines.join("\n")
}

fn median(figures: &Figures, value: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests;
