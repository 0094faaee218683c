use crate::compare::testing::comparison;

use super::*;

#[test]
fn the_page_has_a_bar_for_each_server_and_loads_nothing() {
    let page = write(&comparison());
    assert_eq!(page.matches("<rect class=\"user\"").count(), 4);
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    for forbidden in ["http:", "https:", "src=", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn what_servers_say_is_text_and_no_markup() {
    let page = write(&comparison());
    assert!(page.contains("&lt;Knot&gt;") && page.contains("no &amp; never"));
}
