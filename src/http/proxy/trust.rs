//! Whose certificates servers behind `https://` may show, and the handshake that finds out.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The certificates that servers behind `https://` are verified by. There is no way to leave the verification out.
///
/// A server within the own network, whose certificate is signed by the own authority:
///
/// ```no_run
/// use solent::http::proxy::{Proxy, Trust, Upstream};
///
/// let internal = Trust::from_pem_file("/etc/ssl/internal-ca.pem")?;
/// let proxy = Proxy::new(Upstream::tls("10.0.0.2:8443")).trust(internal);
/// # Ok::<_, solent::http::proxy::TrustError>(())
/// ```
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Why a file does not say whom to trust.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A file that can't be read as PEM.
    #[error("{}: expected certificates in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: rustls_pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("{}: expected at least one certificate, found none", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate that nothing can be verified by.
    #[error("a certificate that nothing can be verified by")]
    Certificate(#[from] rustls::Error),
}

impl Trust {
    /// The authorities that browsers trust, as Mozilla lists them; the list is part of the program.
    ///
    /// # Errors
    /// None that can come of anything but a broken build.
    pub fn public() -> Result<Self, TrustError> {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        Self::of(RootCertStore { roots: roots.collect() })
    }

    /// The authorities in a file in PEM form, and no others. A server's own certificate may stand there as well.
    ///
    /// # Errors
    /// [`TrustError`], naming the file.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TrustError> {
        let path = path.as_ref();
        let wrong = |source| TrustError::Pem { path: path.to_owned(), source };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(wrong)? {
            roots.add(certificate.map_err(wrong)?)?;
        }
        if roots.is_empty() {
            return Err(TrustError::Empty { path: path.to_owned() });
        }
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, TrustError> {
        // Named, since a program may link more than one provider and then has no default.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Self(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }

    /// The TLS handshake with the server of a name or address. Dropping the future drops the connection.
    pub(super) async fn verify(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The list of all authorities tells nobody anything.
        f.write_str("Trust")
    }
}
