use domain::Email;
use providers::webhook::Receiver;

/// How mail reaches support, and whose.
#[derive(Debug, Clone, Default)]
pub struct SupportSettings {
    /// Where people write to. Answers go to the same mailbox with a mark behind a plus sign: `support+…@example.com`.
    pub address: Option<Email>,
    /// Knows which mails are handed over by who may; without it, none is taken.
    pub mail: Option<Receiver>,
    /// What becomes of a mail whose sender is no customer.
    pub strangers: Strangers,
}

/// What becomes of a mail whose sender is no customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strangers {
    /// It opens a ticket, of a stranger.
    #[default]
    Welcome,
    /// It is not taken.
    Refused,
}
