//! q's temporal types: a number and what it counts.
//!
//! ```text
//! Timestamp  i64  nanoseconds ┐                  Timespan  i64  nanoseconds  ┐
//! Date       i32  days        │ since            Time      i32  milliseconds │ of either sign,
//! Month      i32  months      │ 2000.01.01       Second    i32  seconds      │ also beyond 24 h
//! Datetime   f64  days        ┘                  Minute    i32  minutes      ┘
//! ```
//!
//! Each is a number in a struct, so whatever q can send can be held: the null, the infinities,
//! days in the year 5,000,000. Conversions to other types fail for what those cannot hold, and
//! conversions from them for what would be lost or would come out as a null or an infinity; see
//! [`TemporalError`]. q's own casts round down instead.
//!
//! Units and epoch: KX's [Datatypes](https://code.kx.com/q/basics/datatypes/).

#[cfg(feature = "jiff-0_2")]
mod jiff_0_2;
mod std_time;

use core::fmt;

use super::types::BasicType;

/// Makes the newtype of a temporal.
macro_rules! temporal {
    ($(#[doc = $doc:literal])+ $name:ident($number:ty), $null:expr, $infinity:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        #[derive(bytemuck::Pod, bytemuck::Zeroable)]
        #[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
        #[repr(transparent)]
        pub struct $name(pub $number);

        impl $name {
            /// The null.
            pub const NULL: Self = Self($null);
            /// Positive infinity.
            pub const INFINITY: Self = Self($infinity);
            /// Negative infinity.
            pub const NEG_INFINITY: Self = Self(-$infinity);
        }
    };
    (Eq $(#[doc = $doc:literal])+ $name:ident($number:ty)) => {
        temporal!($(#[doc = $doc])+ $name($number), <$number>::MIN, <$number>::MAX);

        impl Eq for $name {}

        #[expect(clippy::derive_ord_xor_partial_ord, reason = "integers compare alike in both")]
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }

        impl core::hash::Hash for $name {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl $name {
            /// Returns whether this is neither the null nor an infinity.
            pub const fn is_finite(self) -> bool {
                self.0 != <$number>::MIN && self.0 != <$number>::MAX && self.0 != -<$number>::MAX
            }

            /// Makes one of a count that is neither the null's nor an infinity's.
            const fn of_count(count: i128) -> Result<Self, TemporalError> {
                if count.unsigned_abs() < <$number>::MAX as u128 {
                    Ok(Self(count as $number))
                } else {
                    Err(TemporalError::OutOfRange(BasicType::$name))
                }
            }

            /// Returns the count, unless this is the null or an infinity.
            const fn count(self) -> Result<i128, TemporalError> {
                match self.0 {
                    <$number>::MIN => Err(TemporalError::Null(BasicType::$name)),
                    number if self.is_finite() => Ok(number as i128),
                    _ => Err(TemporalError::Infinite(BasicType::$name)),
                }
            }
        }
    };
}

temporal!(Eq
    /// q's timestamp: nanoseconds since 2000.01.01, midnight. Finite ones reach from 1707.09.22 to
    /// 2292.04.10. Like q it knows no time zone.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use hopen_codec::value::{Date, Timespan, Timestamp};
    ///
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    /// let time = Timestamp::try_from(time)?;
    /// assert_eq!(time.date(), Date::new(2023, 11, 14)?);
    /// assert_eq!(time.time_of_day(), Timespan::new(22, 13, 20, 0)?);
    /// assert!(SystemTime::try_from(Timestamp::NULL).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Timestamp(i64));
temporal!(Eq
    /// q's month: months since 2000.01.
    Month(i32));
temporal!(Eq
    /// q's date: days since 2000.01.01.
    Date(i32));
temporal!(
    /// q's datetime: days since 2000.01.01 as a float, the time of day being the fraction. KX
    /// advises to use timestamps instead. Null is any NaN.
    ///
    /// Its resolution is the millisecond, which a fraction of a day can name only nearly.
    Datetime(f64), f64::NAN, f64::INFINITY);
temporal!(Eq
    /// q's timespan: nanoseconds, of either sign and of any number of days.
    Timespan(i64));
temporal!(Eq
    /// q's minute: minutes, of either sign, also beyond 24 hours.
    Minute(i32));
temporal!(Eq
    /// q's second: seconds, of either sign, also beyond 24 hours.
    Second(i32));
temporal!(Eq
    /// q's time: milliseconds, of either sign, also beyond 24 hours.
    Time(i32));

impl Timestamp {
    /// Makes a timestamp of nanoseconds since 1970.01.01, midnight.
    ///
    /// # Errors
    ///
    /// Where a timestamp does not reach.
    pub const fn from_unix_nanoseconds(nanoseconds: i128) -> Result<Self, TemporalError> {
        match nanoseconds.checked_sub(UNIX_TO_Q) {
            Some(count) => Self::of_count(count),
            None => Err(TemporalError::OutOfRange(BasicType::Timestamp)),
        }
    }

    /// Returns the nanoseconds since 1970.01.01, midnight.
    ///
    /// # Errors
    ///
    /// For the null and the infinities.
    pub const fn unix_nanoseconds(self) -> Result<i128, TemporalError> {
        match self.count() {
            Ok(count) => Ok(count + UNIX_TO_Q),
            Err(error) => Err(error),
        }
    }

    /// Returns the date. Null and infinities stay what they are.
    pub const fn date(self) -> Date {
        match self {
            Self::NULL => Date::NULL,
            Self::INFINITY => Date::INFINITY,
            Self::NEG_INFINITY => Date::NEG_INFINITY,
            Self(nanoseconds) => Date(nanoseconds.div_euclid(DAY as i64) as i32),
        }
    }

    /// Returns the time since midnight, never negative; of the null and the infinities the null.
    pub const fn time_of_day(self) -> Timespan {
        if self.is_finite() {
            Timespan(self.0.rem_euclid(DAY as i64))
        } else {
            Timespan::NULL
        }
    }
}

impl Month {
    /// Makes a month of a year and the number of the month in it, from 1.
    ///
    /// # Errors
    ///
    /// Where the month is not 1 to 12 or the year is beyond what a month counts.
    pub const fn new(year: i32, month: u8) -> Result<Self, TemporalError> {
        if month < 1 || month > 12 {
            return Err(TemporalError::OutOfRange(BasicType::Month));
        }
        Self::of_count((year as i128 - 2000) * 12 + month as i128 - 1)
    }

    /// Returns the year, and the number of the month in it, from 1.
    ///
    /// # Errors
    ///
    /// For the null and the infinities.
    pub const fn year_month(self) -> Result<(i32, u8), TemporalError> {
        match self.count() {
            Ok(_) => Ok((
                2000 + self.0.div_euclid(12),
                self.0.rem_euclid(12) as u8 + 1,
            )),
            Err(error) => Err(error),
        }
    }
}

impl Date {
    /// Makes a date of a year, the number of the month in it and the day in that, both from 1, in
    /// the proleptic Gregorian calendar.
    ///
    /// # Errors
    ///
    /// Where there is no such day, or it is beyond what a date counts.
    pub const fn new(year: i32, month: u8, day: u8) -> Result<Self, TemporalError> {
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => 0,
        };
        if day < 1 || day > days {
            return Err(TemporalError::OutOfRange(BasicType::Date));
        }
        // Years that start in March, so that the leap day is the last one.
        let months = year as i128 * 12 + month as i128 - 3;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + day as i128 - 1;
        Self::of_count(year * 365 + leap_days + day_of_year - MARCH_0000_TO_Q)
    }

    /// Returns the year, the number of the month in it and the day in that, both from 1, in the
    /// proleptic Gregorian calendar.
    ///
    /// # Errors
    ///
    /// For the null and the infinities.
    pub const fn year_month_day(self) -> Result<(i32, u8, u8), TemporalError> {
        let days = match self.count() {
            Ok(days) => days + MARCH_0000_TO_Q,
            Err(error) => return Err(error),
        };
        // 400 years are 146,097 days, 100 of them 36,524 (but the last: one more), and so on.
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let months = (era * 400 + year) * 12 + month + 2;
        Ok((
            months.div_euclid(12) as i32,
            months.rem_euclid(12) as u8 + 1,
            day as u8,
        ))
    }
}

impl Datetime {
    /// Returns whether this is neither the null nor an infinity.
    pub const fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}

/// The temporals that count time without a date: of so many nanoseconds each.
macro_rules! spans {
    ($($name:ident, $unit:expr, $($part:ident)+;)*) => {$(
        impl $name {
            /// How many nanoseconds one of what it counts takes.
            const UNIT: i128 = $unit;

            /// Makes one of a time of day or a length of time, not negative. Beyond 24 hours are
            /// more hours.
            ///
            /// # Errors
            ///
            /// Where minutes or seconds are 60 or more, or parts of a second a whole one, or where
            /// the hours are beyond what it counts.
            pub const fn new(hours: u32, $($part: u32),+) -> Result<Self, TemporalError> {
                let (parts, limits) = ([$($part),+], [60, 60, (SECOND / Self::UNIT) as u32]);
                let (mut count, mut at) = (hours as i128, 0);
                while at < parts.len() {
                    if parts[at] >= limits[at] {
                        return Err(TemporalError::OutOfRange(BasicType::$name));
                    }
                    count = count * limits[at] as i128 + parts[at] as i128;
                    at += 1;
                }
                Self::of_count(count)
            }

            /// Makes one of nanoseconds.
            const fn of_nanoseconds(nanoseconds: i128) -> Result<Self, TemporalError> {
                if nanoseconds.rem_euclid(Self::UNIT) == 0 {
                    Self::of_count(nanoseconds / Self::UNIT)
                } else {
                    Err(TemporalError::Inexact(BasicType::$name))
                }
            }

            /// Returns how many nanoseconds it stands for.
            const fn nanoseconds(self) -> Result<i128, TemporalError> {
                match self.count() {
                    Ok(count) => Ok(count * Self::UNIT),
                    Err(error) => Err(error),
                }
            }
        }
    )*};
}

spans! {
    Timespan, 1, minutes seconds nanoseconds;
    Time, SECOND / 1_000, minutes seconds milliseconds;
    Second, SECOND, minutes seconds;
    Minute, 60 * SECOND, minutes;
}

/// Why a q temporal and another type do not convert into each other.
///
/// Each kind names the q type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemporalError {
    /// It is the null, which nothing but q's types has.
    Null(BasicType),
    /// It is an infinity, which nothing but q's types has.
    Infinite(BasicType),
    /// One of the two types does not reach so far, or there is no such time.
    OutOfRange(BasicType),
    /// It falls between two of what the q type counts, and would be rounded.
    Inexact(BasicType),
}

impl fmt::Display for TemporalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null(of) => write!(f, "the null {of} has no counterpart"),
            Self::Infinite(of) => write!(f, "an infinite {of} has no counterpart"),
            Self::OutOfRange(of) => write!(f, "out of the range of the {of} or its counterpart"),
            Self::Inexact(of) => write!(f, "not a whole number of what a {of} counts"),
        }
    }
}

