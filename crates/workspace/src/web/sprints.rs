//! Sprints: planning, watching, pausing, and what each story came to.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::item::{Item, ItemStatus};
use crate::library::{Document, Library, LibraryError};
use crate::moment::{self, Moment};
use crate::name::{Name, Shelf};
use crate::pages::Chrome;
use crate::pages::sprints::{
    Choice, CommandPage, FileDiff, SaidRow, SprintCard, SprintFormPage, SprintPage, SprintsPage, StoryPage, StoryRow,
};
use crate::project::{Branch, Problem};
use crate::refusal::Refusal;
use crate::sprint::{Entry, Phase, Point, Spoken, Sprint, SprintError, Standing, Story, TaskResult, USUAL_ATTEMPTS};
use crate::visitor::Visitor;
use crate::web::happened::{self, expected_words};
use crate::web::overview::understand;
use crate::web::{Filled, draw};

impl From<SprintError> for Refusal {
    fn from(error: SprintError) -> Self {
        let status = match error {
            SprintError::Missing => return Self::missing(),
            SprintError::Library(error) => return error.into(),
            SprintError::Project(problem) => return problem.into(),
            SprintError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
            SprintError::Busy(_) | SprintError::NotNow | SprintError::Empty | SprintError::Unfit(..) => {
                StatusCode::CONFLICT
            }
        };
        Self::new(status, "The sprint did not go on", error.to_string())
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = match problem {
            Problem::Moved => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, "The project cannot be used", problem.to_string())
    }
}

/// `GET /sprints`
pub async fn list(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let shelf = app.workshop.sprints.shelf().clone();
    let visions = app.library(titles_of_visions).await?;
    let mut sprints = Vec::new();
    for number in shelf.numbers().map_err(SprintError::from)? {
        if let Some(sprint) = shelf.sprint(number).map_err(SprintError::from)? {
            sprints.push(card(&sprint, &visions));
        }
    }
    let visions = visions.into_iter().map(|(name, title)| (name.in_address(), title)).collect();
    let warnings = app.workshop.bench.promises().broken();
    draw(StatusCode::OK, &SprintsPage { chrome: Chrome::of(&by), sprints, visions, warnings })
}

#[derive(Deserialize)]
pub struct Chosen {
    vision: String,
}

/// `GET /sprints/new?vision=…`
pub async fn new(State(app): State<App>, by: Visitor, Query(chosen): Query<Chosen>) -> Result<Response, Refusal> {
    form_page(&app, &by, &chosen.vision, USUAL_ATTEMPTS, None).await
}

