//! What a handle is opened with.

use core::fmt;
use std::borrow::Cow;
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hopen_codec::address::{Address, AddressError, Endpoint, HopenArgument};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_tls::{Client, Settings};

/// What a handle is opened with: the address, a time-out, and what the codec is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where to connect, and as whom.
    pub address: Address,
    /// How long looking up the host's name, connecting, TLS's handshake and logging in may take
    /// together. As in q, it does not hold for what the handle is used for later, but for that of a
    /// `one_shot`. Default: for ever, which is also what [`Duration::ZERO`]
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
    /// What TLS is told, where the address is of that kind. Default: what the environment says when
    /// the handle is opened, [`Settings::from_variables`].
    pub tls: Option<Client>,
    credentials: Option<Source>,
}

/// Makes credentials.
#[derive(Clone)]
struct Source(Arc<Make>);

type Make = dyn Fn() -> Result<Credentials, Box<dyn Error + Send + Sync>> + Send + Sync;

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

impl Options {
    /// Returns the defaults for an address.
    pub const fn new(address: Address) -> Self {
        Self {
            address,
            timeout: None,
            config: Config::client(),
            tls: None,
            credentials: None,
        }
    }

    /// Has a function make the credentials, instead of those of the address: each time that a handle
    /// is opened with these options, before it connects. For tokens that expire.
    ///
    /// It is called where the handle is opened: in an async program by the task that opens it, which it must
    /// not hold up for long, and the time-out does not interrupt it.
    ///
    /// ```no_run
    /// use hopen_transport::Options;
    /// use hopen_codec::auth::Credentials;
    ///
    /// let options = Options::try_from(":prices:5010")?.credentials_from(|| {
    ///     let token = std::fs::read("/run/secrets/token")?;
    ///     Ok(Credentials::new("ann", token)?)
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn credentials_from(
        mut self,
        make: impl Fn() -> Result<Credentials, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.credentials = Some(Source(Arc::new(make)));
        self
    }

    /// Returns what to log in with: the address's credentials, or what the function makes.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`](crate::Error::Credentials) where the function fails.
    pub fn login(&self) -> Result<Cow<'_, Credentials>, crate::Error> {
        match &self.credentials {
            None => Ok(Cow::Borrowed(&self.address.credentials)),
            Some(Source(make)) => make().map(Cow::Owned).map_err(crate::Error::Credentials),
        }
    }

    /// Returns what TLS is told, and whom the server's certificate has to be for; `None` where the
    /// address is not of that kind. What it is told is [`tls`](Self::tls), or what the environment
    /// says.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`](crate::Error::Tls) where what it says is wrong.
    pub fn tls_toward(&self) -> Result<Option<(Cow<'_, Client>, &str)>, crate::Error> {
        let host = match &self.address.endpoint {
            Endpoint::Tcp { .. } | Endpoint::Unix { .. } => return Ok(None),
            Endpoint::Tcps { host, .. } if !host.is_empty() => host,
            Endpoint::Tcps { .. } | Endpoint::Unixs { .. } => "localhost",
        };
        let client = match &self.tls {
            Some(client) => Cow::Borrowed(client),
            None => Settings::from_variables(|name| env::var_os(name))
                .and_then(|settings| Client::new(&settings))
                .map(Cow::Owned)
                .map_err(crate::Error::tls)?,
        };
        Ok(Some((client, host)))
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
    T::Error: Into<crate::Error>,
{
    type Error = crate::Error;

    fn try_from((to, timeout): (T, Duration)) -> Result<Self, crate::Error> {
        let options = to.try_into().map_err(Into::into)?;
        Ok(Self {
            timeout: Some(timeout),
            ..options
        })
    }
}
