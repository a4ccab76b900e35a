//! Personal payload under lock: sealed with a random key per interaction (ChaCha20-Poly1305), so that destroying
//! the key erases it from the journal, its archive and every copy of them. Whoever has no key learns the length.

use std::cell::RefCell;
use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

/// Length of a key in bytes.
pub const KEY_LENGTH: usize = 32;

/// The key of an interaction as it lies beside its payload in the journal: nothing without the interaction's pad.
pub type WrappedKey = [u8; KEY_LENGTH];

/// The key of one interaction. Has no `Display`, and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_LENGTH]);

impl Key {
    /// A new key from the random source of the operating system.
    pub fn random() -> Self {
        Self(random())
    }

    /// No key at all.
    pub(super) fn nothing() -> Self {
        Self([0; KEY_LENGTH])
    }

    /// The key that was wrapped under a pad.
    pub(super) fn unwrapped(wrapped: &WrappedKey, pad: &[u8; KEY_LENGTH]) -> Self {
        Self(Self(*wrapped).under(pad))
    }

    /// The key under a pad, or out from under it.
    pub(super) fn under(&self, pad: &[u8; KEY_LENGTH]) -> WrappedKey {
        let mut wrapped = self.0;
        wrapped.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
        wrapped
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(
            UnboundKey::new(&CHACHA20_POLY1305, &self.0).expect("the key has the length of the cipher"),
        )
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// Seals `plaintext`; the same `context` (which interaction, which field) must be given to open it, so that a
/// payload moved to another place does not open there. The result is 28 bytes longer.
pub fn seal(key: &Key, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    // Random nonces collide after about 2^48 payloads under one key; an interaction has dozens.
    let nonce: [u8; NONCE_LEN] = random();
    let mut sealed = Vec::with_capacity(NONCE_LEN + plaintext.len() + CHACHA20_POLY1305.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = key
        .cipher()
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut sealed[NONCE_LEN..],
        )
        .expect("a payload is shorter than the 256 GiB the cipher takes");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

/// Opens what `seal` made. `None` for another key, another context, or changed bytes.
pub fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut buffer = ciphertext.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key.cipher().open_in_place(nonce, Aad::from(context), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// So many random bytes are asked of the operating system at once: a key and a nonce for each of 90 interactions.
const POOL: usize = 4_096;

/// Random bytes of the operating system that were not given out yet.
struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

thread_local! {
    static UNUSED: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL], used: POOL }) };
}

/// So many random bytes of the operating system.
pub(super) fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    SystemRandom::new().fill(&mut bytes).expect("a running operating system gives random bytes");
    bytes
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    UNUSED.with_borrow_mut(|pool| {
        if POOL - pool.used < N {
            SystemRandom::new().fill(&mut pool.bytes).expect("a running operating system gives random bytes");
            pool.used = 0;
        }
        let given = &mut pool.bytes[pool.used..][..N];
        pool.used += N;
        let mut bytes = [0; N];
        bytes.copy_from_slice(given);
        // A key lies nowhere but where it is used.
        given.fill(0);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_opens_with_its_key_and_context_only() {
        let key = Key::random();
        let sealed = seal(&key, b"interaction 7", b"Ana, +34 600 000 000");
        assert_eq!(open(&key, b"interaction 7", &sealed).as_deref(), Some(&b"Ana, +34 600 000 000"[..]));
        assert_eq!(open(&key, b"interaction 8", &sealed), None);
        assert_eq!(open(&Key::random(), b"interaction 7", &sealed), None);
    }

    #[test]
    fn a_payload_cut_or_changed_anywhere_does_not_open() {
        let key = Key::random();
        let sealed = seal(&key, b"", b"hello");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, b"", &changed), None, "byte {at}");
            assert_eq!(open(&key, b"", &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_same_payload_sealed_twice_does_not_look_the_same() {
        let key = Key::random();
        assert_ne!(seal(&key, b"", b"hello"), seal(&key, b"", b"hello"));
    }

    #[test]
    fn a_key_never_shows_in_debug_output() {
        assert_eq!(format!("{:?}", Key::random()), "Key(…)");
    }
}
