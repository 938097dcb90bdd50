//! A stage that encrypts and decrypts, by rustls.
//!
//! ```text
//!  outbox ── 256 KiB at a time ──▶ rustls ──▶ wire ──▶ medium
//!  input  ◀── as the codec has room ── rustls ◀── wire ◀── medium, 64 KiB at a time
//! ```
//!
//! The next piece is encrypted when the medium has taken the one before, so that no more is held
//! twice, and what is on its way can be told in bytes of the codec's.

use core::ops::RangeInclusive;
use std::io::{self, BufRead, IoSlice, Write};

use bytes::{Buf, BytesMut};
use hopen_codec::outbox::Outbox;
use hopen_tls::{Client, Server, Session, TlsError};
use rustls::{ClientConnection, Connection, ServerConnection, SupportedCipherSuite};

use super::Intake;

/// One end of a connection that is encrypted.
pub struct Tls {
    connection: Connection,
    /// What waits for the medium, encrypted.
    wire: Outbox,
    /// How many bytes of the codec's are in it.
    plain: usize,
    /// Whether the medium has taken a part of it, and not the rest.
    is_cut: bool,
    /// How many bytes of the intake are records that have come whole, and are rustls's to read.
    whole: usize,
    /// Whether the other side has said that nothing more comes.
    has_ended: bool,
    /// Whether rustls has taken something without encrypting it.
    is_used_up: bool,
}

impl Tls {
    /// Starts as the one that connects, to a host of this name or address.
    pub fn to(client: &Client, host: &str) -> Result<Self, TlsError> {
        Ok(Self::new(client.connect(host)?.into()))
    }

    /// Starts as the one that is connected to.
    pub fn from_client_of(server: &Server) -> Result<Self, TlsError> {
        Ok(Self::new(server.accept()?.into()))
    }

    fn new(mut connection: Connection) -> Self {
        // What goes in is bounded here.
        connection.set_buffer_limit(None);
        Self {
            connection,
            wire: Outbox::default(),
            plain: 0,
            is_cut: false,
            whole: 0,
            has_ended: false,
            is_used_up: false,
        }
    }

    /// Returns whether TLS's own handshake is not over.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Returns what the handshake has come to, by the end that this is.
    pub fn session(
        &self,
        of_client: impl FnOnce(&ClientConnection) -> Option<Session>,
        of_server: impl FnOnce(&ServerConnection) -> Option<Session>,
    ) -> Option<Session> {
        match &self.connection {
            Connection::Client(connection) => of_client(connection),
            Connection::Server(connection) => of_server(connection),
        }
    }

    /// Takes in what was read, without looking for anything of the codec's.
    pub fn shake_hands(&mut self, intake: &mut Intake) -> Result<(), TlsError> {
        while self.is_handshaking() && self.take_in(&mut intake.wire)? {}
        Ok(())
    }

    /// Returns what TLS itself has to say.
    pub fn handshake_bytes(&mut self) -> &mut Outbox {
        self.outgoing(&mut Outbox::default())
    }

    /// See [`Stage::outgoing`](super::Stage::outgoing).
    pub(super) fn outgoing(&mut self, outbox: &mut Outbox) -> &mut Outbox {
        if self.wire.is_empty() {
            while self.plain < AT_ONCE && outbox.has_remaining() {
                // Without a limit it takes everything.
                let Ok(taken @ 1..) = self.encrypt(outbox, AT_ONCE - self.plain) else {
                    break;
                };
                outbox.advance(taken);
                self.plain += taken;
            }
            let mut sink = Sink(&mut self.wire);
            while self.connection.wants_write() && self.connection.write_tls(&mut sink).is_ok() {}
            self.is_used_up |= self.plain > 0 && self.wire.len() < self.plain + self.overhead();
        }
        &mut self.wire
    }

    /// See [`Stage::is_used_up`](super::Stage::is_used_up).
    pub(super) const fn is_used_up(&self) -> bool {
        self.is_used_up
    }

