//! Numbers as text: integers with q's nulls and infinities, floats as C's `%g` has them.

use core::fmt::{self, Write as _};

use super::super::item::Nullable;
use super::item::{Short, Shows};

impl Short for i16 {
    const END: &'static str = "h";

    /// Infinite shorts have no text of their own in q and print as the numbers that they are.
    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        match self {
            Self::MIN => f.write_str("0N")?,
            _ => write!(f, "{self}")?,
        }
        Ok(Shows::Nothing)
    }

    fn is_blank(self) -> bool {
        self.is_null()
    }
}

/// Implements [`Short`] for integers with infinities.
macro_rules! integer {
    ($type:ty, $end:literal) => {
        impl Short for $type {
            const END: &'static str = $end;

            fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
                const NEG_INFINITY: $type = -<$type>::MAX;
                match self {
                    Self::MIN => f.write_str("0N")?,
                    Self::MAX => f.write_str("0W")?,
                    NEG_INFINITY => f.write_str("-0W")?,
                    _ => write!(f, "{self}")?,
                }
                Ok(Shows::Nothing)
            }

            fn is_blank(self) -> bool {
                self.is_null()
            }
        }
    };
}

integer!(i32, "i");
integer!(i64, "");

impl Short for f32 {
    const END: &'static str = "e";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        if self.is_nan() {
            f.write_str("0N")?;
        } else {
            write_float(self.into(), f)?;
        }
        // Neither a point nor an exponent tells a real from a float.
        Ok(Shows::Nothing)
    }

    fn is_blank(self) -> bool {
        self.is_null()
    }
}

impl Short for f64 {
    const END: &'static str = "f";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        if self.is_nan() {
            f.write_str("0n")?;
            return Ok(Shows::Type);
        }
        write_float(self, f)
    }

    fn is_blank(self) -> bool {
        self.is_null()
    }
}

/// Writes an infinity, or a number in the digits that the formatter's precision asks for.
fn write_float(number: f64, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
    if number.is_infinite() {
        f.write_str(if number > 0.0 { "0w" } else { "-0w" })?;
        return Ok(Shows::Type);
    }
    let digits = match f.precision() {
        None => DEFAULT_DIGITS,
        Some(0) => MOST_DIGITS,
        Some(digits) => digits.min(MOST_DIGITS),
    };
    write_general(number, digits, f)
}

/// Writes a finite number as C's `%.{digits}g` does: so many significant digits without the zeros
/// at their end, with an exponent where that is below -4 or not below `digits`.
fn write_general(number: f64, digits: usize, f: &mut impl fmt::Write) -> Result<Shows, fmt::Error> {
    let mut rounded = Scientific::default();
    write!(rounded, "{number:.*e}", digits.saturating_sub(1))?;
    let (sign, first, others, exponent) = rounded.parts();
    match usize::try_from(exponent) {
        Ok(places) if places < digits => match others.split_at_checked(places) {
            None => write!(f, "{sign}{first}{others:0<places$}")?,
            Some((whole, "")) => write!(f, "{sign}{first}{whole}")?,
            Some((whole, fraction)) => {
                write!(f, "{sign}{first}{whole}.{fraction}")?;
                return Ok(Shows::Type);
            }
        },
        Err(_) if exponent >= -4 => {
            let zeros = exponent.unsigned_abs() as usize - 1;
            write!(f, "{sign}0.{:0>zeros$}{first}{others}", "")?;
            return Ok(Shows::Type);
        }
        _ => {
            let point = if others.is_empty() { "" } else { "." };
            write!(f, "{sign}{first}{point}{others}e{exponent:+03}")?;
            return Ok(Shows::Type);
        }
    }
    Ok(Shows::Nothing)
}

/// Room for a number as Rust's `{:e}` writes it: `-1.2345678901234567e-308`.
#[derive(Default)]
struct Scientific {
    text: [u8; 32],
    len: usize,
}

impl Scientific {
    /// Returns the sign, the first digit, the digits behind the point without the zeros at their
    /// end, and the exponent.
    fn parts(&self) -> (&str, &str, &str, i32) {
        let text = self.text.get(..self.len).unwrap_or_default();
        let text = str::from_utf8(text).unwrap_or_default();
        let (text, exponent) = text.split_once('e').unwrap_or((text, ""));
        let (sign, digits) = text.split_at(usize::from(text.starts_with('-')));
        let (first, others) = digits.split_once('.').unwrap_or((digits, ""));
        let others = others.trim_end_matches('0');
        (sign, first, others, exponent.parse().unwrap_or(0))
    }
}

