//! What a handle is opened with.

use std::time::Duration;

use hopen_codec::address::{Address, AddressError, HopenArgument};
use hopen_codec::config::Config;

use crate::Error;

/// What a handle is opened with: the address, a time-out, and what the codec is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where to connect, and as whom.
    pub address: Address,
    /// How long looking up the host's name, connecting and logging in may take together. As in q, it does not hold for what
    /// the handle is used for later. Default: for ever, which is also what [`Duration::ZERO`]
    /// says, as 0 does to KX's C library.
    ///
    /// Where the host's name has several addresses they are tried one after the other, each for
    /// its share of the time that is left, 2 s at least.
    ///
    /// A q process that is busy accepts the connection and answers the login when it comes round
    /// to it, so this covers the wait for that answer.
    pub timeout: Option<Duration>,
    /// Capability, compression and limits. Whether the peer is on this host is found out, not
    /// taken from here.
    pub config: Config,
}

impl Options {
    /// Returns the defaults for an address.
    pub const fn new(address: Address) -> Self {
        Self {
            address,
            timeout: None,
            config: Config::client(),
        }
    }
}

impl From<Address> for Options {
    fn from(address: Address) -> Self {
        Self::new(address)
    }
}

impl From<u16> for Options {
    /// A port of this host.
    fn from(port: u16) -> Self {
        Self::new(Address::from(port))
    }
}

impl TryFrom<HopenArgument> for Options {
    type Error = AddressError;

    fn try_from(argument: HopenArgument) -> Result<Self, AddressError> {
        let mut options = Self::new(argument.target.into_process()?);
        options.timeout = argument.timeout;
        Ok(options)
    }
}

impl TryFrom<&str> for Options {
    type Error = AddressError;

    /// A handle, or a handle and milliseconds: ``(`:host:5010;500)``.
    fn try_from(handle: &str) -> Result<Self, AddressError> {
        handle.parse::<HopenArgument>()?.try_into()
    }
}

impl TryFrom<&String> for Options {
    type Error = AddressError;

    fn try_from(handle: &String) -> Result<Self, AddressError> {
        Self::try_from(handle.as_str())
    }
}

impl TryFrom<String> for Options {
    type Error = AddressError;

    fn try_from(handle: String) -> Result<Self, AddressError> {
        Self::try_from(handle.as_str())
    }
}

impl<T> TryFrom<(T, Duration)> for Options
where
    T: TryInto<Self>,
    T::Error: Into<Error>,
{
    type Error = Error;

    fn try_from((to, timeout): (T, Duration)) -> Result<Self, Error> {
        let options = to.try_into().map_err(Into::into)?;
        Ok(Self {
            timeout: Some(timeout),
            ..options
        })
    }
}
