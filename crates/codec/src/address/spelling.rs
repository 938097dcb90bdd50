//! Takes handles apart, and finds out what was meant by a text that is none.
//!
//! No error holds what may be a password: of what stands behind the host it shows digits at most.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, rest};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::{Address, AddressError, Endpoint, Target, is_number};
use crate::auth::{Credentials, CredentialsError};

/// Reads a handle, as a string or in a symbol's spelling.
pub(super) fn target(text: &str) -> Result<Target, AddressError> {
    let text = text.strip_prefix('`').unwrap_or(text);
    if is_number(text) {
        return Ok(Address::from(port_number(text)?).into());
    }
    let Some(handle) = text.strip_prefix(':') else {
        return Err(without_colon(text));
    };
    let process = |endpoint, credentials| {
        Ok(Target::Process(Address {
            endpoint,
            credentials,
        }))
    };
    match scheme(handle) {
        Ok((rest, "tcps")) => {
            let (host, port, credentials) = host_and_login(rest, ":tcps://")?;
            process(Endpoint::Tcps { host, port }, credentials)
        }
        Ok((rest, scheme @ ("unix" | "unixs"))) => {
            let (port, credentials) = port_and_login(rest, scheme)?;
            let endpoint = match scheme {
                "unix" => Endpoint::Unix { port },
                _ => Endpoint::Unixs { port },
            };
            process(endpoint, credentials)
        }
        Ok((path, "fifo")) => Ok(Target::Pipe {
            path: some_path(path)?,
        }),
        Ok((_, scheme)) => Err(AddressError::Scheme {
            scheme: scheme.into(),
        }),
        Err(_) if begins_with_drive(handle) || !handle.contains(':') => file(handle),
        Err(_) => {
            let (host, port, credentials) = host_and_login(handle, ":")?;
            process(Endpoint::Tcp { host, port }, credentials)
        }
    }
}

/// Reads `host:port[:user[:password]]`, which stands behind `start`.
fn host_and_login(text: &str, start: &str) -> Result<(String, u16, Credentials), AddressError> {
    let (login, (host, port)) = (host, opt(preceded(char(':'), take_till(is_colon))))
        .parse(text)
        .map_err(|_| AddressError::Host)?;
    match host {
        Host::Name(host) if host.contains('@') || port.is_some_and(|port| port.contains('@')) => {
            Err(AddressError::Url)
        }
        Host::Address(host) if !is_ipv6(host) => Err(AddressError::Host),
        Host::Name(path) if path.contains(['/', '\\']) => {
            Err(AddressError::ColonInPath { path: path.into() })
        }
        Host::Name(host) if !host.chars().all(is_of_a_host) => Err(AddressError::Host),
        Host::Name("") if text.starts_with(':') && !port.is_some_and(begins_with_digit) => {
            let behind = text.get(1..).filter(|text| text.contains(':'));
            let instead = host_and_port(behind.unwrap_or_default());
            Err(AddressError::TwoColons {
                instead: format!("{start}{instead}").into(),
            })
        }
        Host::Address(host) | Host::Name(host) => {
            let Some(port) = port.filter(|port| !port.is_empty()) else {
                let host = text.strip_suffix(login).unwrap_or_default();
                let host = host.strip_suffix(':').unwrap_or(host);
                return Err(AddressError::NoPort {
                    instead: format!("{start}{host}:PORT").into(),
                });
            };
            Ok((host.into(), port_number(port)?, credentials(login)?))
        }
    }
}

/// Reads `port[:user[:password]]`.
fn port_and_login(text: &str, scheme: &str) -> Result<(u16, Credentials), AddressError> {
    let (port, login) = match text.split_once(':') {
        Some((port, _)) => (port, &text[port.len()..]),
        None => (text, ""),
    };
    if !begins_with_digit(port) || port.contains(['/', '.']) {
        return Err(AddressError::UnixHost {
            scheme: scheme.into(),
        });
    }
    Ok((port_number(port)?, credentials(login)?))
}

