use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::fill;

/// Where chance comes from: the operating system, or a seed that a test can repeat.
#[derive(Debug, Clone, Default)]
pub enum Entropy {
    /// Cryptographically secure randomness.
    #[default]
    System,
    /// A reproducible stream. For tests and simulations only: whoever knows the seed knows it all.
    Seeded(Arc<Mutex<[u8; 32]>>),
}

impl Entropy {
    /// A reproducible stream of chance.
    pub fn seeded(seed: u64) -> Self {
        let state = digest(&SHA256, &seed.to_be_bytes());
        Self::Seeded(Arc::new(Mutex::new(block(state.as_ref()))))
    }

    /// So many random bytes.
    ///
    /// # Panics
    /// Never in practice: only if the operating system has no randomness to give, where going on
    /// would mean guessable secrets.
    #[expect(clippy::panic, reason = "without randomness every secret would be guessable; there is no safe way on")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        match self {
            Self::System => {
                if fill(&mut out).is_err() {
                    panic!("the operating system gave no randomness; check /dev/urandom and start again");
                }
            }
            Self::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                for chunk in out.chunks_mut(32) {
                    *state = block(digest(&SHA256, &*state).as_ref());
                    let mask = digest(&SHA256, &[&state[..], b"out"].concat());
                    chunk.copy_from_slice(&mask.as_ref()[..chunk.len()]);
                }
            }
        }
        out
    }
}

fn block(bytes: &[u8]) -> [u8; 32] {
    let mut block = [0; 32];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}
