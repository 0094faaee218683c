//! Signals that the server listens for.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Those that end it, and the one that makes it read its files again.
pub(super) struct Signals {
    pub(super) terminate: Signal,
    pub(super) interrupt: Signal,
    pub(super) hangup: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for so long, so that routes go elsewhere before the server does; another signal
    /// to end cuts it short.
    pub(super) async fn end_or(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        tracing::info!(seconds = time.as_secs(), "draining");
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}
