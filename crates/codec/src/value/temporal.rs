//! q's temporal types: a number and what it counts.

/// Makes the newtype of a temporal.
macro_rules! temporal {
    ($(#[doc = $doc:literal])+ $name:ident($number:ty)) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        #[derive(bytemuck::Pod, bytemuck::Zeroable)]
        #[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
        #[repr(transparent)]
        pub struct $name(pub $number);
    };
    (Eq $(#[doc = $doc:literal])+ $name:ident($number:ty)) => {
        temporal!($(#[doc = $doc])+ $name($number));

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
            /// The null.
            pub const NULL: Self = Self(<$number>::MIN);
            /// Positive infinity.
            pub const INFINITY: Self = Self(<$number>::MAX);
            /// Negative infinity.
            pub const NEG_INFINITY: Self = Self(-<$number>::MAX);

            /// Returns whether this is neither the null nor an infinity.
            pub const fn is_finite(self) -> bool {
                self.0 != <$number>::MIN && self.0 != <$number>::MAX && self.0 != -<$number>::MAX
            }
        }
    };
}

temporal!(Eq
    /// q's timestamp: nanoseconds since 2000.01.01, midnight. Finite ones reach from 1707.09.22 to
    /// 2292.04.10.
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
    Datetime(f64));
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
