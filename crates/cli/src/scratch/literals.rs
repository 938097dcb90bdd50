//! Constants as q writes them: numbers, strings, symbols.
//!
//! Each function reads one noun that begins at a place in a text, and returns it and where it ends.

use hopen_codec::value::{Char, Nullable, Symbol, SymbolRef, Value};

use super::signal::Signal;

/// Returns whether a number begins at a place, a minus sign in front of it included.
pub(super) fn begins_number(text: &[u8], at: usize) -> bool {
    let text = text.get(at..).unwrap_or_default();
    match text.strip_prefix(b"-").unwrap_or(text) {
        [b'.', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
        [] => false,
    }
}

/// Reads numbers with blanks between them: an atom where there is one, else a vector, of floats
/// where one of them is a float.
///
/// Among floats `0N` is `0n` and `0W` is `0w` (not checked against a live q).
pub(super) fn numbers(text: &[u8], start: usize) -> Result<(Value, usize), Signal> {
    let (first, mut end) = number(text, start)?;
    let mut numbers = vec![first];
    loop {
        let next = end + blanks(text, end);
        if next == end || !begins_number(text, next) {
            break;
        }
        let (number, after) = number(text, next)?;
        numbers.push(number);
        end = after;
    }
    let longs = numbers.iter().map(|number| match number {
        Number::Long(long) => Some(*long),
        Number::Float(_) => None,
    });
    let value = match (&numbers[..], longs.collect::<Option<Vec<_>>>()) {
        ([Number::Long(long)], _) => Value::from(*long),
        ([Number::Float(float)], _) => Value::from(*float),
        (_, Some(longs)) => Value::from(longs),
        (numbers, None) => Value::from(numbers.iter().map(Number::to_float).collect::<Vec<_>>()),
    };
    Ok((value, end))
}

/// Reads a string: a char atom where it is of one character, else a char vector.
pub(super) fn string(text: &[u8], start: usize) -> Result<(Value, usize), Signal> {
    let mut chars = Vec::new();
    let mut at = start + 1;
    loop {
        match text.get(at..).unwrap_or_default() {
            [] => return Err(Signal::Unpaired(b'"')),
            [b'"', ..] => break,
            [b'\\', escaped @ ..] => {
                let (char, length) = escape(escaped).ok_or(Signal::Parse { at })?;
                chars.push(char);
                at += 1 + length;
            }
            [char, ..] => {
                chars.push(*char);
                at += 1;
            }
        }
    }
    let value = match chars[..] {
        [char] => Value::from(Char(char)),
        _ => Value::from(chars),
    };
    Ok((value, at + 1))
}

/// Reads symbols one behind the other without blanks: an atom where there is one, else a vector.
pub(super) fn symbols(text: &[u8], start: usize) -> Result<(Value, usize), Signal> {
    let mut names = Vec::new();
    let mut at = start;
    while text.get(at) == Some(&b'`') {
        let end = at + 1 + symbol_length(&text[at + 1..]);
        let name = SymbolRef::new(&text[at + 1..end]).map_err(|_| Signal::Char)?;
        names.push(name);
        at = end;
    }
    let value = match names[..] {
        [name] => Value::from(name),
        _ => Value::from(names),
    };
    Ok((value, at))
}

/// Reads a name.
pub(super) fn name(text: &[u8], start: usize) -> Result<(Symbol, usize), Signal> {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| is_of_name(**byte)).count();
    let name = Symbol::new(&rest[..length]).map_err(|_| Signal::Char)?;
    Ok((name, start + length))
}

/// Returns how many blanks stand at a place.
pub(super) fn blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| is_blank(**byte)).count()
}

/// A number as it is written.
enum Number {
    Long(i64),
    Float(f64),
}

impl Number {
    fn negated(&self) -> Self {
        match self {
            Self::Long(long) => Self::Long(long.wrapping_neg()),
            Self::Float(float) => Self::Float(-float),
        }
    }

    fn to_float(&self) -> f64 {
        match *self {
            Self::Float(float) => float,
            Self::Long(long) if long.is_null() => f64::NULL,
            Self::Long(i64::MAX) => f64::INFINITY,
            Self::Long(long) if long == -i64::MAX => f64::NEG_INFINITY,
            Self::Long(long) => long as f64,
        }
    }
}

/// Reads one number. The word is taken whole, so that what is none of ours (`1i`, `0x2a`,
/// `2000.01.01`, `12:00`) is named.
fn number(text: &[u8], start: usize) -> Result<(Number, usize), Signal> {
    let rest = text.get(start..).unwrap_or_default();
    let (rest, word_start) = match rest.strip_prefix(b"-") {
        Some(rest) => (rest, start + 1),
        None => (rest, start),
    };
    let word = &rest[..word_length(rest)];
    let number = match word {
        b"0N" => Number::Long(i64::NULL),
        b"0W" => Number::Long(i64::MAX),
        b"0n" => Number::Float(f64::NULL),
        b"0w" => Number::Float(f64::INFINITY),
        digits if digits.iter().all(u8::is_ascii_digit) => {
            Number::Long(parsed(digits).ok_or(Signal::Parse { at: start })?)
        }
        _ => {
            let float = word.strip_suffix(b"f").unwrap_or(word);
            if !is_float(float) {
                return Err(Signal::missing(word));
            }
            Number::Float(parsed(float).ok_or(Signal::Parse { at: start })?)
        }
    };
    let number = if word_start > start {
        number.negated()
    } else {
        number
    };
    Ok((number, word_start + word.len()))
}

