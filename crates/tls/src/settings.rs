//! What KX's processes are told about TLS.
//!
//! ```text
//! variable                 field               values
//! SSL_CERT_FILE            certificate_file    a PEM file: leaf, then what signed it
//! SSL_KEY_FILE             key_file            a PEM file
//! SSL_CA_CERT_FILE         ca_file             a PEM file, many blocks, free text between them
//! SSL_CA_CERT_PATH         ca_path             a folder of such files
//! SSL_VERIFY_SERVER        verify_server       HOSTIP  YES  NO
//! SSL_VERIFY_CLIENT        verify_client       NO  YES  IFPRESENT  REQUESTONLY
//! SSL_MINPROTOCOL          minimum_protocol    TLSv1.2  TLSv1.3  None
//! SSL_MAXPROTOCOL          maximum_protocol    TLSv1.2  TLSv1.3  None
//! SSL_CIPHER_LIST          none: an error if set
//! SSL_CIPHERSUITES         none: an error if set
//! ```
//!
//! Each is looked up with `KX_` before it first, then plain. The one with `KX_` wins whatever it
//! says, as observed with KX's C library (2023.11.22). Values are spelled as on [KX's
//! page](https://code.kx.com/q/kb/ssl/), in capitals; any other is an error. KX's library takes
//! every word but `YES` for `NO`: `yes` as well, and `HOSTIP`, which is younger than it is.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{TlsError, Unsupported};

/// What both ends are told: files, what to verify, which versions of the protocol.
///
/// The default verifies a server fully, against the system's certificates, and asks no client for a
/// certificate.
///
/// ```
/// use hopen_tls::{Settings, VerifyServer};
///
/// let variables = |name: &str| match name {
///     "KX_SSL_CA_CERT_FILE" => Some("certs/ca.pem".into()),
///     "KX_SSL_VERIFY_SERVER" => Some("YES".into()),
///     "SSL_VERIFY_SERVER" => Some("NO".into()), // the one with KX_ wins
///     _ => None,
/// };
/// let settings = Settings::from_variables(variables)?; // a program: std::env::var_os
/// assert_eq!(settings.verify_server, VerifyServer::Chain);
///
/// let mut settings = Settings::default();
/// settings.ca_file = Some("certs/ca.pem".into());
/// assert_eq!(settings.verify_server, VerifyServer::Full);
/// # Ok::<(), hopen_tls::TlsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The certificate of this end, PEM: the leaf first, then what signed it. A server needs it; a
    /// client shows it where the server asks. KX's default is `server-crt.pem` in OpenSSL's folder,
    /// ours is none.
    pub certificate_file: Option<PathBuf>,
    /// The key of that certificate, PEM, not encrypted (PKCS#8, PKCS#1 or SEC1). Both files or
    /// neither.
    pub key_file: Option<PathBuf>,
    /// Whom to trust: a PEM file with any number of certificates and any text between them. KX's
    /// default is `cacert.pem` in OpenSSL's folder; ours is the system's store, for
    /// [`VerifyServer::Full`] alone.
    pub ca_file: Option<PathBuf>,
    /// Whom to trust as well: a folder. All certificates are taken from its files that are named
    /// `*.pem`, `*.crt`, `*.cer`, or as `openssl rehash` names them (`5ed36f99.0`); the hash is not
    /// needed. A file without a certificate is passed over, one that cannot be read is an error.
    pub ca_path: Option<PathBuf>,
    /// What a client verifies of a server.
    pub verify_server: VerifyServer,
    /// What a server verifies of a client.
    pub verify_client: VerifyClient,
    /// The lowest version to speak; TLS 1.2 if nothing is said.
    pub minimum_protocol: Option<Protocol>,
    /// The highest version to speak; TLS 1.3 if nothing is said.
    pub maximum_protocol: Option<Protocol>,
}

/// What a client verifies of a server. What is checked, by whom: see [the crate](crate).
///
/// q's default is [`Chain`](Self::Chain), ours is [`Full`](Self::Full), which is stricter. KX's
/// page says that expired certificates are accepted; KX's C library (2023.11.22, with OpenSSL 3.0)
/// was seen to refuse them, and so do both of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what a variable can say; all match on it"
)]
pub enum VerifyServer {
    /// Chain, dates, and that the certificate's subject alternative names hold the name or address
    /// that was connected to. `HOSTIP`, and what is meant where nothing is said.
    #[default]
    Full,
    /// Chain and dates, and not the name: `YES`. Whoever has a certificate of the same CA can stand
    /// in for the server. Needs a CA of the caller's: with the system's store it would
    /// accept anybody who owns a domain.
    Chain,
    /// Nothing, so whoever is in between can read and change everything: `NO`.
    Off,
}

