//! Synthetic zones and load, on loopback only.
