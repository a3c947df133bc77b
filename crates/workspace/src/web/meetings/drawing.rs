//! A meeting as its page shows it.

use jiff::Timestamp;

use crate::app::App;
use crate::comparison::compare;
use crate::library::{Library, LibraryError};
use crate::markdown::to_html;
use crate::meetings::{
    Content, DIED, End, Meeting, MeetingId, Minutes, Proposed, Requested, SoFar, State, Turn, Verdict, present_of,
};
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::meetings::{
    EndView, MeetingPage, MeetingRow, ProposalView, RequestView, StateView, Teammate, TurnView, VerdictView,
};
use crate::pages::{Changed, Chrome};
use crate::refusal::{Refusal, explain};
use crate::team::{Persona, Team};
use crate::visitor::Visitor;
use crate::web::documents::title;
use crate::web::overview::Overview;

/// A meeting in a list.
pub fn row(app: &App, meeting: &Meeting, overview: &Overview, now: Timestamp) -> MeetingRow {
    let is_live = app.talks.so_far(meeting.id).is_some();
    let subject = meeting.subject();
    MeetingRow {
        href: format!("/meetings/{}", meeting.id),
        id: meeting.id.to_string(),
        title: meeting.kind.title(),
        state: match meeting.state {
            State::Answering { .. } if !is_live => State::Waiting.word(),
            state => state.word(),
        },
        vision: subject.map(|name| overview.vision_title(&name)),
        outcome: meeting.outcome().count(),
        changed: Changed { by: meeting.opened_by.clone(), moment: Some(Moment::new(meeting.last_at, now)) },
    }
}

/// The team as it is shown.
pub fn teammates(team: &Team) -> Vec<Teammate> {
    let mate = |persona: &Persona| Teammate {
        name: persona.name.clone(),
        role: persona.role.noun(),
        duty: persona.duty.clone(),
    };
    team.all().iter().map(mate).collect()
}

/// A meeting and all that its talk is drawn from.
pub struct Read {
    /// The meeting.
    pub meeting: Meeting,
    proposals: Vec<ProposalView>,
    requests: Vec<RequestView>,
}

impl Read {
    /// Reads what a meeting speaks of.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(library: &Library, team: &Team, meeting: Meeting) -> Result<Self, LibraryError> {
        let proposals =
            meeting.proposals.iter().map(|proposal| proposal_view(library, &meeting, team, proposal)).collect();
        let requests = (1..).zip(meeting.requests());
        let requests = requests.map(|(number, asked)| request_view(library, meeting.id, number, &asked)).collect();
        Ok(Self { meeting, proposals, requests })
    }

    /// Where it stands, to who looks at it; `is_live` while an answer is being given.
    #[must_use]
    pub fn state(&self, team: &Team, is_live: bool) -> StateView {
        match self.meeting.state {
            State::Open => StateView::Open,
            State::Answering { role, .. } if is_live => StateView::Answering(team.name_of(role).to_owned()),
            State::Waiting | State::Answering { .. } => StateView::Waiting,
            State::Stopped => StateView::Stopped,
            State::Closed => StateView::Closed,
        }
    }

    /// How many proposals can be approved.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.proposals.iter().filter(|proposal| matches!(proposal.verdict, VerdictView::Open)).count()
    }

    /// What was said and proposed, in order.
    #[must_use]
    pub fn turns(self, team: &Team, so_far: Option<&SoFar>) -> Vec<TurnView> {
        turn_views(self, team, so_far)
    }
}

/// A whole meeting.
pub async fn page(app: &App, by: &Visitor, id: MeetingId) -> Result<MeetingPage, Refusal> {
    let so_far = app.talks.so_far(id);
    let (read, team, vision) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let meeting = Minutes::of(library)?.read(id)?;
            let team = Team::read(&library.root()?)?;
            let vision = meeting.subject().map(|name| vision_of(library, &name));
            Ok((Read::of(library, &team, meeting)?, team, vision))
        })
        .await?;
    let meeting = &read.meeting;
    let people: Vec<&str> = meeting.people().into_iter().collect();
    let roles = meeting.roles().into_iter().map(|role| format!("{} ({role})", team.name_of(role)));
    let people = people.into_iter().map(str::to_owned).chain(roles).collect::<Vec<_>>().join(", ");
    let outcome = meeting.outcome().map(|(content, href)| (href.to_owned(), content.title().to_owned())).collect();
    let used = app.model.ledger().meeting(&id.to_string());
    let currency = app.settings.now().currency.clone();
    let cost = (used.calls > 0).then(|| format!("{} tokens, {} {currency}", used.input + used.output, used.cost));
    Ok(MeetingPage {
        chrome: Chrome::of(by),
        undecided: read.undecided(),
        href: format!("/meetings/{id}"),
        id: id.to_string(),
        title: meeting.kind.title(),
        hint: meeting.kind.hint(),
        agenda: meeting.kind.agenda(),
        state: read.state(&team, so_far.is_some()),
        vision,
        sprint: meeting.sprint,
        people,
        lead: team.name_of(meeting.kind.lead()).to_owned(),
        team: teammates(&team),
        outcome,
        cost,
        has_model: app.model.setup().is_some(),
        turns: read.turns(&team, so_far.as_ref()),
    })
}

fn vision_of(library: &Library, name: &Name) -> (String, String) {
    let document = library.read(Shelf::Visions, name);
    let title = document.ok().and_then(|document| title(Shelf::Visions, &document).ok());
    (format!("/visions/{}", name.in_address()), title.unwrap_or_else(|| name.as_title()))
}

