//! The shelves as JSON, for programs.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::criteria;
use crate::item::Item;
use crate::library::{LibraryError, Saved};
use crate::name::Shelf;
use crate::refusal::{ApiRefusal, Refusal};
use crate::vision::Vision;
use crate::visitor::Visitor;
use crate::web::backlog::ItemForm;
use crate::web::overview::{Overview, Shelved};
use crate::web::saving;
use crate::web::visions::VisionForm;

/// `GET /api/visions`
pub async fn visions(State(app): State<App>) -> Result<Json<Vec<Value>>, ApiRefusal> {
    let overview = app.library(Overview::read).await.map_err(ApiRefusal::from)?;
    Ok(Json(overview.visions.iter().map(|shelved| describe(shelved, vision_fields)).collect()))
}

/// `GET /api/backlog`
pub async fn backlog(State(app): State<App>) -> Result<Json<Vec<Value>>, ApiRefusal> {
    let overview = app.library(Overview::read).await.map_err(ApiRefusal::from)?;
    Ok(Json(overview.items.iter().map(|shelved| describe(shelved, item_fields)).collect()))
}

/// `POST /api/visions` `{"title", "status"?, "body"?}`
pub async fn create_vision(
    State(app): State<App>,
    by: Visitor,
    form: Result<Json<VisionForm>, JsonRejection>,
) -> Result<Response, ApiRefusal> {
    let Json(form) = form.map_err(not_json)?;
    let vision = form.read().map_err(not_right)?;
    let text = vision.write_over("").map_err(LibraryError::from)?;
    let saved = saving::create(&app, Shelf::Visions, form.title, text, &by).await?;
    Ok(created(Shelf::Visions, &saved))
}

/// A new item as a program sends it.
#[derive(Deserialize)]
pub struct NewItem {
    title: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    priority: String,
    estimate: Option<u16>,
    vision: Option<String>,
    #[serde(default)]
    story: String,
    #[serde(default)]
    criteria: Vec<String>,
}

/// `POST /api/backlog` `{"title", "status"?, "priority"?, "estimate"?, "vision"?, "story"?, "criteria"?: []}`
pub async fn create_item(
    State(app): State<App>,
    by: Visitor,
    new: Result<Json<NewItem>, JsonRejection>,
) -> Result<Response, ApiRefusal> {
    let Json(new) = new.map_err(not_json)?;
    let form = ItemForm {
        title: new.title,
        status: new.status,
        priority: new.priority,
        estimate: new.estimate.map(|points| points.to_string()).unwrap_or_default(),
        vision: new.vision.unwrap_or_default(),
        story: new.story,
        criteria: new.criteria.join("\n"),
        based_on: String::new(),
    };
    let item = form.read().map_err(not_right)?;
    let text = item.write_over("").map_err(LibraryError::from)?;
    let saved = saving::create(&app, Shelf::Backlog, form.title, text, &by).await?;
    Ok(created(Shelf::Backlog, &saved))
}

fn describe<T>(shelved: &Shelved<T>, fields: impl Fn(&T) -> Value) -> Value {
    let mut described = match &shelved.content {
        Ok(content) => fields(content),
        Err(problem) => json!({"problem": problem.to_string()}),
    };
    described["name"] = json!(shelved.name.as_str());
    described["id"] = json!(shelved.name.item_number().map(|number| format!("B-{number}")));
    described["revision"] = json!(shelved.revision.as_ref().map(ToString::to_string));
    if let Some((version, true)) = &shelved.newest {
        described["version"] = json!(version.number);
        described["changed_by"] = json!(version.by);
        described["changed_at"] = json!(version.at.map(|at| at.to_string()));
    }
    described
}

fn vision_fields(vision: &Vision) -> Value {
    json!({"title": vision.title.as_str(), "status": vision.status.word(), "body": vision.body})
}

fn item_fields(item: &Item) -> Value {
    json!({
        "title": item.title.as_str(),
        "status": item.status.word(),
        "priority": item.priority.word(),
        "estimate": item.estimate.map(|estimate| estimate.points()),
        "vision": item.vision.as_ref().map(|name| name.as_str()),
        "story": item.story,
        "criteria": item.criteria.iter().map(criterion).collect::<Vec<_>>(),
    })
}

fn criterion(criterion: &criteria::Criterion) -> Value {
    json!({"text": criterion.text, "met": criterion.met})
}

fn created(shelf: Shelf, saved: &Saved) -> Response {
    let location = format!("/{}/{}", shelf.folder(), saved.name.in_address());
    let id = saved.name.item_number().map(|number| format!("B-{number}"));
    let body = json!({"name": saved.name.as_str(), "id": id, "href": location, "revision": saved.revision.to_string()});
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response()
}

fn not_json(rejection: JsonRejection) -> ApiRefusal {
    ApiRefusal(Refusal::new(rejection.status(), "That is not the JSON expected here", rejection.body_text()))
}

fn not_right(troubles: Vec<String>) -> ApiRefusal {
    ApiRefusal(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "It cannot be saved like this", troubles.join(" ")))
}
