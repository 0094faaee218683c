//! Labels in scripts of the world: IDNA2008 and tables of what a zone takes.
//!
//! [`IdnLabel`] is a label that RFC 5891 section 4 lets anybody register; a
//! [`Table`] (RFC 7940) says which of these a zone takes, and which labels look so
//! alike that only one of them may be registered. Both say no and why; neither
//! changes a label. Must never map: what was not typed is not what is registered
//! (RFC 5891 section 4.1).

mod context;
mod derived;
mod label;
mod table;

pub use label::{IdnLabel, LabelFault};
pub use table::{Refusal, Table, TableFault};
