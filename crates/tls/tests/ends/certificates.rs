//! Every kind of certificate in every mode, and every check by a certificate that fails this one
//! only.

use std::sync::Arc;

use crate::support::{
    Authority, Failed, Files, Identity, PROTOCOLS, connect, der, expired, fixture, not_yet_valid,
    only, parts, pem, self_signed, shake_hands, tampered, to_v1, unpem,
};
use hopen_tls::{CertificateFault, Client, Server, TlsError, VerifyClient, VerifyServer};
use rcgen::{
    CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};

/// Says what becomes of a certificate, the same in both versions of the protocol.
fn as_server(
    identity: &Identity,
    ca: &str,
    verify: VerifyServer,
    host: &str,
) -> Option<CertificateFault> {
    let (ours, theirs) = (Files::new(), Files::new());
    let server = Server::new(&theirs.settings(Some(identity), None)).expect("it is in order");
    let results = PROTOCOLS.map(|protocol| {
        let mut settings = only(ours.settings(None, Some(ca)), protocol);
        settings.verify_server = verify;
        let client = Client::new(&settings).expect("the CA is in order");
        match connect(&client, &server, host) {
            Ok(ends) => {
                let session = client.session(&ends.client).expect("the handshake is over");
                assert_eq!(session.protocol, protocol);
                None
            }
            Err(Failed::Client(TlsError::Certificate(fault))) => Some(fault),
            Err(other) => panic!("{other:?}"),
        }
    });
    assert_eq!(format!("{:?}", results[0]), format!("{:?}", results[1]));
    let [result, _] = results;
    result
}

/// The same for a client's certificate.
fn as_client(identity: &Identity, ca: &str, verify: VerifyClient) -> Option<CertificateFault> {
    let (ours, theirs) = (Files::new(), Files::new());
    let authority = Authority::new(|_| {});
    let mut settings = ours.settings(Some(&authority.issue(|_| {})), Some(ca));
    settings.verify_client = verify;
    let server = Server::new(&settings).expect("it is in order");
    let results = PROTOCOLS.map(|protocol| {
        let settings = theirs.settings(Some(identity), Some(&authority.certificate));
        let client = Client::new(&only(settings, protocol)).expect("it is in order");
        match connect(&client, &server, "localhost") {
            Ok(_) => None,
            Err(Failed::Server(TlsError::Certificate(fault))) => Some(fault),
            Err(other) => panic!("{other:?}"),
        }
    });
    assert_eq!(format!("{:?}", results[0]), format!("{:?}", results[1]));
    let [result, _] = results;
    result
}

/// Checks a certificate as a server's under `Chain` and `Full`, and as a client's under `YES` and
/// `IFPRESENT`; a name that fits changes nothing. Returns the common fault.
fn as_both(identity: &Identity, ca: &str) -> Option<CertificateFault> {
    let results = [
        as_server(identity, ca, VerifyServer::Chain, "localhost"),
        as_client(identity, ca, VerifyClient::Required),
        as_client(identity, ca, VerifyClient::IfPresent),
    ];
    let texts = results.each_ref().map(|result| format!("{result:?}"));
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    if results[0].is_some() {
        let full = as_server(identity, ca, VerifyServer::Full, "localhost");
        assert_eq!(format!("{full:?}"), texts[0]);
    }
    let [result, ..] = results;
    result
}

#[test]
fn a_certificate_of_a_listed_ca_is_good_in_every_mode() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|_| {});
    assert_eq!(as_both(&leaf, &ca.certificate), None);
    for verify in [VerifyServer::Full, VerifyServer::Chain, VerifyServer::Off] {
        assert_eq!(as_server(&leaf, &ca.certificate, verify, "localhost"), None);
    }
    let between = ca.intermediate(|_| {});
    let leaf = between.issue(|_| {}).followed_by(&between.certificate);
    assert_eq!(as_both(&leaf, &ca.certificate), None);
}

