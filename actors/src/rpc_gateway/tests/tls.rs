//! The edge with a certificate.

use jsonrpsee::ws_client::CustomCertStore;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::*;

/// A certificate for this machine, on disk, and as a client trusts it.
fn certificate() -> (tempfile::TempDir, TlsFiles, CustomCertStore) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
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
