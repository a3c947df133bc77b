use domain::Subdomain;
use world::Entropy;

/// Plain words that say nothing of anybody, and are hard to mishear.
const FIRST: [&str; 32] = [
    "amber", "autumn", "bright", "calm", "cedar", "clear", "copper", "coral", "crisp", "early", "evening", "fresh",
    "gentle", "golden", "green", "hazel", "indigo", "ivory", "jade", "lively", "maple", "mellow", "misty", "morning",
    "noble", "olive", "quiet", "silver", "spring", "summer", "warm", "winter",
];
const SECOND: [&str; 32] = [
    "bay", "birch", "breeze", "bridge", "brook", "canyon", "cliff", "cloud", "creek", "dune", "falls", "field",
    "forest", "garden", "grove", "harbor", "hill", "island", "lake", "lagoon", "meadow", "mesa", "orchard", "peak",
    "pine", "prairie", "ridge", "river", "shore", "stone", "valley", "willow",
];

/// A name for an instance that nobody named yet: `calm-river-3847`. `None` if chance spelt one that may not be.
pub(super) fn draw(entropy: &Entropy) -> Option<Subdomain> {
    let [first, second, high, low] = entropy.bytes::<4>();
    let of = |words: &[&'static str; 32], byte: u8| words[usize::from(byte % 32)];
    let number = 1000 + u32::from(u16::from_be_bytes([high, low])) % 9000;
    Subdomain::parse(&format!("{}-{}-{number}", of(&FIRST, first), of(&SECOND, second))).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_can_be_one_and_few_are_drawn_twice() {
        let entropy = Entropy::seeded(7);
        let drawn: Vec<_> = (0..1000).map(|_| draw(&entropy)).collect();
        assert!(drawn.iter().all(Option::is_some), "{drawn:?}");
        let skeletons: BTreeSet<String> = drawn.iter().flatten().map(|name| name.skeleton().to_owned()).collect();
        assert!(skeletons.len() > 990, "{}", skeletons.len());
    }
}
