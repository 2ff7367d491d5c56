//! TLS for DNS over TLS, opportunistic (RFC 7858, RFC 9539): whoever answers is spoken to, and what it showed is kept.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};

/// Believes every certificate: none is trusted, each is evidence. That the server holds its key is verified where
/// the certificate can be read (BIND's own ones are of X.509 version 1, which rustls does not read).
#[derive(Debug)]
struct Recorder(Arc<CryptoProvider>);

fn unless_unreadable(
    verified: Result<HandshakeSignatureValid, Error>,
) -> Result<HandshakeSignatureValid, Error> {
    match verified {
        Err(Error::InvalidCertificate(CertificateError::BadSignature)) => verified,
        Err(Error::InvalidCertificate(_)) => Ok(HandshakeSignatureValid::assertion()),
        _ => verified,
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        unless_unreadable(verify_tls12_signature(message, certificate, signed, known))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        unless_unreadable(verify_tls13_signature(message, certificate, signed, known))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS 1.2 and 1.3, ALPN "dot", no resumption: every connection shows its certificate.
pub fn config() -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Recorder(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"dot".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The client's side of a session; a server known by its address alone gets no server name.
pub fn session(config: &Arc<ClientConfig>, peer: IpAddr) -> Result<Box<ClientConnection>, Error> {
    let name = ServerName::IpAddress(peer.into());
    let mut session = ClientConnection::new(config.clone(), name)?;
    session.set_buffer_limit(None);
    Ok(Box::new(session))
}

/// What the server showed: version and cipher suite (two octets each, TLS code points), ALPN (one octet length, then
/// the protocol), then each certificate as sent (three octets length, then DER).
pub fn describe(session: &ClientConnection) -> Vec<u8> {
    let version = session.protocol_version().map_or(0, u16::from);
    let suite = session
        .negotiated_cipher_suite()
        .map_or(0, |suite| u16::from(suite.suite()));
    let alpn = session.alpn_protocol().unwrap_or_default();
    let mut out = Vec::new();
    out.extend(version.to_be_bytes());
    out.extend(suite.to_be_bytes());
    // A protocol's name has at most 255 octets (RFC 7301 section 3.1).
    out.push(alpn.len() as u8);
    out.extend(alpn);
    for certificate in session.peer_certificates().unwrap_or_default() {
        let octets = certificate.as_ref();
        out.extend((octets.len() as u32).to_be_bytes().iter().skip(1));
        out.extend(octets);
    }
    out
}
