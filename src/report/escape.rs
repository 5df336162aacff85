//! Names from the cloud are chosen by strangers: here they lose what a format would obey.

use std::fmt::Write as _;

/// For terminals and plain text: control characters, line breaks and characters that reorder or
/// hide text become `\u{…}`.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Likewise, but keeps line breaks that are ours.
pub fn lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        let hostile = "a\x1b[31mred\r\n\u{202e}txt\u{200b}";
        assert_eq!(
            plain(hostile),
            r"a\u{1b}[31mred\u{d}\u{a}\u{202e}txt\u{200b}"
        );
    }
}
