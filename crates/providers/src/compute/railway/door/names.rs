use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::ProviderError;

/// Takes a certificate of the name that is called, or of this other name.
///
/// # Errors
/// Refused when the other is no name, unavailable when the machine has no certificates to judge by.
pub(super) fn either(other: &str) -> Result<ClientConfig, ProviderError> {
    let wrong = |error| {
        let next = "look at the domain's DNS records in Railway's dashboard";
        ProviderError::refused(format!("call {other}"), error, next)
    };
    let other = ServerName::try_from(other.to_owned()).map_err(wrong)?;
    let unusable = |error| ProviderError::unavailable("preparing to judge certificates", error);
    let crypto = Arc::new(aws_lc_rs::default_provider());
    let usual = Verifier::new(Arc::clone(&crypto)).map_err(unusable)?;
    config(crypto, Either { usual: Arc::new(usual), other }).map_err(unusable)
}

fn config(crypto: Arc<CryptoProvider>, names: Either) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(crypto).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(names)).with_no_client_auth())
}

/// Judges as usual, but for two names.
#[derive(Debug)]
struct Either {
    usual: Arc<dyn ServerCertVerifier>,
    other: ServerName<'static>,
}

impl ServerCertVerifier for Either {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        called: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_of = |name: &ServerName<'_>| self.usual.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        is_of(called).or_else(|why| is_of(&self.other).map_err(|_| why))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rustls::CertificateError;

    use super::*;

    /// Stands for a certificate of one name.
    #[derive(Debug)]
    struct Of(&'static str);

    impl ServerCertVerifier for Of {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            called: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            let fits = called.to_str() == self.0;
            if fits { Ok(ServerCertVerified::assertion()) } else { Err(CertificateError::NotValidForName.into()) }
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    #[test]
    fn a_certificate_of_the_hostname_or_of_where_it_leads_is_taken_and_no_third() {
        let called = ServerName::try_from("acme.example.com").unwrap();
        let judged = |name| {
            let other = ServerName::try_from("q7r2m8.up.railway.app").unwrap();
            let either = Either { usual: Arc::new(Of(name)), other };
            let empty = CertificateDer::from(Vec::new());
            either.verify_server_cert(&empty, &[], &called, &[], UnixTime::now())
        };
        assert!(judged("acme.example.com").is_ok());
        assert!(judged("q7r2m8.up.railway.app").is_ok());
        assert!(judged("evil.example.net").is_err());
        assert!(either("q7r2m8.up.railway.app").is_ok());
        assert!(either("not a name").is_err());
    }
}
