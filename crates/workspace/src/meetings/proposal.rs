//! What the team proposes, as a model asks for it and as it would stand in a file.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::criteria::{self, Criterion};
use crate::decision::Decision;
use crate::front_matter::{Problem, Sheet};
use crate::item::{Estimate, Item, ItemStatus, Priority};
use crate::model::{Tool, ToolCall};
use crate::name::{Name, Shelf};
use crate::title::Title;
use crate::vision::{Vision, VisionStatus};
use crate::wireframe::Wireframe;

/// The most stories in one call.
const MOST_STORIES: usize = 40;

/// Something proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Content {
    /// A whole vision, new or instead of the one the meeting is about.
    Vision {
        /// What it is called.
        title: String,
        /// What it says, Markdown.
        body: String,
    },
    /// A piece of work.
    Story(Story),
    /// Something agreed on.
    Decision {
        /// What it is called.
        title: String,
        /// What was decided and why, Markdown.
        text: String,
    },
    /// How a screen of a story could look.
    Wireframe {
        /// The story's number, such as `B-3`, or its title.
        story: String,
        /// What it is called.
        title: String,
        /// What is on the screen, as [`Wireframe`] reads it.
        text: String,
    },
}

/// A piece of work as it is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The number of the item that it changes, such as `B-3`; none for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called.
    pub title: String,
    /// Who wants what and why.
    #[serde(default)]
    pub story: String,
    /// What must be true before it is done.
    #[serde(default)]
    pub criteria: Vec<String>,
    /// `must`, `should` or `could`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u16>,
}

#[derive(Deserialize)]
struct VisionArguments {
    title: String,
    body: String,
}

#[derive(Deserialize)]
struct StoriesArguments {
    stories: Vec<Story>,
}

#[derive(Deserialize)]
struct DecisionArguments {
    title: String,
    text: String,
}

#[derive(Deserialize)]
struct WireframeArguments {
    story: String,
    title: String,
    text: String,
}

/// The tool that proposes a vision.
#[must_use]
pub fn propose_vision() -> Tool {
    Tool {
        name: "propose_vision",
        description: "Shows the people a whole vision to approve or decline: what should exist, for whom, why, and how success is known. It replaces the present vision only if they approve it.",
        parameters: json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "One short line."},
                "body": {"type": "string", "description": "Markdown, without the title."},
            },
            "required": ["title", "body"],
        }),
    }
}

/// The tool that proposes stories.
#[must_use]
pub fn propose_stories() -> Tool {
    let text = |description: &str| json!({"type": "string", "description": description});
    let story = json!({
        "type": "object",
        "properties": {
            "id": text("The number of the item that it changes, such as B-3. Leave it out for a new one."),
            "title": text("One short line."),
            "story": text("Who wants what and why, in one or two sentences."),
            "criteria": {"type": "array", "items": text("One sentence that a test can check.")},
            "priority": {"type": "string", "enum": ["must", "should", "could"]},
            "estimate": {"type": "integer", "minimum": 0, "maximum": 999, "description": "Points, compared to the other stories."},
        },
        "required": ["title", "story", "criteria", "priority"],
    });
    Tool {
        name: "propose_stories",
        description: "Shows the people stories for the backlog to approve or decline one by one, the most important first.",
        parameters: json!({"type": "object", "properties": {"stories": {"type": "array", "items": story}}, "required": ["stories"]}),
    }
}

/// The tool that proposes to record a decision.
#[must_use]
pub fn record_decision() -> Tool {
    Tool {
        name: "record_decision",
        description: "Shows the people a decision to approve or decline; it is recorded only if they approve it. Use it for what was agreed on, not for ideas.",
        parameters: json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "One short line that says what was decided."},
                "text": {"type": "string", "description": "What was decided and why, a few sentences of Markdown."},
            },
            "required": ["title", "text"],
        }),
    }
}

/// The tool that proposes how a screen could look.
#[must_use]
pub fn propose_wireframe() -> Tool {
    Tool {
        name: "propose_wireframe",
        description: "Shows the people a sketch of one screen of a story to approve or decline; it is kept with the story if they approve it. It is written in plain lines and drawn for you: “# Heading”, “words”, “Label: ____” for a field, “[ Add ] [ Cancel ]” for buttons beside each other, “[x] done” and “[ ] open” for boxes to tick, “- item” for a list, “---” for a line across, “![what it shows]” for a picture, and “{ Title” on a line of its own to begin a box that ends with “}” on a line of its own.",
        parameters: json!({
            "type": "object",
            "properties": {
                "story": {"type": "string", "description": "The story's number, such as B-3, or its exact title."},
                "title": {"type": "string", "description": "What the screen is called, one short line."},
                "text": {"type": "string", "description": "The screen, a line for each thing on it, from top to bottom."},
            },
            "required": ["story", "title", "text"],
        }),
    }
}

