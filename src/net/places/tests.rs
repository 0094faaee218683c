use super::*;

#[test]
fn a_network_and_all_of_them_have_their_limits_and_places_come_back() {
    let places = Arc::new(Places::new(3, 2));
    let admit = |peer: &str| Places::admit(&places, peer.parse().unwrap());
    let first = admit("192.0.2.1").unwrap();
    let _second = admit("::ffff:192.0.2.200").unwrap();
    assert_eq!(admit("192.0.2.3").unwrap_err(), Full::Prefix);
    let _third = admit("2001:db8:1::1").unwrap();
    assert_eq!(admit("192.0.3.1").unwrap_err(), Full::All);
    drop(first);
    admit("192.0.2.3").unwrap();
    assert_eq!(places.lock().by_prefix.len(), 2);
}
