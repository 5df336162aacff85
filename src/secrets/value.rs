//! The one type that holds a credential while it is looked at.
//!
//! It can be measured, compared by fingerprint and described in redacted form. It has no
//! `Debug`, `Display` or `Serialize`, and its bytes are wiped when it goes.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes that look like a credential. Never printed, never serialised, wiped on drop.
pub(crate) struct Value(Zeroizing<Vec<u8>>);

impl Value {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    pub(crate) fn from_vec(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the checks inside this crate only.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Plain SHA-256 in hex. Callers keep it from values a person chose.
    pub(crate) fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.0[..]))
    }

    /// First 16 bytes of HMAC-SHA256(key, rule ‖ 0 ‖ value) in hex.
    pub(crate) fn fingerprint(&self, key: &[u8], rule: &str) -> String {
        let mut mac =
            <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(rule.as_bytes());
        mac.update(&[0]);
        mac.update(&self.0);
        hex(&mac.finalize().into_bytes()[..16])
    }
}

/// The key of fingerprints. Wiped on drop, not printable.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<Vec<u8>>);

impl FingerprintKey {
    /// Takes the key as it was given: text of an environment variable or bytes of a file.
    /// White space at its end is dropped, so that both ways agree. `None` when it is
    /// shorter than 16 bytes: such a key protects nothing.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii_end();
        (bytes.len() >= 16).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FingerprintKey(hidden)")
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Shannon entropy in bits per byte.
pub(crate) fn entropy(bytes: &[u8]) -> f64 {
    if bytes.is_empty() {
        return 0.0;
    }
    let mut counts = [0u16; 256];
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let mut sum = 0.0;
    for &count in counts.iter().filter(|&&count| count > 1) {
        let count = f64::from(count);
        sum += count * count.log2();
    }
    total.log2() - sum / total
}
