//! From a text to its tokens.

use hopen_codec::value::{BinaryPrimitive, Symbol, Value};

use super::literals;
use super::signal::Signal;

/// A piece of a text that means something by itself.
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it begins, in bytes from the start of the text.
    pub(super) at: usize,
}

/// What a token is.
pub(super) enum TokenKind {
    /// A constant: `1 2 3`, `"abc"`, `` `a ``.
    Noun(Value),
    /// A name.
    Name(Symbol),
    /// `+`, `-`, `*`, `%` or `,`.
    Verb(BinaryPrimitive),
    /// `:`.
    Colon,
    /// `::`.
    Identity,
    /// `(`.
    OpenParenthesis,
    /// `)`.
    CloseParenthesis,
    /// `[`.
    OpenBracket,
    /// `]`.
    CloseBracket,
    /// `;`.
    Semicolon,
}

impl TokenKind {
    /// Returns whether an operand ends here: what a verb to the right of it takes.
    pub(super) const fn ends_operand(&self) -> bool {
        match self {
            Self::Noun(_)
            | Self::Name(_)
            | Self::Identity
            | Self::CloseParenthesis
            | Self::CloseBracket => true,
            Self::Verb(_)
            | Self::Colon
            | Self::OpenParenthesis
            | Self::OpenBracket
            | Self::Semicolon => false,
        }
    }
}

/// Reads all tokens of a text.
///
/// A minus sign belongs to the number behind it, unless a constant, a name, a closing parenthesis
/// or a closing bracket stands right before it, without a blank: `2-1` is 1, `2 -1` is two
/// numbers, and `x -1` is `x` applied to -1. That is q's rule:
/// [KX, Syntax, Spaces](https://code.kx.com/q/basics/syntax/#spaces). Nowhere else but between
/// numbers and between symbols does it matter whether there are blanks.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token>, Signal> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut end = 0;
    loop {
        let at = end + literals::blanks(text, end);
        let Some(byte) = text.get(at) else {
            return Ok(tokens);
        };
        let before = tokens.last().filter(|_| at == end);
        let kind;
        (kind, end) = match byte {
            b'-' if before.is_some_and(|token| token.kind.ends_operand()) => verb(text, at)?,
            _ if literals::begins_number(text, at) => noun(literals::numbers(text, at)?),
            b'+' | b'-' | b'*' | b'%' | b',' => verb(text, at)?,
            b'"' => noun(literals::string(text, at)?),
            b'`' => noun(literals::symbols(text, at)?),
            b'a'..=b'z' | b'A'..=b'Z' => name(text, at)?,
            b'.' if text.get(at + 1).is_some_and(u8::is_ascii_alphabetic) => name(text, at)?,
            b':' => colon(text, at, tokens.last())?,
            b'(' => (TokenKind::OpenParenthesis, at + 1),
            b')' => (TokenKind::CloseParenthesis, at + 1),
            b'[' => (TokenKind::OpenBracket, at + 1),
            b']' => (TokenKind::CloseBracket, at + 1),
            b';' => (TokenKind::Semicolon, at + 1),
            b'!'..=b'~' => return Err(Signal::missing([*byte])),
            _ => return Err(Signal::Char),
        };
        tokens.push(Token { kind, at });
    }
}

fn noun((value, end): (Value, usize)) -> (TokenKind, usize) {
    (TokenKind::Noun(value), end)
}

/// Reads a name. The words that begin a query in q's SQL have a grammar of their own.
fn name(text: &[u8], at: usize) -> Result<(TokenKind, usize), Signal> {
    let (name, end) = literals::name(text, at)?;
    if QUERIES.iter().any(|word| name == *word) {
        return Err(Signal::missing(name));
    }
    Ok((TokenKind::Name(name), end))
}

fn verb(text: &[u8], at: usize) -> Result<(TokenKind, usize), Signal> {
    let spelt = &text[at..=at];
    if text.get(at + 1) == Some(&b':') {
        // `x+:1` and q's unary forms.
        return Err(Signal::missing(&text[at..at + 2]));
    }
    let verb = (0..=u8::MAX)
        .filter_map(BinaryPrimitive::new)
        .find(|verb| verb.name().as_bytes() == spelt)
        .ok_or_else(|| Signal::missing(spelt))?;
    Ok((TokenKind::Verb(verb), at + 1))
}

