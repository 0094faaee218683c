//! The answers of the engine, one line a case; hickory-proto decodes them.

mod asked;
mod messages;
mod signed;
mod zones;
