//! What a server asks of a client, what goes over the wire, and what both know afterwards.

use std::sync::Arc;

use hopen_tls::{
    CertificateFault, Client, Protocol, Server, Settings, TlsError, VerifyClient, VerifyServer,
    server_name,
};
use rcgen::{DnType, ExtendedKeyUsagePurpose};
use rustls::client::Resumption;
use rustls::server::ServerSessionMemoryCache;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection,
};

use crate::support::{
    Authority, Failed, Files, Identity, PROTOCOLS, connect, expired, fixture, only, self_signed,
    shake_hands,
};

#[test]
fn a_client_is_asked_as_the_server_is_told() {
    let ca = Authority::new(|_| {});
    let bad = self_signed(|_| {});
    let good = ca.issue(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    // Shown: nothing, a good one, a bad one. Is the client let in, and what is known of it then?
    let cases = [
        (VerifyClient::No, [Some(None), Some(None), Some(None)]),
        (VerifyClient::Required, [None, Some(Some(true)), None]),
        (
            VerifyClient::IfPresent,
            [Some(None), Some(Some(true)), None],
        ),
        (
            VerifyClient::RequestOnly,
            [Some(None), Some(Some(true)), Some(Some(false))],
        ),
    ];
    let (ours, theirs) = (Files::new(), Files::new());
    for (verify, expected) in cases {
        let mut settings = ours.settings(Some(&ca.issue(|_| {})), Some(&ca.certificate));
        settings.verify_client = verify;
        let server = Server::new(&settings).unwrap();
        for (shown, expected) in [None, Some(&good), Some(&bad)].into_iter().zip(expected) {
            for protocol in PROTOCOLS {
                let settings = theirs.settings(shown, Some(&ca.certificate));
                let client = Client::new(&only(settings, protocol)).unwrap();
                let found = connect(&client, &server, "localhost").ok().map(|ends| {
                    let session = server.session(&ends.server).unwrap();
                    session
                        .certificate
                        .map(|certificate| certificate.verified.is_ok())
                });
                assert_eq!(found, expected, "{verify:?} {protocol:?}");
            }
        }
    }
}

#[test]
fn a_session_says_what_z_e_says() {
    let (ours, theirs) = (Files::new(), Files::new());
    let server = Identity::fixture("server");
    let server = Server::new(&theirs.settings(Some(&server), None)).unwrap();
    for (ca, verified) in [
        (fixture("ca.pem"), Ok(())),
        (
            fixture("self-signed-v1.pem"),
            Err(CertificateFault::UnknownIssuer),
        ),
    ] {
        let mut settings = only(ours.settings(None, Some(&ca)), Protocol::Tls12);
        settings.verify_server = VerifyServer::Off;
        let client = Client::new(&settings).unwrap();
        let mut connection = client.connect("localhost").unwrap();
        assert_eq!(client.session(&connection), None);
        connection = shake_hands(connection, server.accept().unwrap())
            .unwrap_or_else(|failed| panic!("{failed:?}"))
            .client;
        let session = client.session(&connection).unwrap();
        assert_eq!(session.cipher, "ECDHE-RSA-AES256-GCM-SHA384");
        assert_eq!(session.protocol, Protocol::Tls12);
        let certificate = session.certificate.unwrap();
        let company = "C=US, ST=New York, L=Brooklyn, O=Example Brooklyn Company";
        assert_eq!(certificate.subject, format!("{company}, CN=myname.com"));
        assert_eq!(
            certificate.issuer,
            format!("{company}, CN=examplebrooklyn.com")
        );
        assert_eq!(certificate.not_before, 1_577_836_800); // date -d 2020-01-01T00:00Z +%s
        assert_eq!(certificate.not_after, 4_922_899_200); // date -d 2126-01-01T00:00Z +%s
        assert_eq!(certificate.serial_number, "01");
        assert_eq!(certificate.verified, verified);
    }
}

#[test]
fn a_subject_that_drives_a_terminal_does_not_reach_it() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "\x1b[31mred\n");
    });
    let (ours, theirs) = (Files::new(), Files::new());
    let client = Client::new(&ours.settings(None, Some(&ca.certificate))).unwrap();
    let server = Server::new(&theirs.settings(Some(&leaf), None)).unwrap();
    let ends = connect(&client, &server, "localhost").unwrap_or_else(|failed| panic!("{failed:?}"));
    let subject = client
        .session(&ends.client)
        .unwrap()
        .certificate
        .unwrap()
        .subject;
    assert_eq!(subject, "CN=\\033[31mred\\012");
}

