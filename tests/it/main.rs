//! One binary of tests that look at Meridian from outside.

mod peers;
mod soak;
mod supply;
mod tidy;
