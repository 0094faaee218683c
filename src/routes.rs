//! Whether the routes of this node are announced, and how that is said.
//!
//! A process of its own beside the server (`meridian edge announce`), so that a server that
//! hangs, or is stopped, is noticed by somebody who does not. It asks the server what any
//! client asks, over the addresses that are announced, and tells BIRD or ExaBGP what came of
//! it. A primary or a store that cannot be reached is no reason to withdraw anything: the
//! node goes on answering from what it has, and so would every other node.

pub mod announcer;
pub mod bird;
pub mod health;
pub mod probe;
