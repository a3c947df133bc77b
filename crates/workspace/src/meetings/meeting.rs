//! A meeting, folded from its journal.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::journal::{Entry, Line, MeetingId};
use super::kind::Kind;
use super::proposal::Content;
use super::request::{Request, Requested};
use crate::model::{Cost, Role};
use crate::name::{Name, Shelf};

/// A meeting as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    /// Its number.
    pub id: MeetingId,
    /// What it is about.
    pub kind: Kind,
    /// The vision it was opened for.
    pub vision: Option<Name>,
    /// The number of the sprint that is reviewed in it.
    pub sprint: Option<u32>,
    /// Who began it.
    pub opened_by: String,
    /// When it began.
    pub opened_at: Timestamp,
    /// When something last happened.
    pub last_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// What was said and proposed, in order.
    pub turns: Vec<Turn>,
    /// What was proposed.
    pub proposals: Vec<Proposed>,
    /// What its answers cost.
    pub cost: Cost,
    /// Whether something was said that has no whole answer.
    is_unheard: bool,
    /// Whether something was said since an answer was last asked for.
    is_said_since: bool,
}

/// Where a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is the people's turn.
    Open,
    /// Something was said that waits for an answer.
    Waiting,
    /// A member of the team is answering, or was when the program died.
    Answering {
        /// The answer's number.
        answer: u32,
        /// Who.
        role: Role,
    },
    /// A person stopped it for now.
    Stopped,
    /// It is over.
    Closed,
}

/// One turn of the talk.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A person said something.
    Person {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// What.
        text: String,
        /// What it is about, if it is a request for a change.
        request: Option<Request>,
    },
    /// A member of the team answered, or began to.
    Team {
        /// The answer's number.
        answer: u32,
        /// Who.
        role: Role,
        /// When it was asked for.
        at: Timestamp,
        /// What was said.
        text: String,
        /// How it ended.
        end: End,
    },
    /// The proposal of this number was made.
    Proposal(u32),
    /// A person did something with the meeting.
    Note {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// What, such as `stopped the meeting`.
        deed: &'static str,
    },
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Not yet, as far as the journal says.
    UnderWay,
    /// It is whole.
    Whole,
    /// It broke off, and why.
    BrokenOff(String),
}

/// Something the team proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// Its number.
    pub number: u32,
    /// Who proposed it.
    pub role: Role,
    /// What.
    pub content: Content,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody has decided yet, or what follows from an approval was not done to its end.
    Open,
    /// Somebody approved it, and it is a document now.
    Approved {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// The document's address.
        document: String,
    },
    /// Somebody declined it.
    Declined {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
}

/// Why an answer has no end in the journal.
pub const DIED: &str = "The program stopped in the middle of it.";

impl Meeting {
    /// What a journal says; nothing if it does not begin with an opening.
    #[must_use]
    pub fn fold(id: MeetingId, lines: &[Line]) -> Option<Self> {
        let (first, rest) = lines.split_first()?;
        let Entry::Opened { by, kind, vision, sprint } = &first.entry else { return None };
        let mut meeting = Self {
            id,
            kind: *kind,
            vision: vision.as_deref().and_then(|name| Name::parse(name).ok()),
            sprint: *sprint,
            opened_by: by.clone(),
            opened_at: first.at,
            last_at: first.at,
            state: State::Open,
            turns: Vec::new(),
            proposals: Vec::new(),
            cost: Cost::NOTHING,
            is_unheard: false,
            is_said_since: false,
        };
        for line in rest {
            meeting.apply(line);
        }
        Some(meeting)
    }

    fn apply(&mut self, line: &Line) {
        let at = line.at;
        self.last_at = at;
        self.record(line);
        (self.is_unheard, self.is_said_since) = match line.entry {
            Entry::Said { .. } => (true, true),
            Entry::Asked { .. } => (self.is_unheard, false),
            Entry::Answered { .. } => (self.is_said_since, self.is_said_since),
            _ => (self.is_unheard, self.is_said_since),
        };
        self.state = self.state.after(&line.entry, self.is_unheard);
    }