/// Reads `[:user[:password]]`. The password is all that follows.
fn credentials(login: &str) -> Result<Credentials, CredentialsError> {
    let user = preceded(char(':'), take_till(is_colon));
    let password = opt(preceded(char(':'), rest));
    let spelled: IResult<&str, _> = opt((user, password)).parse(login);
    match spelled {
        Ok((_, Some((user, Some(password))))) => Credentials::new(user, password),
        Ok((_, Some((user, None)))) => Credentials::user_only(user),
        Ok((_, None)) | Err(_) => Ok(Credentials::anonymous()),
    }
}

fn file(path: &str) -> Result<Target, AddressError> {
    if is_number(path) {
        return Err(AddressError::Number {
            number: path.into(),
        });
    }
    Ok(Target::File {
        path: some_path(path)?,
    })
}

fn some_path(path: &str) -> Result<String, AddressError> {
    if path.is_empty() {
        return Err(AddressError::NoPath);
    }
    if path.contains('\0') {
        return Err(AddressError::NulInPath);
    }
    Ok(path.into())
}

pub(super) fn port_number(text: &str) -> Result<u16, AddressError> {
    match text.parse() {
        Ok(port) if port > 0 && is_number(text) => Ok(port),
        _ => {
            // What is no number may be anything, a password among them.
            let is_near = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ' ');
            let shown = Some(text).filter(|text| text.chars().all(is_near) && !text.is_empty());
            Err(AddressError::Port {
                port: shown.map(Into::into),
            })
        }
    }
}

/// Finds out what was meant by a text without a colon in front.
fn without_colon(text: &str) -> AddressError {
    let instead = match scheme(text) {
        Ok((rest, scheme)) if is_known(scheme) => {
            // Of fifo and unix the start shows what to write as well as the whole.
            let shown = rest.split(':').next().unwrap_or_default();
            match scheme {
                "tcps" => format!(":tcps://{}", host_and_port(rest)),
                _ => format!(":{scheme}://{shown}"),
            }
        }
        Ok((_, scheme)) => {
            return AddressError::Scheme {
                scheme: scheme.into(),
            };
        }
        Err(_) => {
            let (first, _) = text.split_once(':').unwrap_or((text, ""));
            if is_number(first) {
                format!("::{first}")
            } else {
                format!(":{}", host_and_port(text))
            }
        }
    };
    AddressError::NoColon {
        instead: instead.into(),
    }
}

/// Returns the start of a text up to its second colon, if that is a host and a port; what else it
/// is may hold a password.
fn host_and_port(text: &str) -> String {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next()) {
        (Some(host), Some(port)) if is_number(port) => format!("{host}:{port}"),
        (Some(host), None) if !host.is_empty() && !host.contains('@') => format!("{host}:PORT"),
        _ => "HOST:PORT".to_owned(),
    }
}

enum Host<'a> {
    /// An address in brackets.
    Address(&'a str),
    /// Anything else.
    Name(&'a str),
}

fn host(text: &str) -> IResult<&str, Host<'_>> {
    let bracketed = delimited(char('['), is_not("[]"), char(']')).map(Host::Address);
    let plain = take_till(is_colon).map(Host::Name);
    alt((bracketed, plain)).parse(text)
}

/// Takes the scheme off.
fn scheme(text: &str) -> IResult<&str, &str> {
    terminated(take_while1(|c: char| c.is_alphanumeric()), tag("://")).parse(text)
}

fn is_known(scheme: &str) -> bool {
    matches!(scheme, "tcps" | "unix" | "unixs" | "fifo")
}

/// Returns whether a text may be an IPv6 address, with or without a zone.
fn is_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or_default();
    address.parse::<core::net::Ipv6Addr>().is_ok()
        && text
            .chars()
            .all(|c| is_of_a_host(c) || matches!(c, ':' | '%'))
}

/// Returns whether a character may be in the name of a host, which may be international.
fn is_of_a_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Returns whether a path begins with the letter of a drive: `c:/`.
pub(super) fn begins_with_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

const fn is_colon(c: char) -> bool {
    c == ':'
}