#[test]
fn a_certificate_of_version_1_is_good_by_its_chain_alone() {
    let ca = Authority::new(|_| {});
    for (leaf, ca) in [
        (ca.issue_v1(|_| {}), ca.certificate.clone()),
        (Identity::fixture("server"), fixture("ca.pem")),
        (Identity::fixture("client"), fixture("ca.pem")),
    ] {
        assert_eq!(as_both(&leaf, &ca), None);
        let full = as_server(&leaf, &ca, VerifyServer::Full, "localhost");
        assert_eq!(full, Some(CertificateFault::NoName));
        assert_eq!(as_server(&leaf, &ca, VerifyServer::Off, "localhost"), None);
    }
}

#[test]
fn a_self_signed_certificate_that_is_listed_is_good() {
    for change in [
        |params: &mut CertificateParams| params.is_ca = IsCa::NoCa,
        |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa,
        |params: &mut CertificateParams| {
            params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        },
    ] {
        let leaf = self_signed(change);
        assert_eq!(as_both(&leaf, &leaf.certificate), None);
        let full = |host| as_server(&leaf, &leaf.certificate, VerifyServer::Full, host);
        assert_eq!(full("localhost"), None);
        assert!(matches!(
            full("elsewhere"),
            Some(CertificateFault::WrongName { .. })
        ));
    }
    let v1 = Identity::fixture("self-signed-v1");
    assert_eq!(as_both(&v1, &v1.certificate), None);
    let full = as_server(&v1, &v1.certificate, VerifyServer::Full, "localhost");
    assert_eq!(full, Some(CertificateFault::NoName));
}

#[test]
fn the_chain_forgives_the_name_and_full_does_not() {
    let ca = Authority::new(|_| {});
    let address = |text: &str| SanType::IpAddress(text.parse().expect("it is an address"));
    let name = |text: &str| SanType::DnsName(text.try_into().expect("it is ASCII"));
    for (names, good, bad) in [
        (
            vec![name("a.example.com")],
            "a.example.com",
            "b.example.com",
        ),
        (vec![name("a.example.com")], "A.Example.com", "example.com"),
        (
            vec![name("*.example.com")],
            "b.example.com",
            "a.b.example.com",
        ),
        (
            vec![name("a.com"), address("127.0.0.1")],
            "127.0.0.1",
            "127.0.0.2",
        ),
        (vec![address("::1")], "::1", "127.0.0.1"),
        (vec![name("a.com"), name("b.com")], "b.com", "c.com"),
    ] {
        let leaf = ca.issue(|params| params.subject_alt_names = names);
        let check = |verify, host| as_server(&leaf, &ca.certificate, verify, host);
        assert_eq!(check(VerifyServer::Full, good), None);
        let fault = check(VerifyServer::Full, bad);
        assert!(
            matches!(fault, Some(CertificateFault::WrongName { .. })),
            "{fault:?}"
        );
        assert_eq!(check(VerifyServer::Chain, bad), None);
    }
}

#[test]
fn a_cn_is_no_name_and_the_error_says_what_to_do() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|params| params.subject_alt_names.clear());
    let check = |verify| as_server(&leaf, &ca.certificate, verify, "localhost");
    assert_eq!(check(VerifyServer::Chain), None);
    let fault = check(VerifyServer::Full).expect("it is refused");
    assert_eq!(fault, CertificateFault::NoName);
    let text = TlsError::Certificate(fault).to_string();
    assert!(
        text.contains("subjectAltName") && text.contains("KX_SSL_VERIFY_SERVER=YES"),
        "{text}"
    );
}

#[test]
fn a_name_that_drives_a_terminal_does_not_reach_it() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|params| {
        let names = (0..1000).map(|n| format!("\x1b[2J{n}").as_str().try_into());
        params.subject_alt_names = names
            .map(|n| SanType::DnsName(n.expect("it is ASCII")))
            .collect();
        params
            .distinguished_name
            .push(DnType::CommonName, "\x1b[31mred\n");
    });
    let fault = as_server(&leaf, &ca.certificate, VerifyServer::Full, "localhost");
    let text = TlsError::Certificate(fault.expect("it is refused")).to_string();
    assert!(
        !text.contains(char::is_control) && text.len() < 500,
        "{text:?}"
    );
}

