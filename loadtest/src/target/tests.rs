use super::*;

fn check(text: &str, accepted: bool) {
    assert_eq!(text.parse::<Target>().is_ok(), accepted, "{text}");
}

#[test]
fn only_loopback_is_a_target() {
    check("127.0.0.1:53", true);
    check("127.200.3.4:5300", true);
    check("[::1]:53", true);
    check("192.0.2.1:53", false);
    check("0.0.0.0:53", false);
    check("128.0.0.1:53", false);
    check("[::]:53", false);
    check("[2001:db8::1]:53", false);
    check("[::ffff:192.0.2.1]:53", false);
    check("[::ffff:127.0.0.1]:53", false);
    check("127.0.0.1:0", false);
    check("127.0.0.1", false);
    check("localhost:53", false);
}
