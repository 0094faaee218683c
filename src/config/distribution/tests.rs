use super::*;

#[test]
fn secrets_go_to_tls_or_to_this_machine_only() {
    for good in [
        "https://primary.example:8953",
        "https://192.0.2.1",
        "http://127.0.0.1:9000",
        "http://127.1.2.3",
        "http://[::1]:9000",
    ] {
        assert!(is_guarded(good), "{good}");
        assert_eq!(parse_place(good), Some(Place::Primary(good.to_owned())));
    }
    for bad in [
        "http://127.evil.example:9000",
        "http://127.0.0.1.evil.example",
        "http://[::2]:9000",
        "http://localhost:9000",
        "http://192.0.2.1",
        "http://127.0.0.1@evil.example",
        "ftp://127.0.0.1",
        "https://",
        "127.0.0.1:9000",
    ] {
        assert!(!is_guarded(bad), "{bad}");
        assert_eq!(parse_place(bad), None, "{bad}");
    }
}
