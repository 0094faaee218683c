//! The answers of the engine, one line a case; hickory-proto decodes them.

mod asked;
mod batches;
mod corpus;
mod messages;
mod options;
mod parked;
mod probes;
mod rates;
mod rows;
mod signed;
mod zones;
