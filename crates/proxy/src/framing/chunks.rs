use super::Ambiguous;

/// How many bytes a chunk has, from the line before it.
pub(super) struct ChunkSize(pub(super) u64);

impl ChunkSize {
    /// Hexadecimal digits, and nothing after them but extensions. Space before those is allowed by
    /// the letter (RFC 9112, 7.1.1), sent by nobody, and read differently.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Ambiguous> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, rest) = line.split_at(digits);
        if !matches!(rest.first(), None | Some(b';')) {
            return Err(Ambiguous);
        }
        let digits = std::str::from_utf8(digits).map_err(|_| Ambiguous)?;
        // More digits than a size can have may be cut off by one reader and not by another.
        if digits.len() > 16 {
            return Err(Ambiguous);
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| Ambiguous)
    }
}
