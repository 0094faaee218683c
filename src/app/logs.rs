//! Logs on standard error, and what a panic writes there.

use std::io::stderr;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;

use crate::clock::unix_seconds;
use crate::config::{Log, LogFormat, LogLevel};

/// Sets up logs and the panic hook for the whole process; the first call counts.
pub fn init(log: Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(stderr);
    let set = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if set.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Logs a panic, at most one a second: a query of death comes in numbers, and
/// must not fill a disk. Every one is counted where it is caught.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = unix_seconds();
    if LAST.swap(now, Ordering::Relaxed) == now {
        return;
    }
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let thread = std::thread::current()
        .name()
        .unwrap_or("unnamed")
        .to_owned();
    tracing::error!(message, place, thread, "panic");
}
