//! Bytes as text: what may reach a terminal.

use core::fmt;

/// Bytes that q prints as they are: symbols, the texts of functions and errors.
///
/// `Display` writes them as they are where they are UTF-8, and `\ooo` for each byte that is not,
/// and of characters that would steer the terminal or mislead the reader.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in pieces(self.0).flat_map(<[u8]>::utf8_chunks) {
            let mut rest = chunk.valid();
            while let Some((at, steering)) = rest.char_indices().find(|(_, c)| steers(*c)) {
                let (plain, from) = rest.split_at(at);
                let (steering, behind) = from.split_at(steering.len_utf8());
                f.write_str(plain)?;
                write_octal(steering.as_bytes(), f)?;
                rest = behind;
            }
            f.write_str(rest)?;
            write_octal(chunk.invalid(), f)?;
        }
        Ok(())
    }
}

/// Writes the inside of a q string: what stands between its quotes.
pub(super) fn write_chars(chars: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    let pieces = chars.chunks(PIECE);
    for run in pieces.flat_map(|piece| piece.chunk_by(|a, b| is_plain(*a) && is_plain(*b))) {
        match run {
            b"\"" => f.write_str("\\\"")?,
            b"\\" => f.write_str("\\\\")?,
            b"\n" => f.write_str("\\n")?,
            b"\r" => f.write_str("\\r")?,
            b"\t" => f.write_str("\\t")?,
            _ => match str::from_utf8(run) {
                Ok(plain) if run.first().copied().is_some_and(is_plain) => f.write_str(plain)?,
                _ => write_octal(run, f)?,
            },
        }
    }
    Ok(())
}

/// Cuts bytes into pieces of at most [`PIECE`], none of them within a character.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, behind) = rest.split_at(end_of_piece(rest));
        rest = behind;
        Some(piece)
    })
}

/// Returns where the first piece of some bytes ends: after [`PIECE`] of them, or where the character
/// begins that would not be whole.
fn end_of_piece(bytes: &[u8]) -> usize {
    let begins = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80);
    if bytes.len() <= PIECE {
        return bytes.len();
    }
    let mut ends = (PIECE - 3..=PIECE).rev();
    ends.find(begins).unwrap_or(PIECE)
}

fn write_octal(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\{byte:03o}"))
}

/// Returns whether a character does something else than to show: the control characters, the
/// separators of lines and paragraphs, and of the format characters (Cf in Unicode) those without
/// a shape. The joiners U+200C and U+200D, which Persian, Indic scripts and emoji are written
/// with, pass.
const fn steers(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}' // soft hyphen
            | '\u{61c}' // Arabic letter mark
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}' // zero-width space
            | '\u{200e}'..='\u{200f}' // left-to-right, right-to-left marks
            | '\u{2028}'..='\u{202e}' // line, paragraph separators; embeddings, overrides
            | '\u{2060}'..='\u{206f}' // invisible operators; isolates
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
    )
}

/// How many bytes of a text are looked at before the first of them is written, so that whoever
/// stops writing, after a line say, stops reading as well.
const PIECE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_in_pieces_that_do_not_cut_a_character() {
        for unit in ["a", "é", "価", "\u{1F468}"] {
            for shift in 0..4 {
                let text = "a".repeat(shift) + &unit.repeat(2 * PIECE / unit.len());
                assert_eq!(Escaped(text.as_bytes()).to_string(), text);
                assert!(pieces(text.as_bytes()).all(|piece| piece.len() <= PIECE));
            }
        }
        let continued = [0x80; 2 * PIECE];
        assert_eq!(Escaped(&continued).to_string(), r"\200".repeat(2 * PIECE));
    }

    #[test]
    fn who_stops_writing_stops_reading() {
        use crate::value::{Char, Symbol, Value};

        let chars: Vec<Char> = vec![Char(b'a'); 100 * PIECE];
        let name = Symbol::new(vec![b'a'; 100 * PIECE]).unwrap();
        for value in [
            Value::from(chars),
            Value::from(name),
            Value::from(vec![1_i64; 100 * PIECE]),
            Value::from(vec![0.5; 100 * PIECE]),
            Value::from(vec![true; 100 * PIECE]),
            Value::from((vec![1_i64; 100 * PIECE], "text")),
        ] {
            let mut line = Line { room: 80, seen: 0 };
            fmt::Write::write_fmt(&mut line, format_args!("{value}")).unwrap_err();
            assert!(line.seen <= 81 + PIECE, "{} bytes were written", line.seen);
        }
    }

    /// A writer that fails when its room is used up.
    struct Line {
        room: usize,
        seen: usize,
    }

    impl fmt::Write for Line {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.seen += text.len();
            self.room = self.room.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    #[test]
    fn text_shows_as_it_is() {
        for text in [
            "",
            "a",
            "hello world",
            "é€",
            "価格",
            "\u{1F468}\u{200D}\u{1F469}",
            "می\u{200c}خواهم",
            "e\u{301}",
            "a\u{a0}b",
        ] {
            assert_eq!(Escaped(text.as_bytes()).to_string(), text);
        }
    }

    #[test]
    fn what_steers_a_terminal_and_what_is_no_text_shows_in_octal() {
        for (bytes, text) in [
            (&b"a\nb"[..], r"a\012b"),
            (b"\0\x1b[2J\x7f", r"\000\033[2J\177"),
            (b"\xff\xfe\x80a", r"\377\376\200a"),
            (b"\xc3", r"\303"),
            (b"\xc3(", r"\303("),
            (b"\xed\xa0\x80", r"\355\240\200"),
            ("é\u{85}".as_bytes(), r"é\302\205"),
            ("\u{9b}31m".as_bytes(), r"\302\23331m"),
            (
                "\u{2028}\u{202e}x\u{2066}".as_bytes(),
                r"\342\200\250\342\200\256x\342\201\246",
            ),
            ("\u{feff}".as_bytes(), r"\357\273\277"),
        ] {
            assert_eq!(Escaped(bytes).to_string(), text, "{bytes:?}");
        }
    }
}
