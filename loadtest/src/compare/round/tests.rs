use crate::compare::testing::comparison;

use super::*;

#[test]
fn half_load_is_of_the_slowest_or_of_each_server() {
    let full = &comparison().loads[0];
    // Medians: Meridian 300,000 a second, Knot 100,000, NSD 50,000; echo does not count.
    assert_eq!(half_of_slowest(full), 25_000);
    assert_eq!(half_of_own(full, "Meridian"), 150_000);
    assert_eq!(half_of_own(full, "Knot"), 50_000);
}

#[test]
fn half_of_what_nobody_measured_is_a_fixed_rate() {
    let none = Load {
        name: "mixed".to_owned(),
        servers: Vec::new(),
    };
    assert_eq!(half_of_slowest(&none), RATE_OF_NONE);
    assert_eq!(half_of_own(&none, "Knot"), RATE_OF_NONE);
}