/// `POST /sprints`: `item` may come several times.
pub async fn create(
    State(app): State<App>,
    by: Visitor,
    Filled(fields): Filled<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let (mut vision, mut items, mut attempts) = (String::new(), Vec::new(), USUAL_ATTEMPTS);
    for (name, value) in fields {
        match name.as_str() {
            "vision" => vision = value,
            "item" => items.extend(Name::parse(&value)),
            "attempts" => attempts = value.trim().parse().unwrap_or(USUAL_ATTEMPTS),
            _ => {}
        }
    }
    let name = Name::parse(&vision).map_err(|_| Refusal::missing())?;
    let signature = app.sign(by.clone());
    let sprints = app.workshop.sprints.clone();
    let planned = tokio::task::spawn_blocking(move || sprints.plan(&name, &items, attempts, &signature)).await;
    match planned.unwrap_or_else(|error| Err(SprintError::Disk(std::io::Error::other(error)))) {
        Ok(number) => Ok(Redirect::to(&format!("/sprints/{number}")).into_response()),
        Err(error @ (SprintError::Empty | SprintError::Unfit(..))) => {
            form_page(&app, &by, &vision, attempts, Some(error.to_string())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /sprints/{number}`
pub async fn show(State(app): State<App>, by: Visitor, Path(number): Path<u32>) -> Result<Response, Refusal> {
    let shelf = app.workshop.sprints.shelf();
    let entries = shelf.entries(number).map_err(SprintError::from)?;
    let sprint = Sprint::fold(number, &entries).ok_or_else(Refusal::missing)?;
    let visions = app.library(titles_of_visions).await?;
    let vision = Name::parse(&sprint.plan.vision).map_err(|_| Refusal::missing())?;
    let used = app.workshop.sprints.used(number);
    let page = SprintPage {
        chrome: Chrome::of(&by),
        card: card(&sprint, &visions),
        vision_href: format!("/visions/{}", vision.in_address()),
        project_href: format!("/projects/{}", vision.in_address()),
        why: match &sprint.phase {
            Phase::Paused(why) => why.clone(),
            _ => None,
        },
        can_start: sprint.can_start(),
        can_pause: sprint.phase == Phase::Running,
        can_stop: matches!(sprint.phase, Phase::Planned | Phase::Running | Phase::Paused(_)),
        stories: sprint.stories.iter().map(|(story, standing)| row(number, story, standing)).collect(),
        events: happened::rows(&entries, None, moment::now()),
        expected: expected_words(sprint.plan.expected, sprint.stories.len()),
        cost: format!("{} in {} calls of the model", used.cost, used.calls),
    };
    draw(StatusCode::OK, &page)
}

/// `POST /sprints/{number}/start`
pub async fn start(State(app): State<App>, by: Visitor, Path(number): Path<u32>) -> Result<Redirect, Refusal> {
    app.workshop.sprints.start(number, &app.sign(by)).await?;
    Ok(Redirect::to(&format!("/sprints/{number}")))
}

/// `POST /sprints/{number}/pause`
pub async fn pause(State(app): State<App>, by: Visitor, Path(number): Path<u32>) -> Result<Redirect, Refusal> {
    app.workshop.sprints.pause(number, &app.sign(by)).await?;
    Ok(Redirect::to(&format!("/sprints/{number}")))
}

/// `POST /sprints/{number}/stop`
pub async fn stop(State(app): State<App>, by: Visitor, Path(number): Path<u32>) -> Result<Redirect, Refusal> {
    app.workshop.sprints.stop(number, &app.sign(by)).await?;
    Ok(Redirect::to(&format!("/sprints/{number}")))
}

/// `GET /sprints/{number}/stories/{story}`
pub async fn story(
    State(app): State<App>,
    by: Visitor,
    Path((number, wanted)): Path<(u32, u64)>,
) -> Result<Response, Refusal> {
    let entries = app.workshop.sprints.shelf().entries(number).map_err(SprintError::from)?;
    let sprint = Sprint::fold(number, &entries).ok_or_else(Refusal::missing)?;
    let (story, standing) = sprint.story(wanted).ok_or_else(Refusal::missing)?;
    let vision = Name::parse(&sprint.plan.vision).map_err(|_| Refusal::missing())?;
    let mut files = Vec::new();
    if app.workshop.has_project(&vision) {
        let project = app.workshop.project(&vision).await?;
        files = FileDiff::read(&project.work_of(&Branch::of_story(number, wanted)).await?);
    }
    let design = entries.iter().find_map(|entry| match entry {
        Entry::Ended { story, result: TaskResult::Designed { text }, .. } if *story == wanted => Some(text.clone()),
        _ => None,
    });
    let said = app.workshop.sprints.shelf().said(number, wanted).map_err(SprintError::from)?;
    let page = StoryPage {
        chrome: Chrome::of(&by),
        sprint_href: format!("/sprints/{number}"),
        sprint_id: sprint.id(),
        row: row(number, story, standing),
        criteria: story.criteria.clone(),
        design,
        events: happened::rows(&entries, Some(wanted), moment::now()),
        files,
        said: said.into_iter().map(said_row).collect(),
    };
    draw(StatusCode::OK, &page)
}

fn said_row(Spoken { at, who, text }: Spoken) -> SaidRow {
    SaidRow { role: who.noun(), moment: Moment::new(at, moment::now()), text }
}

/// `GET /commands/{number}`
pub async fn command(State(app): State<App>, by: Visitor, Path(number): Path<u64>) -> Result<Response, Refusal> {
    let records = app.workshop.bench.records();
    let all = records.all().map_err(SprintError::from)?;
    let recorded = all.into_iter().find(|recorded| recorded.number == number).ok_or_else(Refusal::missing)?;
    let story = recorded.purpose.story.map(|(sprint, story)| format!(", {sprint}, {story}")).unwrap_or_default();
    let page = CommandPage {
        chrome: Chrome::of(&by),
        number,
        command: recorded.command.join(" "),
        purpose: format!("{}{story}", recorded.purpose.project),
        ended: recorded.ended.map_or_else(
            || "It runs, or ended together with this program.".to_owned(),
            |(ended, took)| format!("It {ended} after {:.1} seconds.", took.as_secs_f64()),
        ),
        moment: Moment::new(recorded.at, moment::now()),
        output: records.output(number).map_err(SprintError::from)?.unwrap_or(recorded.tail),
    };
    draw(StatusCode::OK, &page)
}

/// Names and titles of all visions that can be understood.
///
/// # Errors
/// When the disk fails.
pub fn titles_of_visions(library: &Library) -> Result<Vec<(Name, String)>, LibraryError> {
    let mut visions = Vec::new();
    for entry in library.list(Shelf::Visions)? {
        if let crate::library::Entry::Document(document) = entry {
            let title = super::documents::title(Shelf::Visions, &document);
            visions.push((document.name.clone(), title.unwrap_or_else(|_| document.name.as_title())));
        }
    }
    Ok(visions)
}

async fn form_page(
    app: &App,
    by: &Visitor,
    vision: &str,
    attempts: u32,
    trouble: Option<String>,
) -> Result<Response, Refusal> {
    let name = Name::parse(vision).map_err(|_| Refusal::missing())?;
    let visions = app.library(titles_of_visions).await?;
    let title = visions.into_iter().find(|(known, _)| *known == name).ok_or_else(Refusal::missing)?.1;
    let choices = app.library(move |library| choices(library, &name)).await?;
    let expected = app.workshop.sprints.expect(1).map_err(SprintError::from)?;
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SprintFormPage {
        chrome: Chrome::of(by),
        vision: vision.to_owned(),
        title,
        choices,
        attempts,
        expected: expected_words(expected, 1),
        trouble,
    };
    draw(status, &page)
}

fn choices(library: &Library, vision: &Name) -> Result<Vec<Choice>, LibraryError> {
    let mut choices = Vec::new();
    for entry in library.list(Shelf::Backlog)? {
        let crate::library::Entry::Document(document) = entry else { continue };
        if let Ok(item) = understand(&document, Item::parse)
            && item.vision.as_ref() == Some(vision)
            && item.status != ItemStatus::Done
        {
            choices.push(choice(&document, &item));
        }
    }
    Ok(choices)
}

fn choice(document: &Document, item: &Item) -> Choice {
    let number = document.name.item_number();
    let unfit = match (number, item.criteria.is_empty()) {
        (None, _) => Some("its file name has no number"),
        (_, true) => Some("it has no acceptance criteria yet"),
        (Some(_), false) => None,
    };
    Choice {
        name: document.name.as_str().to_owned(),
        href: format!("/backlog/{}", document.name.in_address()),
        title: format!("{}{}", number.map(|number| format!("B-{number} ")).unwrap_or_default(), item.title.as_str()),
        priority: item.priority.word(),
        unfit,
    }
}

/// A sprint as lists and pages begin with it.
#[must_use]
pub fn card(sprint: &Sprint, visions: &[(Name, String)]) -> SprintCard {
    let (done, failed) = sprint.count();
    let vision = visions.iter().find(|(name, _)| name.as_str() == sprint.plan.vision);
    SprintCard {
        href: format!("/sprints/{}", sprint.number),
        id: sprint.id(),
        vision: vision.map_or_else(|| sprint.plan.vision.clone(), |(_, title)| title.clone()),
        phase: match sprint.phase {
            Phase::Planned => "planned",
            Phase::Running => "running",
            Phase::Paused(_) => "paused",
            Phase::Stopped => "stopped",
            Phase::Finished(_) => "finished",
        },
        stories: sprint.stories.len(),
        done,
        failed,
    }
}

/// A story of a sprint and where it stands.
#[must_use]
pub fn row(sprint: u32, story: &Story, standing: &Standing) -> StoryRow {
    let (word, words) = match standing {
        Standing::At(Point::Design) => ("waiting", "Not begun yet, or just begun.".to_owned()),
        Standing::At(point) => ("working", format!("{}.", point.task().words())),
        Standing::Done { tests: 1, .. } => ("done", "Done: its acceptance test ran and passed.".to_owned()),
        Standing::Done { tests, .. } => ("done", format!("Done: its {tests} acceptance tests ran and passed.")),
        Standing::Failed { why } => ("failed", format!("Not done: {why}.")),
    };
    StoryRow {
        href: format!("/sprints/{sprint}/stories/{}", story.number),
        id: format!("B-{}", story.number),
        title: story.title.clone(),
        word,
        standing: words,
    }
}
