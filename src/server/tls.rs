//! TLS by rustls: certificates from PEM files, ALPN, and a configuration that can be replaced while serving.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// What a TLS listener is served with. Cheap to clone; all clones share the configuration.
///
/// Certificates that are renewed while the server runs:
///
/// ```no_run
/// use solent::server::Tls;
///
/// let tls = Tls::from_pem_files("chain.pem", "key.pem")?;
/// // … and when the files have changed, all listeners show the new ones:
/// tls.replace("chain.pem", "key.pem")?;
/// // or in two steps, when several must change together:
/// let newer = Tls::from_pem_files("chain.pem", "key.pem")?;
/// tls.replace_with(&newer);
/// # Ok::<(), solent::server::TlsError>(())
/// ```
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file that can't be read as PEM.
    #[error("{}: expected {expected} in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What the parser said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file without a certificate.
    #[error("{}: expected at least one certificate, found none", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate and a key that do not belong together, or of a kind that rustls does not take.
    #[error("the certificate and the key cannot be used together")]
    Pair(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Tls {
    /// A chain of certificates and their private key, in PEM files.
    ///
    /// # Errors
    /// [`TlsError`], naming the file.
    pub fn from_pem_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let config = load(certificates.as_ref(), key.as_ref())?;
        Ok(Self(Arc::new(RwLock::new(Arc::new(config)))))
    }

    /// Replaces the certificates for connections that come from now on.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificates then stay.
    pub fn replace(&self, certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<(), TlsError> {
        let config = Arc::new(load(certificates.as_ref(), key.as_ref())?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// As [`replace`](Self::replace), with certificates that have been read already, so that nothing can fail.
    pub fn replace_with(&self, newer: &Self) {
        let config = Arc::clone(&newer.0.read().unwrap_or_else(PoisonError::into_inner));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The TLS handshake. Dropping the future drops the connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn load(certificates: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let pem = |path: &Path, expected| {
        let path = path.to_owned();
        move |source: rustls_pki_types::pem::Error| TlsError::Pem { path, expected, source: source.into() }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificates, "certificates"))?;
    if chain.is_empty() {
        return Err(TlsError::Empty { path: certificates.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "a private key"))?;
    // Named, since a program may link more than one provider and then has no default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pair = |error: rustls::Error| TlsError::Pair(error.into());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(pair)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if cfg!(feature = "http2") {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(config)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the key.
        f.write_str("Tls")
    }
}
