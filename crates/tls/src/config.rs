//! What both ends' configurations have in common.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};

use crate::error::TlsError;
use crate::settings::{Protocol, Settings};

/// Returns the one source of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Returns the versions of the protocol that may be spoken, one at least.
pub(crate) fn versions(
    settings: &Settings,
) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let minimum = settings.minimum_protocol.unwrap_or(Protocol::Tls12);
    let maximum = settings.maximum_protocol.unwrap_or(Protocol::Tls13);
    if minimum > maximum {
        return Err(TlsError::ProtocolRange { minimum, maximum });
    }
    let versions = [(Protocol::Tls12, &TLS12), (Protocol::Tls13, &TLS13)];
    Ok(versions
        .into_iter()
        .filter(|(protocol, _)| (minimum..=maximum).contains(protocol))
        .map(|(_, version)| version)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_from_the_lowest_to_the_highest() {
        use Protocol::{Tls12, Tls13};
        for (minimum, maximum, expected) in [
            (None, None, vec![&TLS12, &TLS13]),
            (Some(Tls12), Some(Tls13), vec![&TLS12, &TLS13]),
            (Some(Tls13), None, vec![&TLS13]),
            (None, Some(Tls12), vec![&TLS12]),
            (Some(Tls12), Some(Tls12), vec![&TLS12]),
        ] {
            let settings = Settings {
                minimum_protocol: minimum,
                maximum_protocol: maximum,
                ..Settings::default()
            };
            assert_eq!(versions(&settings).unwrap(), expected);
        }
        let settings = Settings {
            minimum_protocol: Some(Tls13),
            maximum_protocol: Some(Tls12),
            ..Settings::default()
        };
        let error = versions(&settings).unwrap_err().to_string();
        assert!(
            error.contains("TLSv1.3") && error.contains("TLSv1.2"),
            "{error}"
        );
    }
}