    /// Returns how much longer something gets at least by being encrypted, where keys are used up at some
    /// time. Those of AES-GCM may encrypt so many records. In TLS 1.2 rustls says goodbye then, and takes
    /// what is to go without sending it: a goodbye is shorter than any message with that around it.
    fn overhead(&self) -> usize {
        match self.connection.negotiated_cipher_suite() {
            Some(SupportedCipherSuite::Tls12(suite))
                if suite.common.confidentiality_limit < u64::MAX =>
            {
                GCM_OVERHEAD
            }
            _ => 0,
        }
    }

    /// Gives rustls what waits first, up to so much, and returns how much that was. What goes together
    /// shares records: a table of many small columns is many pieces.
    fn encrypt(&mut self, outbox: &Outbox, most: usize) -> io::Result<usize> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let count = outbox.chunks_vectored(&mut pieces);
        let mut length = 0;
        let whole = pieces[..count].iter().take_while(|piece| {
            length += piece.len();
            length <= most
        });
        match whole.count() {
            0 => self.connection.writer().write(&pieces[0][..most]),
            whole => self.connection.writer().write_vectored(&pieces[..whole]),
        }
    }

    /// See [`Stage::taken`](super::Stage::taken).
    pub(super) fn taken(&mut self) -> usize {
        self.is_cut = !self.wire.is_empty();
        if self.is_cut {
            0
        } else {
            core::mem::take(&mut self.plain)
        }
    }

    /// See [`Stage::pending`](super::Stage::pending).
    pub(super) const fn pending(&self) -> usize {
        self.plain
    }

    /// See [`Stage::buffer`](super::Stage::buffer). To be read into when all before is used up.
    pub fn buffer(intake: &mut Intake) -> (&mut BytesMut, usize) {
        (&mut intake.wire, READ_AT_ONCE)
    }

    /// See [`Stage::incoming`](super::Stage::incoming).
    pub(super) fn incoming(&mut self, intake: &mut Intake, room: usize) -> Result<usize, TlsError> {
        loop {
            let mut reader = self.connection.reader();
            match reader.fill_buf() {
                Ok([]) => {
                    self.has_ended = true;
                    return Ok(0);
                }
                Ok(plain) => {
                    let plain = plain.get(..room).unwrap_or(plain);
                    let count = plain.len();
                    intake.input.extend_from_slice(plain);
                    reader.consume(count);
                    return Ok(count);
                }
                // There is nothing yet: it knows no other error before the end, which is told by
                // whoever reads.
                Err(_) => {
                    if !self.take_in(&mut intake.wire)? {
                        return Ok(0);
                    }
                }
            }
        }
    }

    /// See [`Stage::has_ended`](super::Stage::has_ended).
    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// See [`Stage::end`](super::Stage::end). Behind a record that is missing nothing can be said,
    /// and a handshake that fails says itself what there is to say.
    pub(super) fn end(&mut self) {
        if self.wire.is_empty() && !self.is_cut && !self.is_handshaking() {
            self.connection.send_close_notify();
        }
    }

    /// See [`Stage::drop_unsent`](super::Stage::drop_unsent).
    pub(super) fn drop_unsent(&mut self) -> usize {
        self.is_cut |= self.wire.clear() > 0;
        core::mem::take(&mut self.plain)
    }

    /// Hands rustls some of what was read. `false` where no record is whole. A part of one is left where
    /// it is: rustls would take it as well, and not tell that it has it.
    fn take_in(&mut self, wire: &mut BytesMut) -> Result<bool, TlsError> {
        if self.whole == 0 {
            self.whole = whole_records(wire);
        }
        let mut unread = &wire[..self.whole];
        if unread.is_empty() {
            return Ok(false);
        }
        let read = self.connection.read_tls(&mut unread);
        let taken = read.unwrap_or(0);
        wire.advance(taken);
        self.whole -= taken;
        self.connection.process_new_packets()?;
        if taken == 0 {
            // It has been emptied, and has no room.
            let what = "TLS has ended, or a record does not end";
            return Err(rustls::Error::General(what.into()).into());
        }
        Ok(true)
    }
}

