use billing::OutOfRange;
use domain::Micros;
use serde::Deserialize;

/// Prices are for so many tokens.
const MILLION: i128 = 1_000_000;

/// What the operator offers, and how much of it. Money, not tokens: models differ in what a token costs, and it is
/// money that the operator is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSettings {
    /// The models that may be asked for. The first is the one that instances are told of.
    pub models: Vec<OfferedModel>,
    /// What each instance may cost in a month, UTC, in US dollars.
    pub allowance: Micros,
    /// What all of them together may.
    pub total: Option<Micros>,
    /// How many questions of one instance may be under way at once.
    pub at_once: u32,
    /// The longest answer, in tokens.
    pub longest_answer: u64,
}

/// A model that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedModel {
    /// As the provider calls it.
    pub name: String,
    /// What a million tokens of a question cost, in US dollars.
    pub input: Micros,
    /// What a million tokens of an answer cost.
    pub output: Micros,
}

/// Settings that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelSettingsError {
    /// Nothing can be asked for.
    #[error("has no models; add [[model.models]] with name, input and output")]
    NoModel,
    /// Which of the two prices holds?
    #[error("names the model {0:?} twice; leave one of them out")]
    Twice(String),
    /// An empty name.
    #[error("has a model without a name; write it as the provider does")]
    Unnamed,
    /// Nothing may be used.
    #[error(
        "allowance is 0, so that nothing could be asked; set it to what an instance may cost a month, such as \"5\""
    )]
    NoAllowance,
    /// Nobody may ask.
    #[error("at_once is 0, so that nothing could be asked; set it to 1 at least")]
    NoneAtOnce,
    /// No answer is that short.
    #[error("longest_answer says {0}; set it to 256 tokens at least")]
    TooShort(u64),
}

impl ModelSettings {
    /// Whether they can be meant.
    ///
    /// # Errors
    /// What is wrong, with what to set.
    pub fn check(&self) -> Result<(), ModelSettingsError> {
        for (index, model) in self.models.iter().enumerate() {
            if model.name.trim().is_empty() {
                return Err(ModelSettingsError::Unnamed);
            }
            if self.models.iter().skip(index + 1).any(|other| other.name == model.name) {
                return Err(ModelSettingsError::Twice(model.name.clone()));
            }
        }
        match self {
            Self { models, .. } if models.is_empty() => Err(ModelSettingsError::NoModel),
            Self { allowance: Micros::ZERO, .. } => Err(ModelSettingsError::NoAllowance),
            Self { at_once: 0, .. } => Err(ModelSettingsError::NoneAtOnce),
            Self { longest_answer: ..256, .. } => Err(ModelSettingsError::TooShort(self.longest_answer)),
            _ => Ok(()),
        }
    }
}

impl OfferedModel {
    /// What so many tokens cost, each part rounded up.
    pub(super) fn cost(&self, input: u64, output: u64) -> Result<Micros, OutOfRange> {
        let part = |tokens: u64, price: Micros| {
            let exact = i128::from(tokens) * i128::from(price.get());
            i64::try_from((exact + MILLION - 1) / MILLION).map(Micros::new).map_err(|_| OutOfRange)
        };
        part(input, self.input)?.checked_add(part(output, self.output)?).ok_or(OutOfRange)
    }

    /// How many tokens of an answer are surely paid for with so much; as many as one likes where they cost nothing.
    pub(super) fn answer_for(&self, money: Micros) -> u64 {
        match i128::from(self.output.get()) {
            0 => u64::MAX,
            price => u64::try_from(i128::from(money.get().max(0)) * MILLION / price).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn model(input: i64, output: i64) -> OfferedModel {
        OfferedModel { name: "m".into(), input: Micros::new(input), output: Micros::new(output) }
    }

    #[test]
    fn a_part_of_a_millionth_is_charged_as_one() {
        let dear = model(3_000_000, 15_000_000);
        assert_eq!(dear.cost(1_000, 1_000), Ok(Micros::new(18_000)));
        assert_eq!(model(1, 0).cost(1, 9), Ok(Micros::new(1)));
        assert_eq!((dear.answer_for(Micros::new(15)), model(1, 0).answer_for(Micros::ZERO)), (1, u64::MAX));
        assert_eq!(dear.answer_for(Micros::new(-1)), 0);
        assert_eq!(dear.cost(u64::MAX, u64::MAX), Err(OutOfRange));
    }

    proptest! {
        #[test]
        fn what_money_is_enough_for_does_not_cost_more(
            money in 0..100_000_000_i64, input in 0..200_000_000_i64, output in 1..200_000_000_i64,
        ) {
            let model = model(input, output);
            let longest = model.answer_for(Micros::new(money));
            prop_assert!(model.cost(0, longest).unwrap() <= Micros::new(money));
        }
    }
}
