use super::*;

fn pending(due: u64) -> Pending {
    Pending { due, query: 0 }
}

#[test]
fn ids_are_used_in_turn_and_found_until_closed() {
    let mut window = Window::new();
    assert_eq!(window.open(pending(5)), Some(0));
    assert_eq!(window.open(pending(6)), Some(1));
    assert_eq!(window.find(0), Some(pending(5)));
    window.close(0);
    assert_eq!(window.find(0), None);
    assert_eq!(window.find(1), Some(pending(6)));
    assert_eq!(window.under_way(), 1);
}

#[test]
fn a_full_window_opens_nothing_more() {
    let mut window = Window::new();
    for due in 0..65_536 {
        assert!(window.open(pending(due)).is_some());
    }
    assert_eq!(window.open(pending(65_536)), None);
    window.close(0);
    assert_eq!(window.open(pending(65_537)), Some(0));
}

#[test]
fn only_queries_older_than_the_limit_expire() {
    let mut window = Window::new();
    for due in 0..10 {
        window.open(pending(due));
    }
    window.close(2);
    assert_eq!(window.expire(5), 4);
    assert_eq!(window.under_way(), 5);
    assert_eq!(window.find(4), None);
    assert_eq!(window.find(5), Some(pending(5)));
    assert_eq!(window.expire(5), 0);
    assert_eq!(window.expire(u64::MAX), 5);
    assert_eq!(window.expire(u64::MAX), 0);
}

#[test]
fn expiry_goes_on_past_the_wrap_of_ids() {
    let mut window = Window::new();
    for due in 0..200_000 {
        let id = window.open(pending(due)).unwrap();
        if due % 1000 != 0 {
            window.close(id);
        }
        if due >= 10_000 {
            window.expire(due - 10_000);
        }
    }
    assert_eq!(window.under_way(), 10);
    assert_eq!(window.expire(u64::MAX), 10);
}

#[test]
fn unsent_queries_give_their_ids_back() {
    let mut window = Window::new();
    for due in 0..5 {
        window.open(pending(due));
    }
    window.take_back(2);
    assert_eq!(window.under_way(), 3);
    assert_eq!(window.open(pending(9)), Some(3));
}
