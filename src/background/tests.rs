//! The end of a thread: waited for, and no longer than was said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_thread_that_ends_is_waited_for() {
    let is_done = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&is_done);
    let (stop, stopped) = sync_channel::<()>(1);
    let thread = Background::spawn("test", LONG, move || {
        assert!(stopped.recv().is_err());
        done.store(true, Ordering::Release);
    });
    drop(stop);
    drop(thread.unwrap());
    assert!(is_done.load(Ordering::Acquire));
}

#[test]
fn a_thread_that_panics_is_over() {
    drop(Background::spawn("test", LONG, || panic!("as it should")).unwrap());
}

#[test]
fn a_thread_that_does_not_end_is_left() {
    let (stop, stopped) = sync_channel::<()>(1);
    let thread = Background::spawn("test", Duration::ZERO, move || {
        let _ = stopped.recv();
    });
    // Would wait for ever: nobody tells it.
    drop(thread.unwrap());
    drop(stop);
}