#[test]
fn the_other_side_is_told_what_is_wrong_with_its_certificate() {
    let ca = Authority::new(|_| {});
    for (leaf, alert) in [
        (self_signed(|_| {}), AlertDescription::UnknownCA),
        (ca.issue(expired), AlertDescription::CertificateExpired),
        (ca.issue_v1(expired), AlertDescription::CertificateExpired),
    ] {
        let (ours, theirs) = (Files::new(), Files::new());
        let client = Client::new(&ours.settings(None, Some(&ca.certificate))).unwrap();
        let server = Server::new(&theirs.settings(Some(&leaf), None)).unwrap();
        let mut client = client.connect("localhost").unwrap();
        let mut server = server.accept().unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets().unwrap_err();
        bytes.clear();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        let error = server.process_new_packets().unwrap_err();
        assert_eq!(error, rustls::Error::AlertReceived(alert));
    }
}

#[test]
fn no_session_is_resumed_whatever_the_other_side_would_do() {
    let ca = Authority::new(|_| {});
    let (ours, theirs) = (Files::new(), Files::new());
    let server = Server::new(&theirs.settings(Some(&ca.issue(|_| {})), None)).unwrap();
    for protocol in PROTOCOLS {
        let settings = ours.settings(None, Some(&ca.certificate));
        let client = Client::new(&only(settings, protocol)).unwrap();
        let our_client = client.config();
        let our_server = server.config();
        let willing_client = Arc::new({
            let mut config = ClientConfig::clone(our_client);
            config.resumption = Resumption::in_memory_sessions(8);
            config
        });
        let willing_server = Arc::new({
            let mut config = ServerConfig::clone(our_server);
            config.session_storage = ServerSessionMemoryCache::new(8);
            config.send_tls13_tickets = 1;
            config
        });
        for (client, server, kind) in [
            (our_client, our_server, HandshakeKind::Full),
            (our_client, &willing_server, HandshakeKind::Full),
            (&willing_client, our_server, HandshakeKind::Full),
            (&willing_client, &willing_server, HandshakeKind::Resumed),
        ] {
            let kinds = [(); 2].map(|()| {
                let name = server_name("localhost").unwrap();
                let client = ClientConnection::new(client.clone(), name).unwrap();
                let server = ServerConnection::new(server.clone()).unwrap();
                let ends = shake_hands(client, server);
                ends.unwrap_or_else(|failed| panic!("{failed:?}"))
                    .client
                    .handshake_kind()
            });
            assert_eq!(kinds[1], Some(kind), "{protocol:?}");
        }
    }
}

#[test]
fn no_ticket_is_sent_that_nobody_could_use() {
    let ca = Authority::new(|_| {});
    let (ours, theirs) = (Files::new(), Files::new());
    let server = Server::new(&theirs.settings(Some(&ca.issue(|_| {})), None)).unwrap();
    let client = Client::new(&ours.settings(None, Some(&ca.certificate))).unwrap();
    let ends = connect(&client, &server, "localhost");
    let ends = ends.unwrap_or_else(|failed| panic!("{failed:?}"));
    assert_eq!(ends.client.tls13_tickets_received(), 0);
}

#[test]
fn a_name_is_sent_and_an_address_is_tolerated() {
    let ca = Authority::new(|_| {});
    let (ours, theirs) = (Files::new(), Files::new());
    let client = Client::new(&ours.settings(None, Some(&ca.certificate))).unwrap();
    let server = Server::new(&theirs.settings(Some(&ca.issue(|_| {})), None)).unwrap();
    let hello = |host: &str| {
        let mut hello = Vec::new();
        client.connect(host).unwrap().write_tls(&mut hello).unwrap();
        hello
    };
    let find = |hello: &[u8], text: &[u8]| hello.windows(text.len()).position(|at| at == text);
    assert_eq!(find(&hello("127.0.0.1"), b"127.0.0.1"), None);
    let mut named = hello("aaa.bbb.c");
    let at = find(&named, b"aaa.bbb.c").expect("a name is sent");
    // As KX's library sends it.
    named[at..at + 9].copy_from_slice(b"127.0.0.1");
    let mut connection = server.accept().unwrap();
    connection.read_tls(&mut named.as_slice()).unwrap();
    connection.process_new_packets().unwrap();
    let mut answer = Vec::new();
    connection.write_tls(&mut answer).unwrap();
    assert_eq!(answer[0], 0x16, "a hello, and no alert (15)");
    assert_eq!(connection.server_name(), None);
}

#[test]
fn versions_that_have_nothing_in_common_fail_on_both_sides() {
    let ca = Authority::new(|_| {});
    let (ours, theirs) = (Files::new(), Files::new());
    let settings = theirs.settings(Some(&ca.issue(|_| {})), None);
    let server = Server::new(&only(settings, Protocol::Tls12)).unwrap();
    let settings: Settings = ours.settings(None, Some(&ca.certificate));
    let client = Client::new(&only(settings, Protocol::Tls13)).unwrap();
    let failed = connect(&client, &server, "localhost");
    assert!(matches!(failed, Err(Failed::Server(TlsError::Rustls(_)))));
}
