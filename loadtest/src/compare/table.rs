//! Figures side by side.

use std::fmt::Write as _;

use super::{Comparison, Load, Reload, Round, median};

/// Every figure as text.
pub(super) fn format(comparison: &Comparison) -> String {
    let mut text = String::new();
    write_all(comparison, &mut text).expect("a string takes everything");
    text
}

fn write_all(comparison: &Comparison, text: &mut String) -> std::fmt::Result {
    let pinned = match comparison.pinned {
        true => "one CPU for the server, one for the load",
        false => "server and load share the machine",
    };
    let signed = if comparison.signed {
        "signed"
    } else {
        "unsigned"
    };
    writeln!(
        text,
        "{} delegations, {signed}; {pinned}",
        comparison.domains
    )?;
    if !comparison.missing.is_empty() {
        writeln!(text, "not installed: {}", comparison.missing.join(", "))?;
    }
    writeln!(
        text,
        "\n{:<10} {:>9} {:>8} {:>9} {:>10}",
        "server", "compile s", "load s", "MiB", "image MiB"
    )?;
    for start in &comparison.starts {
        writeln!(
            text,
            "{:<10} {:>9.2} {:>8.2} {:>9.1} {:>10.1}",
            start.server,
            start.compile_seconds,
            start.load_seconds,
            mebibytes(start.memory_bytes),
            mebibytes(start.image_bytes)
        )?;
    }
    for load in &comparison.loads {
        write_load(load, text)?;
    }
    if !comparison.reloads.is_empty() {
        write_reloads(&comparison.reloads, text)?;
    }
    writeln!(
        text,
        "\n{:<28} {:<26} {:>6} {:>6} {:>6}",
        "Meridian / better of two", "", "min", "median", "max"
    )?;
    for ratio in &comparison.ratios {
        writeln!(
            text,
            "{:<28} {:<26} {:>6.2} {:>6.2} {:>6.2}",
            ratio.load, ratio.figure, ratio.min, ratio.median, ratio.max
        )?;
    }
    Ok(())
}

fn write_reloads(reloads: &[Reload], text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n{:<10} {:>8} {:>8} {:>6} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "reload",
        "seconds",
        "sent",
        "lost",
        "gap ms",
        "without",
        "longer by",
        "lost then",
        "own lag"
    )?;
    for reload in reloads {
        write!(
            text,
            "{:<10} {:>8.2} {:>8} {:>6} {:>10.2} {:>10.2} {:>10.2} {:>10} {:>10.2}",
            reload.server,
            reload.seconds,
            reload.sent,
            reload.lost,
            reload.gap_microseconds_max / 1000.0,
            reload.quiet_gap_microseconds_max / 1000.0,
            reload.gap_excess_microseconds / 1000.0,
            reload.quiet_lost,
            reload.lag_microseconds_max / 1000.0
        )?;
        match &reload.error {
            Some(error) => writeln!(text, "  {error}")?,
            None => writeln!(text)?,
        }
    }
    Ok(())
}

fn write_load(load: &Load, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n{:<22} {:>10} {:>19} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>7} {:>8} {:>6}",
        load.name,
        "replies/s",
        "least..most",
        "CPU us",
        "user",
        "system",
        "octets",
        "p50 us",
        "p99 us",
        "own lag",
        "waits ms",
        "lost"
    )?;
    for (server, rounds) in &load.servers {
        let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
        let rates = || rounds.iter().map(|round| round.rate);
        let least = rates().fold(f64::INFINITY, f64::min);
        let most = rates().fold(0.0, f64::max);
        writeln!(
            text,
            "{server:<22} {:>10.0} {:>19} {:>7.2} {:>7.2} {:>7.2} {:>7.0} {:>8.1} {:>8.1} {:>7.0} \
             {:>8.2} {:>6}",
            of(&|round| round.rate),
            format!("{least:.0}..{most:.0}"),
            of(&Round::microseconds),
            of(&|round| round.user_microseconds),
            of(&|round| round.system_microseconds),
            of(&|round| round.reply_octets),
            of(&|round| round.p50),
            of(&|round| round.p99),
            of(&|round| round.lag_microseconds_max),
            of(&|round| round.waiting_microseconds / 1000.0),
            rounds.iter().map(|round| round.lost).sum::<u64>()
        )?;
    }
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests;
