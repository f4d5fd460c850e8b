//! The edge with a certificate.

use jsonrpsee::ws_client::CustomCertStore;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConnection, RootCertStore};

use super::crowd::stream_from;
use super::*;

/// A certificate for this machine, on disk, and as a client trusts it.
fn certificate() -> (tempfile::TempDir, TlsFiles, CustomCertStore) {
    certificate_for("127.0.0.1")
}

fn certificate_for(name: &str) -> (tempfile::TempDir, TlsFiles, CustomCertStore) {
    let made = rcgen::generate_simple_self_signed(vec![name.into()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files =
        TlsFiles { certificate: directory.path().join("cert.pem"), key: directory.path().join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert)).unwrap();
    let builder = CustomCertStore::builder_with_provider(Arc::new(default_provider()));
    let trust = builder.with_safe_default_protocol_versions().unwrap();
    (directory, files, trust.with_root_certificates(roots).with_no_client_auth())
}

#[actix::test]
async fn an_operator_submits_over_tls() {
    let (_directory, files, trust) = certificate();
    let receiver = Receiver::start(16, 16);
    let config = Config { tls: Some(files), ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let url = format!("wss://127.0.0.1:{}", server.address.port());
    let client = WsClientBuilder::new().with_custom_cert_store(trust).build(url).await.unwrap();
    open(&client, 3, |_| ()).await.unwrap();
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
    assert!(WsClientBuilder::new().build(server.url()).await.is_err(), "and not without");
}

#[test]
fn files_that_are_no_certificate_are_refused() {
    let (directory, files, _trust) = certificate();
    let missing = TlsFiles { key: directory.path().join("no.pem"), ..files.clone() };
    assert!(matches!(missing.load(), Err(TlsError::File { .. })));
    let (_other, of_another, _trust) = certificate();
    assert!(matches!(TlsFiles { key: of_another.key, ..files }.load(), Err(TlsError::Unusable(_))));
}

/// A link of operator 3 over TLS that trusts `ca`.
fn link(server: &Server, ca: &std::path::Path) -> OperatorLink {
    let url = format!("wss://127.0.0.1:{}", server.address.port());
    let upstream = Upstream { identity: identity(), url, ca: Some(ca.to_owned()), plaintext: false };
    let config = OperatorLinkConfig { longest_pause_ms: 100, ..OperatorLinkConfig::default() };
    let signer = Arc::new(LocalBlsSigner::new(secret(3)));
    OperatorLink::start(&config, upstream, signer, link_dependencies(server.clock.clone())).unwrap()
}

#[actix::test]
async fn an_operator_link_over_tls_trusts_a_private_authority() {
    let (_directory, files, _trust) = certificate();
    let receiver = Receiver::start(16, 16);
    let config = Config { tls: Some(files.clone()), ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let handle: Handle<SubmitSignature> = Handle::remote(Arc::new(link(&server, &files.certificate)));
    assert_eq!(soon(handle.ask(submission(3))).await, Ok(SubmitReply::Accepted));
}

#[actix::test]
async fn a_certificate_of_another_name_or_of_nobody_who_is_trusted_is_refused() {
    let (_directory, of_another, _trust) = certificate_for("elsewhere.example.org");
    let (_other, strangers, _trust) = certificate();
    let receiver = Receiver::start(16, 16);
    let config = Config { tls: Some(of_another.clone()), ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    for ca in [&of_another.certificate, &strangers.certificate] {
        let link = link(&server, ca);
        let mut status = link.status();
        let status = soon(status.wait_for(|status| status.last_error.is_some())).await.unwrap();
        assert!(!status.connected, "{status:?}");
    }
    assert_eq!(server.metrics.sessions_opened(), 0);
}

#[actix::test]
async fn plain_text_to_a_remote_aggregator_is_refused() {
    let start = |plaintext| {
        let (clock, signer) = (SetClock::at(1_000), Arc::new(LocalBlsSigner::new(secret(3))));
        let upstream = Upstream { identity: identity(), url: "ws://192.0.2.1:1".into(), ca: None, plaintext };
        OperatorLink::start(&OperatorLinkConfig::default(), upstream, signer, link_dependencies(clock))
    };
    assert!(matches!(start(false), Err(UpstreamError::Plaintext(_))));
    assert!(start(true).is_ok(), "where the operator says so");
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let (_directory, files, _trust) = certificate();
    let tls = files.load().unwrap();
    assert!(!tls.refresh().unwrap());
    let replace = |by: &TlsFiles, seconds| {
        for (to, from) in [(&files.certificate, &by.certificate), (&files.key, &by.key)] {
            std::fs::copy(from, to).unwrap();
            let file = std::fs::File::options().write(true).open(to).unwrap();
            file.set_modified(std::time::SystemTime::now() + Duration::from_secs(seconds)).unwrap();
        }
    };
    let (_other, renewed, _trust) = certificate();
    let shown = |tls: &Tls| tls.shown();
    let before = shown(&tls);
    replace(&renewed, 10);
    assert!(tls.refresh().unwrap() && !tls.refresh().unwrap());
    let after = shown(&tls);
    assert_ne!(before, after);
    // Half of it written: the old one stays, and the next look finds the rest.
    let (_third, third, _trust) = certificate();
    let half = TlsFiles { certificate: third.certificate.clone(), key: renewed.key };
    replace(&half, 20);
    for _ in 0..2 {
        // It is read again each time: the rest may be written without the file's time changing.
        assert!(matches!(tls.refresh(), Err(TlsError::Unusable(_))));
        assert_eq!(shown(&tls), after);
    }
    replace(&third, 30);
    assert!(tls.refresh().unwrap());
    assert_ne!(shown(&tls), after);
}

#[actix::test]
async fn a_handshake_that_stalls_ends() {
    use tokio::io::AsyncReadExt;
    let (_directory, files, _trust) = certificate();
    let receiver = Receiver::start(16, 16);
    for (tls, reason) in [(Some(files), "tls"), (None, "handshake")] {
        let config = Config { tls, handshake_secs: 1, most_handshakes: 1, ..Config::default() };
        let server = Server::start(&config, receiver.handle.clone()).await;
        let mut stalled = tokio::net::TcpStream::connect(server.address).await.unwrap();
        assert!(matches!(soon(stalled.read(&mut [0; 1])).await, Ok(0) | Err(_)));
        soon(async {
            while server.metrics.ended_for(reason) < 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// The first bytes of a TLS client.
fn client_hello(trust: &CustomCertStore) -> Vec<u8> {
    let name = "127.0.0.1".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(trust.clone()), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[actix::test]
async fn strangers_that_stall_in_a_handshake_keep_no_operator_out() {
    let (_directory, files, trust) = certificate();
    let receiver = Receiver::start(16, 16);
    let server =
        Server::start(&Config { tls: Some(files), ..Config::default() }, receiver.handle.clone()).await;
    let (hello, mut stalled) = (client_hello(&trust), Vec::new());
    for last in 1..=4 {
        for said in [&[][..], &hello[..hello.len() / 2], &hello] {
            for _ in 0..20 {
                let mut stream = stream_from([127, 0, 0, last], server.address).await;
                stream.write_all(said).await.unwrap();
                stalled.push(stream);
            }
        }
    }
    let stream = stream_from([127, 0, 0, 9], server.address).await;
    let connector = TlsConnector::from(Arc::new(trust));
    let stream = soon(connector.connect("127.0.0.1".try_into().unwrap(), stream)).await.unwrap();
    let client = WsClientBuilder::new().build_with_stream("ws://localhost/", stream).await.unwrap();
    open(&client, 3, |_| ()).await.unwrap();
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
}