    fn record(&mut self, line: &Line) {
        let at = line.at;
        match line.entry.clone() {
            Entry::Opened { .. } | Entry::Approving { .. } => {}
            Entry::Said { by, text, request } => self.turns.push(Turn::Person { by, at, text, request }),
            Entry::Asked { answer, role } => {
                self.end_answers(|_| true, |_, end| *end = End::BrokenOff(DIED.to_owned()));
                self.turns.push(Turn::Team { answer, role, at, text: String::new(), end: End::UnderWay });
            }
            Entry::Proposed { proposal: number, role, content } => {
                self.proposals.push(Proposed { number, role, content, verdict: Verdict::Open });
                self.turns.push(Turn::Proposal(number));
            }
            Entry::Answered { answer, text: said, cost } => {
                self.cost = self.cost + cost;
                self.end_answers(|number| number == answer, |text, end| (*text, *end) = (said.clone(), End::Whole));
            }
            Entry::BrokenOff { answer, text: said, why } => {
                let end_of =
                    |text: &mut String, end: &mut End| (*text, *end) = (said.clone(), End::BrokenOff(why.clone()));
                self.end_answers(|number| number == answer, end_of);
            }
            Entry::Approved { proposal, by, document } => {
                self.decide(proposal, Verdict::Approved { by, at, document });
            }
            Entry::Declined { proposal, by } => self.decide(proposal, Verdict::Declined { by, at }),
            Entry::Stopped { by } => self.note(by, at, "stopped the meeting"),
            Entry::Continued { by } => self.note(by, at, "went on with the meeting"),
            Entry::Closed { by } => self.note(by, at, "closed the meeting"),
            Entry::Reopened { by } => self.note(by, at, "opened the meeting again"),
        }
    }

    fn note(&mut self, by: String, at: Timestamp, deed: &'static str) {
        self.turns.push(Turn::Note { by, at, deed });
    }

    /// Only answers without an end can get one.
    fn end_answers(&mut self, is_meant: impl Fn(u32) -> bool, end_of: impl Fn(&mut String, &mut End)) {
        for turn in &mut self.turns {
            if let Turn::Team { answer, text, end: end @ End::UnderWay, .. } = turn
                && is_meant(*answer)
            {
                end_of(text, end);
            }
        }
    }

    /// Only the first verdict counts.
    fn decide(&mut self, number: u32, verdict: Verdict) {
        let proposal = self.proposals.iter_mut().find(|proposal| proposal.number == number);
        if let Some(proposal) = proposal.filter(|proposal| proposal.verdict == Verdict::Open) {
            proposal.verdict = verdict;
        }
    }

    /// A proposal.
    #[must_use]
    pub fn proposal(&self, number: u32) -> Option<&Proposed> {
        self.proposals.iter().find(|proposal| proposal.number == number)
    }

