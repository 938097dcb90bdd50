//! Text that others chose, made fit for one line of a terminal.

use core::fmt::{self, Write as _};

/// Prints letters, digits and what ASCII can print as they are, a backslash doubled, and the bytes
/// of everything else as `\ooo`: no control character, no change of direction, no line break.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            if char == '\\' {
                f.write_str("\\\\")?;
            } else if char == ' ' || char.is_ascii_graphic() || char.is_alphanumeric() {
                f.write_char(char)?;
            } else {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    write!(f, "\\{byte:03o}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_drives_a_terminal() {
        for (text, printed) in [
            ("C=US, CN=a b", "C=US, CN=a b"),
            ("Zürich", "Zürich"),
            ("\x1b[2J", "\\033[2J"),
            ("a\nb\\", "a\\012b\\\\"),
            ("\u{202e}gpj", "\\342\\200\\256gpj"),
            ("\u{9b}31m", "\\302\\23331m"),
        ] {
            assert_eq!(Printable(text).to_string(), printed);
        }
    }
}