#[test]
fn another_ca_is_not_enough() {
    let ca = Authority::new(|_| {});
    let namesake = Authority::new(|_| {});
    let other = Authority::new(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "another");
    });
    for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
        assert_eq!(
            as_both(&leaf, &other.certificate),
            Some(CertificateFault::UnknownIssuer)
        );
        assert_eq!(
            as_both(&leaf, &namesake.certificate),
            Some(CertificateFault::BadSignature)
        );
        // Both are listed: the one that fits is found.
        let both = format!("{}{}", namesake.certificate, ca.certificate);
        assert_eq!(as_both(&leaf, &both), None);
    }
}

#[test]
fn an_issuer_has_to_be_a_ca() {
    let ca = Authority::new(|_| {});
    for no_ca in [
        ca.anew(|params| params.is_ca = IsCa::ExplicitNoCa),
        ca.anew(|params| params.is_ca = IsCa::NoCa),
        ca.anew(|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]),
    ] {
        for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
            let fault = as_both(&leaf, &no_ca.certificate);
            assert_eq!(fault, Some(CertificateFault::IssuerIsNoCa));
        }
    }
    let signs = ca.anew(|params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    assert_eq!(as_both(&ca.issue_v1(|_| {}), &signs.certificate), None);

    // What KX's script makes: OpenSSL and KX's library refuse it likewise.
    let fault = as_both(
        &Identity::fixture("script-server"),
        &fixture("script-ca.pem"),
    );
    assert_eq!(fault, Some(CertificateFault::IssuerIsNoCa));

    // A certificate of version 1 cannot say that it is a CA.
    let v1 = to_v1(&unpem(&ca.certificate), &ca.key);
    for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
        assert_eq!(as_both(&leaf, &v1), Some(CertificateFault::IssuerIsNoCa));
    }
}

#[test]
fn an_issuer_has_to_be_valid_now_and_for_this() {
    let ca = Authority::new(|_| {});
    for unfit in [
        ca.anew(expired),
        ca.anew(not_yet_valid),
        ca.anew(|params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        }),
    ] {
        for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
            let fault = as_both(&leaf, &unfit.certificate);
            assert_eq!(fault, Some(CertificateFault::IssuerUnfit));
        }
    }
}

#[test]
fn a_leaf_has_to_be_valid_now() {
    let ca = Authority::new(|_| {});
    for (change, fault) in [
        (
            expired as fn(&mut CertificateParams),
            CertificateFault::Expired,
        ),
        (not_yet_valid, CertificateFault::NotYetValid),
    ] {
        assert_eq!(
            as_both(&ca.issue(change), &ca.certificate),
            Some(fault.clone())
        );
        assert_eq!(
            as_both(&ca.issue_v1(change), &ca.certificate),
            Some(fault.clone())
        );
        let own = self_signed(change);
        assert_eq!(as_both(&own, &own.certificate), Some(fault));
    }
}

#[test]
fn a_leaf_has_to_be_for_this() {
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, ServerAuth};
    let ca = Authority::new(|_| {});
    for (usages, server, client) in [
        (vec![ServerAuth], None, Some(CertificateFault::Purpose)),
        (vec![ClientAuth], Some(CertificateFault::Purpose), None),
        (vec![ClientAuth, ServerAuth], None, None),
        (
            vec![CodeSigning],
            Some(CertificateFault::Purpose),
            Some(CertificateFault::Purpose),
        ),
    ] {
        let change = |params: &mut CertificateParams| params.extended_key_usages = usages.clone();
        let own = self_signed(change);
        for (leaf, ca) in [
            (&ca.issue(change), &ca.certificate),
            (&own, &own.certificate),
        ] {
            let found = as_server(leaf, ca, VerifyServer::Chain, "localhost");
            assert_eq!(found, server, "{usages:?}");
            let found = as_client(leaf, ca, VerifyClient::Required);
            assert_eq!(found, client, "{usages:?}");
        }
    }
}