impl fmt::Write for Scientific {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.text.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// q's `\P` where nobody set it.
const DEFAULT_DIGITS: usize = 7;
/// What q's `\P 0` stands for: digits enough to read the same float again.
const MOST_DIGITS: usize = 17;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `%.{digits}g` of Python 3.
    #[test]
    fn floats_print_as_c_prints_them() {
        for (number, digits, expected) in PYTHON {
            assert_eq!(
                general(number, digits),
                expected,
                "{number:?} in {digits} digits"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn floats_print_as_their_exact_decimals_rounded_by_hand(
            number in any_finite(),
            digits in 1_usize..=17,
        ) {
            prop_assert_eq!(general(number, digits), by_hand(number, digits));
        }
    }

    fn any_finite() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>()
                .prop_map(f64::from_bits)
                .prop_filter("finite", |x| x.is_finite()),
            (any::<i32>(), -12_i32..12).prop_map(|(m, e)| f64::from(m) * 10_f64.powi(e)),
            // Ties, and nines that carry.
            (0_i64..20_000_000, 0_u32..8).prop_map(|(m, e)| m as f64 / f64::from(1 << e)),
            (1_i32..18, 0_i32..18).prop_map(|(a, b)| 10_f64.powi(a) - 10_f64.powi(-b)),
        ]
    }

    fn general(number: f64, digits: usize) -> String {
        let mut text = String::new();
        let _ = write_general(number, digits, &mut text);
        text
    }

    /// Every finite f64 is a decimal of at most 1,074 places: writes all of them, rounds half to
    /// even, and lays the digits out.
    fn by_hand(number: f64, digits: usize) -> String {
        let exact = format!("{:.1074}", number.abs());
        let point = exact.find('.').unwrap() as i32;
        let all: Vec<u8> = exact
            .bytes()
            .filter(|byte| *byte != b'.')
            .map(|d| d - b'0')
            .collect();
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let Some(start) = all.iter().position(|digit| *digit != 0) else {
            return format!("{sign}0");
        };
        let mut exponent = point - 1 - start as i32;
        let mut kept: Vec<u8> = all[start..].iter().copied().take(digits).collect();
        kept.resize(digits, 0);
        let rest = all.get(start + digits..).unwrap_or(&[]);
        let half = rest.first().copied().unwrap_or(0);
        let beyond = rest.iter().skip(1).any(|digit| *digit != 0);
        if half > 5 || half == 5 && (beyond || kept[digits - 1] % 2 == 1) {
            match kept.iter().rposition(|digit| *digit != 9) {
                Some(at) => {
                    kept[at] += 1;
                    kept[at + 1..].fill(0);
                }
                None => {
                    kept = vec![0; digits];
                    kept[0] = 1;
                    exponent += 1;
                }
            }
        }
        let text: String = kept.iter().map(|digit| char::from(b'0' + digit)).collect();
        let laid_out = if exponent < -4 || exponent >= digits as i32 {
            let mantissa = without_zeros(&format!("{}.{}", &text[..1], &text[1..]));
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        } else if exponent < 0 {
            without_zeros(&format!("0.{}{text}", "0".repeat(-exponent as usize - 1)))
        } else {
            let (whole, fraction) = text.split_at(exponent as usize + 1);
            without_zeros(&format!("{whole}.{fraction}"))
        };
        format!("{sign}{laid_out}")
    }

