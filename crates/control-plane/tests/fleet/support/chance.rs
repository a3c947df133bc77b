use std::hash::{DefaultHasher, Hash, Hasher as _};

/// What a seed decides. Each question has its own answer, whatever was asked before: so what happens to an instance is the
/// same in every run, however threads take turns.
#[derive(Debug, Clone, Copy)]
pub struct Chance(pub u64);

impl Chance {
    pub fn of(self, question: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0, question).hash(&mut hasher);
        hasher.finish()
    }

    /// A number below this one.
    pub fn below(self, question: impl Hash, bound: u64) -> u64 {
        self.of(question) % bound
    }

    /// True so many times in a thousand.
    pub fn thousandths(self, question: impl Hash, number: u64) -> bool {
        self.below(question, 1000) < number
    }

    pub fn one_of<T: Copy>(self, question: impl Hash, these: &[T]) -> T {
        these[usize::try_from(self.below(question, these.len() as u64)).unwrap()]
    }
}
