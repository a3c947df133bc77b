//! The review of a sprint as its page shows it.

use jiff::Timestamp;

use crate::app::App;
use crate::item::{Item, ItemStatus};
use crate::library::{Library, LibraryError};
use crate::made::State as Life;
use crate::markdown::to_html;
use crate::meetings::{Minutes, SoFar, Talks, reviews_of};
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::Chrome;
use crate::pages::review::{AppNow, CommentView, ReviewPage, ReviewedStory, SaidView, TalkView};
use crate::refusal::Refusal;
use crate::sprint::{Comment, Review, ReviewError, Said, Sprint, SprintError, Standing, Story};
use crate::team::Team;
use crate::visitor::Visitor;
use crate::web::made::standing;
use crate::web::meetings::drawing::Read;
use crate::web::overview::understand;
use crate::web::sprints::{card, row, titles_of_visions};

/// The page; the form is about the story `about` to begin with.
pub async fn page(app: &App, by: &Visitor, number: u32, about: Option<u64>) -> Result<ReviewPage, Refusal> {
    let shelf = app.workshop.sprints.shelf();
    let sprint = shelf.sprint(number).map_err(SprintError::from)?.ok_or_else(Refusal::missing)?;
    let review = shelf.review(number).map_err(ReviewError::from)?;
    let vision = Name::parse(&sprint.plan.vision).map_err(|_| Refusal::missing())?;
    let (talks, known) = (app.talks.clone(), sprint.clone());
    let (visions, items, meetings, team) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let items: Vec<_> = known.stories.iter().map(|(story, _)| item_of(library, story)).collect();
            let team = Team::read(&library.root()?)?;
            Ok((titles_of_visions(library)?, items, read_talks(library, &talks, &team, number)?, team))
        })
        .await?;
    let requests: Vec<_> = meetings.iter().flat_map(|(read, _)| read.meeting.requests()).collect();
    let is_asked = |comment: &Comment| requests.iter().any(|asked| asked.request.comment == Some(comment.number));
    let now = moment::now();
    Ok(ReviewPage {
        chrome: Chrome::of(by),
        card: card(&sprint, &visions),
        href: format!("/sprints/{number}/review"),
        stories: stories(&sprint, &review, items, about),
        app: app_now(app, &vision),
        comments: review.comments.iter().map(|comment| comment_view(comment, is_asked(comment), now)).collect(),
        seen: review.length,
        asked: u32::try_from(requests.len()).unwrap_or(u32::MAX),
        talks: meetings.into_iter().map(|(read, so_far)| talk_view(read, &team, so_far.as_ref())).collect(),
        back: format!("?review={number}"),
        has_model: app.model.setup().is_some(),
    })
}

/// The review meetings, each with what was heard of an answer before it was read: what ends in between
/// is then shown as still going on, and a moment later as it is.
fn read_talks(
    library: &Library,
    talks: &Talks,
    team: &Team,
    sprint: u32,
) -> Result<Vec<(Read, Option<SoFar>)>, LibraryError> {
    let minutes = Minutes::of(library)?;
    let read = reviews_of(library, sprint)?.into_iter().map(|meeting| {
        let so_far = talks.so_far(meeting.id);
        Ok((Read::of(library, team, minutes.read(meeting.id)?)?, so_far))
    });
    read.collect()
}

fn talk_view(read: Read, team: &Team, so_far: Option<&SoFar>) -> TalkView {
    let id = read.meeting.id;
    TalkView {
        href: format!("/meetings/{id}"),
        id: id.to_string(),
        state: read.state(team, so_far.is_some()),
        turns: read.turns(team, so_far),
    }
}

/// The backlog item of a story, where it is still there and can be understood.
fn item_of(library: &Library, story: &Story) -> Option<(Name, ItemStatus)> {
    let name = library.item(story.number).ok()?;
    let item = understand(&library.read(Shelf::Backlog, &name).ok()?, Item::parse).ok()?;
    Some((name, item.status))
}

fn stories(
    sprint: &Sprint,
    review: &Review,
    items: Vec<Option<(Name, ItemStatus)>>,
    about: Option<u64>,
) -> Vec<ReviewedStory> {
    let stories = sprint.stories.iter().zip(items).map(|((story, standing), item)| {
        let is_done = matches!(standing, Standing::Done { .. });
        let status = item.as_ref().map(|(_, status)| *status);
        ReviewedStory {
            row: row(sprint.number, story, standing),
            number: story.number,
            criteria: story.criteria.clone(),
            is_chosen: about == Some(story.number),
            comments: review.comments.iter().filter(|comment| comment.about == Some(story.number)).count(),
            item_href: item.map(|(name, _)| format!("/backlog/{}", name.in_address())),
            now: status.filter(|status| is_done && *status != ItemStatus::Done).map(ItemStatus::word),
        }
    });
    stories.collect()
}

fn app_now(app: &App, vision: &Name) -> AppNow {
    let life = app.workshop.made.state();
    let is_up = matches!(life, Life::Starting(_) | Life::Running { .. });
    let startable = (!is_up && app.workshop.has_project(vision)).then(|| vision.as_str().to_owned());
    AppNow { standing: standing(&life).0, is_up, startable }
}

fn comment_view(comment: &Comment, is_asked: bool, now: Timestamp) -> CommentView {
    let said =
        |said: &Said| SaidView { who: said.by.clone(), moment: Moment::new(said.at, now), html: to_html(&said.text) };
    CommentView {
        number: comment.number,
        about: comment.about,
        said: said(&comment.said),
        answers: comment.answers.iter().map(said).collect(),
        settled: comment.settled.as_ref().map(|(by, at)| (by.clone(), Moment::new(*at, now))),
        is_asked,
    }
}
