//! A thread beside the server, which is waited for when it is dropped, but not for ever.
//!
//! Whoever has one tells it to end first: by a field before it that is dropped, or by a
//! `Drop` of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The running thread.
#[derive(Debug)]
pub(crate) struct Background {
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    patience: Duration,
}

impl Background {
    /// Starts it; `patience` is the longest wait for its end.
    pub(crate) fn spawn(
        name: &str,
        patience: Duration,
        body: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (end, ended) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                body();
                drop(end);
            })?;
        Ok(Self {
            ended,
            thread: Some(thread),
            patience,
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let is_over = self.ended.recv_timeout(self.patience) != Err(RecvTimeoutError::Timeout);
        if let Some(thread) = self.thread.take().filter(|_| is_over) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
