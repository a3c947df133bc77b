use world::Entropy;

/// So many random hex digits, twice `N`.
pub(super) fn hex_of<const N: usize>(entropy: &Entropy) -> String {
    entropy.bytes::<N>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The form that zones, accounts, records and tokens have.
pub(super) fn short(entropy: &Entropy) -> String {
    hex_of::<16>(entropy)
}

/// The form that everything of Access has.
pub(super) fn uuid(entropy: &Entropy) -> String {
    let mut bytes = entropy.bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// A code of six digits, as it is mailed.
pub(super) fn code(entropy: &Entropy) -> String {
    format!("{:06}", u32::from_be_bytes(entropy.bytes::<4>()) % 1_000_000)
}
