//! The recorded project: a shopping list in three stories, as files in `rehearsal/`.
//!
//! `meetings/<step>/<role>-<turn>.md` is what a role says in a meeting, `stories/<story>/<step>-<attempt>.md`
//! what is said in a step of the work, and the folder beside it holds the files that are written in it.
//! `stories/<story>/repair/` is the same for a story that was done and comes back, and
//! `meetings/change/<story>.md` is what is proposed when a person wants it so.

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::Value;

use crate::model::step::Step;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/rehearsal"]
struct Files;

/// Something that was recorded.
#[derive(Debug, Default)]
pub struct Scene {
    /// What is done, and what is said afterwards.
    pub directions: Directions,
    /// What is said.
    pub text: String,
    /// The files that are written, by path.
    pub files: Vec<(String, String)>,
}

/// The front matter of a scene.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Directions {
    /// What is asked for in a meeting.
    pub calls: Vec<RecordedCall>,
    /// What is said once those were answered.
    pub then: Option<String>,
    /// The command that is run once the files are written.
    pub run: Option<String>,
    /// What is said to have been done.
    pub done: Option<String>,
}

/// Something asked for in a meeting.
#[derive(Debug, Deserialize)]
pub struct RecordedCall {
    /// The tool's name.
    pub tool: String,
    /// What it takes.
    pub arguments: Value,
}

/// What a role says in a meeting at its `turn`-th question.
#[must_use]
pub fn in_meeting(step: &Step, role: &str, turn: usize) -> Scene {
    scene(&format!("meetings/{}/{role}-{turn}", step.kind.word()))
        .or_else(|| scene("meetings/otherwise"))
        .unwrap_or_default()
}

/// What is proposed when a person asks for a change of a story, or of something else. `{story}` stands
/// for the story's number.
#[must_use]
pub fn of_change(step: &Step) -> Scene {
    let story = step.title.as_deref().map(slug).unwrap_or_default();
    let mut scene =
        scene(&format!("meetings/change/{story}")).or_else(|| scene("meetings/change/otherwise")).unwrap_or_default();
    for call in &mut scene.directions.calls {
        fill(&mut call.arguments, step.story.as_deref().unwrap_or_default());
    }
    scene
}

/// What happens in a step of the work on a story; of attempts that were not recorded, the last one.
#[must_use]
pub fn at_work(step: &Step) -> Option<Scene> {
    let mut story = slug(step.title.as_deref()?);
    if step.is_repair {
        story.push_str("/repair");
    }
    let attempts = (1..=step.attempt.min(9)).rev();
    attempts.into_iter().find_map(|attempt| scene(&format!("stories/{story}/{}-{attempt}", step.kind.word())))
}

fn scene(path: &str) -> Option<Scene> {
    let file = text(&format!("{path}.md"))?;
    let (directions, text) = match file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) {
        Some((yaml, text)) => (serde_norway::from_str(yaml).unwrap_or_default(), text),
        None => (Directions::default(), file.as_str()),
    };
    let inside = format!("{path}/");
    let mut files: Vec<(String, String)> =
        Files::iter().filter_map(|name| Some((name.strip_prefix(&inside)?.to_owned(), self::text(&name)?))).collect();
    files.sort();
    Some(Scene { directions, text: text.trim().to_owned(), files })
}

fn text(path: &str) -> Option<String> {
    String::from_utf8(Files::get(path)?.data.into_owned()).ok()
}

fn fill(value: &mut Value, story: &str) {
    match value {
        Value::String(text) if text == "{story}" => story.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, story)),
        Value::Object(fields) => fields.values_mut().for_each(|value| fill(value, story)),
        _ => {}
    }
}

/// Titles are compared by their letters, so that a changed comma does not end the rehearsal.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
