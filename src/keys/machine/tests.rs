//! Rollovers step by step, and resolvers with caches of every age.

mod resolvers;
mod rollovers;
mod world;