/// Returns how many bytes at the start are whole records. What is no record is for rustls, to say so.
fn whole_records(wire: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(&[kind, version, _, high, low]) = wire[whole..].first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !KINDS.contains(&kind) || version != VERSION || length >= TOO_LONG {
            return wire.len();
        }
        let end = whole + HEADER + length;
        if end > wire.len() {
            break;
        }
        whole = end;
    }
    whole
}

/// What rustls writes to.
struct Sink<'a>(&'a mut Outbox);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put_slice(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().for_each(|slice| self.0.put_slice(slice));
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many bytes are encrypted at once: sixteen records.
const AT_ONCE: usize = 256 * 1024;

/// How many pieces of the outbox are encrypted at once.
const PIECES: usize = 64;

/// How many bytes are read at once: four records.
const READ_AT_ONCE: usize = 64 * 1024;

/// How long the header of a record is: its kind, a version, the length of what follows (RFC 8446, 5.1).
const HEADER: usize = 5;

/// What AES-GCM adds to a record in TLS 1.2: a header, 8 bytes of a nonce, 16 of a tag (RFC 5288, 3).
const GCM_OVERHEAD: usize = HEADER + 8 + 16;

/// The kinds of records: `change_cipher_spec`, `alert`, `handshake`, `application_data`, `heartbeat`.
const KINDS: RangeInclusive<u8> = 20..=24;

/// What every version that a record may name begins with.
const VERSION: u8 = 3;

/// The length that no record has: that of the longest, which TLS 1.2 has (RFC 5246, 6.2.3), is refused by
/// rustls as well.
const TOO_LONG: usize = 16 * 1024 + 2048;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use bytes::Bytes;
    use hopen_codec::auth::Credentials;
    use hopen_codec::config::Config;
    use hopen_codec::handshake::{ClientHandshake, Progress};
    use hopen_codec::session::Role;
    use rustls::crypto::CipherSuiteCommon;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{ServerConfig, Tls12CipherSuite};

    use super::*;
    use crate::Error;
    use crate::stage::Stage;
    use crate::state::State;
    use crate::tests::identity;

    #[test]
    fn what_has_gone_is_told_in_bytes_of_the_codec_s() {
        let (mut client, mut server) = ends();
        let bytes = pattern(600_000);
        let mut outbox = Outbox::default();
        outbox.put_bytes(Bytes::from(bytes.clone()));
        let (mut arrived, mut gone) = (Intake::default(), 0);
        for piece in [AT_ONCE, AT_ONCE, 600_000 - 2 * AT_ONCE] {
            assert!(client.outgoing(&mut outbox).len() > piece);
            assert_eq!(client.pending(), piece);
            // A part of it is on its way, and none of it has arrived whole.
            let part = client.outgoing(&mut outbox).copy_to_bytes(1000);
            assert_eq!(client.taken(), 0);
            assert_eq!(client.pending(), piece);
            let wire = client.outgoing(&mut outbox);
            let rest = wire.copy_to_bytes(wire.len());
            gone += client.taken();
            assert_eq!((client.pending(), gone + outbox.len()), (0, 600_000));
            arrived.wire.extend_from_slice(&part);
            arrived.wire.extend_from_slice(&rest);
            while server.incoming(&mut arrived, usize::MAX).unwrap() > 0 {}
        }
        assert_eq!(gone, 600_000);
        assert!(arrived.input == bytes[..]);
    }

    #[test]
    fn keys_that_are_used_up_are_an_error_and_nothing_is_taken_for_gone() {
        let (client, _) = identity();
        let mut client = Tls::to(&client, "localhost").unwrap();
        let server = ServerConnection::new(short_lived_keys());
        let mut server = Tls::new(server.unwrap().into());
        shake_hands(&mut client, &mut server);
        let nobody = Credentials::default();
        let login = ClientHandshake::start(&nobody, Config::client(), &mut Outbox::default());
        let login = login.unwrap().receive(&mut BytesMut::from(&b"\x03"[..]));
        let Ok(Progress::Done(connection)) = login else {
            panic!("more than a byte is not needed")
        };
        let mut state = State::new(connection, Stage::Tls(Box::new(server)), Role::Client);
        let mut arrived = Intake::default();
        for n in 0..100_i64 {
            state.session.notify(&n.into()).unwrap();
            state.write(
                || true,
                |wire| {
                    let count = wire.len();
                    arrived.wire.extend_from_slice(&wire.copy_to_bytes(count));
                    Ok(count)
                },
            );
            if state.session.unwritable().is_some() {
                break;
            }
            assert!(state.session.is_written());
            while client.incoming(&mut arrived, usize::MAX).unwrap() > 0 {}
            assert_eq!(arrived.input.len() as i64, 17 * (n + 1));
        }
        let error = Error::from(state.session.unwritable().expect("they are used up"));
        assert!(error.to_string().contains("TLS 1.2"), "{error}");
        assert!(!state.session.is_written());
    }

    #[test]
    fn small_pieces_share_records() {
        let (mut client, mut server) = ends();
        let mut outbox = Outbox::default();
        let mut bytes = Vec::new();
        for start in 0..100 {
            let column = pattern(start + Outbox::SHARE).split_off(start);
            outbox.put_slice(b"header");
            outbox.put_bytes(Bytes::from(column.clone()));
            bytes.extend_from_slice(b"header");
            bytes.extend_from_slice(&column);
        }
        let mut arrived = Intake::default();
        let mut records = 0;
        while !outbox.is_empty() || client.pending() > 0 {
            let wire = client.outgoing(&mut outbox);
            let wire = wire.copy_to_bytes(wire.len());
            client.taken();
            let mut rest = &wire[..];
            while let Some(&[_, _, _, high, low]) = rest.first_chunk() {
                rest = &rest[HEADER + usize::from(u16::from_be_bytes([high, low]))..];
                records += 1;
            }
            arrived.wire.extend_from_slice(&wire);
            while server.incoming(&mut arrived, usize::MAX).unwrap() > 0 {}
        }
        assert!(arrived.input == bytes[..]);
        // 200 pieces of 400 KiB: 26 full records at least, and a few that end with what was given.
        assert!(records < 40, "{records} records");
    }

    #[test]
    fn no_more_is_decrypted_than_there_is_room_for() {
        let (mut client, mut server) = ends();
        let mut intake = Intake::default();
        intake
            .wire
            .extend_from_slice(&sent(&mut client, b"0123456789"));
        for expected in [4, 4, 2, 0] {
            assert_eq!(server.incoming(&mut intake, 4).unwrap(), expected);
        }
        assert_eq!(intake.input, b"0123456789"[..]);
        assert!(!server.has_ended());
    }

    #[test]
    fn a_part_of_a_record_stays_where_it_can_be_seen() {
        let (mut client, mut server) = ends();
        let first = sent(&mut client, b"0123456789");
        let next = sent(&mut client, b"abc");
        let mut intake = Intake::default();
        intake.wire.extend_from_slice(&first);
        intake.wire.extend_from_slice(&next[..7]);
        assert_eq!(server.incoming(&mut intake, 64).unwrap(), 10);
        assert_eq!(server.incoming(&mut intake, 64).unwrap(), 0);
        assert_eq!(intake.wire, next[..7]);
        intake.input.clear();
        assert!(intake.half().is_some());
        for byte in &next[7..] {
            assert!(intake.input.is_empty());
            intake.wire.extend_from_slice(&[*byte]);
            server.incoming(&mut intake, 64).unwrap();
        }
        assert_eq!(intake.input, b"abc"[..]);
        assert!(intake.wire.is_empty());
    }

    #[test]
    fn what_is_no_record_is_told_at_once() {
        for wire in [
            &b"SSH-2.0"[..],
            b"\x17\x02\x00\x00\x10",
            b"\x17\x03\x03\x48\x00",
            b"\x17\x03\x03\xff\xff",
        ] {
            let (_, mut server) = ends();
            let mut intake = Intake::default();
            intake.wire.extend_from_slice(wire);
            server.incoming(&mut intake, 64).unwrap_err();
        }
    }

    #[test]
    fn an_end_is_told_and_found_behind_what_came_before() {
        let (mut client, mut server) = ends();
        let mut intake = Intake::default();
        intake.wire.extend_from_slice(&sent(&mut client, b"last"));
        client.end();
        client.end();
        intake.wire.extend_from_slice(&sent(&mut client, b""));
        assert_eq!(server.incoming(&mut intake, 64).unwrap(), 4);
        assert!(!server.has_ended());
        assert_eq!(server.incoming(&mut intake, 64).unwrap(), 0);
        assert!(server.has_ended());
        // What comes behind the end is not looked at.
        intake.wire.extend_from_slice(b"anything");
        assert_eq!(server.incoming(&mut intake, 64).unwrap(), 0);
    }

    #[test]
    fn nothing_is_said_behind_what_was_dropped() {
        let (mut client, _) = ends();
        let mut outbox = Outbox::default();
        outbox.put_slice(b"dropped");
        client.outgoing(&mut outbox);
        assert_eq!(client.drop_unsent(), 7);
        assert_eq!(client.pending(), 0);
        client.end();
        assert!(client.outgoing(&mut outbox).is_empty());
    }

    #[test]
    fn what_was_changed_on_its_way_ends_it() {
        // Behind the header of the record, which is 5 bytes long.
        for at in [5, 14, 20] {
            let (mut client, mut server) = ends();
            let mut intake = Intake::default();
            let mut wire = sent(&mut client, b"0123456789").to_vec();
            wire[at] ^= 1;
            intake.wire.extend_from_slice(&wire);
            let error = server.incoming(&mut intake, 64).unwrap_err();
            assert_eq!(
                error.to_string(),
                "TLS failed: cannot decrypt peer's message"
            );
            assert!(intake.input.is_empty());
        }
    }

    /// Returns both ends of a connection whose handshake is over.
    fn ends() -> (Tls, Tls) {
        let (client, server) = identity();
        let mut client = Tls::to(&client, "localhost").unwrap();
        let mut server = Tls::from_client_of(&server).unwrap();
        shake_hands(&mut client, &mut server);
        (client, server)
    }

    fn shake_hands(client: &mut Tls, server: &mut Tls) {
        let (mut to_client, mut to_server) = (Intake::default(), Intake::default());
        while client.is_handshaking() || server.is_handshaking() {
            to_server.wire.extend_from_slice(&sent(client, b""));
            server.shake_hands(&mut to_server).unwrap();
            to_client.wire.extend_from_slice(&sent(server, b""));
            client.shake_hands(&mut to_client).unwrap();
        }
    }

    /// Returns a server of TLS 1.2 whose keys may be used for ten records.
    fn short_lived_keys() -> Arc<ServerConfig> {
        let mut provider = rustls::crypto::ring::default_provider();
        let suites = provider.cipher_suites.drain(..);
        provider.cipher_suites = suites
            .filter_map(|suite| match suite {
                SupportedCipherSuite::Tls12(suite) => {
                    (suite.common.confidentiality_limit < u64::MAX).then_some(suite)
                }
                SupportedCipherSuite::Tls13(_) => None,
            })
            .map(|suite| {
                let common = CipherSuiteCommon {
                    suite: suite.common.suite,
                    hash_provider: suite.common.hash_provider,
                    confidentiality_limit: 10,
                };
                let suite = Tls12CipherSuite { common, ..*suite };
                SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))
            })
            .collect();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
        let key = PrivateKeyDer::from_pem_file(fixtures.join("server-key.pem"));
        let key = key.expect("the file is there");
        let key = provider.key_provider.load_private_key(key);
        let certificate = CertificateDer::from_pem_file(fixtures.join("server.pem"));
        let certificate = vec![certificate.expect("the file is there")];
        let identity = CertifiedKey::new(certificate, key.expect("a key"));
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS12])
            .expect("there are suites for it")
            .with_no_client_auth();
        Arc::new(config.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity))))
    }

    /// Returns what goes over the wire for these bytes.
    fn sent(tls: &mut Tls, bytes: &[u8]) -> Bytes {
        let mut outbox = Outbox::default();
        outbox.put_slice(bytes);
        let wire = tls.outgoing(&mut outbox);
        let sent = wire.copy_to_bytes(wire.len());
        tls.taken();
        sent
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..).map(|n: u32| (n % 251) as u8).take(length).collect()
    }
}