fn turn_views(read: Read, team: &Team, so_far: Option<&SoFar>) -> Vec<TurnView> {
    let now = moment::now();
    let (mut proposals, mut requests) = (read.proposals.into_iter(), read.requests.into_iter());
    let views = read.meeting.turns.iter().filter_map(|turn| match turn {
        Turn::Person { by, at, text, request } => Some(TurnView::Person {
            who: by.clone(),
            moment: Moment::new(*at, now),
            html: to_html(text),
            request: request.and_then(|_| requests.next()),
        }),
        Turn::Note { by, at, deed } => Some(TurnView::Note { who: by.clone(), moment: Moment::new(*at, now), deed }),
        Turn::Proposal(_) => proposals.next().map(|view| TurnView::Proposal(Box::new(view))),
        Turn::Team { answer, role, at, text, end } => {
            let live = so_far.filter(|so_far| so_far.answer == *answer);
            let (text, end) = match (end, live) {
                (End::UnderWay, Some(so_far)) => (&so_far.text, EndView::Live),
                (End::UnderWay, None) => (text, EndView::BrokenOff(DIED.to_owned())),
                (End::Whole, _) => (text, EndView::Whole),
                (End::BrokenOff(why), _) => (text, EndView::BrokenOff(why.clone())),
            };
            Some(TurnView::Team {
                answer: *answer,
                who: team.name_of(*role).to_owned(),
                role: role.noun(),
                moment: Moment::new(*at, now),
                html: to_html(text),
                end,
            })
        }
    });
    views.collect()
}

/// The proposals that can be approved, each as a person sees it.
///
/// # Errors
/// When the disk fails, and when there is no such meeting.
pub fn undecided(library: &Library, id: MeetingId) -> Result<Vec<ProposalView>, LibraryError> {
    let meeting = Minutes::of(library)?.read(id)?;
    let team = Team::read(&library.root()?)?;
    let views = meeting.proposals.iter().map(|proposal| proposal_view(library, &meeting, &team, proposal));
    Ok(views.filter(|view| matches!(view.verdict, VerdictView::Open)).collect())
}

/// What a person can do about a request with their own hands.
fn request_view(library: &Library, meeting: MeetingId, number: usize, asked: &Requested) -> RequestView {
    let query = format!("?meeting={meeting}&request={number}");
    let story = asked.request.story;
    let name = story.and_then(|story| library.item(story).ok());
    RequestView {
        story: story.map(|story| format!("B-{story}")),
        new_href: format!("/new/item{query}"),
        edit_href: name.map(|name| format!("/backlog/{}/edit{query}", name.in_address())),
    }
}

fn proposal_view(library: &Library, meeting: &Meeting, team: &Team, proposal: &Proposed) -> ProposalView {
    let now = moment::now();
    let content = &proposal.content;
    let (present, verdict) = match &proposal.verdict {
        Verdict::Open => match present_of(library, meeting, content) {
            Ok(present) => (present, VerdictView::Open),
            Err(LibraryError::Missing) => {
                let why = match content {
                    Content::Wireframe { .. } => {
                        "The backlog item that it belongs to is not there. Decline it, and ask for a new one."
                    }
                    Content::Vision { .. } | Content::Story(_) | Content::Decision { .. } => {
                        "The backlog item that it changes is not there any more. Decline it, and ask for a new one."
                    }
                };
                (None, VerdictView::Impossible(why.to_owned()))
            }
            Err(error) => (None, VerdictView::Impossible(explain(&error).1)),
        },
        Verdict::Approved { by, at, document } => {
            let changed = Changed { by: by.clone(), moment: Some(Moment::new(*at, now)) };
            (None, VerdictView::Approved { changed, href: document.clone() })
        }
        Verdict::Declined { by, at } => {
            let changed = Changed { by: by.clone(), moment: Some(Moment::new(*at, now)) };
            (None, VerdictView::Declined { changed })
        }
    };
    let shelf = content.shelf();
    let lines = present.as_ref().and_then(|present| {
        let former = present.exact_text().ok()?;
        Some(compare(former, &content.written(former, meeting.subject().as_ref(), None).ok()?))
    });
    let (tags, html) = words(content);
    ProposalView {
        number: proposal.number,
        noun: content.noun(),
        picture: match content {
            Content::Wireframe { text, .. } => {
                Some((format!("/meetings/{}/proposals/{}/picture", meeting.id, proposal.number), text.clone()))
            }
            Content::Vision { .. } | Content::Story(_) | Content::Decision { .. } => None,
        },
        who: team.name_of(proposal.role).to_owned(),
        title: content.title().to_owned(),
        tags,
        html,
        lines: lines.unwrap_or_default(),
        seen: present.as_ref().map(|present| present.revision().to_string()).unwrap_or_default(),
        present: present.map(|present| {
            let href = format!("/{}/{}", shelf.folder(), present.name.in_address());
            (href, title(shelf, &present).unwrap_or_else(|_| present.name.as_title()))
        }),
        verdict,
    }
}

fn words(content: &Content) -> (Vec<String>, String) {
    match content {
        Content::Vision { body, .. } => (Vec::new(), to_html(body)),
        Content::Decision { text, .. } => (Vec::new(), to_html(text)),
        Content::Wireframe { story, .. } => (Vec::new(), to_html(&format!("A screen of “{}”.", story.trim()))),
        Content::Story(story) => {
            let criteria: String = story.criteria.iter().map(|text| format!("- {}\n", text.trim())).collect();
            let text = match criteria.as_str() {
                "" => story.story.clone(),
                criteria => format!("{}\n\n**It is done when:**\n\n{criteria}", story.story.trim()),
            };
            let points = story.estimate.map(|points| match points {
                1 => "1 point".to_owned(),
                points => format!("{points} points"),
            });
            let tags = story.id.iter().cloned().chain(story.priority.iter().cloned()).chain(points).collect();
            (tags, to_html(&text))
        }
    }
}