/// What a server verifies of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what a variable can say; all match on it"
)]
pub enum VerifyClient {
    /// The client is not asked for a certificate: `NO`.
    #[default]
    No,
    /// A client without a certificate of the CA is refused: `YES`.
    Required,
    /// A client without a certificate is let in, one with a bad one is not: `IFPRESENT`.
    IfPresent,
    /// The client is asked and let in whatever it shows: `REQUESTONLY`. What would have been said
    /// of it is in the [session](crate::Session).
    RequestOnly,
}

/// A version of the protocol. Those before TLS 1.2 are broken, and not to be had here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// TLS 1.2, RFC 5246.
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

impl Settings {
    /// Returns what KX's variables say. `variable` looks one up, as [`std::env::var_os`] does.
    ///
    /// A variable with `KX_` before it that is set and empty is as not set, and hides the plain one.
    ///
    /// The plain `SSL_CERT_FILE` without a key file of either name is not taken for a certificate of
    /// this end: OpenSSL and what follows it know it as the file of CAs, and many systems set it so.
    ///
    /// # Errors
    ///
    /// A value that KX's page does not know, and what cannot be honoured: lists of ciphers,
    /// versions below TLS 1.2. No file is opened.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, TlsError> {
        let look = |names: &Names| names.look_up(&variable);
        for names in [&CIPHER_LIST, &CIPHERSUITES] {
            if let Some((variable, _)) = look(names) {
                return Err(TlsError::Unsupported {
                    variable,
                    what: Unsupported::Ciphers,
                });
            }
        }
        let path = |names| look(names).map(|(_, value)| PathBuf::from(value));
        let key_file = path(&KEY_FILE);
        let certificate_file = look(&CERT_FILE)
            .filter(|(name, _)| name.starts_with("KX_") || key_file.is_some())
            .map(|(_, value)| PathBuf::from(value));
        Ok(Self {
            certificate_file,
            key_file,
            ca_file: path(&CA_CERT_FILE),
            ca_path: path(&CA_CERT_PATH),
            verify_server: word(
                look(&VERIFY_SERVER),
                &[
                    ("HOSTIP", VerifyServer::Full),
                    ("YES", VerifyServer::Chain),
                    ("NO", VerifyServer::Off),
                ],
            )?
            .unwrap_or_default(),
            verify_client: word(
                look(&VERIFY_CLIENT),
                &[
                    ("NO", VerifyClient::No),
                    ("YES", VerifyClient::Required),
                    ("IFPRESENT", VerifyClient::IfPresent),
                    ("REQUESTONLY", VerifyClient::RequestOnly),
                ],
            )?
            .unwrap_or_default(),
            minimum_protocol: protocol(look(&MINPROTOCOL))?,
            maximum_protocol: protocol(look(&MAXPROTOCOL))?,
        })
    }
}

/// A variable's two names, the one that wins first.
struct Names([&'static str; 2]);

impl Names {
    /// Returns the value and the name under which it was found.
    fn look_up(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Option<(&'static str, OsString)> {
        self.0
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)))
            .filter(|(_, value)| !value.is_empty())
    }
}

/// Returns what the word means, `None` where nothing is set.
fn word<T: Copy>(
    found: Option<(&'static str, OsString)>,
    words: &[(&str, T)],
) -> Result<Option<T>, TlsError> {
    let Some((variable, value)) = found else {
        return Ok(None);
    };
    match words.iter().find(|(word, _)| value == *word) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => Err(TlsError::UnknownValue { variable, value }),
    }
}

