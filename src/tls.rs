//! What callers come through when the server has a certificate. Protocol and ciphers are those of rustls; HTTP/2 is
//! agreed on in the greeting.

use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate and its key cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// One of the files cannot be read.
    #[error("cannot read {what} {path}: {source}")]
    File {
        /// The certificate, or the private key.
        what: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// They are not PEM, or do not belong together.
    #[error("cannot serve TLS with the certificate and key in {path}: {why}")]
    Identity {
        /// Both files.
        path: String,
        /// What is wrong.
        why: String,
    },
}

/// Of a certificate chain and a private key, both PEM. What cannot be used is found here, before anything is opened.
pub(crate) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let read = |what, path: &Path| {
        std::fs::read(path).map_err(|source| TlsError::File {
            what,
            path: path.display().to_string(),
            source,
        })
    };
    let (chain, secret) = (read("the certificate", cert)?, read("the private key", key)?);
    let path = format!("{} and {}", cert.display(), key.display());
    let wrong = |why: String| TlsError::Identity { path: path.clone(), why };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| wrong(error.to_string()))?;
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| wrong(error.to_string()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(error.to_string()))?;
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(TlsAcceptor::from(Arc::new(config)))
}
