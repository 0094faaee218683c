//! Looks, judges, tells: once in each interval, for as long as it runs.
//!
//! BIRD is told again from time to time, so that one that was restarted is mended. ExaBGP
//! reads what is printed, and takes all routes back by itself when this process ends.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bird::Bird;
use super::health::{Judge, Look, Reason, Route, Thresholds};
use super::probe::Probe;

/// How often BIRD is told though nothing changed.
const TELL_INTERVAL: Duration = Duration::from_secs(10);

/// Who is told.
#[derive(Debug)]
pub enum Speaker<W> {
    /// BIRD, by its control socket.
    Bird(Bird),
    /// ExaBGP, which started this process and reads what it prints.
    ExaBgp(W),
}

/// What is looked at, and how often.
pub struct Settings {
    /// Addresses that are announced, and asked.
    pub addresses: Vec<SocketAddr>,
    /// How they are asked.
    pub probe: Probe,
    /// How many looks it takes.
    pub thresholds: Thresholds,
    /// Between two looks.
    pub interval: Duration,
    /// Whether the server wants queries at all; `None` where it does not say, which is no
    /// reason to withdraw anything.
    pub is_ready: Box<dyn Fn() -> Option<bool>>,
}

/// The running loop.
pub struct Announcer<W> {
    settings: Settings,
    speaker: Speaker<W>,
    judge: Judge,
    /// What was told, and when.
    told: Option<(Route, Instant)>,
    /// Why it was not told.
    fault: Option<String>,
    /// What was wrong at the last look.
    reason: Option<Reason>,
    next_id: u16,
}

impl<W: Write> Announcer<W> {
    /// Begins with what BIRD has; ExaBGP has nothing yet.
    pub fn new(settings: Settings, speaker: Speaker<W>) -> Self {
        let route = match &speaker {
            // It may have the route of a server that is well: what it is told waits for looks.
            Speaker::Bird(bird) => match bird.route() {
                Ok(route) => Some(route),
                Err(error) => {
                    tracing::warn!(%error, "it is not known what is announced");
                    None
                }
            },
            Speaker::ExaBgp(_) => Some(Route::Withdrawn),
        };
        Self {
            judge: Judge::new(settings.thresholds, route),
            settings,
            speaker,
            told: None,
            fault: None,
            reason: None,
            next_id: 1,
        }
    }

    /// Runs until nobody listens any more.
    pub fn run(mut self) -> std::io::Result<()> {
        loop {
            let begun = Instant::now();
            self.turn()?;
            sleep(self.settings.interval.saturating_sub(begun.elapsed()));
        }
    }

    /// One look with what follows from it; gives what is announced now, if that is known.
    pub fn turn(&mut self) -> std::io::Result<Option<Route>> {
        let look = self.look();
        let reason = match &look {
            Look::Bad(reason) => Some(reason.clone()),
            _ => None,
        };
        if reason != self.reason {
            match &reason {
                Some(reason) => tracing::warn!(%reason, "the server does not answer as it should"),
                None => tracing::info!("the server answers"),
            }
            self.reason = reason;
        }
        let Some(route) = self.judge.see(&look) else {
            return Ok(None);
        };
        let is_news = self.told.is_none_or(|(told, _)| told != route);
        let is_due = self
            .told
            .is_none_or(|(_, at)| at.elapsed() >= TELL_INTERVAL);
        if is_news || is_due && matches!(self.speaker, Speaker::Bird(_)) {
            self.tell(route, is_news)?;
        }
        Ok(Some(route))
    }

    fn look(&mut self) -> Look {
        for address in &self.settings.addresses {
            self.next_id = self.next_id.wrapping_add(super::probe::QUERIES);
            if let Err(reason) = self.settings.probe.look(*address, self.next_id) {
                return Look::Bad(reason);
            }
        }
        // Asked last: one that hangs does not answer this either, and that would take longer.
        match (self.settings.is_ready)() {
            Some(false) => Look::Leaving,
            _ => Look::Good,
        }
    }

    fn tell(&mut self, route: Route, is_news: bool) -> std::io::Result<()> {
        match &mut self.speaker {
            Speaker::Bird(bird) => {
                if let Err(error) = bird.set(route) {
                    // Told again at the next turn, and said once.
                    let fault = error.to_string();
                    if self.fault.as_ref() != Some(&fault) {
                        tracing::error!(error = fault, ?route, "BIRD is not told");
                    }
                    self.fault = Some(fault);
                    self.told = None;
                    return Ok(());
                }
                self.fault = None;
            }
            Speaker::ExaBgp(output) => {
                let addresses = self.settings.addresses.iter().map(SocketAddr::ip);
                for address in addresses {
                    writeln!(output, "{}", sentence(route, address))?;
                }
                output.flush()?;
            }
        }
        if is_news {
            tracing::info!(?route, "told");
        }
        self.told = Some((route, Instant::now()));
        Ok(())
    }
}

/// A line of ExaBGP's text API.
fn sentence(route: Route, address: IpAddr) -> String {
    let verb = match route {
        Route::Announced => "announce",
        Route::Withdrawn => "withdraw",
    };
    let length = if address.is_ipv4() { 32 } else { 128 };
    format!("{verb} route {address}/{length} next-hop self")
}

#[cfg(test)]
mod tests;