/// Returns how long the word is that a number begins. The sign of an exponent belongs to it.
fn word_length(text: &[u8]) -> usize {
    let mut decimal = true;
    let mut length = 0;
    while let Some(byte) = text.get(length) {
        match byte {
            b'0'..=b'9' | b'.' => {}
            b'e' if decimal => {
                decimal = false;
                if let Some([b'+' | b'-', b'0'..=b'9']) = text.get(length + 1..length + 3) {
                    length += 1;
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' | b':' => decimal = false,
            _ => break,
        }
        length += 1;
    }
    length
}

/// Returns whether a word is a float: digits, perhaps a point among them, perhaps an exponent.
fn is_float(word: &[u8]) -> bool {
    let mut parts = word.splitn(2, |byte| *byte == b'e');
    let mantissa = parts.next().unwrap_or_default();
    let points = mantissa.iter().filter(|byte| **byte == b'.').count();
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    let exponent_is_one = parts.next().is_none_or(|exponent| {
        let digits = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    });
    points <= 1 && digits > 0 && points + digits == mantissa.len() && exponent_is_one
}

/// Reads digits as Rust does; `None` where the number does not fit.
fn parsed<T: core::str::FromStr>(word: &[u8]) -> Option<T> {
    core::str::from_utf8(word).ok()?.parse().ok()
}

/// Reads what follows a backslash: the char, and how many bytes stand for it.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    Some(match text {
        [b'n', ..] => (b'\n', 1),
        [b't', ..] => (b'\t', 1),
        [b'r', ..] => (b'\r', 1),
        [char @ (b'"' | b'\\'), ..] => (*char, 1),
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            (((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'), 3)
        }
        _ => return None,
    })
}

/// Returns how long a symbol is. One that begins with a colon is a handle or a path, which have
/// slashes.
fn symbol_length(text: &[u8]) -> usize {
    let is_path = text.first() == Some(&b':');
    text.iter()
        .take_while(|byte| is_of_name(**byte) || **byte == b':' || (is_path && **byte == b'/'))
        .count()
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_'
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, printed, end) in [
            ("1", "1", 1),
            ("-3", "-3", 2),
            ("1 2  3 ", "1 2 3", 6),
            ("2 -1", "2 -1", 4),
            ("2 - 1", "2", 1),
            ("2-1", "2", 1),
            ("1 x", "1", 1),
            ("2.5", "2.5", 3),
            (".5 5.", "0.5 5", 5),
            ("1e3", "1000f", 3),
            ("1e-3 2E", "nyi: 2E", 0),
            ("1e-3-2", "0.001", 4),
            ("1e+2f", "100f", 5),
            ("3f", "3f", 2),
            ("1 2.5 3", "1 2.5 3", 7),
            ("0N 0W -0W", "0N 0W -0W", 9),
            ("0n 0w -0w", "0n 0w -0w", 9),
            ("0N 0W -0W 1 2.5", "0n 0w -0w 1 2.5", 15),
            ("-0N", "0N", 3),
            ("9223372036854775807", "0W", 19),
            ("9223372036854775808", "parse: at 0", 0),
            ("1 9223372036854775808", "parse: at 2", 0),
            ("1e400", "0w", 5),
            ("1i", "nyi: 1i", 0),
            ("0x2a", "nyi: 0x2a", 0),
            ("2000.01.01D12:00", "nyi: 2000.01.01D12:00", 0),
            ("12:00", "nyi: 12:00", 0),
            ("1e", "nyi: 1e", 0),
            ("1e5e5", "nyi: 1e5e5", 0),
            ("1ff", "nyi: 1ff", 0),
        ] {
            check(numbers(text.as_bytes(), 0), text, printed, end);
        }
    }

    #[test]
    fn strings_know_q_s_escapes() {
        for (text, printed, end) in [
            (r#""abc" 1"#, r#""abc""#, 5),
            (r#""""#, r#""""#, 2),
            (r#""a""#, r#""a""#, 3),
            (r#""\n""#, r#""\n""#, 4),
            (r#""\t\r\"\\\101z""#, r#""\t\r\"\\Az""#, 15),
            (r#""\377\000""#, r#""\377\000""#, 10),
            (r#""\400""#, "parse: at 1", 0),
            (r#""a\08""#, "parse: at 2", 0),
            (r#""\q""#, "parse: at 1", 0),
            (r#""abc"#, "\"", 0),
            (r#""abc\""#, "\"", 0),
            (r#"""#, "\"", 0),
        ] {
            check(string(text.as_bytes(), 0), text, printed, end);
        }
        let (one, _) = string(b"\"a\"", 0).unwrap();
        assert_eq!(one, Value::from(Char(b'a')));
    }

    #[test]
    fn symbols_stand_one_behind_the_other() {
        for (text, printed, end) in [
            ("`a", "`a", 2),
            ("`", "`", 1),
            ("`a`b`c x", "`a`b`c", 6),
            ("``a", "``a", 3),
            ("`a `b", "`a", 2),
            ("`a.b_2:c/d", "`a.b_2:c", 8),
            ("`:host:5010`x", "`:host:5010`x", 13),
            ("`:a/b", "`:a/b", 5),
            ("`a-1", "`a", 2),
        ] {
            check(symbols(text.as_bytes(), 0), text, printed, end);
        }
    }

    fn check(read: Result<(Value, usize), Signal>, text: &str, printed: &str, end: usize) {
        let read = match read {
            Ok((value, end)) => (value.to_string(), end),
            Err(signal) => (
                hopen_codec::remote_error::RemoteError::from(signal).to_string(),
                0,
            ),
        };
        assert_eq!(read, (printed.to_owned(), end), "{text}");
    }
}
