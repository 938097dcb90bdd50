//! What is said of files before anything is connected to.

use std::fs;

use hopen_tls::{Client, Server, Settings, TlsError, VerifyClient, VerifyServer};

use crate::support::{Authority, Files, Identity, connect, fixture, pem, self_signed, unpem};

#[test]
fn a_ca_file_holds_many_certificates_and_any_text() {
    let ca = Authority::new(|_| {});
    let (ours, theirs) = (Files::new(), Files::new());
    let leaf = ca.issue(|_| {});
    let bundle = format!(
        "Our CAs\n=======\n{}\n\tsubject: C=US\n{}{}{}\nthe end",
        fixture("ca.pem"),
        leaf.key, // a key may stand there too
        ca.certificate,
        ca.certificate, // the same again
    );
    let client = Client::new(&ours.settings(None, Some(&bundle))).unwrap();
    let server = Server::new(&theirs.settings(Some(&leaf), None)).unwrap();
    assert!(connect(&client, &server, "localhost").is_ok());
}

#[test]
fn a_ca_folder_is_read_whole() {
    let cas = [
        Authority::new(|_| {}),
        Authority::new(|_| {}),
        Authority::new(|_| {}),
    ];
    let (ours, theirs) = (Files::new(), Files::new());
    let folder = Files::new();
    folder.write("a.pem", &cas[0].certificate);
    folder.write("5ed36f99.0", &cas[1].certificate);
    folder.write("key.pem", &cas[1].key.serialize_pem());
    folder.write(
        "README.md",
        "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    );
    fs::create_dir(folder.path().join("folder.pem")).unwrap();
    let mut settings = ours.settings(None, Some(&cas[2].certificate));
    settings.ca_path = Some(folder.path().into());
    let client = Client::new(&settings).unwrap();
    for ca in cas {
        let server = Server::new(&theirs.settings(Some(&ca.issue(|_| {})), None)).unwrap();
        assert!(connect(&client, &server, "localhost").is_ok());
    }
}

#[test]
fn what_is_wrong_with_a_ca_is_said_before_a_connection_is_made() {
    let files = Files::new();
    let at = |ca_file: &std::path::Path| {
        let mut settings = Settings::default();
        settings.ca_file = Some(ca_file.into());
        settings
    };
    let missing = files.path().join("missing.pem");
    let empty = files.write("empty.pem", "no certificate here\n");
    let key = files.write("key.pem", &self_signed(|_| {}).key);
    let cut = fixture("ca.pem");
    let cut = files.write("cut.pem", &cut[..cut.len() / 2]);
    let good = fixture("ca.pem");
    let other = good.replacen("MII", "AAA", 1);
    let bad = files.write("bad.pem", &format!("{good}{other}"));
    let mut long = unpem(&good);
    long.push(0);
    let long = files.write("long.pem", &pem(&long));
    type Expected = fn(&TlsError) -> bool;
    let cases: [(_, Expected); 6] = [
        (&missing, |error| {
            matches!(error, TlsError::Unreadable { .. })
        }),
        (&empty, |error| {
            matches!(error, TlsError::NoCertificateIn { .. })
        }),
        (&key, |error| {
            matches!(error, TlsError::NoCertificateIn { .. })
        }),
        (&cut, |error| matches!(error, TlsError::BrokenPem { .. })),
        (&bad, |error| {
            matches!(error, TlsError::BadCertificate { index: 1, .. })
        }),
        (&long, |error| {
            matches!(error, TlsError::BadCertificate { index: 0, .. })
        }),
    ];
    for (file, is_expected) in cases {
        for verify in [VerifyServer::Full, VerifyServer::Chain, VerifyServer::Off] {
            let mut settings = at(file);
            settings.verify_server = verify;
            let error = Client::new(&settings).unwrap_err();
            assert!(is_expected(&error), "{error:?}");
            assert!(
                error.to_string().contains(file.to_str().unwrap()),
                "{error}"
            );
        }
    }
    let mut settings = Settings::default();
    settings.ca_path = Some(missing);
    let error = Client::new(&settings).unwrap_err();
    assert!(matches!(error, TlsError::Unreadable { .. }), "{error:?}");
    let folder = Files::new();
    settings.ca_path = Some(folder.path().into());
    let error = Client::new(&settings).unwrap_err();
    assert!(
        matches!(error, TlsError::NoCertificateIn { .. }),
        "{error:?}"
    );
}

#[test]
fn whoever_verifies_has_to_trust_somebody() {
    let files = Files::new();
    let mut settings = Settings::default();
    settings.verify_server = VerifyServer::Chain;
    let error = Client::new(&settings).unwrap_err();
    assert!(matches!(error, TlsError::NoTrust), "{error:?}");
    assert!(error.to_string().contains("KX_SSL_CA_CERT_FILE"), "{error}");
    settings.verify_server = VerifyServer::Off;
    Client::new(&settings).unwrap();

    let mut settings = files.settings(Some(&self_signed(|_| {})), None);
    for (verify, needs) in [
        (VerifyClient::No, false),
        (VerifyClient::Required, true),
        (VerifyClient::IfPresent, true),
        (VerifyClient::RequestOnly, false),
    ] {
        settings.verify_client = verify;
        let result = Server::new(&settings);
        assert_eq!(
            matches!(result, Err(TlsError::NoTrust)),
            needs,
            "{verify:?}"
        );
    }
}

#[test]
fn a_certificate_and_its_key_go_together() {
    let files = Files::new();
    let own = self_signed(|_| {});
    let settings = files.settings(Some(&own), Some(&own.certificate));
    let fails = |settings: &Settings| {
        let client = Client::new(settings).unwrap_err();
        let server = Server::new(settings).unwrap_err();
        assert_eq!(client.to_string(), server.to_string());
        for text in [client.to_string(), format!("{client:?}")] {
            for line in own.key.lines() {
                assert!(!text.contains(line), "{text}");
            }
        }
        client
    };
    Client::new(&settings).unwrap();

    let mut half = settings.clone();
    half.key_file = None;
    assert!(matches!(fails(&half), TlsError::NoKey));
    let mut half = settings.clone();
    half.certificate_file = None;
    assert!(matches!(fails(&half), TlsError::NoCertificate));
    half.key_file = None;
    assert!(matches!(Server::new(&half), Err(TlsError::NoIdentity)));
    Client::new(&half).unwrap();

    let with_key = |text: &str| {
        let mut settings = settings.clone();
        settings.key_file = Some(files.write("other-key.pem", text));
        settings
    };
    assert!(matches!(
        fails(&with_key(&self_signed(|_| {}).key)),
        TlsError::WrongKey { .. }
    ));
    assert!(matches!(
        fails(&with_key(&own.certificate)),
        TlsError::NoKeyIn { .. }
    ));
    let encrypted = own.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(matches!(
        fails(&with_key(&encrypted)),
        TlsError::NoKeyIn { .. }
    ));
    let cut = &own.key[..own.key.len() / 2];
    assert!(matches!(fails(&with_key(cut)), TlsError::BrokenPem { .. }));
    let short = Identity::fixture("server-rsa1024").key;
    assert!(matches!(fails(&with_key(&short)), TlsError::BadKey { .. }));
    let mut missing = settings.clone();
    missing.key_file = Some(files.path().join("missing.pem"));
    assert!(matches!(fails(&missing), TlsError::Unreadable { .. }));

    let with_certificate = |text: &str| {
        let mut settings = settings.clone();
        settings.certificate_file = Some(files.write("other.pem", text));
        settings
    };
    assert!(matches!(
        fails(&with_certificate(&own.key)),
        TlsError::NoCertificateIn { .. }
    ));
    let bad = own.certificate.replacen("MII", "AAA", 1);
    assert!(matches!(
        fails(&with_certificate(&bad)),
        TlsError::BadCertificate { index: 0, .. }
    ));
    // Of version 1, which rustls itself would not show.
    let v1 = Identity::fixture("server");
    let settings = files.settings(Some(&v1), Some(&v1.certificate));
    Server::new(&settings).unwrap();
    Client::new(&settings).unwrap();
}

#[test]
fn no_key_is_printed() {
    let files = Files::new();
    let own = Identity::fixture("server");
    let settings = files.settings(Some(&own), Some(&own.certificate));
    let client = Client::new(&settings).unwrap();
    let server = Server::new(&settings).unwrap();
    let text = format!("{client:?} {server:?} {:?}", client.config());
    for line in own.key.lines() {
        assert!(!text.contains(line));
    }
    assert!(
        text.starts_with("Client { verify: Full, trust: Trust { listed: 1, .. }, .. }"),
        "{text}"
    );
}

#[test]
fn a_host_is_a_name_or_an_address() {
    let files = Files::new();
    let client = Client::new(&files.settings(None, Some(&fixture("ca.pem")))).unwrap();
    for host in [
        "localhost",
        "a.example.com",
        "a.example.com.",
        "my_host",
        "127.0.0.1",
        "::1",
    ] {
        client.connect(host).unwrap();
    }
    for host in [
        "",
        "[::1]",
        "a b",
        "a..b",
        "1.2.3",
        "localhost:5010",
        "zürich",
        "\x1b[2J",
    ] {
        let error = client.connect(host).unwrap_err();
        assert!(
            matches!(&error, TlsError::Host { host: h } if h == host),
            "{error:?}"
        );
        assert!(!error.to_string().contains('\x1b'));
    }
}
