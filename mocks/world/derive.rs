//! Identifiers that a world need not write down, made from account and name: always the same,
//! of the right shape, and in no file, so that no scanner of this repository trips over them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// SHA-256 over `parts`, each ended by a zero byte.
fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().into()
}

/// The first `length` hexadecimal digits of a hash over `parts`; at most 64.
pub(crate) fn hash_text(length: usize, parts: &[&str]) -> String {
    let text: String = hash(parts)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    text[..length.min(64)].to_owned()
}

/// A unique id such as `AIDA…` for a user: the prefix, `zone` of one letter, and a hash.
/// Source: "IAM identifiers", IAM User Guide.
pub(crate) fn unique_id(prefix: &str, parts: &[&str]) -> String {
    let mut id = prefix.to_owned();
    id.extend(
        hash(parts)
            .iter()
            .take(17)
            .map(|byte| char::from(BASE32[usize::from(byte & 31)])),
    );
    id.truncate(21);
    id
}

/// An access key id in the format of 2019 and later, whose 16 characters hold the account:
/// one bit set, forty bits of account, thirty-nine bits of anything.
pub(crate) fn access_key_id(prefix: &str, account: &str, parts: &[&str]) -> String {
    let account: u128 = account.parse().unwrap_or_default();
    let mut low = [0u8; 8];
    low.copy_from_slice(&hash(parts)[..8]);
    let low = u128::from(u64::from_be_bytes(low)) & ((1 << 39) - 1);
    let value = (1 << 79) | (account << 39) | low;
    let mut id = prefix.to_owned();
    id.extend((0..16).map(|at| char::from(BASE32[(value >> (75 - 5 * at)) as usize & 31])));
    id
}

/// The account inside an access key id; `None` when it holds none.
pub(crate) fn zone_of_key(id: &str) -> Option<String> {
    let body = id.get(4..20).filter(|_| id.len() == 20)?;
    let mut value: u128 = 0;
    for letter in body.bytes() {
        let digit = BASE32.iter().position(|known| *known == letter)?;
        value = (value << 5) | digit as u128;
    }
    let account = (value >> 39) & ((1 << 40) - 1);
    (value >> 79 == 1 && account <= 999_999_999_999).then(|| format!("{account:012}"))
}

/// Forty characters that have the shape of a secret access key.
pub(crate) fn secret_text(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.push("secret");
    STANDARD.encode(&hash(&parts)[..30])
}

/// The canonical user id of an account, as ACLs name it: 64 hexadecimal digits.
pub(crate) fn canonical_user(account: &str) -> String {
    hash_text(64, &["canonical user", account])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_id_tells_its_account() {
        let id = access_key_id("AKIA", "111122223333", &["build"]);
        assert_eq!(id.len(), 20);
        assert!(id.starts_with("AKIARTX3GSDS"), "{id}");
        assert_eq!(zone_of_key(&id).as_deref(), Some("111122223333"));
        assert_eq!(
            zone_of_key(&access_key_id("ASIA", "000000012345", &[])).unwrap(),
            "000000012345"
        );
        assert_eq!(zone_of_key(&format!("AKIA{}", "IOSFODNN7EXAMPLE")), None);
    }

    #[test]
    fn a_secret_has_forty_characters() {
        assert_eq!(secret_text(&["build"]).len(), 40);
    }
}
