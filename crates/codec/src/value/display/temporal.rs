//! Dates and times as text.

use core::fmt;

use jiff::SignedDuration;
use jiff::civil;

use super::super::item::Nullable;
use super::super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::item::{Short, Shows};

/// Implements [`Short`] for temporals that are integers, given a function that writes those that
/// are neither null nor infinite, and whether their text shows their type.
macro_rules! temporal {
    ($($type:ident $end:literal $shows:ident $write:ident;)*) => {$(
        impl Short for $type {
            const END: &'static str = $end;

            fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
                let text = match self {
                    Self::NULL => "0N",
                    Self::INFINITY => "0W",
                    Self::NEG_INFINITY => "-0W",
                    Self(number) => {
                        $write(number, f)?;
                        return Ok(Shows::$shows);
                    }
                };
                f.write_str(text)?;
                Ok(Shows::Nothing)
            }

            fn is_blank(self) -> bool {
                self.is_null()
            }
        }
    )*};
}

temporal! {
    Timestamp "p" Type write_timestamp;
    Month "m" Nothing write_month;
    Date "d" Type write_date;
    Timespan "n" Type write_timespan;
    Minute "u" Type write_minute;
    Second "v" Type write_second;
    Time "t" Type write_time;
}

impl Short for Datetime {
    const END: &'static str = "z";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        if self.0.is_finite() {
            write_datetime(self.0, f)?;
            return Ok(Shows::Type);
        }
        f.write_str(if self.0.is_nan() {
            "0N"
        } else if self.0 > 0.0 {
            "0w"
        } else {
            "-0w"
        })?;
        Ok(Shows::Nothing)
    }

    fn is_blank(self) -> bool {
        self.is_null()
    }
}

fn write_timestamp(nanoseconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_day(nanoseconds.div_euclid(NANOSECONDS_A_DAY), f)?;
    f.write_str("D")?;
    write_nanoseconds(nanoseconds.rem_euclid(NANOSECONDS_A_DAY).unsigned_abs(), f)
}

/// `2000.01` could be a float: a month does not show its type without its letter.
fn write_month(months: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match 2000 + months.div_euclid(12) {
        year @ 1..=9999 => write!(f, "{year:04}.{:02}", 1 + months.rem_euclid(12)),
        _ => f.write_str("0000.00"),
    }
}

fn write_date(days: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_day(days.into(), f)
}

/// Rounds to the nearest millisecond: of a float, most times of day are a little more or less.
fn write_datetime(days: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let milliseconds = (days * MILLISECONDS_A_DAY as f64).round() as i64;
    let day = milliseconds.div_euclid(MILLISECONDS_A_DAY);
    if civil_date(day).is_none() {
        return f.write_str("0000.00.00T00:00:00.000");
    }
    write_day(day, f)?;
    f.write_str("T")?;
    write_milliseconds(
        milliseconds.rem_euclid(MILLISECONDS_A_DAY).unsigned_abs(),
        f,
    )
}

fn write_timespan(nanoseconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const A_DAY: u64 = NANOSECONDS_A_DAY.unsigned_abs();
    let span = nanoseconds.unsigned_abs();
    write!(f, "{}{}D", sign(nanoseconds), span / A_DAY)?;
    write_nanoseconds(span % A_DAY, f)
}

fn write_minute(minutes: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let span = minutes.unsigned_abs();
    write!(f, "{}{:02}:{:02}", sign(minutes), span / 60, span % 60)
}

fn write_second(seconds: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(sign(seconds))?;
    write_seconds(seconds.unsigned_abs().into(), f)
}

fn write_time(milliseconds: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(sign(milliseconds))?;
    write_milliseconds(milliseconds.unsigned_abs().into(), f)
}

/// Writes a day that is counted from 2000.01.01.
fn write_day(days: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match civil_date(days) {
        Some(date) => write!(
            f,
            "{:04}.{:02}.{:02}",
            date.year(),
            date.month(),
            date.day()
        ),
        None => f.write_str("0000.00.00"),
    }
}

fn write_nanoseconds(span: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_seconds(span / 1_000_000_000, f)?;
    write!(f, ".{:09}", span % 1_000_000_000)
}

fn write_milliseconds(span: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_seconds(span / 1_000, f)?;
    write!(f, ".{:03}", span % 1_000)
}

fn write_seconds(span: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "{:02}:{:02}:{:02}",
        span / 3_600,
        span / 60 % 60,
        span % 60
    )
}

fn sign(number: impl Into<i64>) -> &'static str {
    if number.into() < 0 { "-" } else { "" }
}

/// Returns a day that is counted from 2000.01.01, if it is one that q shows: 0001.01.01 to
/// 9999.12.31.
fn civil_date(days: i64) -> Option<civil::Date> {
    let since = SignedDuration::try_from_hours(days.checked_mul(24)?)?;
    let date = civil::date(2000, 1, 1).checked_add(since).ok()?;
    (date.year() > 0).then_some(date)
}

const MILLISECONDS_A_DAY: i64 = 24 * 60 * 60 * 1_000;
const NANOSECONDS_A_DAY: i64 = MILLISECONDS_A_DAY * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_prints() {
        let edges = [
            0,
            1,
            59,
            60,
            3_599,
            86_400,
            730_119,
            2_921_939,
            i64::from(i32::MAX),
        ];
        let edges = edges
            .into_iter()
            .chain([i64::MAX, i64::MAX / 24, i64::MAX / 86_400_000]);
        for edge in edges.flat_map(|edge| [edge, -edge]) {
            for number in edge.saturating_sub(2)..=edge.saturating_add(2) {
                let short = number as i32;
                for text in [
                    Timestamp(number).to_string(),
                    Timespan(number).to_string(),
                    Datetime(number as f64).to_string(),
                    Month(short).to_string(),
                    Date(short).to_string(),
                    Minute(short).to_string(),
                    Second(short).to_string(),
                    Time(short).to_string(),
                ] {
                    assert!(text.len() <= 30, "{text}");
                }
            }
        }
        for number in [f64::MAX, f64::MIN, 5e-324, 1e17, -1e17] {
            assert!(Datetime(number).to_string().starts_with(['0', '2']));
        }
    }

    #[test]
    fn dates_reach_from_year_1_to_year_9999() {
        for (days, text) in [
            (-730_120, "0000.00.00"),
            (-730_119, "0001.01.01"),
            (-1, "1999.12.31"),
            (59, "2000.02.29"),
            (2_921_939, "9999.12.31"),
            (2_921_940, "0000.00.00"),
        ] {
            assert_eq!(Date(days).to_string(), text);
            let midnight = text.to_owned() + "T00:00:00.000";
            assert_eq!(Datetime(days.into()).to_string(), midnight);
        }
        assert_eq!(
            Datetime(2_921_939.999_999_999).to_string(),
            "0000.00.00T00:00:00.000"
        );
        for (months, text) in [
            (-23_989, "0000.00m"),
            (-23_988, "0001.01m"),
            (-1, "1999.12m"),
            (95_999, "9999.12m"),
            (96_000, "0000.00m"),
        ] {
            assert_eq!(Month(months).to_string(), text);
        }
    }
}
