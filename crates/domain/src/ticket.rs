/// Whose turn it is in a ticket, and whether it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketState {
    /// Its customer waits for us.
    Open,
    /// We wait for its customer.
    Waiting,
    /// We, or its customer, say that it is done; a word of the customer's opens it again.
    Solved,
    /// It is over, and takes no more words.
    Closed,
}

/// What happens to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketEvent {
    /// Its customer wrote.
    CustomerWrote,
    /// We answered.
    SupportAnswered,
    /// Somebody says that it is done.
    Solved,
    /// It is put away.
    Closed,
}

/// What a ticket is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketKind {
    /// How something is done.
    Question,
    /// Something does not work.
    Problem,
    /// An invoice, an hour, a payment.
    Billing,
    /// Something that could be better.
    Idea,
}

/// Who speaks in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketVoice {
    /// Whoever wants something.
    Customer,
    /// Who answers.
    Support,
    /// Support among themselves: the customer never reads it.
    Note,
}

/// How content somebody is with the help they got: 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating(u8);

/// A closed ticket takes no more words: what comes after it is another ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ticket is closed")]
pub struct TicketIsClosed;

/// A word that says nothing of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of {known}")]
pub struct UnknownTicketWord {
    /// What was given.
    pub word: String,
    /// What there is.
    pub known: String,
}

fn among<T: Copy, const N: usize>(
    all: [T; N],
    word: &str,
    as_str: fn(T) -> &'static str,
) -> Result<T, UnknownTicketWord> {
    let found = all.into_iter().find(|known| as_str(*known) == word);
    found.ok_or_else(|| UnknownTicketWord { word: word.to_owned(), known: all.map(as_str).join(", ") })
}

impl TicketState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Open, Self::Waiting, Self::Solved, Self::Closed];

    /// The state after something happened.
    ///
    /// # Errors
    /// [`TicketIsClosed`], unless it is closed once more.
    pub const fn after(self, event: TicketEvent) -> Result<Self, TicketIsClosed> {
        match (self, event) {
            (_, TicketEvent::Closed) => Ok(Self::Closed),
            (Self::Closed, TicketEvent::CustomerWrote | TicketEvent::SupportAnswered | TicketEvent::Solved) => {
                Err(TicketIsClosed)
            }
            (Self::Open | Self::Waiting | Self::Solved, TicketEvent::CustomerWrote) => Ok(Self::Open),
            (Self::Open | Self::Waiting | Self::Solved, TicketEvent::SupportAnswered) => Ok(Self::Waiting),
            (Self::Open | Self::Waiting | Self::Solved, TicketEvent::Solved) => Ok(Self::Solved),
        }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownTicketWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownTicketWord> {
        among(Self::ALL, word, Self::as_str)
    }

    /// Whether nobody has anything to do about it.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Solved | Self::Closed)
    }
}

impl TicketKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Question, Self::Problem, Self::Billing, Self::Idea];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Problem => "problem",
            Self::Billing => "billing",
            Self::Idea => "idea",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownTicketWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownTicketWord> {
        among(Self::ALL, word, Self::as_str)
    }
}

impl TicketVoice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Support, Self::Note];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Support => "support",
            Self::Note => "note",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownTicketWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownTicketWord> {
        among(Self::ALL, word, Self::as_str)
    }
}

impl Rating {
    /// The worst.
    pub const WORST: u8 = 1;
    /// The best.
    pub const BEST: u8 = 5;

    /// Takes a number from 1 to 5.
    pub fn new(score: u8) -> Option<Self> {
        (Self::WORST..=Self::BEST).contains(&score).then_some(Self(score))
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_goes_back_and_forth_until_it_is_closed() {
        use TicketEvent::{Closed, CustomerWrote, Solved, SupportAnswered};
        for from in TicketState::ALL {
            let open = |to| if from == TicketState::Closed { Err(TicketIsClosed) } else { Ok(to) };
            assert_eq!(from.after(CustomerWrote), open(TicketState::Open));
            assert_eq!(from.after(SupportAnswered), open(TicketState::Waiting));
            assert_eq!(from.after(Solved), open(TicketState::Solved));
            assert_eq!(from.after(Closed), Ok(TicketState::Closed));
        }
    }

    #[test]
    fn every_word_of_a_ticket_reads_as_what_it_was_written_from() {
        for state in TicketState::ALL {
            assert_eq!(TicketState::parse(state.as_str()), Ok(state));
        }
        for kind in TicketKind::ALL {
            assert_eq!(TicketKind::parse(kind.as_str()), Ok(kind));
        }
        for voice in TicketVoice::ALL {
            assert_eq!(TicketVoice::parse(voice.as_str()), Ok(voice));
        }
        let refusal = TicketState::parse("pending").map_err(|error| error.to_string());
        assert_eq!(refusal, Err("\"pending\" is none of open, waiting, solved, closed".to_owned()));
        assert_eq!([0, 1, 5, 6].map(|score| Rating::new(score).map(Rating::get)), [None, Some(1), Some(5), None]);
    }
}
