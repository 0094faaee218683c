use super::{Frames, Setup, Stage};

#[test]
fn frames_hold_what_they_are_about() {
    let frames = Frames::new("x-", vec!["there.example".to_owned()]);
    let create = frames.create(3, 7);
    assert!(create.contains("<domain:name>x-3-7.example</domain:name>"));
    assert_eq!(create.matches("<domain:hostObj>").count(), 2);
    assert!(frames.info(3, 7).contains("<domain:name>there.example<"));
    let login = Frames::login("reg", "a<b&c");
    assert!(login.contains("<pw>a&lt;b&amp;c</pw>"), "{login}");
}

#[test]
fn a_server_that_is_not_there_is_a_fault_that_names_it() {
    let setup = Setup {
        meridian: "/nonexistent/meridian".into(),
        database: None,
        domains: 10,
        config: String::new(),
    };
    let error = Stage::new(&setup).err().map(|error| format!("{error:#}"));
    assert!(error.unwrap().contains("/nonexistent/meridian"));
}