#[test]
fn a_signature_has_to_fit() {
    let ca = Authority::new(|_| {});
    for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
        let fault = as_both(&tampered(leaf), &ca.certificate);
        assert_eq!(fault, Some(CertificateFault::BadSignature));
    }
}

#[test]
fn a_signature_has_to_be_sound() {
    for name in ["server-sha1", "server-md5"] {
        let fault = as_both(&Identity::fixture(name), &fixture("ca.pem"));
        assert_eq!(fault, Some(CertificateFault::Algorithm), "{name}");
    }
}

#[test]
fn both_places_have_to_name_the_same_algorithm() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue_v1(|_| {});
    let bytes = unpem(&leaf.certificate);
    let outer = parts(parts(&bytes)[0].content);
    let inner = parts(outer[0].content);
    // ecdsa-with-SHA384, where SHA256 is signed with.
    let other = der(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03");
    let mut message: Vec<_> = inner.iter().map(|part| part.whole.to_vec()).collect();
    message[1] = other;
    let message = der(0x30, &message.concat());
    let signature = rcgen::SigningKey::sign(&ca.key, &message).unwrap();
    let signature = der(0x03, &[&[0], signature.as_slice()].concat());
    let certificate = pem(&der(0x30, &[&message, outer[1].whole, &signature].concat()));
    let leaf = Identity {
        certificate,
        key: leaf.key,
    };
    assert_eq!(
        as_both(&leaf, &ca.certificate),
        Some(CertificateFault::Encoding)
    );
}

#[test]
fn a_v1_certificate_has_no_extensions() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|_| {});
    let bytes = unpem(&leaf.certificate);
    let outer = parts(parts(&bytes)[0].content);
    let inner = parts(outer[0].content);
    let message: Vec<_> = inner[1..].iter().map(|part| part.whole).collect();
    let message = der(0x30, &message.concat());
    let signature = rcgen::SigningKey::sign(&ca.key, &message).unwrap();
    let signature = der(0x03, &[&[0], signature.as_slice()].concat());
    let leaf = Identity {
        certificate: pem(&der(0x30, &[&message, outer[1].whole, &signature].concat())),
        key: leaf.key,
    };
    assert_eq!(
        as_both(&leaf, &ca.certificate),
        Some(CertificateFault::Encoding)
    );
}

#[test]
fn a_v1_certificate_is_signed_by_a_listed_ca_itself() {
    let ca = Authority::new(|_| {});
    let between = ca.intermediate(|_| {});
    let leaf = between.issue_v1(|_| {}).followed_by(&between.certificate);
    assert_eq!(
        as_both(&leaf, &ca.certificate),
        Some(CertificateFault::UnknownIssuer)
    );
    let both = format!("{}{}", ca.certificate, between.certificate);
    assert_eq!(as_both(&leaf, &both), None);
}

#[test]
fn a_ca_that_may_sign_for_some_names_only_is_held_to_it() {
    let ca = Authority::new(|params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
            excluded_subtrees: vec![],
        });
    });
    let named = |name: &str| {
        let name = name.try_into().expect("it is ASCII");
        ca.issue(|params| params.subject_alt_names = vec![SanType::DnsName(name)])
    };
    assert_eq!(
        as_both(&named("a.example.com"), &ca.certificate),
        None::<CertificateFault>
    );
    let fault = as_both(&named("localhost"), &ca.certificate);
    assert!(
        matches!(fault, Some(CertificateFault::Other(_))),
        "{fault:?}"
    );
    let fault = as_both(&ca.issue_v1(|_| {}), &ca.certificate);
    assert_eq!(fault, Some(CertificateFault::IssuerConstrained));
}

