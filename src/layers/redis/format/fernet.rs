//! Fernet tokens with several keys, as channels_redis derives and uses them.

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

const VERSION: u8 = 0x80;
const BLOCK: usize = 16;
/// Version, time and initialisation vector.
const HEAD: usize = 1 + 8 + BLOCK;
const SIGNATURE: usize = 32;
/// How far in the future a token's time may lie, where times are checked at all.
const CLOCK_SKEW: u64 = 60;

/// Keys that encrypt and authenticate messages: the first encrypts, all of them decrypt.
///
/// ```
/// use solent::layers::redis::format::Fernet;
///
/// let keys = Fernet::new(["the new key", "the old key"])?;
/// let token = Fernet::new(["the old key"])?.encrypt(b"hello", 1_700_000_000);
/// assert_eq!(keys.decrypt(&token, 1_700_000_060, None)?, "hello");
/// assert!(Fernet::new(["another"])?.decrypt(&token, 1_700_000_060, None).is_err());
/// # Ok::<(), solent::layers::redis::format::FernetError>(())
/// ```
#[derive(Clone)]
pub struct Fernet(Vec<Key>);

#[derive(Clone)]
struct Key {
    signing: [u8; BLOCK],
    encryption: [u8; BLOCK],
}

/// Why a token is refused. It does not say which check failed for which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FernetError {
    /// No key was given.
    #[error("symmetric encryption keys: expected at least one")]
    NoKeys,
    /// Not a token, or made with none of the keys.
    #[error("the message is not encrypted with any of the keys")]
    Invalid,
    /// Older than allowed, or from the future.
    #[error("the encrypted message is too old or from the future")]
    Expired,
}

impl Fernet {
    /// Keys from texts of any length.
    ///
    /// # Errors
    /// [`FernetError::NoKeys`] when there are none.
    pub fn new<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Result<Self, FernetError> {
        let keys: Vec<_> = keys.into_iter().map(|key| Key::derive(key.as_ref())).collect();
        if keys.is_empty() { Err(FernetError::NoKeys) } else { Ok(Self(keys)) }
    }

    /// Encrypts with the first key. `now` is in Unix seconds.
    pub fn encrypt(&self, plain: &[u8], now: u64) -> Vec<u8> {
        let key = &self.0[0];
        let iv: [u8; BLOCK] = rand::random();
        let mut token = Vec::with_capacity(HEAD + plain.len() + BLOCK + SIGNATURE);
        token.push(VERSION);
        token.extend_from_slice(&now.to_be_bytes());
        token.extend_from_slice(&iv);
        let cipher = cbc::Encryptor::<Aes128>::new(&key.encryption.into(), &iv.into());
        token.extend_from_slice(&cipher.encrypt_padded_vec::<Pkcs7>(plain));
        let signature = key.mac(&token).finalize().into_bytes();
        token.extend_from_slice(&signature);
        URL_SAFE.encode(token).into_bytes()
    }

    /// Decrypts with whichever key fits. With `max_age`, tokens that are older, or more than a minute in the future of
    /// `now` (Unix seconds), are refused.
    ///
    /// # Errors
    /// [`FernetError::Invalid`] for what is no token of these keys, [`FernetError::Expired`] by its time.
    pub fn decrypt(&self, token: &[u8], now: u64, max_age: Option<Duration>) -> Result<Bytes, FernetError> {
        let token = URL_SAFE.decode(token).map_err(|_| FernetError::Invalid)?;
        if token.len() < HEAD + BLOCK + SIGNATURE || token[0] != VERSION {
            return Err(FernetError::Invalid);
        }
        let mut time = [0; 8];
        time.copy_from_slice(&token[1..9]);
        let made = u64::from_be_bytes(time);
        if let Some(age) = max_age
            && (made.saturating_add(age.as_secs()) < now || made > now.saturating_add(CLOCK_SKEW))
        {
            return Err(FernetError::Expired);
        }
        self.0.iter().find_map(|key| key.open(&token)).ok_or(FernetError::Invalid)
    }
}

impl Key {
    fn derive(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let (mut signing, mut encryption) = ([0; BLOCK], [0; BLOCK]);
        signing.copy_from_slice(&digest[..BLOCK]);
        encryption.copy_from_slice(&digest[BLOCK..]);
        Self { signing, encryption }
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.signing) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(signed);
        mac
    }

    fn open(&self, token: &[u8]) -> Option<Bytes> {
        let (signed, signature) = token.split_at(token.len() - SIGNATURE);
        self.mac(signed).verify_slice(signature).ok()?;
        let iv: [u8; BLOCK] = signed[9..HEAD].try_into().ok()?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.encryption.into(), &iv.into());
        cipher.decrypt_padded_vec::<Pkcs7>(&signed[HEAD..]).ok().map(Bytes::from)
    }
}

impl fmt::Debug for Fernet {
    /// Keys never print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fernet({} keys)", self.0.len())
    }
}