/// Reads `:` or `::`. Behind a name the latter defines a view, which is not there.
fn colon(text: &[u8], at: usize, before: Option<&Token>) -> Result<(TokenKind, usize), Signal> {
    if text.get(at + 1) != Some(&b':') {
        return Ok((TokenKind::Colon, at + 1));
    }
    if let Some(TokenKind::Name(_) | TokenKind::CloseBracket) = before.map(|token| &token.kind) {
        return Err(Signal::missing("::"));
    }
    Ok((TokenKind::Identity, at + 2))
}

const QUERIES: [&str; 4] = ["select", "exec", "update", "delete"];

#[cfg(test)]
mod tests {
    use hopen_codec::remote_error::RemoteError;

    use super::*;

    #[test]
    fn a_minus_sign_is_a_verb_right_behind_an_operand() {
        for (text, expected) in [
            ("2-1", "2|-|1"),
            ("2 -1", "2 -1"),
            ("2 - 1", "2|-|1"),
            ("2- 1", "2|-|1"),
            ("2--1", "2|-|-1"),
            ("x-1", "x|-|1"),
            ("x -1", "x|-1"),
            ("(x)-1", "(|x|)|-|1"),
            ("(x) -1", "(|x|)|-1"),
            ("x[1]-1", "x|[|1|]|-|1"),
            ("\"ab\"-1", "\"ab\"|-|1"),
            ("`a-1", "`a|-|1"),
            ("+-1", "+|-1"),
            ("(-1;-.5)", "(|-1|;|-0.5|)"),
            ("-x", "-|x"),
            ("- 1", "-|1"),
        ] {
            assert_eq!(spelt(text), expected, "{text}");
        }
    }

    #[test]
    fn tokens_are_read_with_and_without_blanks() {
        for (text, expected) in [
            ("", ""),
            (" \t\r\n", ""),
            ("til 5", "til|5"),
            ("a:1+b.c_2,`x`y", "a|:|1|+|b.c_2|,|`x`y"),
            (".z.p", ".z.p"),
            ("1 2 3*4", "1 2 3|*|4"),
            ("1%2", "1|%|2"),
            ("::", "::"),
            ("echo[::]", "echo|[|::|]"),
            ("\"a;b\"\"c\"", "\"a;b\"|\"c\""),
        ] {
            assert_eq!(spelt(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (text, expected) in [
            ("{x}", "nyi: {"),
            ("+/1 2", "nyi: /"),
            ("1+:2", "nyi: +:"),
            ("a-:2", "nyi: -:"),
            ("1_2", "nyi: _"),
            ("x . y", "nyi: ."),
            ("a::1", "nyi: ::"),
            ("a ::1", "nyi: ::"),
            ("select from trade", "nyi: select"),
            ("1 / a comment", "nyi: /"),
            ("caf\u{e9}", "char"),
            ("1\0", "char"),
        ] {
            assert_eq!(spelt(text), expected, "{text}");
        }
    }

    /// Returns the tokens of a text as they are spelt, or what is signalled.
    fn spelt(text: &str) -> String {
        let tokens = match tokens(text.as_bytes()) {
            Ok(tokens) => tokens,
            Err(signal) => return RemoteError::from(signal).to_string(),
        };
        let spelt = tokens.iter().map(|token| match &token.kind {
            TokenKind::Noun(value) => value.to_string(),
            TokenKind::Name(name) => name.to_string(),
            TokenKind::Verb(verb) => verb.to_string(),
            TokenKind::Identity => "::".to_owned(),
            TokenKind::Colon
            | TokenKind::OpenParenthesis
            | TokenKind::CloseParenthesis
            | TokenKind::OpenBracket
            | TokenKind::CloseBracket
            | TokenKind::Semicolon => char::from(text.as_bytes()[token.at]).to_string(),
        });
        spelt.collect::<Vec<_>>().join("|")
    }
}
