//! What `hopen` is applied to, as text and as a q value.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use zeroize::Zeroizing;

use super::spelling::port_number;
use super::{Address, AddressError, HopenArgument, Kind, Target};
use crate::value::{SymbolRef, ValueRef};

impl HopenArgument {
    /// Returns the path of the pipe that is to be opened.
    ///
    /// # Errors
    ///
    /// [`AddressError::Other`] where it is none, [`AddressError::NoTimeout`] where it is and there is
    /// a time-out.
    pub fn into_pipe(self) -> Result<String, AddressError> {
        self.without_timeout(Kind::Pipe)?.into_pipe()
    }

    /// Returns the path of the file that is to be opened.
    ///
    /// # Errors
    ///
    /// [`AddressError::Other`] where it is none, [`AddressError::NoTimeout`] where it is and there is
    /// a time-out.
    pub fn into_file(self) -> Result<String, AddressError> {
        self.without_timeout(Kind::File)?.into_file()
    }

    /// Returns the target. Where it is of this kind, which takes no time-out, there must be none.
    fn without_timeout(self, found: Kind) -> Result<Target, AddressError> {
        if self.target.kind() == found && self.timeout.is_some() {
            return Err(AddressError::NoTimeout { found });
        }
        Ok(self.target)
    }
}

impl From<Target> for HopenArgument {
    /// Without a time-out.
    fn from(target: Target) -> Self {
        Self {
            target,
            timeout: None,
        }
    }
}

impl From<Address> for HopenArgument {
    /// Without a time-out.
    fn from(address: Address) -> Self {
        Target::from(address).into()
    }
}

impl From<u16> for HopenArgument {
    /// A port of this host, without a time-out.
    fn from(port: u16) -> Self {
        Address::from(port).into()
    }
}

impl FromStr for HopenArgument {
    type Err = AddressError;

    /// Reads a handle, or `(handle;milliseconds)` with the handle as a symbol, a number, or a text
    /// in quotes.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let Some(inside) = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
        else {
            return Ok(text.parse::<Target>()?.into());
        };
        let (handle, milliseconds) = inside.rsplit_once(';').ok_or(AddressError::Timeout)?;
        let milliseconds: u32 = milliseconds
            .trim()
            .parse()
            .map_err(|_| AddressError::Timeout)?;
        let handle = handle.trim();
        let quoted = handle
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let target = match quoted {
            Some(quoted) => unescaped(quoted).parse(),
            None => handle.parse(),
        };
        Ok(Self {
            target: target?,
            timeout: Some(Duration::from_millis(milliseconds.into())),
        })
    }
}

impl TryFrom<&str> for HopenArgument {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<&String> for HopenArgument {
    type Error = AddressError;

    fn try_from(text: &String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for HopenArgument {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<ValueRef<'_>> for HopenArgument {
    type Error = AddressError;

    /// Takes what a q program gives to `hopen`: a text, a symbol, the number of a port, or a list of
    /// one of them and milliseconds.
    fn try_from(value: ValueRef<'_>) -> Result<Self, AddressError> {
        if let Some(target) = single(value)? {
            return Ok(target.into());
        }
        let mut items = value.elements().ok_or(AddressError::Type)?;
        let (Some(handle), Some(milliseconds), None) = (items.next(), items.next(), items.next())
        else {
            return Err(AddressError::Type);
        };
        let target = single(handle)?.ok_or(AddressError::Type)?;
        let milliseconds = whole(milliseconds)
            .and_then(|number| u32::try_from(number).ok())
            .ok_or(AddressError::Timeout)?;
        Ok(Self {
            target,
            timeout: Some(Duration::from_millis(milliseconds.into())),
        })
    }
}

impl fmt::Display for HopenArgument {
    /// As q spells it, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timeout {
            None => fmt::Display::fmt(&self.target, f),
            Some(timeout) => write!(f, "(`{};{})", self.target, timeout.as_millis()),
        }
    }
}

/// Reads what stands for a handle by itself; `None` for anything else.
fn single(value: ValueRef<'_>) -> Result<Option<Target>, AddressError> {
    if let Some(number) = whole(value) {
        let port = port_number(&number.to_string())?;
        return Ok(Some(Address::from(port).into()));
    }
    let text = match (value.to::<&[u8]>(), value.to::<SymbolRef<'_>>()) {
        (Ok(text), _) => text,
        (_, Ok(symbol)) => symbol.as_bytes(),
        _ => return Ok(None),
    };
    let text = str::from_utf8(text).map_err(|_| AddressError::NotUtf8)?;
    text.parse().map(Some)
}

/// Returns the number that an atom of a long, an int or a short is.
fn whole(value: ValueRef<'_>) -> Option<i64> {
    value
        .to::<i64>()
        .ok()
        .or_else(|| value.to::<i32>().ok().map(i64::from))
        .or_else(|| value.to::<i16>().ok().map(i64::from))
}

/// Takes q's backslashes before a quote and a backslash away.
fn unescaped(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = characters.next_if(|next| c == '\\' && matches!(next, '\\' | '"'));
        plain.push(escaped.unwrap_or(c));
    }
    plain
}
