//! Certificates made to order, and two ends in one memory.

use std::fs;
use std::path::{Path, PathBuf};

use hopen_tls::{Client, Protocol, Server, Settings, TlsError};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
    SigningKey as _, date_time_ymd,
};
use rustls::{ClientConnection, ServerConnection};
use tempfile::TempDir;

/// A certificate and its key, PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// One of `tests/fixtures`.
    pub(crate) fn fixture(name: &str) -> Self {
        Self {
            certificate: fixture(&format!("{name}.pem")),
            key: fixture(&format!("{name}-key.pem")),
        }
    }

    /// Adds what is sent behind the leaf.
    pub(crate) fn followed_by(mut self, certificate: &str) -> Self {
        self.certificate.push_str(certificate);
        self
    }
}

pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Somebody who signs.
pub(crate) struct Authority {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) certificate: String,
}

impl Authority {
    /// A CA that has signed itself, but for the changes.
    pub(crate) fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = key();
        let params = authority_params(change);
        let certificate = params
            .self_signed(&key)
            .expect("the parameters are good")
            .pem();
        Self {
            params,
            key,
            certificate,
        }
    }

    /// The same key and name in another certificate.
    pub(crate) fn anew(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::from_pem(&self.key.serialize_pem()).expect("it is one");
        let params = authority_params(change);
        let certificate = params
            .self_signed(&key)
            .expect("the parameters are good")
            .pem();
        Self {
            params,
            key,
            certificate,
        }
    }

    /// A CA that this one has signed.
    pub(crate) fn intermediate(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = key();
        let mut params = authority_params(|params| {
            params
                .distinguished_name
                .push(DnType::CommonName, "in between");
        });
        change(&mut params);
        let certificate = self.sign(&params, &key).pem();
        Self {
            params,
            key,
            certificate,
        }
    }

    /// A certificate of version 3 for `localhost`, but for the changes.
    pub(crate) fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = key();
        Identity {
            certificate: self.sign(&leaf_params(change), &key).pem(),
            key: key.serialize_pem(),
        }
    }

    /// The same of version 1, so without extensions.
    pub(crate) fn issue_v1(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = key();
        let v3 = self.sign(&leaf_params(change), &key);
        Identity {
            certificate: to_v1(v3.der(), &self.key),
            key: key.serialize_pem(),
        }
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Certificate {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params
            .signed_by(key, &issuer)
            .expect("the parameters are good")
    }
}

/// A certificate that is signed with its own key.
pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let key = key();
    let certificate = leaf_params(change)
        .self_signed(&key)
        .expect("the parameters are good");
    Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// Not valid any more.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2001, 1, 1);
}

/// Not valid for a hundred years.
pub(crate) fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2125, 1, 1);
    params.not_after = date_time_ymd(2126, 1, 1);
}

fn key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}

fn authority_params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("there is no name to be wrong");
    params.distinguished_name.push(DnType::CommonName, "the CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    params
}

fn leaf_params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let names = ["localhost".to_owned()];
    let mut params = CertificateParams::new(names).expect("it is a name");
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    change(&mut params);
    params
}

/// Takes version and extensions from a certificate and signs what is left, as PEM.
pub(crate) fn to_v1(v3: &[u8], signer: &KeyPair) -> String {
    let certificate = parts(parts(v3)[0].content);
    let v1: Vec<_> = parts(certificate[0].content)
        .iter()
        .filter(|part| !matches!(part.tag, VERSION | EXTENSIONS))
        .map(|part| part.whole)
        .collect();
    let message = der(SEQUENCE, &v1.concat());
    let signature = signer.sign(&message).expect("the key signs");
    let signature = der(BIT_STRING, &[&[0], signature.as_slice()].concat());
    pem(&der(
        SEQUENCE,
        &[&message, certificate[1].whole, &signature].concat(),
    ))
}

/// Changes the last byte, which is one of the signature.
pub(crate) fn tampered(identity: Identity) -> Identity {
    let mut bytes = unpem(&identity.certificate);
    *bytes.last_mut().expect("it is not empty") ^= 1;
    Identity {
        certificate: pem(&bytes),
        key: identity.key,
    }
}