    /// The number of the next answer.
    #[must_use]
    pub fn next_answer(&self) -> u32 {
        let answers = self.turns.iter().filter(|turn| matches!(turn, Turn::Team { .. })).count();
        u32::try_from(answers).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The number of the next proposal.
    #[must_use]
    pub fn next_proposal(&self) -> u32 {
        self.proposals.last().map_or(1, |proposal| proposal.number.saturating_add(1))
    }

    /// The vision that the meeting is about: the one it was opened for, or that came of it.
    #[must_use]
    pub fn subject(&self) -> Option<Name> {
        let came_of_it = || {
            self.outcome().find_map(|(content, document)| {
                let name = document.strip_prefix("/visions/").filter(|_| content.shelf() == Shelf::Visions)?;
                Name::from_address(name)
            })
        };
        self.vision.clone().or_else(came_of_it)
    }

    /// What was approved, and the addresses of the documents.
    pub fn outcome(&self) -> impl Iterator<Item = (&Content, &str)> {
        self.proposals.iter().filter_map(|proposal| match &proposal.verdict {
            Verdict::Approved { document, .. } => Some((&proposal.content, document.as_str())),
            Verdict::Open | Verdict::Declined { .. } => None,
        })
    }

    /// Everybody who said or did something.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        let others = self.turns.iter().filter_map(|turn| match turn {
            Turn::Person { by, .. } | Turn::Note { by, .. } => Some(by.as_str()),
            Turn::Team { .. } | Turn::Proposal(_) => None,
        });
        std::iter::once(self.opened_by.as_str()).chain(others).collect()
    }

    /// Who of the team answered.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<Role> {
        let roles = self.turns.iter().filter_map(|turn| match turn {
            Turn::Team { role, .. } => Some(*role),
            Turn::Person { .. } | Turn::Note { .. } | Turn::Proposal(_) => None,
        });
        roles.collect()
    }

    /// The requests for a change, the oldest first.
    pub fn requests(&self) -> impl Iterator<Item = Requested> {
        self.turns.iter().filter_map(|turn| match turn {
            Turn::Person { by, at, text, request: Some(request) } => {
                Some(Requested { by: by.clone(), at: *at, text: text.clone(), request: *request })
            }
            Turn::Person { .. } | Turn::Team { .. } | Turn::Proposal(_) | Turn::Note { .. } => None,
        })
    }

    /// The newest request for a change since the last whole answer.
    #[must_use]
    pub fn unanswered_request(&self) -> Option<Request> {
        self.unanswered_turns().find_map(|turn| match turn {
            Turn::Person { request, .. } => *request,
            Turn::Team { .. } | Turn::Proposal(_) | Turn::Note { .. } => None,
        })
    }

    /// What was said since the last whole answer, the newest first.
    pub fn unanswered(&self) -> impl Iterator<Item = &str> {
        self.unanswered_turns().filter_map(|turn| match turn {
            Turn::Person { text, .. } => Some(text.as_str()),
            Turn::Team { .. } | Turn::Proposal(_) | Turn::Note { .. } => None,
        })
    }

    fn unanswered_turns(&self) -> impl Iterator<Item = &Turn> {
        self.turns.iter().rev().take_while(|turn| !matches!(turn, Turn::Team { end: End::Whole, .. }))
    }
}