impl core::error::Error for TemporalError {}

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;
/// Nanoseconds of a day.
const DAY: i128 = 86_400 * SECOND;
/// Nanoseconds from the epoch of Unix to that of q.
const UNIX_TO_Q: i128 = 10_957 * DAY;
/// Days from the first of March in the year 0 to q's epoch.
const MARCH_0000_TO_Q: i128 = 730_425;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_days_of_the_calendar() {
        for (days, date) in [
            (0, (2000, 1, 1)),
            (-1, (1999, 12, 31)),
            (59, (2000, 2, 29)),
            (366, (2001, 1, 1)),
            (-36_465, (1900, 3, 1)),
            (-36_466, (1900, 2, 28)),
            (-730_119, (1, 1, 1)),
            (2_921_939, (9999, 12, 31)),
        ] {
            let (year, month, day) = date;
            assert_eq!(Date::new(year, month, day), Ok(Date(days)), "{date:?}");
            assert_eq!(Date(days).year_month_day(), Ok(date));
        }
        let error = Err(TemporalError::OutOfRange(BasicType::Date));
        for (year, month, day) in [
            (2001, 2, 29),
            (1900, 2, 29),
            (2000, 0, 1),
            (2000, 13, 1),
            (2000, 1, 0),
            (2000, 4, 31),
            (i32::MAX, 1, 1),
            (i32::MIN, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), error);
        }
    }

    #[test]
    fn months_are_months_of_the_calendar() {
        // KX's bytes: f3 0c000000.
        assert_eq!(Month::new(2001, 1), Ok(Month(12)));
        assert_eq!(Month(-1).year_month(), Ok((1999, 12)));
        let error = TemporalError::OutOfRange(BasicType::Month);
        for (year, month) in [(2000, 0), (2000, 13), (i32::MAX, 1), (i32::MIN, 12)] {
            assert_eq!(Month::new(year, month), Err(error));
        }
    }

    #[test]
    fn spans_are_made_of_their_parts() {
        // KX's bytes: ef d1020000, ee eca90000, ed 73be9702, f0 00c0dd4663120000 without its days.
        assert_eq!(Minute::new(12, 1), Ok(Minute(0x2d1)));
        assert_eq!(Second::new(12, 5, 0), Ok(Second(0xa9ec)));
        assert_eq!(Time::new(12, 4, 59, 123), Ok(Time(0x0297_be73)));
        assert_eq!(
            Timespan::new(5, 36, 57, 600_000_000),
            Ok(Timespan(0x1263_46dd_c000))
        );
        assert_eq!(Second::new(100, 0, 0), Ok(Second(360_000)));
        for error in [
            Minute::new(0, 60).err(),
            Minute::new(u32::MAX, 0).err(),
            Second::new(0, 60, 0).err(),
            Second::new(0, 0, 60).err(),
            Time::new(0, 0, 0, 1_000).err(),
            Timespan::new(0, 0, 0, 1_000_000_000).err(),
            Timespan::new(u32::MAX, 0, 0, 0).err(),
        ] {
            assert!(matches!(error, Some(TemporalError::OutOfRange(_))));
        }
    }

    #[test]
    fn timestamps_fall_apart_into_date_and_time() {
        for (timestamp, date, time) in [
            (Timestamp(0), Date(0), Timespan(0)),
            (Timestamp(-1), Date(-1), Timespan(DAY as i64 - 1)),
            (Timestamp::NULL, Date::NULL, Timespan::NULL),
            (Timestamp::INFINITY, Date::INFINITY, Timespan::NULL),
            (Timestamp::NEG_INFINITY, Date::NEG_INFINITY, Timespan::NULL),
        ] {
            assert_eq!((timestamp.date(), timestamp.time_of_day()), (date, time));
        }
    }

    #[test]
    fn nulls_and_infinities_are_not_finite_and_have_no_parts() {
        for date in [Date::NULL, Date::INFINITY, Date::NEG_INFINITY] {
            assert!(!date.is_finite());
            assert!(date.year_month_day().is_err());
        }
        for month in [Month::NULL, Month::INFINITY, Month::NEG_INFINITY] {
            assert!(month.year_month().is_err());
        }
        for datetime in [Datetime::NULL, Datetime::INFINITY, Datetime::NEG_INFINITY] {
            assert!(!datetime.is_finite());
        }
        assert!(Datetime(0.5).is_finite());
    }

    #[test]
    fn errors_name_the_type() {
        for (error, text) in [
            (
                TemporalError::Null(BasicType::Date),
                "the null date has no counterpart",
            ),
            (
                TemporalError::Infinite(BasicType::Time),
                "an infinite time has no counterpart",
            ),
            (
                TemporalError::OutOfRange(BasicType::Timestamp),
                "out of the range of the timestamp or its counterpart",
            ),
            (
                TemporalError::Inexact(BasicType::Minute),
                "not a whole number of what a minute counts",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn every_date_and_month_comes_back(number in -i32::MAX + 1..i32::MAX) {
            let (year, month, day) = Date(number).year_month_day().unwrap();
            prop_assert_eq!(Date::new(year, month, day), Ok(Date(number)));
            let (year, month) = Month(number).year_month().unwrap();
            prop_assert_eq!(Month::new(year, month), Ok(Month(number)));
        }
    }
}
