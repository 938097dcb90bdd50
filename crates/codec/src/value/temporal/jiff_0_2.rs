//! Conversions from and to the types of jiff 0.2.
//!
//! q's temporals know no time zone, and those that count time without a date may be negative or
//! beyond 24 hours: a [`SignedDuration`] is their natural form, a civil time one for those that
//! are times of a day.

use jiff::SignedDuration;
use jiff::civil;

use super::{
    DAY, Date, Datetime, Minute, SECOND, Second, TemporalError, Time, Timespan, Timestamp,
    UNIX_TO_Q,
};
use crate::value::types::BasicType;

impl TryFrom<jiff::Timestamp> for Timestamp {
    type Error = TemporalError;

    /// Fails for times that q's timestamps do not reach.
    fn try_from(timestamp: jiff::Timestamp) -> Result<Self, TemporalError> {
        Self::from_unix_nanoseconds(timestamp.as_nanosecond())
    }
}

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = TemporalError;

    /// Takes the timestamp as UTC. Fails for the null and the infinities.
    fn try_from(timestamp: Timestamp) -> Result<Self, TemporalError> {
        Self::from_nanosecond(timestamp.unix_nanoseconds()?)
            .map_err(|_| TemporalError::OutOfRange(BasicType::Timestamp))
    }
}

impl From<civil::Date> for Date {
    fn from(date: civil::Date) -> Self {
        // Not 25,000 years, so that it fits.
        Self((date.duration_since(EPOCH.date()).as_nanos() / DAY) as i32)
    }
}

impl TryFrom<Date> for civil::Date {
    type Error = TemporalError;

    /// Fails for the null and the infinities, and for years beyond jiff's -9999 to 9999.
    fn try_from(date: Date) -> Result<Self, TemporalError> {
        let (year, month, day) = date.year_month_day()?;
        i16::try_from(year)
            .ok()
            .and_then(|year| Self::new(year, month as i8, day as i8).ok())
            .ok_or(TemporalError::OutOfRange(BasicType::Date))
    }
}

impl TryFrom<civil::DateTime> for Timestamp {
    type Error = TemporalError;

    /// Fails for times that q's timestamps do not reach.
    fn try_from(time: civil::DateTime) -> Result<Self, TemporalError> {
        Self::of_count(time.duration_since(EPOCH).as_nanos())
    }
}

impl TryFrom<Timestamp> for civil::DateTime {
    type Error = TemporalError;

    /// Fails for the null and the infinities.
    fn try_from(timestamp: Timestamp) -> Result<Self, TemporalError> {
        EPOCH
            .checked_add(SignedDuration::from_nanos_i128(timestamp.count()?))
            .map_err(|_| TemporalError::OutOfRange(BasicType::Timestamp))
    }
}

impl TryFrom<civil::DateTime> for Datetime {
    type Error = TemporalError;

    /// Makes the datetime nearest to a time of whole milliseconds; fails for others.
    fn try_from(time: civil::DateTime) -> Result<Self, TemporalError> {
        let nanoseconds = time.duration_since(EPOCH).as_nanos();
        if nanoseconds % MILLISECOND != 0 {
            return Err(TemporalError::Inexact(BasicType::Datetime));
        }
        Ok(Self(
            (nanoseconds / MILLISECOND) as f64 / MILLISECONDS_OF_DAY,
        ))
    }
}

impl TryFrom<Datetime> for civil::DateTime {
    type Error = TemporalError;

    /// Returns the nearest millisecond, which is as much as the float says. Fails for the null and
    /// the infinities, and for years beyond jiff's -9999 to 9999.
    fn try_from(datetime: Datetime) -> Result<Self, TemporalError> {
        if datetime.0.is_nan() {
            return Err(TemporalError::Null(BasicType::Datetime));
        }
        if datetime.0.is_infinite() {
            return Err(TemporalError::Infinite(BasicType::Datetime));
        }
        // Saturates far beyond what jiff reaches.
        let milliseconds = (datetime.0 * MILLISECONDS_OF_DAY).round() as i64;
        let since_1970 = SignedDuration::from_millis(milliseconds)
            .saturating_add(SignedDuration::from_nanos_i128(UNIX_TO_Q));
        // jiff adds only what is itself in the range of days since 1970.
        Self::constant(1970, 1, 1, 0, 0, 0, 0)
            .checked_add(since_1970)
            .map_err(|_| TemporalError::OutOfRange(BasicType::Datetime))
    }
}