fn protocol(found: Option<(&'static str, OsString)>) -> Result<Option<Protocol>, TlsError> {
    let Some((variable, _)) = found else {
        return Ok(None);
    };
    #[derive(Clone, Copy)]
    enum Word {
        Any,
        Old,
        Known(Protocol),
    }
    let words = [
        ("None", Word::Any),
        ("SSLv3", Word::Old),
        ("TLSv1", Word::Old),
        ("TLSv1.1", Word::Old),
        ("TLSv1.2", Word::Known(Protocol::Tls12)),
        ("TLSv1.3", Word::Known(Protocol::Tls13)),
    ];
    match word(found, &words)? {
        Some(Word::Known(protocol)) => Ok(Some(protocol)),
        Some(Word::Old) => Err(TlsError::Unsupported {
            variable,
            what: Unsupported::OldProtocol,
        }),
        Some(Word::Any) | None => Ok(None),
    }
}

const CERT_FILE: Names = Names(["KX_SSL_CERT_FILE", "SSL_CERT_FILE"]);
const KEY_FILE: Names = Names(["KX_SSL_KEY_FILE", "SSL_KEY_FILE"]);
const CA_CERT_FILE: Names = Names(["KX_SSL_CA_CERT_FILE", "SSL_CA_CERT_FILE"]);
const CA_CERT_PATH: Names = Names(["KX_SSL_CA_CERT_PATH", "SSL_CA_CERT_PATH"]);
const VERIFY_SERVER: Names = Names(["KX_SSL_VERIFY_SERVER", "SSL_VERIFY_SERVER"]);
const VERIFY_CLIENT: Names = Names(["KX_SSL_VERIFY_CLIENT", "SSL_VERIFY_CLIENT"]);
const MINPROTOCOL: Names = Names(["KX_SSL_MINPROTOCOL", "SSL_MINPROTOCOL"]);
const MAXPROTOCOL: Names = Names(["KX_SSL_MAXPROTOCOL", "SSL_MAXPROTOCOL"]);
const CIPHER_LIST: Names = Names(["KX_SSL_CIPHER_LIST", "SSL_CIPHER_LIST"]);
const CIPHERSUITES: Names = Names(["KX_SSL_CIPHERSUITES", "SSL_CIPHERSUITES"]);

#[cfg(test)]
mod tests {
    use super::*;

    fn from(set: &[(&str, &str)]) -> Result<Settings, TlsError> {
        Settings::from_variables(|name| {
            let (_, value) = set.iter().find(|(set, _)| *set == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn nothing_set_is_the_default() {
        assert_eq!(from(&[]).unwrap(), Settings::default());
        assert_eq!(Settings::default().verify_server, VerifyServer::Full);
        assert_eq!(Settings::default().verify_client, VerifyClient::No);
    }

    #[test]
    fn every_variable_has_its_field_under_both_names() {
        for prefix in ["", "KX_"] {
            let name = |name: &str| format!("{prefix}{name}");
            let names = [
                (name("SSL_CERT_FILE"), "a"),
                (name("SSL_KEY_FILE"), "b"),
                (name("SSL_CA_CERT_FILE"), "c"),
                (name("SSL_CA_CERT_PATH"), "d"),
                (name("SSL_VERIFY_SERVER"), "NO"),
                (name("SSL_VERIFY_CLIENT"), "IFPRESENT"),
                (name("SSL_MINPROTOCOL"), "TLSv1.2"),
                (name("SSL_MAXPROTOCOL"), "TLSv1.3"),
            ];
            let set: Vec<_> = names.iter().map(|(n, v)| (n.as_str(), *v)).collect();
            assert_eq!(
                from(&set).unwrap(),
                Settings {
                    certificate_file: Some("a".into()),
                    key_file: Some("b".into()),
                    ca_file: Some("c".into()),
                    ca_path: Some("d".into()),
                    verify_server: VerifyServer::Off,
                    verify_client: VerifyClient::IfPresent,
                    minimum_protocol: Some(Protocol::Tls12),
                    maximum_protocol: Some(Protocol::Tls13),
                }
            );
        }
    }

    #[test]
    fn every_word_of_kx_is_known() {
        for (word, meaning) in [
            ("HOSTIP", VerifyServer::Full),
            ("YES", VerifyServer::Chain),
            ("NO", VerifyServer::Off),
        ] {
            let settings = from(&[("SSL_VERIFY_SERVER", word)]).unwrap();
            assert_eq!(settings.verify_server, meaning);
        }
        for (word, meaning) in [
            ("NO", VerifyClient::No),
            ("YES", VerifyClient::Required),
            ("IFPRESENT", VerifyClient::IfPresent),
            ("REQUESTONLY", VerifyClient::RequestOnly),
        ] {
            let settings = from(&[("SSL_VERIFY_CLIENT", word)]).unwrap();
            assert_eq!(settings.verify_client, meaning);
        }
        for (word, meaning) in [
            ("None", None),
            ("TLSv1.2", Some(Protocol::Tls12)),
            ("TLSv1.3", Some(Protocol::Tls13)),
        ] {
            let settings = from(&[("SSL_MINPROTOCOL", word), ("SSL_MAXPROTOCOL", word)]).unwrap();
            assert_eq!(settings.minimum_protocol, meaning);
            assert_eq!(settings.maximum_protocol, meaning);
        }
    }

    #[test]
    fn the_name_with_kx_wins_whatever_it_says() {
        for (kx, meaning) in [
            ("NO", VerifyServer::Off),
            ("HOSTIP", VerifyServer::Full),
            ("", VerifyServer::Full),
        ] {
            let set = [("SSL_VERIFY_SERVER", "YES"), ("KX_SSL_VERIFY_SERVER", kx)];
            assert_eq!(from(&set).unwrap().verify_server, meaning);
        }
        let hidden = [("SSL_CA_CERT_FILE", "ca.pem"), ("KX_SSL_CA_CERT_FILE", "")];
        assert_eq!(from(&hidden).unwrap().ca_file, None);
        let hidden = [("SSL_CIPHER_LIST", "ALL"), ("KX_SSL_CIPHER_LIST", "")];
        from(&hidden).unwrap();
    }

    #[test]
    fn a_plain_certificate_without_a_key_is_what_openssl_means() {
        let certificate = |set: &[_]| from(set).unwrap().certificate_file;
        assert_eq!(certificate(&[("SSL_CERT_FILE", "cas.pem")]), None);
        for set in [
            &[("SSL_CERT_FILE", "a"), ("SSL_KEY_FILE", "b")][..],
            &[("SSL_CERT_FILE", "a"), ("KX_SSL_KEY_FILE", "b")],
            &[("SSL_CERT_FILE", "cas.pem"), ("KX_SSL_CERT_FILE", "a")],
            &[("KX_SSL_CERT_FILE", "a")], // which a client refuses
        ] {
            assert_eq!(certificate(set), Some("a".into()), "{set:?}");
        }
    }

    #[test]
    fn a_value_that_kx_does_not_know_is_an_error_that_names_it() {
        for (name, value) in [
            ("SSL_VERIFY_SERVER", "IFPRESENT"),
            ("KX_SSL_VERIFY_SERVER", "no"),
            ("KX_SSL_VERIFY_CLIENT", "HOSTIP"),
            ("SSL_MINPROTOCOL", "1.2"),
            ("KX_SSL_MAXPROTOCOL", "TLSv1.4"),
        ] {
            let error = from(&[(name, value)]).unwrap_err();
            assert!(
                matches!(&error, TlsError::UnknownValue { variable, value: v }
                    if *variable == name && v == value),
                "{error:?}"
            );
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(value), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_an_error_that_names_it() {
        for (name, value, what) in [
            ("SSL_CIPHER_LIST", "ALL", Unsupported::Ciphers),
            (
                "KX_SSL_CIPHERSUITES",
                "TLS_AES_256_GCM_SHA384",
                Unsupported::Ciphers,
            ),
            ("KX_SSL_MINPROTOCOL", "TLSv1", Unsupported::OldProtocol),
            ("SSL_MINPROTOCOL", "SSLv3", Unsupported::OldProtocol),
            ("KX_SSL_MAXPROTOCOL", "TLSv1.1", Unsupported::OldProtocol),
        ] {
            let error = from(&[(name, value)]).unwrap_err();
            assert!(
                matches!(error, TlsError::Unsupported { variable, what: w }
                    if variable == name && w == what),
                "{error:?}"
            );
            assert!(error.to_string().contains(name));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_may_be_any_bytes_and_a_word_may_not() {
        use std::os::unix::ffi::OsStringExt as _;
        let bytes = || Some(OsString::from_vec(b"\x1b[2J\xff".to_vec()));
        let path = Settings::from_variables(|name| bytes().filter(|_| name == "SSL_CA_CERT_FILE"));
        assert_eq!(path.unwrap().ca_file, bytes().map(PathBuf::from));
        let error = Settings::from_variables(|name| bytes().filter(|_| name.contains("VERIFY_S")));
        let text = error.unwrap_err().to_string();
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}
