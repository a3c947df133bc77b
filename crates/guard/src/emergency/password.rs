//! The password, known by its hash only.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHasher as _, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// KiB. Below, or above together with too many passes, a setting is a mistake.
const MEMORY: std::ops::RangeInclusive<u32> = 8 * 1024..=256 * 1024;
const PASSES: std::ops::RangeInclusive<u32> = 1..=16;
const LANES: std::ops::RangeInclusive<u32> = 1..=8;
/// Memory times passes, in KiB: what a guess costs. At least what 7 MiB and 5 passes cost; at most
/// what a machine does in about a second.
const WORK: std::ops::RangeInclusive<u64> = 7 * 1024 * 5..=1024 * 1024;
const SHORTEST_HASH: usize = 16;
/// KiB.
const ALWAYS_RETURNED: usize = 33 * 1024;

/// An Argon2id hash that costs enough to be safe, and no more than the guard can spend.
#[derive(Clone)]
pub(crate) struct PasswordHash {
    cost: Params,
    salt: phc::Salt,
    hash: phc::Output,
}

/// What is wrong with a hash; never the hash itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHash {
    #[error("is no PHC string such as $argon2id$v=19$m=19456,t=2,p=1$…$…")]
    Malformed,
    #[error("is not of the kind argon2id, version 19")]
    OtherKind,
    #[error("is too weak or too costly: m must be {} to {} (KiB), t {} to {}, p {} to {}, and m times t {} to {}",
        MEMORY.start(), MEMORY.end(), PASSES.start(), PASSES.end(), LANES.start(), LANES.end(), WORK.start(), WORK.end())]
    Cost,
}

impl PasswordHash {
    /// Reads a PHC string.
    ///
    /// # Errors
    /// [`BadHash`].
    pub(crate) fn parse(text: &str) -> Result<Self, BadHash> {
        let hash = phc::PasswordHash::new(text).map_err(|_| BadHash::Malformed)?;
        if hash.algorithm != ARGON2ID_IDENT || hash.version != Some(Version::V0x13.into()) {
            return Err(BadHash::OtherKind);
        }
        let cost = Params::try_from(&hash).map_err(|_| BadHash::Malformed)?;
        let (Some(salt), Some(hash)) = (hash.salt, hash.hash) else { return Err(BadHash::Malformed) };
        if hash.len() < SHORTEST_HASH || !cost.keyid().is_empty() || !cost.data().is_empty() {
            return Err(BadHash::Malformed);
        }
        let work = u64::from(cost.m_cost()) * u64::from(cost.t_cost());
        let sane = MEMORY.contains(&cost.m_cost())
            && PASSES.contains(&cost.t_cost())
            && LANES.contains(&cost.p_cost())
            && WORK.contains(&work);
        if sane { Ok(Self { cost, salt, hash }) } else { Err(BadHash::Cost) }
    }

    /// Hashes a password; gives the PHC string. Takes some 20 ms and 19 MiB.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn make(password: &[u8], salt: [u8; 16]) -> Result<String, argon2::password_hash::Error> {
        Ok(Argon2::default().hash_password_with_salt(password, &salt)?.to_string())
    }

    /// Whether this is the hash of `password`. Takes as long whatever the password; blocks meanwhile.
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        let mut memory = memory(self.cost.block_count());
        let mut computed = vec![0; self.hash.len()];
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.cost.clone());
        let done = argon.hash_password_into_with_memory(password, &self.salt, &mut computed, &mut memory);
        done.is_ok() && verify_slices_are_equal(&computed, self.hash.as_bytes()).is_ok()
    }

    /// What one guess costs, in words.
    pub(crate) fn cost(&self) -> String {
        format!("argon2id with {} KiB and {} passes", self.cost.m_cost(), self.cost.t_cost())
    }
}

/// Room for one hash. The C library keeps what it gets back of up to 32 MiB, and each hash would make
/// the guard that much larger; what is longer goes back to the system. Untouched memory costs nothing.
fn memory(blocks: usize) -> Vec<Block> {
    let mut memory = Vec::with_capacity(blocks.max(ALWAYS_RETURNED));
    memory.resize(blocks, Block::default());
    memory
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const TAIL: &str = "c29tZXNhbHRzb21lc2FsdA$RFlfG3mK+vSNLWJoDWbXRdC7/vu3xDCbYmRCmDUWQfA";

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let text = PasswordHash::make(b"correct horse", [7; 16]).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let hash = PasswordHash::parse(&text).unwrap();
        assert!(hash.is_of(b"correct horse"));
        assert!(
            ["", "correct hors", "correct horse ", "Correct horse"].iter().all(|wrong| !hash.is_of(wrong.as_bytes()))
        );
        assert!(!format!("{hash:?}").contains(&text[30..]));
    }

    #[test]
    fn another_maker_of_hashes_is_understood() {
        // By the reference implementation in C, with more lanes than we use.
        let theirs =
            "$argon2id$v=19$m=16384,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$LnS9Zw4IELuClPXjlGMOtNfNrb243AcroNQtm7r4B9o";
        let hash = PasswordHash::parse(theirs).unwrap();
        assert!(hash.is_of("pässword".as_bytes()) && !hash.is_of(b"password"));
    }

    #[test]
    fn what_is_weak_costly_or_no_argon2id_is_refused() {
        for (head, problem) in [
            ("", BadHash::Malformed),
            ("$2b$12$abc", BadHash::Malformed),
            ("$argon2i$v=19$m=19456,t=2,p=1$", BadHash::OtherKind),
            ("$argon2d$v=19$m=19456,t=2,p=1$", BadHash::OtherKind),
            ("$argon2id$v=16$m=19456,t=2,p=1$", BadHash::OtherKind),
            ("$argon2id$m=19456,t=2,p=1$", BadHash::OtherKind),
            ("$argon2id$v=19$m=19456,t=2,p=1,data=AAAA$", BadHash::Malformed),
            ("$argon2id$v=19$m=8191,t=16,p=1$", BadHash::Cost),
            ("$argon2id$v=19$m=8192,t=1,p=1$", BadHash::Cost),
            ("$argon2id$v=19$m=262145,t=1,p=1$", BadHash::Cost),
            ("$argon2id$v=19$m=262144,t=5,p=1$", BadHash::Cost),
            ("$argon2id$v=19$m=19456,t=17,p=1$", BadHash::Cost),
            ("$argon2id$v=19$m=19456,t=2,p=9$", BadHash::Cost),
            ("$argon2id$v=19$m=4294967295,t=4294967295,p=1$", BadHash::Cost),
        ] {
            let whole = format!("{head}{TAIL}");
            assert_eq!(PasswordHash::parse(&whole).unwrap_err(), problem, "{whole}");
        }
        for cut in ["$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA"] {
            assert_eq!(PasswordHash::parse(cut).unwrap_err(), BadHash::Malformed, "{cut}");
        }
    }
}
