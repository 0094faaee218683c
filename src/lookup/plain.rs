//! Characters that may reach somebody's terminal or page.

/// Whether a character is shown as it is: no control character, no end of a line, and no
/// mark that turns the direction of writing.
pub(crate) fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
