//! Swaps under load: nothing lost, nothing mixed.