impl State {
    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Answering { .. } => "answering",
            Self::Stopped => "stopped",
            Self::Closed => "closed",
        }
    }

    /// The state after something happened; what cannot happen in a state does not change it.
    fn after(self, entry: &Entry, is_unheard: bool) -> Self {
        let rest = if is_unheard { Self::Waiting } else { Self::Open };
        match (self, entry) {
            (Self::Closed, Entry::Reopened { .. }) => rest,
            (Self::Closed, _) | (_, Entry::Closed { .. }) => Self::Closed,
            (_, Entry::Asked { answer, role }) => Self::Answering { answer: *answer, role: *role },
            (_, Entry::Stopped { .. }) => Self::Stopped,
            (
                Self::Answering { answer, .. },
                Entry::Answered { answer: ended, .. } | Entry::BrokenOff { answer: ended, .. },
            ) if answer == *ended => rest,
            (Self::Stopped, Entry::Continued { .. } | Entry::Said { .. }) => rest,
            (Self::Open, Entry::Said { .. }) => Self::Waiting,
            (
                state,
                Entry::Opened { .. }
                | Entry::Said { .. }
                | Entry::Proposed { .. }
                | Entry::Answered { .. }
                | Entry::BrokenOff { .. }
                | Entry::Approving { .. }
                | Entry::Approved { .. }
                | Entry::Declined { .. }
                | Entry::Continued { .. }
                | Entry::Reopened { .. },
            ) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::Role::Tester;

    fn fold(entries: Vec<Entry>) -> Meeting {
        let opened = Entry::Opened { by: "ada".to_owned(), kind: Kind::Review, vision: None, sprint: None };
        let lines: Vec<Line> = std::iter::once(opened)
            .chain(entries)
            .zip(0..)
            .map(|(entry, second)| Line { at: Timestamp::from_second(second).unwrap(), entry })
            .collect();
        Meeting::fold(MeetingId::parse("M-1").unwrap(), &lines).unwrap()
    }

    fn said(text: &str) -> Entry {
        Entry::Said { by: "ada".to_owned(), text: text.to_owned(), request: None }
    }

    fn asked(answer: u32) -> Entry {
        Entry::Asked { answer, role: Tester }
    }

    fn answered(answer: u32) -> Entry {
        Entry::Answered { answer, text: "yes".to_owned(), cost: Cost::millionths(2) }
    }

    fn broken(answer: u32) -> Entry {
        Entry::BrokenOff { answer, text: "ye".to_owned(), why: "It was stopped.".to_owned() }
    }

    fn by() -> String {
        "ada".to_owned()
    }

    #[test]
    fn each_state_follows_from_what_happened() {
        let answering = |answer| State::Answering { answer, role: Tester };
        for (entries, state) in [
            (vec![], State::Open),
            (vec![said("a")], State::Waiting),
            (vec![said("a"), asked(1)], answering(1)),
            (vec![said("a"), asked(1), answered(1)], State::Open),
            (vec![said("a"), asked(1), answered(7)], answering(1)),
            (vec![said("a"), asked(1), said("b"), answered(1)], State::Waiting),
            (vec![said("a"), asked(1), broken(1)], State::Waiting),
            (vec![said("a"), asked(1), broken(1), asked(2), answered(2)], State::Open),
            (vec![said("a"), asked(1), asked(2)], answering(2)),
            (vec![said("a"), asked(1), Entry::Stopped { by: by() }, broken(1)], State::Stopped),
            (
                vec![said("a"), asked(1), Entry::Stopped { by: by() }, broken(1), Entry::Continued { by: by() }],
                State::Waiting,
            ),
            (vec![Entry::Stopped { by: by() }, Entry::Continued { by: by() }], State::Open),
            (vec![said("a"), asked(1), Entry::Stopped { by: by() }, Entry::Continued { by: by() }], State::Waiting),
            (vec![Entry::Stopped { by: by() }, said("a")], State::Waiting),
            (vec![said("a"), Entry::Closed { by: by() }, asked(1), said("b")], State::Closed),
            (vec![said("a"), Entry::Closed { by: by() }, Entry::Reopened { by: by() }], State::Waiting),
            (vec![Entry::Reopened { by: by() }, Entry::Continued { by: by() }], State::Open),
        ] {
            assert_eq!(fold(entries.clone()).state, state, "{entries:?}");
        }
    }

    #[test]
    fn a_request_waits_until_there_is_a_whole_answer() {
        let request = Request { story: Some(2), comment: None, seen: 0 };
        let wanted = Entry::Said { by: by(), text: "b".to_owned(), request: Some(request) };
        let waiting = |entries: Vec<Entry>| fold(entries).unanswered_request();
        assert_eq!(waiting(vec![said("a")]), None);
        assert_eq!(waiting(vec![said("a"), wanted.clone(), said("c")]), Some(request));
        assert_eq!(waiting(vec![wanted.clone(), asked(1), broken(1)]), Some(request));
        assert_eq!(waiting(vec![wanted.clone(), asked(1), answered(1)]), None);
        assert_eq!(fold(vec![wanted, asked(1), answered(1)]).requests().count(), 1);
    }

    #[test]
    fn an_answer_that_has_no_end_is_broken_off_when_it_is_asked_for_again() {
        let meeting = fold(vec![said("a"), asked(1), asked(2), answered(2)]);
        let ends: Vec<_> = meeting
            .turns
            .iter()
            .filter_map(|turn| match turn {
                Turn::Team { end, .. } => Some(end.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(ends, [End::BrokenOff(DIED.to_owned()), End::Whole]);
        assert_eq!((meeting.next_answer(), meeting.cost), (3, Cost::millionths(2)));
    }

    #[test]
    fn the_first_verdict_on_a_proposal_counts() {
        let content = Content::Decision { title: "t".to_owned(), text: "x".to_owned() };
        let meeting = fold(vec![
            Entry::Proposed { proposal: 1, role: Tester, content },
            Entry::Approving { proposal: 1, by: by() },
            Entry::Declined { proposal: 1, by: "bob".to_owned() },
            Entry::Approved { proposal: 1, by: by(), document: "/decisions/t".to_owned() },
        ]);
        assert!(matches!(&meeting.proposals[0].verdict, Verdict::Declined { by, .. } if by == "bob"));
        assert_eq!((meeting.outcome().count(), meeting.next_proposal()), (0, 2));
    }

    #[test]
    fn a_journal_without_an_opening_is_no_meeting() {
        let line = Line { at: Timestamp::UNIX_EPOCH, entry: said("a") };
        assert_eq!(Meeting::fold(MeetingId::parse("M-1").unwrap(), &[line]), None);
    }
}
