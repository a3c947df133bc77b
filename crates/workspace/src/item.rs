//! A backlog item: one piece of work, small enough to finish.

use crate::criteria::{self, Criterion};
use crate::front_matter::{Problem, Sheet, tidy};
use crate::name::Name;
use crate::title::Title;
use crate::vision::title_of;

/// Where an item stands; the board has one column for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemStatus {
    /// Somebody thought of it.
    Idea,
    /// Clear enough to begin.
    Ready,
    /// Being worked on.
    Doing,
    /// Finished.
    Done,
}

impl ItemStatus {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Idea, Self::Ready, Self::Doing, Self::Done];

    /// The word in files, forms and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idea => "idea",
            Self::Ready => "ready",
            Self::Doing => "doing",
            Self::Done => "done",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`Problem`] names the words there are.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|status| status.word().eq_ignore_ascii_case(word));
        known.ok_or_else(|| Problem(format!("The status is “{word}”. Use idea, ready, doing or done.")))
    }

    /// The status that comes before this one.
    #[must_use]
    pub fn former(self) -> Option<Self> {
        Self::ALL.into_iter().take_while(|status| *status != self).last()
    }

    /// The status that comes after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().skip_while(|status| *status != self).nth(1)
    }
}

/// How much an item matters; the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// It does not work without.
    Must,
    /// It is much better with.
    Should,
    /// It would be nice.
    Could,
}

impl Priority {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Must, Self::Should, Self::Could];

    /// The word in files, forms and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Could => "could",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`Problem`] names the words there are.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|priority| priority.word().eq_ignore_ascii_case(word));
        known.ok_or_else(|| Problem(format!("The priority is “{word}”. Use must, should or could.")))
    }
}

/// How large an item is compared to others, in points from 0 to 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate(u16);

impl Estimate {
    /// Reads a whole number of points; an empty text is no estimate.
    ///
    /// # Errors
    /// [`Problem`] says what numbers there are.
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let points = text.parse().ok().filter(|points| *points <= 999);
        let points =
            points.ok_or_else(|| Problem(format!("The estimate is “{text}”. Use a whole number from 0 to 999.")))?;
        Ok(Some(Self(points)))
    }

    /// The points.
    #[must_use]
    pub fn points(self) -> u16 {
        self.0
    }
}

/// A backlog item as it is shown and edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is called.
    pub title: Title,
    /// Where it stands.
    pub status: ItemStatus,
    /// How much it matters.
    pub priority: Priority,
    /// How large it is, if someone has estimated it.
    pub estimate: Option<Estimate>,
    /// The name of the vision it helps to make true, if any.
    pub vision: Option<Name>,
    /// Who wants what and why, Markdown.
    pub story: String,
    /// What must be true before it is done.
    pub criteria: Vec<Criterion>,
}

impl Item {
    /// Reads an item from its file's text; what the text leaves out is taken from `name` or usual.
    ///
    /// # Errors
    /// [`Problem`] says what is wrong with the text.
    pub fn parse(name: &Name, text: &str) -> Result<Self, Problem> {
        let sheet = Sheet::parse(text)?;
        let title = title_of(&sheet, name)?;
        let status = sheet.text("status")?.map_or(Ok(ItemStatus::Idea), |word| ItemStatus::parse(&word))?;
        let priority = sheet.text("priority")?.map_or(Ok(Priority::Should), |word| Priority::parse(&word))?;
        let estimate = Estimate::parse(&sheet.text("estimate")?.unwrap_or_default())?;
        let vision = vision_of(&sheet)?;
        let (story, criteria) = criteria::split(&sheet.body);
        Ok(Self { title, status, priority, estimate, vision, story, criteria })
    }

    /// Writes the item over its file's `former` text, which keeps what this program does not know.
    ///
    /// # Errors
    /// [`Problem`] when the former text cannot be understood, so that nothing of it is lost.
    pub fn write_over(&self, former: &str) -> Result<String, Problem> {
        let mut sheet = Sheet::parse(former)?;
        sheet.set("title", Some(self.title.as_str().into()));
        sheet.set("status", Some(self.status.word().into()));
        sheet.set("priority", Some(self.priority.word().into()));
        sheet.set("estimate", self.estimate.map(|estimate| estimate.points().into()));
        sheet.set("vision", self.vision.as_ref().map(|name| name.as_str().into()));
        sheet.body = tidy(&criteria::join(&self.story, &self.criteria));
        Ok(sheet.to_text())
    }

    /// How many criteria are met.
    #[must_use]
    pub fn met(&self) -> usize {
        self.criteria.iter().filter(|criterion| criterion.met).count()
    }
}

fn vision_of(sheet: &Sheet) -> Result<Option<Name>, Problem> {
    let Some(name) = sheet.text("vision")? else { return Ok(None) };
    let problem = || Problem(format!("The vision is “{name}”, which cannot be the name of one."));
    Ok(Some(Name::parse(name.trim_end_matches(".md")).map_err(|_| problem())?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_file_leaves_out_is_usual() {
        let item = Item::parse(&Name::parse("B-3-wash-up").unwrap(), "").unwrap();
        assert_eq!(item.title.as_str(), "Wash up");
        assert_eq!((item.status, item.priority, item.estimate), (ItemStatus::Idea, Priority::Should, None));
    }

    #[test]
    fn each_wrong_value_is_a_problem_that_says_what_is_right() {
        for (line, hint) in [
            ("status: wip", "Use idea, ready, doing or done"),
            ("priority: high", "Use must, should or could"),
            ("estimate: 1.5", "whole number"),
            ("estimate: -1", "whole number"),
            ("vision: ../x", "cannot be the name"),
            ("title: [a]", "single value"),
        ] {
            let problem = Item::parse(&Name::parse("x").unwrap(), &format!("---\n{line}\n---\n")).unwrap_err();
            assert!(problem.0.contains(hint), "{line}: {problem}");
        }
    }

    #[test]
    fn statuses_follow_each_other_and_end() {
        assert_eq!(ItemStatus::Idea.next(), Some(ItemStatus::Ready));
        assert_eq!(ItemStatus::Done.next(), None);
        assert_eq!(ItemStatus::Done.former(), Some(ItemStatus::Doing));
        assert_eq!(ItemStatus::Idea.former(), None);
    }

    proptest! {
        #[test]
        fn every_item_comes_back(
            title in any::<String>(), story in "[a-zA-Z\\n]{0,40}", typed in "(\\PC{0,12}\\n){0,4}",
            points in proptest::option::of(0_u16..=999), status in 0_usize..4, priority in 0_usize..3,
            vision in proptest::option::of("[a-z0-9-]{1,20}"),
        ) {
            let Ok(title) = Title::parse(&title) else { return Ok(()) };
            let item = Item {
                title,
                status: ItemStatus::ALL[status],
                priority: Priority::ALL[priority],
                estimate: points.map(Estimate),
                vision: vision.map(|name| Name::parse(&name).unwrap()),
                story: tidy(&story),
                criteria: criteria::read_lines(&typed),
            };
            let text = item.write_over("---\nmine: yes\nestimate: 3\n---\nold\n").unwrap();
            prop_assert!(text.contains("mine: yes\n"));
            prop_assert_eq!(Item::parse(&Name::parse("a").unwrap(), &text).unwrap(), item);
        }
    }
}