macro_rules! spans {
    ($($name:ident)+) => {$(
        impl TryFrom<SignedDuration> for $name {
            type Error = TemporalError;

            /// Fails beyond what it reaches, and for what would have to be rounded.
            fn try_from(duration: SignedDuration) -> Result<Self, TemporalError> {
                Self::of_nanoseconds(duration.as_nanos())
            }
        }

        impl TryFrom<$name> for SignedDuration {
            type Error = TemporalError;

            /// Fails for the null and the infinities.
            fn try_from(span: $name) -> Result<Self, TemporalError> {
                Ok(Self::from_nanos_i128(span.nanoseconds()?))
            }
        }

        impl TryFrom<civil::Time> for $name {
            type Error = TemporalError;

            /// Fails for what would have to be rounded.
            fn try_from(time: civil::Time) -> Result<Self, TemporalError> {
                Self::of_nanoseconds(time.duration_since(civil::Time::midnight()).as_nanos())
            }
        }

        impl TryFrom<$name> for civil::Time {
            type Error = TemporalError;

            /// Fails for the null and the infinities, below zero and from 24 hours on.
            fn try_from(span: $name) -> Result<Self, TemporalError> {
                Self::midnight()
                    .checked_add(SignedDuration::try_from(span)?)
                    .map_err(|_| TemporalError::OutOfRange(BasicType::$name))
            }
        }
    )+};
}

spans!(Timespan Time Second Minute);

