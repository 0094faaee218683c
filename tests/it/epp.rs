//! EPP as registrars meet it, without a connection: frames in, frames out, over a registry.
//!
//! The same frames are held against the schemas by `peers::epp`, where xmllint is
//! installed.

pub(crate) mod desk;
pub(crate) mod examples;
pub(crate) mod life;
pub(crate) mod rst;
