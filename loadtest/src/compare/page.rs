//! The comparison as one page of HTML with plots drawn in SVG; it loads nothing.

use std::fmt::Write as _;

use super::{Comparison, Load, Round, median, table};

/// Width of the plots, and what names and figures take of it.
const WIDTH: f64 = 860.0;
const NAMES: f64 = 90.0;
const FIGURES: f64 = 190.0;
/// Height of a bar and the space below it.
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;

const STYLE: &str = "body{font:15px/1.4 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
    svg{display:block;margin:.5em 0 2em}text{font:13px sans-serif;fill:currentColor}\
    .user{fill:#2a6fbb}.system{fill:#a9c5e4}.range{stroke:currentColor;stroke-width:1.5}\
    pre{overflow-x:auto;font-size:12px}\
    @media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}}";

/// The whole page.
pub(super) fn write(comparison: &Comparison) -> String {
    let mut page = String::new();
    write_page(comparison, &mut page).expect("a string takes everything");
    page
}

fn write_page(comparison: &Comparison, page: &mut String) -> std::fmt::Result {
    write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <title>Name servers compared</title><style>{STYLE}</style>\n\
         <h1>Name servers compared</h1>\n<p>{} delegations. Bars: processor time of the server \
         for a reply, in microseconds, median of the rounds; dark in user mode, light in the \
         kernel; the line spans the rounds.</p>\n",
        comparison.domains
    )?;
    for load in &comparison.loads {
        writeln!(page, "<h2>{}</h2>", escape(&load.name))?;
        write_plot(load, page)?;
    }
    writeln!(
        page,
        "<h2>All figures</h2>\n<pre>{}</pre>",
        escape(&table::format(comparison))
    )
}

fn write_plot(load: &Load, page: &mut String) -> std::fmt::Result {
    let longest = load.servers.iter().flat_map(|(_, rounds)| rounds);
    let longest = longest.map(Round::microseconds).fold(0.1, f64::max);
    let scale = (WIDTH - NAMES - FIGURES) / longest;
    let height = STEP * load.servers.len() as f64;
    writeln!(
        page,
        "<svg width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        escape(&load.name)
    )?;
    for (at, (server, rounds)) in load.servers.iter().enumerate() {
        let top = STEP * at as f64;
        let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure));
        let user = of(&|round| round.user_microseconds) * scale;
        let system = of(&|round| round.system_microseconds) * scale;
        let all = || {
            rounds
                .iter()
                .map(|round| NAMES + round.microseconds() * scale)
        };
        let (least, most) = (
            all().fold(f64::INFINITY, f64::min),
            all().fold(0.0, f64::max),
        );
        let (base, middle) = (top + BAR * 0.75, top + BAR / 2.0);
        writeln!(
            page,
            "<text x=\"0\" y=\"{base}\">{}</text>\
             <rect class=\"user\" x=\"{NAMES}\" y=\"{top}\" width=\"{user:.1}\" height=\"{BAR}\"/>\
             <rect class=\"system\" x=\"{:.1}\" y=\"{top}\" width=\"{system:.1}\" height=\"{BAR}\"/>\
             <line class=\"range\" x1=\"{least:.1}\" x2=\"{most:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
             <text x=\"{:.1}\" y=\"{base}\">{:.2} us, {:.0} replies a second</text>",
            escape(server),
            NAMES + user,
            most + 6.0,
            of(&Round::microseconds),
            of(&|round| round.rate)
        )?;
    }
    writeln!(page, "</svg>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