impl Content {
    /// What a call proposes.
    ///
    /// # Errors
    /// [`Problem`] says, in words to the model, what to change.
    pub fn read(call: &ToolCall) -> Result<Vec<Self>, Problem> {
        let unreadable = |error: serde_json::Error| Problem(format!("the arguments cannot be read: {error}."));
        let arguments = call.arguments.as_str();
        let contents = match call.name.as_str() {
            "propose_vision" => {
                let VisionArguments { title, body } = serde_json::from_str(arguments).map_err(unreadable)?;
                vec![Self::Vision { title, body }]
            }
            "propose_stories" => {
                let StoriesArguments { stories } = serde_json::from_str(arguments).map_err(unreadable)?;
                if stories.is_empty() || stories.len() > MOST_STORIES {
                    return Err(Problem(format!("propose 1 to {MOST_STORIES} stories at once.")));
                }
                stories.into_iter().map(Self::Story).collect()
            }
            "record_decision" => {
                let DecisionArguments { title, text } = serde_json::from_str(arguments).map_err(unreadable)?;
                vec![Self::Decision { title, text }]
            }
            "propose_wireframe" => {
                let WireframeArguments { story, title, text } = serde_json::from_str(arguments).map_err(unreadable)?;
                vec![Self::Wireframe { story, title, text }]
            }
            other => return Err(Problem(format!("there is no “{other}”."))),
        };
        // What could never be approved is not shown.
        let nowhere = Name::from_title("x", "x");
        contents.iter().try_for_each(|content| content.written("", Some(&nowhere), None).map(|_| ()))?;
        Ok(contents)
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Vision { title, .. }
            | Self::Decision { title, .. }
            | Self::Wireframe { title, .. }
            | Self::Story(Story { title, .. }) => title.trim(),
        }
    }

    /// Where it would stand, or what it would belong to.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        match self {
            Self::Vision { .. } => Shelf::Visions,
            Self::Story(_) | Self::Wireframe { .. } => Shelf::Backlog,
            Self::Decision { .. } => Shelf::Decisions,
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Wireframe { .. } => "wireframe",
            Self::Vision { .. } | Self::Story(_) | Self::Decision { .. } => self.shelf().noun(),
        }
    }

    /// The number of the backlog item that it changes.
    ///
    /// # Errors
    /// [`Problem`] when what it names is no number of one.
    pub fn changed_item(&self) -> Result<Option<u64>, Problem> {
        let Self::Story(Story { id: Some(id), .. }) = self else { return Ok(None) };
        let number = id.trim().strip_prefix("B-").and_then(|digits| digits.parse().ok());
        number.map(Some).ok_or_else(|| Problem(format!("“{id}” is no backlog item; they look like B-3.")))
    }

    /// The text of its file, written over the `former` one. `vision` is what stories belong to, `mark`
    /// is by which a repeated approval finds the file.
    ///
    /// # Errors
    /// [`Problem`] says what cannot be written.
    pub fn written(&self, former: &str, vision: Option<&Name>, mark: Option<&str>) -> Result<String, Problem> {
        self.changed_item()?;
        let title = Title::parse(self.title()).map_err(|error| Problem(error.to_string()))?;
        let text = match self {
            Self::Vision { body, .. } => {
                Vision { title, status: VisionStatus::Agreed, body: body.clone() }.write_over(former)?
            }
            Self::Story(story) => story.item(title, former, vision)?.write_over(former)?,
            Self::Decision { text, .. } => {
                let undecided = Decision { title, body: text.clone(), ..Decision::default() };
                undecided.to_text()
            }
            Self::Wireframe { text, .. } => {
                Wireframe::parse(text)?;
                return Ok(text.clone());
            }
        };
        let Some(mark) = mark else { return Ok(text) };
        let mut sheet = Sheet::parse(&text)?;
        sheet.set("proposal", Some(mark.into()));
        Ok(sheet.to_text())
    }
}

