//! What the pages about meetings, decisions and search show.

use askama::Template;

use super::{Changed, Chrome, Place};
use crate::comparison::Line;
use crate::moment::Moment;

/// A meeting in a list.
pub struct MeetingRow {
    /// Its address.
    pub href: String,
    /// Its number.
    pub id: String,
    /// What it is.
    pub title: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// The title of its vision.
    pub vision: Option<String>,
    /// How many documents came of it.
    pub outcome: usize,
    /// Who began it, and when something last happened.
    pub changed: Changed,
}

/// A meeting that can be started.
pub struct KindChoice {
    /// The word in forms.
    pub word: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it is for.
    pub hint: &'static str,
    /// Who leads it.
    pub lead: String,
}

/// A member of the team.
pub struct Teammate {
    /// What they are called.
    pub name: String,
    /// What they are.
    pub role: &'static str,
    /// What they do.
    pub duty: String,
}

/// `/meetings`
#[derive(Template)]
#[template(path = "meetings.html")]
pub struct MeetingsPage {
    pub(crate) chrome: Chrome,
    pub(crate) kinds: Vec<KindChoice>,
    /// Names and titles of the visions there are.
    pub(crate) visions: Vec<(String, String)>,
    pub(crate) meetings: Vec<MeetingRow>,
    pub(crate) team: Vec<Teammate>,
    pub(crate) has_model: bool,
}

/// One turn of a talk.
pub enum TurnView {
    /// A person said something.
    Person {
        /// Who.
        who: String,
        /// When.
        moment: Moment,
        /// What, as HTML that is safe to show.
        html: String,
        /// What can be done about it, if it is a request for a change.
        request: Option<RequestView>,
    },
    /// A member of the team said something.
    Team {
        /// The answer's number.
        answer: u32,
        /// Who.
        who: String,
        /// What they are.
        role: &'static str,
        /// When.
        moment: Moment,
        /// What, as HTML that is safe to show.
        html: String,
        /// How it ended.
        end: EndView,
    },
    /// Something is proposed.
    Proposal(Box<ProposalView>),
    /// Somebody did something with the meeting.
    Note {
        /// Who.
        who: String,
        /// When.
        moment: Moment,
        /// What.
        deed: &'static str,
    },
}

/// A request for a change, and the forms that begin with it.
pub struct RequestView {
    /// The number of the story that it is about.
    pub story: Option<String>,
    /// The form of a new story.
    pub new_href: String,
    /// The form of the story that it is about.
    pub edit_href: Option<String>,
}

/// How an answer ended, to who reads it.
pub enum EndView {
    /// It is being given now.
    Live,
    /// It is whole.
    Whole,
    /// It broke off, and why.
    BrokenOff(String),
}

/// Something proposed, beside what there is.
pub struct ProposalView {
    /// Its number.
    pub number: u32,
    /// What it is, in a sentence.
    pub noun: &'static str,
    /// Who proposes it.
    pub who: String,
    /// What it is called.
    pub title: String,
    /// A few words about it, such as its priority.
    pub tags: Vec<String>,
    /// What it says, as HTML that is safe to show.
    pub html: String,
    /// The address of its picture, and what that is drawn from, if it has one.
    pub picture: Option<(String, String)>,
    /// What it changes in the present document; empty for a new one.
    pub lines: Vec<Line>,
    /// The present document's address and title.
    pub present: Option<(String, String)>,
    /// The present document's revision; empty for a new one.
    pub seen: String,
    /// What became of it.
    pub verdict: VerdictView,
}

/// What became of a proposal.
pub enum VerdictView {
    /// Nobody has decided.
    Open,
    /// It is a document.
    Approved {
        /// Who and when.
        changed: Changed,
        /// Its address.
        href: String,
    },
    /// It was declined.
    Declined {
        /// Who and when.
        changed: Changed,
    },
    /// It cannot be approved any more, and why.
    Impossible(String),
}

/// `/meetings/{id}`
#[derive(Template)]
#[template(path = "meeting.html")]
pub struct MeetingPage {
    pub(crate) chrome: Chrome,
    pub(crate) href: String,
    pub(crate) id: String,
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) agenda: &'static [&'static str],
    pub(crate) state: StateView,
    pub(crate) turns: Vec<TurnView>,
    /// How many proposals can be approved.
    pub(crate) undecided: usize,
    pub(crate) vision: Option<(String, String)>,
    /// The number of the sprint that is reviewed in it.
    pub(crate) sprint: Option<u32>,
    pub(crate) people: String,
    pub(crate) lead: String,
    pub(crate) team: Vec<Teammate>,
    pub(crate) outcome: Vec<(String, String)>,
    pub(crate) cost: Option<String>,
    pub(crate) has_model: bool,
}

/// Where a meeting stands, to who looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateView {
    /// It is the people's turn.
    Open,
    /// Something waits for an answer, and nobody is giving one.
    Waiting,
    /// This member of the team is answering.
    Answering(String),
    /// It was stopped for now.
    Stopped,
    /// It is over.
    Closed,
}

impl StateView {
    /// Whether it is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }

    /// What it is called.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Answering(_) => "answering",
            Self::Stopped => "stopped",
            Self::Closed => "closed",
        }
    }
}

/// A decision in a list.
pub struct DecisionRow {
    /// Its address.
    pub href: String,
    /// Its title.
    pub title: String,
    /// Who decided.
    pub by: String,
    /// Who wrote it down.
    pub scribe: Option<String>,
    /// When, as the file says.
    pub at: Option<Moment>,
    /// The address and number of its meeting.
    pub meeting: Option<(String, String)>,
}

/// `/decisions`
#[derive(Template)]
#[template(path = "decisions.html")]
pub struct DecisionsPage {
    pub(crate) chrome: Chrome,
    pub(crate) rows: Vec<DecisionRow>,
    pub(crate) ailing: Vec<(String, String)>,
}

/// `/decisions/{name}`
#[derive(Template)]
#[template(path = "decision.html")]
pub struct DecisionPage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<String>,
    pub(crate) place: Place,
    pub(crate) row: DecisionRow,
    pub(crate) about: Option<String>,
    pub(crate) html: String,
    pub(crate) changed: Option<Changed>,
}

/// Something found.
pub struct Found {
    /// Where it is.
    pub href: String,
    /// What it is, such as `meeting`.
    pub noun: &'static str,
    /// What it is called.
    pub title: String,
    /// The words before what was sought, what was sought, and the words after it.
    pub words: (String, String, String),
    /// When it was said or last changed, if that is known.
    pub moment: Option<Moment>,
}

/// `/search`
#[derive(Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    pub(crate) chrome: Chrome,
    pub(crate) sought: String,
    pub(crate) found: Vec<Found>,
    pub(crate) is_cut: bool,
}

/// `/meetings/{id}/proposals`
#[derive(Template)]
#[template(path = "approval.html")]
pub struct ApprovalPage {
    pub(crate) chrome: Chrome,
    pub(crate) href: String,
    pub(crate) id: String,
    /// What was to be approved and was not.
    pub(crate) left: Vec<LeftOpen>,
    /// How many were approved just now.
    pub(crate) approved: usize,
    /// What is open.
    pub(crate) proposals: Vec<ProposalView>,
}

/// A proposal that was left open.
pub struct LeftOpen {
    /// What it is called.
    pub title: String,
    /// Why it was not approved, and what to do.
    pub why: String,
}
