//! Conversions from and to the types of `std::time`.
//!
//! Only arithmetic: nobody here asks a clock.

use std::time::{Duration, SystemTime};

use super::{Minute, Second, TemporalError, Time, Timespan, Timestamp};
use crate::value::types::BasicType;

impl TryFrom<SystemTime> for Timestamp {
    type Error = TemporalError;

    /// Fails for times that a timestamp does not reach.
    fn try_from(time: SystemTime) -> Result<Self, TemporalError> {
        let (nanoseconds, sign) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (after.as_nanos(), 1),
            Err(before) => (before.duration().as_nanos(), -1),
        };
        match i128::try_from(nanoseconds) {
            Ok(nanoseconds) => Self::from_unix_nanoseconds(sign * nanoseconds),
            Err(_) => Err(TemporalError::OutOfRange(BasicType::Timestamp)),
        }
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = TemporalError;

    /// Fails for the null and the infinities, and on systems whose clock counts more than one
    /// nanosecond at a time (Windows: 100) for a time between two of theirs.
    fn try_from(timestamp: Timestamp) -> Result<Self, TemporalError> {
        let nanoseconds = timestamp.unix_nanoseconds()?;
        let distance = duration(nanoseconds.unsigned_abs());
        let time = distance.and_then(|distance| {
            if nanoseconds < 0 {
                Self::UNIX_EPOCH.checked_sub(distance)
            } else {
                Self::UNIX_EPOCH.checked_add(distance)
            }
        });
        let time = time.ok_or(TemporalError::OutOfRange(BasicType::Timestamp))?;
        if Timestamp::try_from(time) == Ok(timestamp) {
            Ok(time)
        } else {
            Err(TemporalError::Inexact(BasicType::Timestamp))
        }
    }
}

macro_rules! durations {
    ($($name:ident)+) => {$(
        impl TryFrom<Duration> for $name {
            type Error = TemporalError;

            /// Fails beyond what it reaches, and for what would have to be rounded.
            fn try_from(duration: Duration) -> Result<Self, TemporalError> {
                match i128::try_from(duration.as_nanos()) {
                    Ok(nanoseconds) => Self::of_nanoseconds(nanoseconds),
                    Err(_) => Err(TemporalError::OutOfRange(BasicType::$name)),
                }
            }
        }

        impl TryFrom<$name> for Duration {
            type Error = TemporalError;

            /// Fails for the null and the infinities, and below zero.
            fn try_from(span: $name) -> Result<Self, TemporalError> {
                let nanoseconds = u128::try_from(span.nanoseconds()?).ok();
                nanoseconds
                    .and_then(duration)
                    .ok_or(TemporalError::OutOfRange(BasicType::$name))
            }
        }
    )+};
}

durations!(Timespan Time Second Minute);

/// Makes a duration of any count of nanoseconds that it can hold.
fn duration(nanoseconds: u128) -> Option<Duration> {
    const SECOND: u128 = super::SECOND.unsigned_abs();
    let seconds = u64::try_from(nanoseconds / SECOND).ok()?;
    Some(Duration::new(seconds, (nanoseconds % SECOND) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_system_times_both_ways() {
        for (timestamp, seconds, nanoseconds) in [
            (Timestamp(0), 946_684_800, 0),
            (Timestamp(-946_684_800_000_000_000), 0, 0),
            (Timestamp(-946_684_800_000_000_001), -1, 999_999_900),
            (Timestamp(1), 946_684_800, 1),
        ] {
            let epoch = SystemTime::UNIX_EPOCH;
            let time = match u64::try_from(seconds) {
                Ok(seconds) => epoch + Duration::new(seconds, nanoseconds),
                Err(_) => epoch - Duration::from_nanos(1),
            };
            if cfg!(windows) && timestamp.0 % 100 != 0 {
                continue;
            }
            assert_eq!(Timestamp::try_from(time), Ok(timestamp));
            assert_eq!(SystemTime::try_from(timestamp), Ok(time));
        }
    }

    #[test]
    fn the_ends_of_timestamps_are_kept_and_what_lies_beyond_is_refused() {
        use TemporalError::{Infinite, Null, OutOfRange};
        const OF: BasicType = BasicType::Timestamp;

        for last in [Timestamp(i64::MAX - 1), Timestamp(-i64::MAX + 1)] {
            let nanoseconds = last.unix_nanoseconds().unwrap();
            assert_eq!(Timestamp::from_unix_nanoseconds(nanoseconds), Ok(last));
            let beyond = Timestamp::from_unix_nanoseconds(nanoseconds + nanoseconds.signum());
            assert_eq!(beyond, Err(OutOfRange(OF)));
            if cfg!(not(windows)) {
                let time = SystemTime::try_from(last).unwrap();
                assert_eq!(Timestamp::try_from(time), Ok(last));
            }
        }
        for far in [i128::MAX, i128::MIN] {
            assert_eq!(Timestamp::from_unix_nanoseconds(far), Err(OutOfRange(OF)));
        }
        for (timestamp, error) in [
            (Timestamp::NULL, Null(OF)),
            (Timestamp::INFINITY, Infinite(OF)),
            (Timestamp::NEG_INFINITY, Infinite(OF)),
        ] {
            assert_eq!(SystemTime::try_from(timestamp), Err(error));
            assert_eq!(timestamp.unix_nanoseconds(), Err(error));
        }
    }

    #[test]
    fn spans_are_durations_both_ways() {
        macro_rules! table {
            ($($name:ident $unit:literal $most:expr;)*) => {$(
                for count in [0, 1, 59, $most] {
                    let nanoseconds = $unit * count as u128;
                    let same = duration(nanoseconds).unwrap();
                    assert_eq!($name::try_from(same), Ok($name(count)));
                    assert_eq!(Duration::try_from($name(count)), Ok(same));
                }
                let of = BasicType::$name;
                for (span, error) in [
                    ($name(-1), TemporalError::OutOfRange(of)),
                    ($name::NULL, TemporalError::Null(of)),
                    ($name::INFINITY, TemporalError::Infinite(of)),
                    ($name::NEG_INFINITY, TemporalError::Infinite(of)),
                ] {
                    assert_eq!(Duration::try_from(span), Err(error));
                }
                for beyond in [duration($unit * ($most as u128 + 1)).unwrap(), Duration::MAX] {
                    let error = $name::try_from(beyond).unwrap_err();
                    // The longest duration is no whole number of these either.
                    let inexact = !beyond.as_nanos().is_multiple_of($unit);
                    assert_eq!(error, match inexact {
                        true => TemporalError::Inexact(of),
                        false => TemporalError::OutOfRange(of),
                    });
                }
                if $unit > 1 {
                    let between = duration($unit + 1).unwrap();
                    assert_eq!($name::try_from(between), Err(TemporalError::Inexact(of)));
                }
            )*};
        }
        table! {
            Timespan 1_u128 i64::MAX - 1;
            Time 1_000_000_u128 i32::MAX - 1;
            Second 1_000_000_000_u128 i32::MAX - 1;
            Minute 60_000_000_000_u128 i32::MAX - 1;
        }
    }
}
