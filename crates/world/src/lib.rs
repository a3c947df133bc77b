//! The only doors to what a test must control: time, chance, and the key that seals secrets.

mod clock;
mod entropy;
mod sealer;

pub use clock::Clock;
pub use entropy::Entropy;
pub use sealer::{SealError, Sealer};
