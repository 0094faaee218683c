//! EPP for registrars (RFC 5730): what is said, without the connection it is said over.
//!
//! Octets become frames ([`frame`]), frames trees ([`xml`]), trees a [`Request`] that has
//! passed the rules of the schemas ([`request`]). [`dispatch`] turns it into commands of
//! the registry and their outcome into a [`Response`], which is written so that it
//! validates ([`response`]). All of that is pure: no socket, no clock, no database of its
//! own; [`server`] is around it and has them. Whatever a client sends ends in a request or in a [`Fault`], never in a panic.

pub mod code;
pub mod dispatch;
pub mod extension;
pub mod fault;
pub mod frame;
pub mod namespace;
pub mod request;
pub mod response;
pub mod server;
pub mod services;
pub mod xml;

pub use code::Code;
pub use fault::Fault;
pub use request::Request;
pub use response::{Greeting, Response};
pub use services::{Offer, Services};
