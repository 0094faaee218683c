use super::*;

fn handle() -> Handle {
    Handle::parse("reg-a").unwrap()
}

#[test]
fn a_password_fits_its_hash_and_no_other() {
    let hash = PasswordHash::of(&handle(), "foo-BAR2-baz").unwrap();
    assert!(hash.fits("foo-BAR2-baz"));
    assert!(!hash.fits("foo-BAR2-ba"));
    assert!(!PasswordHash::nobodys().fits("foo-BAR2-baz"));
    let again = PasswordHash::of(&handle(), "foo-BAR2-baz").unwrap();
    assert_ne!(again, hash, "two salts");
    assert_eq!(PasswordHash::try_from(hash.as_text()).unwrap(), hash);
    assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
}

#[test]
fn memory_is_used_again_and_holds_nothing_of_who_was_before() {
    let salt = [7; SALT_BYTES];
    let alone = stretch("foo-BAR2-baz", &salt).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|number| std::thread::spawn(move || stretch(&format!("other-{number}"), &[1; 16])))
        .collect();
    for thread in threads {
        assert_ne!(*thread.join().unwrap().unwrap(), *alone);
    }
    assert_eq!(*stretch("foo-BAR2-baz", &salt).unwrap(), *alone);
    let kept = memory::kept();
    assert!((1..=2).contains(&kept.len()), "{}", kept.len());
    let words = kept.iter().flatten().flat_map(AsRef::<[u64]>::as_ref);
    assert!(words.copied().all(|word| word == 0));
}

#[test]
fn what_is_no_password_is_refused_without_repeating_it() {
    let long = "ab".repeat(129);
    for text in [
        "short-1",
        &long,
        " blank before",
        "two  blanks",
        "a\u{7}bell-rings",
        "aaaaaaaaaa",
    ] {
        let error = PasswordHash::of(&handle(), text).unwrap_err();
        assert!(!error.to_string().contains(text), "{error}");
    }
    let named = Handle::parse("registrar-1").unwrap();
    assert!(PasswordHash::of(&named, "Registrar-1").is_err());
}

#[test]
fn a_pin_is_read_as_openssl_prints_it_and_as_digits() {
    let pin = Pin::of_certificate(b"abc");
    let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(pin.to_string(), digits);
    let pairs: Vec<_> = (0..64).step_by(2).map(|at| &digits[at..at + 2]).collect();
    assert_eq!(pairs.join(":").to_uppercase().parse::<Pin>().unwrap(), pin);
    for odd in [
        "",
        "ba78",
        &digits.replace('b', "g"),
        &format!("{digits}00"),
    ] {
        assert!(odd.parse::<Pin>().is_err(), "{odd}");
    }
}
