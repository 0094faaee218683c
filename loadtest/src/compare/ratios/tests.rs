use crate::compare::testing::comparison;

use super::*;

#[test]
fn ratios_compare_rounds_with_the_better_of_two_and_with_echo() {
    let ratios = all(&comparison().loads);
    let find = |figure: &str| ratios.iter().find(|ratio| ratio.figure == figure).unwrap();
    let cpu = find("CPU a query");
    assert_eq!((cpu.min, cpu.median, cpu.max), (0.25, 0.375, 0.5));
    let user = find("user time a query");
    assert_eq!((user.min, user.max), (0.1, 0.2));
    let echo = find("CPU a query, against echo");
    assert_eq!((echo.min, echo.max), (1.0, 2.0));
}

#[test]
fn without_meridian_or_without_peers_there_is_nothing_to_compare() {
    let mut load = comparison().loads.remove(0);
    load.servers.retain(|(name, _)| name == "Meridian");
    assert!(all(std::slice::from_ref(&load)).is_empty());
    load.servers.clear();
    assert!(all(&[load]).is_empty());
}
