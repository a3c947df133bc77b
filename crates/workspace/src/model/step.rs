//! The step of the work that a question belongs to.
//!
//! The system message of every question holds one line that names it:
//!
//! ```text
//! Step: write-code; story: B-1; attempt: 2; title: Add an item
//! ```
//!
//! The story's title comes last and goes to the end of the line; what is not known is left out. To a
//! model it is a hint, to the rehearsal it says what to play.

use std::fmt;

/// A step, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which one.
    pub kind: StepKind,
    /// The backlog item's number, such as `B-1`.
    pub story: Option<String>,
    /// The backlog item's title.
    pub title: Option<String>,
    /// The first is 1.
    pub attempt: u32,
    /// Whether the story was done before and is to be repaired.
    pub is_repair: bool,
}

/// The steps there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A meeting about what is wanted and why.
    Vision,
    /// A meeting about the pieces of work.
    Refinement,
    /// A meeting about what comes next.
    Planning,
    /// A meeting about what was made.
    Review,
    /// A person asks for a change of what was made.
    Change,
    /// A meeting about how it went.
    Retrospective,
    /// The architect says how a story is built.
    Design,
    /// The tester writes a story's acceptance tests.
    WriteTests,
    /// The developer writes a story's code; from the second attempt on, they repair it.
    WriteCode,
}

impl StepKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Vision,
        Self::Refinement,
        Self::Planning,
        Self::Review,
        Self::Change,
        Self::Retrospective,
        Self::Design,
        Self::WriteTests,
        Self::WriteCode,
    ];

    /// The word in the line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vision => "vision",
            Self::Refinement => "refinement",
            Self::Planning => "planning",
            Self::Review => "review",
            Self::Change => "change",
            Self::Retrospective => "retrospective",
            Self::Design => "design",
            Self::WriteTests => "write-tests",
            Self::WriteCode => "write-code",
        }
    }
}

impl Step {
    /// A step about no story, at its first attempt.
    #[must_use]
    pub fn of(kind: StepKind) -> Self {
        Self { kind, story: None, title: None, attempt: 1, is_repair: false }
    }

    /// The step that a system message names, if it names one.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.trim().strip_prefix("Step:"))?;
        let (line, title) = match line.split_once("; title:") {
            Some((line, title)) => (line, Some(title.trim().to_owned())),
            None => (line, None),
        };
        let mut parts = line.split(';').map(str::trim);
        let word = parts.next()?;
        let kind = StepKind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let mut step = Self { title, ..Self::of(kind) };
        for part in parts {
            match part.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
                Some(("story", value)) => step.story = Some(value.to_owned()),
                Some(("attempt", value)) => step.attempt = value.parse().ok()?,
                Some(("repair", value)) => step.is_repair = value == "yes",
                _ => {}
            }
        }
        Some(step)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step: {}", self.kind.word())?;
        if let Some(story) = &self.story {
            write!(f, "; story: {story}")?;
        }
        write!(f, "; attempt: {}", self.attempt)?;
        if self.is_repair {
            f.write_str("; repair: yes")?;
        }
        if let Some(title) = &self.title {
            write!(f, "; title: {title}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_again_whatever_its_title_holds() {
        for kind in StepKind::ALL {
            for title in [None, Some("Add; an: item; title: twice".to_owned())] {
                let story = title.as_ref().map(|_| "B-1".to_owned());
                let step = Step { kind, is_repair: story.is_some(), story, title, attempt: 2 };
                assert_eq!(Step::find(&format!("You are Ada.\n{step}\nMore.")), Some(step));
            }
        }
        assert_eq!(Step::find("Step: dance"), None);
        assert_eq!(Step::find("nothing"), None);
    }
}