/// A part of a DER encoding.
pub(crate) struct Part<'a> {
    pub(crate) tag: u8,
    pub(crate) whole: &'a [u8],
    pub(crate) content: &'a [u8],
}

pub(crate) fn parts(mut bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (head, length) = match bytes[1] {
            length @ ..=0x7f => (2, usize::from(length)),
            0x81 => (3, usize::from(bytes[2])),
            0x82 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            other => panic!("a length in {other:#x} is not for certificates of this size"),
        };
        let (whole, rest) = bytes.split_at(head + length);
        parts.push(Part {
            tag: whole[0],
            whole,
            content: &whole[head..],
        });
        bytes = rest;
    }
    parts
}

pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len())
        .expect("it is short")
        .to_be_bytes();
    let length: &[u8] = match length {
        [0, short @ 0..=0x7f] => &[short],
        [0, middle] => &[0x81, middle],
        [high, low] => &[0x82, high, low],
    };
    [&[tag], length, content].concat()
}

pub(crate) fn pem(der: &[u8]) -> String {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let text = base64(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    );
    let back = CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is PEM");
    assert_eq!(&*back, der);
    pem
}

pub(crate) fn unpem(pem: &str) -> Vec<u8> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pem.as_bytes())
        .expect("it is PEM")
        .to_vec()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let value = (word >> (18 - 6 * digit)) & 63;
                text.push(DIGITS[value as usize].into());
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// A folder of files that is gone when this is dropped.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("there is a place for temporary files"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        path
    }

    /// Settings of an end that shows this and trusts that.
    pub(crate) fn settings(&self, identity: Option<&Identity>, ca: Option<&str>) -> Settings {
        let mut settings = Settings::default();
        if let Some(identity) = identity {
            settings.certificate_file = Some(self.write("own.pem", &identity.certificate));
            settings.key_file = Some(self.write("own-key.pem", &identity.key));
        }
        settings.ca_file = ca.map(|ca| self.write("ca.pem", ca));
        settings
    }
}

/// Both versions of the protocol.
pub(crate) const PROTOCOLS: [Protocol; 2] = [Protocol::Tls12, Protocol::Tls13];

/// Speaks one version of the protocol only.
pub(crate) fn only(mut settings: Settings, protocol: Protocol) -> Settings {
    settings.minimum_protocol = Some(protocol);
    settings.maximum_protocol = Some(protocol);
    settings
}

/// Who found something wrong.
#[derive(Debug)]
pub(crate) enum Failed {
    Client(TlsError),
    Server(TlsError),
}

/// Two ends whose handshake is over.
pub(crate) struct Ends {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

pub(crate) fn connect(client: &Client, server: &Server, host: &str) -> Result<Ends, Failed> {
    let client = client.connect(host).expect("it is a host");
    let server = server.accept().expect("nothing is wrong with the server");
    shake_hands(client, server)
}

/// Carries bytes from one end to the other until neither has any.
pub(crate) fn shake_hands(
    mut client: ClientConnection,
    mut server: ServerConnection,
) -> Result<Ends, Failed> {
    loop {
        let mut to_server = Vec::new();
        while client.wants_write() {
            client
                .write_tls(&mut to_server)
                .expect("a Vec takes everything");
        }
        feed(&to_server, |rest| server.read_tls(rest));
        let taken = server.process_new_packets().map(|_| ());
        let mut to_client = Vec::new();
        while server.wants_write() {
            server
                .write_tls(&mut to_client)
                .expect("a Vec takes everything");
        }
        taken.map_err(|error| Failed::Server(error.into()))?;
        feed(&to_client, |rest| client.read_tls(rest));
        client
            .process_new_packets()
            .map_err(|error| Failed::Client(error.into()))?;
        if to_server.is_empty() && to_client.is_empty() {
            assert!(!client.is_handshaking() && !server.is_handshaking());
            return Ok(Ends { client, server });
        }
    }
}

fn feed(mut bytes: &[u8], mut read: impl FnMut(&mut &[u8]) -> std::io::Result<usize>) {
    while !bytes.is_empty() {
        let taken = read(&mut bytes).expect("it is in memory");
        assert_ne!(taken, 0, "a flight fits into the buffer");
    }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
