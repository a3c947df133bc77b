/// Who asks to enter, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Visitor<'v> {
    /// Somebody who has proven nothing.
    Nobody,
    /// Somebody whose address was proven by an identity provider.
    Person {
        /// In lower case.
        email: &'v str,
        /// The id of the provider.
        provider: &'v str,
    },
    /// A program, by the id of its service token.
    Service(&'v str),
}