    fn without_zeros(text: &str) -> String {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    #[rustfmt::skip]
    const PYTHON: [(f64, usize, &str); 118] = [
        (0.0, 7, "0"), (-0.0, 7, "-0"), (1.0, 7, "1"), (-1.0, 7, "-1"), (10.0, 7, "10"),
        (100.0, 7, "100"), (123.0, 7, "123"), (1234567.0, 7, "1234567"),
        (12345678.0, 7, "1.234568e+07"), (123456789.0, 7, "1.234568e+08"),
        (9999999.0, 7, "9999999"), (99999994.0, 7, "9.999999e+07"), (99999995.0, 7, "1e+08"),
        (9999999.5, 7, "1e+07"), (999999.95, 7, "999999.9"), (0.1, 7, "0.1"), (0.2, 7, "0.2"),
        (0.3333333333333333, 7, "0.3333333"), (0.6666666666666666, 7, "0.6666667"),
        (3.234, 7, "3.234"), (101.25, 7, "101.25"), (0.0001, 7, "0.0001"), (1e-05, 7, "1e-05"),
        (0.00012345678, 7, "0.0001234568"), (9.9999995e-05, 7, "9.999999e-05"),
        (9.999999e-05, 7, "9.999999e-05"), (10000000000.0, 7, "1e+10"), (1e-05, 7, "1e-05"),
        (1.5e-05, 7, "1.5e-05"), (1000000000000000.0, 7, "1e+15"), (1e16, 7, "1e+16"),
        (1e17, 7, "1e+17"), (1e22, 7, "1e+22"), (1e23, 7, "1e+23"), (1e100, 7, "1e+100"),
        (1e-100, 7, "1e-100"), (1.7976931348623157e308, 7, "1.797693e+308"),
        (5e-324, 7, "4.940656e-324"), (2.2250738585072014e-308, 7, "2.225074e-308"),
        (12345675.0, 7, "1.234568e+07"), (12345665.0, 7, "1.234566e+07"),
        (12345678.5, 7, "1.234568e+07"), (0.5, 7, "0.5"), (2.5, 7, "2.5"), (1.5, 7, "1.5"),
        (1000000.5, 7, "1000000"), (1000001.5, 7, "1000002"), (65536.0, 7, "65536"),
        (4294967296.0, 7, "4.294967e+09"), (9.49975, 7, "9.49975"), (1000000.0, 7, "1000000"),
        (10000000.0, 7, "1e+07"), (1234567.5, 7, "1234568"), (-1e-05, 7, "-1e-05"),
        (0.30000000000000004, 7, "0.3"), (0.1, 1, "0.1"), (0.1, 2, "0.1"), (0.1, 3, "0.1"),
        (0.1, 6, "0.1"), (0.1, 8, "0.1"), (0.1, 10, "0.1"), (0.1, 15, "0.1"), (0.1, 16, "0.1"),
        (0.1, 17, "0.10000000000000001"), (0.3333333333333333, 1, "0.3"),
        (0.3333333333333333, 2, "0.33"), (0.3333333333333333, 3, "0.333"),
        (0.3333333333333333, 6, "0.333333"), (0.3333333333333333, 8, "0.33333333"),
        (0.3333333333333333, 10, "0.3333333333"), (0.3333333333333333, 15, "0.333333333333333"),
        (0.3333333333333333, 16, "0.3333333333333333"),
        (0.3333333333333333, 17, "0.33333333333333331"), (2.5, 1, "2"), (2.5, 2, "2.5"),
        (2.5, 3, "2.5"), (2.5, 6, "2.5"), (2.5, 8, "2.5"), (2.5, 10, "2.5"), (2.5, 15, "2.5"),
        (2.5, 16, "2.5"), (2.5, 17, "2.5"), (12345678.5, 1, "1e+07"), (12345678.5, 2, "1.2e+07"),
        (12345678.5, 3, "1.23e+07"), (12345678.5, 6, "1.23457e+07"), (12345678.5, 8, "12345678"),
        (12345678.5, 10, "12345678.5"), (12345678.5, 15, "12345678.5"),
        (12345678.5, 16, "12345678.5"), (12345678.5, 17, "12345678.5"), (1e16, 1, "1e+16"),
        (1e16, 2, "1e+16"), (1e16, 3, "1e+16"), (1e16, 6, "1e+16"), (1e16, 8, "1e+16"),
        (1e16, 10, "1e+16"), (1e16, 15, "1e+16"), (1e16, 16, "1e+16"),
        (1e16, 17, "10000000000000000"), (1e17, 1, "1e+17"), (1e17, 2, "1e+17"), (1e17, 3, "1e+17"),
        (1e17, 6, "1e+17"), (1e17, 8, "1e+17"), (1e17, 10, "1e+17"), (1e17, 15, "1e+17"),
        (1e17, 16, "1e+17"), (1e17, 17, "1e+17"), (1.2345678901234568e17, 1, "1e+17"),
        (1.2345678901234568e17, 2, "1.2e+17"), (1.2345678901234568e17, 3, "1.23e+17"),
        (1.2345678901234568e17, 6, "1.23457e+17"), (1.2345678901234568e17, 8, "1.2345679e+17"),
        (1.2345678901234568e17, 10, "1.23456789e+17"),
        (1.2345678901234568e17, 15, "1.23456789012346e+17"),
        (1.2345678901234568e17, 16, "1.234567890123457e+17"),
        (1.2345678901234568e17, 17, "1.2345678901234568e+17"),
    ];
}