#[test]
fn what_is_between_has_to_be_there_and_to_be_a_ca() {
    let ca = Authority::new(|_| {});
    let between = ca.intermediate(|_| {});
    let fault = as_both(&between.issue(|_| {}), &ca.certificate);
    assert_eq!(fault, Some(CertificateFault::UnknownIssuer));
    for (between, fault) in [
        (ca.intermediate(expired), Some(CertificateFault::Expired)),
        (
            ca.intermediate(|params| params.is_ca = IsCa::ExplicitNoCa),
            None,
        ),
    ] {
        let leaf = between.issue(|_| {}).followed_by(&between.certificate);
        let found = as_both(&leaf, &ca.certificate);
        assert!(
            found.is_some() && (fault.is_none() || found == fault),
            "{found:?}"
        );
    }
}

#[test]
fn an_extension_that_is_critical_and_not_known_is_refused() {
    let ca = Authority::new(|_| {});
    let leaf = ca.issue(|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    let fault = as_both(&leaf, &ca.certificate);
    assert!(
        matches!(fault, Some(CertificateFault::Other(_))),
        "{fault:?}"
    );
}

#[test]
fn a_ca_is_no_peer_unless_it_is_listed_itself() {
    let ca = Authority::new(|_| {});
    let own = ca.intermediate(|_| {});
    let leaf = Identity {
        certificate: own.certificate,
        key: own.key.serialize_pem(),
    };
    assert_eq!(
        as_both(&leaf, &ca.certificate),
        Some(CertificateFault::CaAsPeer)
    );
}

#[test]
fn a_listed_certificate_is_itself_and_no_other() {
    // The same name and key, another certificate.
    let listed = Authority::new(|params| params.is_ca = IsCa::ExplicitNoCa);
    let again = listed.anew(|params| params.is_ca = IsCa::NoCa);
    let leaf = Identity {
        certificate: again.certificate,
        key: again.key.serialize_pem(),
    };
    let fault = as_both(&leaf, &listed.certificate);
    assert_eq!(fault, Some(CertificateFault::IssuerIsNoCa));

    // Signed by somebody who is not listed, listed itself: no chain that ends, to OpenSSL as well.
    let ca = Authority::new(|_| {});
    for leaf in [ca.issue(|_| {}), ca.issue_v1(|_| {})] {
        let fault = as_both(&leaf, &leaf.certificate);
        assert_eq!(fault, Some(CertificateFault::UnknownIssuer));
    }
}

#[test]
fn whoever_has_not_the_key_is_refused_even_unverified() {
    let ca = Authority::new(|_| {});
    let own = self_signed(|_| {});
    let other = self_signed(|_| {}).key;
    for (shown, ca, other) in [
        (&ca.issue(|_| {}), &ca.certificate, &other),
        (&ca.issue_v1(|_| {}), &ca.certificate, &other),
        (&own, &own.certificate, &other),
        (
            &Identity::fixture("server"),
            &fixture("ca.pem"),
            &Identity::fixture("client").key,
        ),
    ] {
        for verify in [VerifyServer::Chain, VerifyServer::Off] {
            for protocol in PROTOCOLS {
                let files = Files::new();
                let mut settings = only(files.settings(None, Some(ca)), protocol);
                settings.verify_server = verify;
                let client = Client::new(&settings)
                    .unwrap()
                    .connect("localhost")
                    .unwrap();
                let server = ServerConnection::new(impostor(shown, other)).unwrap();
                match shake_hands(client, server) {
                    Err(Failed::Client(TlsError::Certificate(CertificateFault::BadSignature))) => {}
                    Err(other) => panic!("{other:?}"),
                    Ok(_) => panic!("{verify:?} {protocol:?}: taken in"),
                }
            }
        }
    }
}

/// A server that shows a certificate whose key it has not.
fn impostor(shown: &Identity, key: &str) -> Arc<ServerConfig> {
    let provider = rustls::crypto::ring::default_provider();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("it is PEM");
    let key = provider
        .key_provider
        .load_private_key(key)
        .expect("it is a key");
    let shown = CertifiedKey::new(vec![unpem(&shown.certificate).into()], key);
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("the provider has both")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    config.into()
}