impl Story {
    /// What it does not say stays as it was.
    fn item(&self, title: Title, former: &str, vision: Option<&Name>) -> Result<Item, Problem> {
        let before = Item::parse(&Name::from_title(title.as_str(), "untitled"), former)?;
        let priority = self.priority.as_deref().map(Priority::parse).transpose()?.unwrap_or(before.priority);
        let points = self.estimate.map(|points| points.to_string()).unwrap_or_default();
        let met = |text: &str| before.criteria.iter().any(|criterion| criterion.met && criterion.text == text);
        let criteria: Vec<Criterion> = criteria::read_lines(&self.criteria.join("\n"))
            .into_iter()
            .map(|criterion| Criterion { met: met(&criterion.text), text: criterion.text })
            .collect();
        let texts =
            |criteria: &[Criterion]| criteria.iter().map(|criterion| criterion.text.clone()).collect::<Vec<_>>();
        let is_different = self.story.trim() != before.story.trim() || texts(&criteria) != texts(&before.criteria);
        let status = match before.status {
            ItemStatus::Idea if !criteria.is_empty() => ItemStatus::Ready,
            // What was tried is not what is wanted now.
            ItemStatus::Done if is_different => ItemStatus::Ready,
            status => status,
        };
        Ok(Item {
            title,
            status,
            priority,
            estimate: Estimate::parse(&points)?.or(before.estimate),
            vision: before.vision.or_else(|| vision.cloned()),
            story: self.story.clone(),
            criteria,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn call(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: "c".to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn what_could_never_be_approved_is_refused_in_words_to_the_model() {
        for (name, arguments, word) in [
            ("propose_vision", r#"{"title": "a"}"#, "missing field `body`"),
            ("propose_vision", r#"{"title": " ", "body": "x"}"#, "Give it a title"),
            ("propose_stories", r#"{"stories": []}"#, "1 to 40"),
            ("propose_stories", r#"{"stories": [{"title": "a", "priority": "high"}]}"#, "must, should or could"),
            ("propose_stories", r#"{"stories": [{"title": "a", "estimate": 1000}]}"#, "0 to 999"),
            ("propose_stories", r#"{"stories": [{"title": "a", "id": "../x"}]}"#, "no backlog item"),
            ("propose_wireframe", r#"{"story": "B-1", "title": "a"}"#, "missing field `text`"),
            ("propose_wireframe", r#"{"story": "B-1", "title": "a", "text": "{ Box"}"#, "has no end"),
            ("propose_wireframe", r#"{"story": "B-1", "title": "", "text": "x"}"#, "Give it a title"),
            ("rm", "{}", "there is no “rm”"),
        ] {
            let problem = Content::read(&call(name, arguments)).unwrap_err();
            assert!(problem.0.contains(word), "{arguments}: {problem}");
        }
    }

    #[test]
    fn a_story_that_changes_an_item_keeps_what_it_does_not_say() {
        let former = "---\ntitle: Old\nstatus: doing\nestimate: 3\nowner: ada\n---\n\nx\n\n## Acceptance criteria\n\n- [x] It is right\n";
        let arguments =
            r#"{"stories": [{"id": "B-3", "title": "New", "story": "y", "criteria": ["It is right", "It is large"]}]}"#;
        let content = Content::read(&call("propose_stories", arguments)).unwrap().remove(0);
        assert_eq!(content.changed_item().unwrap(), Some(3));
        let text = content.written(former, None, Some("M-1/2")).unwrap();
        assert_eq!(
            text,
            "---\ntitle: New\nstatus: doing\nestimate: 3\nowner: ada\npriority: should\nproposal: M-1/2\n---\n\ny\n\n## Acceptance criteria\n\n- [x] It is right\n- [ ] It is large\n"
        );
    }

    #[test]
    fn a_done_story_goes_back_to_ready_when_its_criteria_change_and_else_stays_done() {
        let former = "---\ntitle: Old\nstatus: done\n---\n\nx\n\n## Acceptance criteria\n\n- [x] It is right\n";
        let written = |criteria: &str| {
            let arguments =
                format!(r#"{{"stories": [{{"id": "B-3", "title": "New", "story": "x", "criteria": {criteria}}}]}}"#);
            Content::read(&call("propose_stories", &arguments)).unwrap().remove(0).written(former, None, None).unwrap()
        };
        let repaired = written(r#"["It is right", "It is large"]"#);
        assert!(repaired.contains("status: ready\n") && repaired.contains("- [x] It is right\n- [ ] It is large\n"));
        assert!(written(r#"["It is right"]"#).contains("title: New\nstatus: done\n"));
    }

    #[test]
    fn a_new_story_is_ready_and_belongs_to_the_vision() {
        let arguments =
            r#"{"stories": [{"title": "New", "story": "y", "criteria": ["a"], "priority": "must", "estimate": 2}]}"#;
        let content = Content::read(&call("propose_stories", arguments)).unwrap().remove(0);
        let vision = Name::parse("pots").unwrap();
        let item = Item::parse(&vision, &content.written("", Some(&vision), None).unwrap()).unwrap();
        assert_eq!((item.status, item.priority, item.vision), (ItemStatus::Ready, Priority::Must, Some(vision)));
    }
}
