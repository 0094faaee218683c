//! One binary of tests that look at Meridian from outside.

mod peers;
mod supply;
mod tidy;
