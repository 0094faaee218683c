//! Kill at every write.
