use domain::{CustomerId, Email, InstanceId, ProjectName, Subdomain};
use store::sqlx::Error;

/// Reads a stored text as what it means. What we wrote ourselves always reads; anything else means
/// that the store was changed by another hand, and is reported, not guessed at.
pub(crate) trait Stored: Sized {
    fn from_stored(text: &str) -> Result<Self, Error>;
}

macro_rules! stored {
    ($($type:ty),*) => { $(
        impl Stored for $type {
            fn from_stored(text: &str) -> Result<Self, Error> {
                <$type>::parse(text).map_err(|error| Error::Decode(Box::new(error)))
            }
        }
    )* };
}

stored!(
    CustomerId,
    InstanceId,
    Email,
    Subdomain,
    ProjectName,
    domain::InstanceState,
    domain::MemberRole,
    domain::OperatorRole,
    domain::Country,
    domain::CouponCode,
    domain::Signal,
    domain::Month,
    domain::TaxId
);

/// A sentence with its first letter large.
pub(crate) fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
