//! Meridian against the better of Knot and NSD, round by round.

use serde::Serialize;

use super::contender::{ECHO, MERIDIAN};
use super::{Load, Round, median};
use crate::peer::Software;

/// One figure of ours divided by theirs.
#[derive(Debug, Clone, Serialize)]
pub struct Ratio {
    /// Which load.
    pub load: String,
    /// Which figure.
    pub figure: &'static str,
    /// The round that is best for us.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// The round that is worst for us.
    pub max: f64,
}

/// The ratios of every load that Meridian and one of the two were asked.
pub(super) fn all(loads: &[Load]) -> Vec<Ratio> {
    loads.iter().flat_map(of_load).collect()
}

fn of_load(load: &Load) -> Vec<Ratio> {
    let rounds = |name: &str| {
        let mut servers = load.servers.iter();
        servers
            .find(|own| own.0 == name)
            .map(|own| own.1.as_slice())
    };
    let Some(ours) = rounds(MERIDIAN) else {
        return Vec::new();
    };
    let theirs: Vec<_> = Software::AUTHORITATIVE
        .iter()
        .filter_map(|software| rounds(software.name()))
        .collect();
    let against = |figure, value: &dyn Fn(&Round) -> f64, of: &[&[Round]]| {
        let by_round = ours.iter().enumerate().filter_map(|(at, round)| {
            let best = of.iter().map(|rounds| value(&rounds[at]));
            let best = best.fold(f64::INFINITY, f64::min);
            (best.is_finite() && best > 0.0).then(|| value(round) / best)
        });
        summary(&load.name, figure, by_round.collect())
    };
    let mut found = vec![
        against("CPU a query", &Round::microseconds, &theirs),
        against(
            "user time a query",
            &|round| round.user_microseconds,
            &theirs,
        ),
        against("p99 latency", &|round| round.p99, &theirs),
    ];
    if let Some(echo) = rounds(ECHO) {
        found.push(against(
            "CPU a query, against echo",
            &Round::microseconds,
            &[echo],
        ));
    }
    found.into_iter().flatten().collect()
}

fn summary(load: &str, figure: &'static str, ratios: Vec<f64>) -> Option<Ratio> {
    (!ratios.is_empty()).then(|| Ratio {
        load: load.to_owned(),
        figure,
        min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        max: ratios.iter().copied().fold(0.0, f64::max),
        median: median(ratios),
    })
}

#[cfg(test)]
mod tests;
