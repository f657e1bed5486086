//! Signatures over the parameters of a request.

use std::fmt;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// What signs requests.
#[derive(Clone)]
pub enum Signer {
    /// A shared secret: HMAC-SHA256 in hexadecimal.
    Hmac(Secret),
    /// A private key, which the venue never sees: Ed25519 in base 64.
    Ed25519(Box<SigningKey>),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Signer::Hmac(hidden)",
            Self::Ed25519(_) => "Signer::Ed25519(hidden)",
        })
    }
}

impl Signer {
    /// From the text of a key: a PKCS#8 PEM is an Ed25519 key, anything else a shared secret.
    ///
    /// # Errors
    /// When a PEM does not hold an Ed25519 private key.
    pub fn from_secret(secret: Secret) -> Result<Self> {
        if !secret.expose().starts_with("-----BEGIN") {
            return Ok(Self::Hmac(secret));
        }
        match SigningKey::from_pkcs8_pem(secret.expose()) {
            Ok(key) => Ok(Self::Ed25519(Box::new(key))),
            Err(_) => Err(Error::Config {
                setting: "secret",
                detail: "the PEM holds no Ed25519 private key (PKCS#8)".to_owned(),
            }),
        }
    }

    /// The signature of a payload, as it stands in the parameter `signature` before it is percent-encoded.
    ///
    /// # Examples
    /// The documented vector of the venue:
    /// ```
    /// use nanobook_broker::binance::Signer;
    /// use nanobook_broker::secret::Secret;
    ///
    /// let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    /// let signer = Signer::Hmac(Secret::new(secret.to_owned()));
    /// let payload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    /// assert_eq!(
    ///     signer.sign(payload),
    ///     "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    /// );
    /// ```
    pub fn sign(&self, payload: &str) -> String {
        match self {
            Self::Hmac(secret) => hex(&hmac(secret.expose().as_bytes(), payload.as_bytes())),
            Self::Ed25519(key) => STANDARD.encode(key.sign(payload.as_bytes()).to_bytes()),
        }
    }
}

/// HMAC-SHA256.
pub(crate) fn hmac(key: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(payload);
    mac.finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Percent-encodes everything but letters, digits, `-`, `_`, `.` and `~`.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the venue's documentation of signed requests.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

    #[test]
    fn a_symbol_that_is_not_ascii_is_encoded_before_it_is_signed() {
        let signer = Signer::Hmac(Secret::new(SECRET.to_owned()));
        let symbol = encode("\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}");
        assert_eq!(
            symbol,
            "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96"
        );
        let payload = format!(
            "symbol={symbol}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        );
        assert_eq!(
            signer.sign(&payload),
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
        );
    }

    /// RFC 4231, case 2, and RFC 8032, section 7.1, tests 1 to 3.
    #[test]
    fn the_vectors_of_the_standards_hold() {
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let bytes = |text: &str| -> Vec<u8> {
            let pairs = (0..text.len()).step_by(2);
            pairs
                .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
                .collect()
        };
        for (key, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ] {
            let key = SigningKey::from_bytes(&bytes(key).try_into().unwrap());
            let message = String::from_utf8(bytes(message)).unwrap();
            let signed = Signer::Ed25519(Box::new(key)).sign(&message);
            assert_eq!(hex(&STANDARD.decode(signed).unwrap()), signature);
        }
    }

    #[test]
    fn a_pem_is_an_ed25519_key_and_other_text_a_secret() {
        // RFC 8410, section 10.3.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let signer = Signer::from_secret(Secret::new(pem.to_owned())).unwrap();
        assert_eq!(format!("{signer:?}"), "Signer::Ed25519(hidden)");
        assert!(Signer::from_secret(Secret::new("-----BEGIN RSA".to_owned())).is_err());
        let signer = Signer::from_secret(Secret::new("abc".to_owned())).unwrap();
        assert_eq!(format!("{signer:?}"), "Signer::Hmac(hidden)");
    }
}
