//! Member lists that prove where they come from.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{MemberList, strict_json};

/// A member list as it travels and rests: whoever carries it cannot change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedMembers {
    /// Base64url of the list's JSON.
    payload: String,
    /// Base64url of the Ed25519 signature over the bytes of `payload` as written.
    signature: String,
}

/// Signs member lists; held by the main instance only.
pub struct MembersKey(Ed25519KeyPair);

/// Verifies member lists; given to every guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembersPublicKey([u8; 32]);

/// A members key could not be made or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MembersKeyError {
    /// The generator gave no key.
    #[error("no key for member lists could be generated")]
    Generate,
    /// The stored private key is not base64url of a 32-byte Ed25519 seed.
    #[error("the stored key for member lists is not base64url of 32 bytes")]
    StoredKey,
    /// The public key is not base64url of 32 bytes.
    #[error("the public key for member lists is not base64url of 32 bytes")]
    PublicKey,
}

/// A signed member list was not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature does not belong to the payload and the key.
    #[error("the member list is not signed by the main instance")]
    Signature,
    /// The payload is signed but is no member list: versions differ.
    #[error("the signed payload is not a member list")]
    Payload,
}

impl SignedMembers {
    /// A list as it was received. It proves nothing before [`MembersPublicKey::open`].
    #[must_use]
    pub fn received(payload: String, signature: String) -> Self {
        Self { payload, signature }
    }

    /// Base64url of the list's JSON, as it travels.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// Base64url of the signature, as it travels.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

impl MembersKey {
    /// A new key. Takes its randomness from the cryptographic library itself.
    ///
    /// # Errors
    /// [`MembersKeyError::Generate`].
    pub fn generate() -> Result<Self, MembersKeyError> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| MembersKeyError::Generate)
    }

    /// Reads what [`MembersKey::to_secret`] wrote.
    ///
    /// # Errors
    /// [`MembersKeyError::StoredKey`].
    pub fn from_secret(secret: &SecretString) -> Result<Self, MembersKeyError> {
        let seed = URL_SAFE_NO_PAD.decode(secret.expose_secret()).map_err(|_| MembersKeyError::StoredKey)?;
        // The public half is derived from the seed, so there is no second part to check against.
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self).map_err(|_| MembersKeyError::StoredKey)
    }

    /// The private key for safekeeping: base64url of its seed.
    ///
    /// # Errors
    /// [`MembersKeyError::StoredKey`] when the library cannot write its own key.
    pub fn to_secret(&self) -> Result<SecretString, MembersKeyError> {
        let seed = self.0.seed().map_err(|_| MembersKeyError::StoredKey)?;
        let bytes: aws_lc_rs::encoding::Curve25519SeedBin<'_> =
            aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&seed).map_err(|_| MembersKeyError::StoredKey)?;
        Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
    }

    /// The public half, for guards.
    ///
    /// # Errors
    /// [`MembersKeyError::PublicKey`] when the library writes it in an unknown form.
    pub fn public(&self) -> Result<MembersPublicKey, MembersKeyError> {
        let bytes = self.0.public_key().as_ref().try_into();
        bytes.map(MembersPublicKey).map_err(|_| MembersKeyError::PublicKey)
    }

    /// Signs a list.
    #[must_use]
    pub fn sign(&self, list: &MemberList) -> SignedMembers {
        // A list is plain data with string keys: it always has a JSON form.
        let json = serde_json::to_vec(list).unwrap_or_default();
        let payload = URL_SAFE_NO_PAD.encode(json);
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(payload.as_bytes()));
        SignedMembers { payload, signature }
    }
}

impl MembersPublicKey {
    /// Reads base64url of the 32 bytes.
    ///
    /// # Errors
    /// [`MembersKeyError::PublicKey`].
    pub fn parse(text: &str) -> Result<Self, MembersKeyError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MembersKeyError::PublicKey)?;
        bytes.try_into().map(Self).map_err(|_| MembersKeyError::PublicKey)
    }

    /// Believes a list or says why not.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn open(&self, signed: &SignedMembers) -> Result<MemberList, SignatureError> {
        let signature = URL_SAFE_NO_PAD.decode(&signed.signature).map_err(|_| SignatureError::Signature)?;
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(signed.payload.as_bytes(), &signature)
            .map_err(|_| SignatureError::Signature)?;
        let json = URL_SAFE_NO_PAD.decode(&signed.payload).map_err(|_| SignatureError::Payload)?;
        let object = strict_json::parse_object(&json).ok_or(SignatureError::Payload)?;
        serde_json::from_value(object.into()).map_err(|_| SignatureError::Payload)
    }
}

impl std::fmt::Display for MembersPublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl std::fmt::Debug for MembersKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MembersKey(secret)")
    }
}
