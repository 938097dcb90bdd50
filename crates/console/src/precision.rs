//! How many digits of a float show.

/// How many significant digits of a float show: q's `\P`.
///
/// ```
/// use hopen_codec::value::Value;
/// use hopen_console::{Console, Precision};
///
/// let third = Value::from(1.0 / 3.0);
/// let text = |precision| Console::new().with_precision(precision).show(third.as_ref()).to_string();
/// assert_eq!(text(Precision::DEFAULT), "0.3333333\n");
/// assert_eq!(text(Precision::new(3)), "0.333\n");
/// assert_eq!(text(Precision::FULL), "0.33333333333333331\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Precision(u8);

impl Precision {
    /// 7 digits, what q shows where nobody set `\P`. Other floats may show the same text.
    pub const DEFAULT: Self = Self(7);

    /// 17 digits, q's `\P 0`: enough to read the same float again.
    pub const FULL: Self = Self(17);

    /// Takes so many digits; 0 is [`FULL`](Self::FULL), as in q, and so is all above 17.
    pub const fn new(digits: usize) -> Self {
        match digits {
            1..=16 => Self(digits as u8),
            _ => Self::FULL,
        }
    }

    /// Returns how many digits show: 1 to 17.
    pub const fn digits(self) -> usize {
        self.0 as usize
    }
}

impl Default for Precision {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digits_stand_for_all_of_them() {
        for (digits, shown) in [
            (0, 17),
            (1, 1),
            (7, 7),
            (16, 16),
            (17, 17),
            (usize::MAX, 17),
        ] {
            assert_eq!(Precision::new(digits).digits(), shown);
        }
        assert_eq!(Precision::default().digits(), 7);
    }
}