/// q's epoch.
const EPOCH: civil::DateTime = civil::DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
/// Nanoseconds of a millisecond.
const MILLISECOND: i128 = SECOND / 1_000;
const MILLISECONDS_OF_DAY: f64 = 86_400_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    #[test]
    fn timestamps_are_jiff_s_both_ways() {
        for (timestamp, text) in [
            (Timestamp(0), "2000-01-01T00:00:00"),
            (Timestamp(-1), "1999-12-31T23:59:59.999999999"),
            // The ends as KX's page on datatypes has them.
            (Timestamp(-i64::MAX + 1), "1707-09-22T00:12:43.145224194"),
            (Timestamp(i64::MAX - 1), "2292-04-10T23:47:16.854775806"),
        ] {
            let civil: civil::DateTime = text.parse().unwrap();
            assert_eq!(Timestamp::try_from(civil), Ok(timestamp));
            assert_eq!(civil::DateTime::try_from(timestamp), Ok(civil));
            let zoned: jiff::Timestamp = format!("{text}Z").parse().unwrap();
            assert_eq!(Timestamp::try_from(zoned), Ok(timestamp));
            assert_eq!(jiff::Timestamp::try_from(timestamp), Ok(zoned));
        }
        let error = TemporalError::OutOfRange(BasicType::Timestamp);
        for beyond in [
            civil::DateTime::MIN,
            civil::DateTime::MAX,
            civil::DateTime::try_from(Timestamp(i64::MAX - 1)).unwrap()
                + SignedDuration::from_nanos(1),
        ] {
            assert_eq!(Timestamp::try_from(beyond), Err(error));
        }
        for beyond in [jiff::Timestamp::MIN, jiff::Timestamp::MAX] {
            assert_eq!(Timestamp::try_from(beyond), Err(error));
        }
    }

    #[test]
    fn dates_are_jiff_s_both_ways() {
        for (days, civil) in [
            (0, date(2000, 1, 1)),
            (-1, date(1999, 12, 31)),
            (366, date(2001, 1, 1)),
            (2_921_939, civil::Date::MAX),
            (-4_382_544, civil::Date::MIN),
        ] {
            assert_eq!(Date::from(civil), Date(days));
            assert_eq!(civil::Date::try_from(Date(days)), Ok(civil));
        }
        let error = TemporalError::OutOfRange(BasicType::Date);
        for days in [2_921_940, -4_382_545, i32::MAX - 1, -i32::MAX + 1] {
            assert_eq!(civil::Date::try_from(Date(days)), Err(error));
        }
    }

    #[test]
    fn datetimes_are_whole_milliseconds() {
        let civil = date(2000, 1, 4).at(5, 36, 57, 600_000_000);
        // KX's bytes: f4 ac1c5a643bdf0940.
        let datetime = Datetime(f64::from_le_bytes([
            0xac, 0x1c, 0x5a, 0x64, 0x3b, 0xdf, 9, 0x40,
        ]));
        assert_eq!(Datetime::try_from(civil), Ok(datetime));
        assert_eq!(civil::DateTime::try_from(datetime), Ok(civil));
        let last = date(9999, 12, 31).at(23, 59, 59, 999_000_000);
        for end in [civil::DateTime::MIN, last] {
            let datetime = Datetime::try_from(end).unwrap();
            assert_eq!(civil::DateTime::try_from(datetime), Ok(end));
        }
        let between = date(2000, 1, 4).at(5, 36, 57, 600_001_000);
        let inexact = TemporalError::Inexact(BasicType::Datetime);
        assert_eq!(Datetime::try_from(between), Err(inexact));
        let error = TemporalError::OutOfRange(BasicType::Datetime);
        for days in [2_921_940.0, -4_382_544.001, 1e300, -1e300, f64::MAX] {
            assert_eq!(civil::DateTime::try_from(Datetime(days)), Err(error));
        }
    }

    #[test]
    fn spans_may_be_negative_and_beyond_a_day_and_civil_times_may_not() {
        // -00:00:01.000 and 27:46:40, as KX prints them.
        let minus = SignedDuration::from_secs(-1);
        assert_eq!(SignedDuration::try_from(Time(-1_000)), Ok(minus));
        assert_eq!(Time::try_from(minus), Ok(Time(-1_000)));
        let long = SignedDuration::from_secs(100_000);
        assert_eq!(SignedDuration::try_from(Second(100_000)), Ok(long));
        assert_eq!(Second::try_from(long), Ok(Second(100_000)));

        let morning = time(9, 30, 0, 0);
        assert_eq!(Minute::try_from(morning), Minute::new(9, 30));
        assert_eq!(Second::try_from(morning), Second::new(9, 30, 0));
        assert_eq!(Time::try_from(morning), Time::new(9, 30, 0, 0));
        assert_eq!(Timespan::try_from(morning), Timespan::new(9, 30, 0, 0));
        assert_eq!(civil::Time::try_from(Minute(9 * 60 + 30)), Ok(morning));
        assert_eq!(
            civil::Time::try_from(Timespan(DAY as i64 - 1)),
            Ok(civil::Time::MAX)
        );

        let inexact = |of| Some(TemporalError::Inexact(of));
        let last = civil::Time::MAX;
        assert_eq!(Minute::try_from(last).err(), inexact(BasicType::Minute));
        assert_eq!(Second::try_from(last).err(), inexact(BasicType::Second));
        assert_eq!(Time::try_from(last).err(), inexact(BasicType::Time));
        assert_eq!(Timespan::try_from(last), Ok(Timespan(DAY as i64 - 1)));
        for error in [
            civil::Time::try_from(Second(-1)),
            civil::Time::try_from(Second(86_400)),
            civil::Time::try_from(Second(i32::MAX - 1)),
        ] {
            assert_eq!(error, Err(TemporalError::OutOfRange(BasicType::Second)));
        }
        for longest in [SignedDuration::MIN, SignedDuration::MAX] {
            let error = TemporalError::OutOfRange(BasicType::Timespan);
            assert_eq!(Timespan::try_from(longest), Err(error));
        }
    }

    #[test]
    fn nulls_and_infinities_have_no_counterpart() {
        macro_rules! refuses {
            ($($name:ident to $($other:ty),+;)*) => {$($(
                let refused = |from: $name| <$other>::try_from(from).err();
                let of = BasicType::$name;
                assert_eq!(refused($name::NULL), Some(TemporalError::Null(of)));
                assert_eq!(refused($name::INFINITY), Some(TemporalError::Infinite(of)));
                assert_eq!(refused($name::NEG_INFINITY), Some(TemporalError::Infinite(of)));
            )+)*};
        }
        refuses! {
            Timestamp to jiff::Timestamp, civil::DateTime;
            Datetime to civil::DateTime;
            Date to civil::Date;
            Timespan to SignedDuration, civil::Time;
            Time to SignedDuration, civil::Time;
            Second to SignedDuration, civil::Time;
            Minute to SignedDuration, civil::Time;
        }
    }

    proptest! {
        #[test]
        fn what_converts_comes_back(number in any::<i64>(), days in -4_382_544..=2_921_939) {
            macro_rules! comes_back {
                ($($from:expr, $name:ident: $($other:ty),+;)*) => {$($(
                    let from = $from;
                    if let Ok(other) = <$other>::try_from(from) {
                        prop_assert_eq!($name::try_from(other), Ok(from));
                    }
                )+)*};
            }
            let small = (number >> 32) as i32;
            comes_back! {
                Timestamp(number), Timestamp: jiff::Timestamp, civil::DateTime;
                Timespan(number), Timespan: SignedDuration, civil::Time;
                Timespan(number % DAY as i64), Timespan: civil::Time;
                Time(small), Time: SignedDuration, civil::Time;
                Time(small % 86_400_000), Time: civil::Time;
                Second(small), Second: SignedDuration, civil::Time;
                Minute(small), Minute: SignedDuration, civil::Time;
                Date(small), Date: civil::Date;
                Date(days), Date: civil::Date;
            }
            // Every millisecond of jiff's years.
            let time = civil::Time::try_from(Time(number.rem_euclid(86_400_000) as i32)).unwrap();
            let civil = civil::Date::try_from(Date(days)).unwrap().to_datetime(time);
            let datetime = Datetime::try_from(civil).unwrap();
            prop_assert_eq!(civil::DateTime::try_from(datetime), Ok(civil));
            // The calendar without jiff agrees with jiff's.
            let date = Date(days);
            let theirs = civil::Date::try_from(date).unwrap();
            let ours = (i32::from(theirs.year()), theirs.month() as u8, theirs.day() as u8);
            prop_assert_eq!(date.year_month_day(), Ok(ours));
            prop_assert_eq!(Date::new(ours.0, ours.1, ours.2), Ok(date));
        }
    }
}
