//! Everything that was ever said, the newest first: of all, about one vision, or by one of the team.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::app::App;
use crate::library::{Library, LibraryError};
use crate::meetings::{Minutes, Turn};
use crate::model::Role;
use crate::moment::{self, Moment};
use crate::pages::Chrome;
use crate::pages::chats::{ChatRow, ChatsPage, Choice};
use crate::refusal::Refusal;
use crate::sprint::{Shelf as Sprints, Sprint};
use crate::team::Team;
use crate::visitor::Visitor;
use crate::web::draw;
use crate::web::sprints::titles_of_visions;

/// How much is on a page.
const ON_A_PAGE: usize = 50;
/// How many characters of each.
const BEGINNING: usize = 400;

/// What is wanted.
#[derive(Deserialize)]
pub struct Wanted {
    /// The vision's name; empty for all.
    #[serde(default)]
    vision: String,
    /// The role's word; empty for everybody.
    #[serde(default)]
    with: String,
    /// Counted from 0.
    #[serde(default)]
    page: usize,
}

struct Said {
    at: Timestamp,
    who: String,
    role: Option<Role>,
    vision: Option<String>,
    place: String,
    href: String,
    text: String,
}

/// `GET /chats?vision=&with=&page=`
pub async fn show(State(app): State<App>, by: Visitor, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let sprints = app.workshop.sprints.shelf().clone();
    let (mut said, visions, team) = app
        .library(move |library: &Library| -> Result<_, LibraryError> {
            let team = Team::read(&library.root()?)?;
            let mut said = in_meetings(library, &team)?;
            said.extend(in_sprints(&sprints, &team)?);
            Ok((said, titles_of_visions(library)?, team))
        })
        .await?;
    let role = Role::parse(&wanted.with);
    said.retain(|one| {
        let is_of_vision = wanted.vision.is_empty() || one.vision.as_deref() == Some(wanted.vision.as_str());
        is_of_vision && (role.is_none() || one.role == role)
    });
    said.sort_by_key(|one| std::cmp::Reverse(one.at));
    let now = moment::now();
    let from = wanted.page.saturating_mul(ON_A_PAGE);
    let rest = said.get(from..).unwrap_or_default();
    let vision = |(name, title): (crate::name::Name, String)| Choice {
        is_chosen: name.as_str() == wanted.vision,
        word: name.as_str().to_owned(),
        title,
    };
    let mate = |mate: Role| Choice {
        is_chosen: role == Some(mate),
        word: mate.word().to_owned(),
        title: format!("{} ({})", team.name_of(mate), mate.noun()),
    };
    let page = ChatsPage {
        chrome: Chrome::of(&by),
        visions: visions.into_iter().map(vision).collect(),
        team: Role::ALL.into_iter().map(mate).collect(),
        vision: wanted.vision.clone(),
        with: wanted.with.clone(),
        rows: rest.iter().take(ON_A_PAGE).map(|one| row(one, now)).collect(),
        older: (rest.len() > ON_A_PAGE).then_some(wanted.page.saturating_add(1)),
    };
    draw(StatusCode::OK, &page)
}

fn in_meetings(library: &Library, team: &Team) -> Result<Vec<Said>, LibraryError> {
    let mut all = Vec::new();
    for meeting in Minutes::of(library)?.all()? {
        let vision = meeting.subject().map(|name| name.as_str().to_owned());
        for (index, turn) in meeting.turns.iter().enumerate() {
            let (at, who, role, text) = match turn {
                Turn::Person { by, at, text, .. } => (at, by.clone(), None, text),
                Turn::Team { role, at, text, .. } => (at, team.name_of(*role).to_owned(), Some(*role), text),
                Turn::Proposal(_) | Turn::Note { .. } => continue,
            };
            all.push(Said {
                at: *at,
                who,
                role,
                vision: vision.clone(),
                place: format!("{}: {}", meeting.id, meeting.kind.title()),
                href: format!("/meetings/{}#turn-{}", meeting.id, index + 1),
                text: text.clone(),
            });
        }
    }
    Ok(all)
}

fn in_sprints(sprints: &Sprints, team: &Team) -> Result<Vec<Said>, LibraryError> {
    let mut all = Vec::new();
    for number in sprints.numbers()? {
        let Some(sprint) = Sprint::fold(number, &sprints.entries(number)?) else { continue };
        for (story, _) in &sprint.stories {
            for (index, said) in sprints.said(number, story.number)?.into_iter().enumerate() {
                all.push(Said {
                    at: said.at,
                    who: team.name_of(said.who).to_owned(),
                    role: Some(said.who),
                    vision: Some(sprint.plan.vision.clone()),
                    place: format!("{}, B-{}: {}", sprint.id(), story.number, story.title),
                    href: format!("/sprints/{number}/stories/{}#said-{}", story.number, index + 1),
                    text: said.text,
                });
            }
        }
    }
    Ok(all)
}

fn row(said: &Said, now: Timestamp) -> ChatRow {
    let mut text: String = said.text.trim().chars().take(BEGINNING).collect();
    if said.text.trim().chars().nth(BEGINNING).is_some() {
        text.push('…');
    }
    ChatRow {
        href: said.href.clone(),
        who: said.who.clone(),
        place: said.place.clone(),
        moment: Moment::new(said.at, now),
        text,
    }
}
