//! TLS at the edge, by configuration. Without it, put a proxy that terminates TLS in front. Over plain text, whoever sits
//! between can pass an operator's session on and use it: each answer is signed, so it can forge none, but the first
//! submission for a task stands, and it can send garbage in the operator's name. So operators refuse plain text to other
//! machines.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore, ServerConfig};

/// Where the certificate is. A renewed one is noticed within a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Why TLS cannot be offered, or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there or not PEM.
    #[error("cannot read {path}: {error}; it must be PEM")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// The two files do not make a certificate.
    #[error("the certificate and the key cannot be used: {0}; are they of one another?")]
    Unusable(Error),
}

/// When the two files were written last; nothing where one cannot be looked at.
type Written = Option<(SystemTime, SystemTime)>;

/// The certificate that is shown.
#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    written: Written,
}

#[derive(Debug)]
struct Current(RwLock<Shown>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

/// TLS as a server speaks it, with a certificate that can be renewed under way.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// What connections are served with.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate that is shown, as bytes.
    #[cfg(test)]
    pub(super) fn shown(&self) -> Vec<u8> {
        let shown = self.current.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.key.cert.iter().flat_map(|certificate| certificate.to_vec()).collect()
    }

    /// Reads the files again if they were written since; true where they were.
    ///
    /// # Errors
    /// Where what they hold now cannot be used: they may be half written. They are read again the next time.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let written = self.files.written();
        let mut current = self.current.0.write().unwrap_or_else(PoisonError::into_inner);
        if written == current.written {
            return Ok(false);
        }
        // What is written while they are read is found the next time.
        *current = Shown { key: self.files.read()?, written };
        Ok(true)
    }
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// Where one is not there, is not PEM, or the two do not belong together.
    pub fn load(&self) -> Result<Tls, TlsError> {
        let shown = Shown { written: self.written(), key: self.read()? };
        let current = Arc::new(Current(RwLock::new(shown)));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        Ok(Tls { files: self.clone(), current, config: Arc::new(config) })
    }

    fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let certificates = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unreadable(&self.key, &error))?;
        let key = CertifiedKey::from_der(certificates, key, &default_provider());
        key.map(Arc::new).map_err(TlsError::Unusable)
    }

    fn written(&self) -> Written {
        let written = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
        written(&self.certificate).zip(written(&self.key))
    }
}

/// What a client trusts that is given a private authority, or a server's own certificate, instead of the system's.
pub(super) fn trust(authority: &Path) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(|error| unreadable(authority, &error))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| unreadable(path, &error))?;
    if certificates.is_empty() {
        return Err(unreadable(path, &"there is no certificate in it"));
    }
    Ok(certificates)
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), error: error.to_string() }
}
