//! Where a sprint stands: folded from its journal, and what comes next. No I/O and no clock.

use serde::{Deserialize, Serialize};

use super::entry::{Acceptance, Entry, Plan, Story, TaskResult};
use crate::project::CommitId;

/// A sprint as its journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sprint {
    /// Its number.
    pub number: u32,
    /// What it is to do.
    pub plan: Plan,
    /// Whether it goes on.
    pub phase: Phase,
    /// Each story and where it stands, in the order of the plan.
    pub stories: Vec<(Story, Standing)>,
}

/// Whether a sprint goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has started it.
    Planned,
    /// It is worked on; after a restart too.
    Running,
    /// It waits for a person, and why if it does so by itself.
    Paused(Option<String>),
    /// A person wanted no more of it.
    Stopped,
    /// No story is left to work on.
    Finished(CommitId),
}

/// Where a story stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Before this task, or in it.
    At(Point),
    /// Its acceptance tests ran and passed, and it is part of what is done.
    Done {
        /// How many acceptance tests ran.
        tests: u64,
        /// The state it came into what is done with.
        commit: CommitId,
    },
    /// It is not done.
    Failed {
        /// Why.
        why: String,
    },
}

/// The task a story is at, with all that is known by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// The architect says how to build it.
    Design,
    /// The tester writes its acceptance tests.
    WriteTests {
        /// The design.
        design: String,
    },
    /// The developer writes or repairs it.
    WriteCode {
        /// What stays the same for all attempts.
        ground: Ground,
        /// Counted from 1.
        attempt: u32,
        /// What went wrong the last time.
        fell: Option<Fall>,
    },
    /// It is built and tested.
    Try {
        /// What stays the same for all attempts.
        ground: Ground,
        /// Counted from 1.
        attempt: u32,
    },
    /// It becomes part of what is done.
    Merge {
        /// How many acceptance tests passed.
        tests: u64,
    },
}

/// What the developer builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The design.
    pub design: String,
    /// The acceptance tests.
    pub acceptance: Acceptance,
}

/// What went wrong when a story was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fall {
    /// What.
    pub why: String,
    /// The end of what was said about it.
    pub tail: String,
}

/// A task, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The architect says how to build it.
    Design,
    /// The tester writes its acceptance tests.
    WriteTests,
    /// The developer writes or repairs it.
    WriteCode {
        /// Counted from 1.
        attempt: u32,
    },
    /// It is built and tested.
    Try {
        /// Counted from 1.
        attempt: u32,
    },
    /// It becomes part of what is done.
    Merge,
}

/// What comes next in a sprint that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<'a> {
    /// This task of this story.
    Work(&'a Story, &'a Point),
    /// Nothing is left to work on.
    Finish,
    /// It does not run.
    Nothing,
}

impl Sprint {
    /// The sprint that a journal tells of; `None` without a plan.
    #[must_use]
    pub fn fold(number: u32, entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let Entry::Planned { plan, .. } = first else { return None };
        let stories = plan.stories.iter().map(|story| (story.clone(), Standing::At(Point::Design))).collect();
        let sprint = Self { number, plan: plan.clone(), phase: Phase::Planned, stories };
        Some(rest.iter().fold(sprint, Self::after))
    }

    /// Its name: `S-3`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("S-{}", self.number)
    }

    /// The story of that number, and where it stands.
    #[must_use]
    pub fn story(&self, number: u64) -> Option<&(Story, Standing)> {
        self.stories.iter().find(|(story, _)| story.number == number)
    }

    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next<'_> {
        if self.phase != Phase::Running {
            return Next::Nothing;
        }
        for (story, standing) in &self.stories {
            if let Standing::At(point) = standing {
                return Next::Work(story, point);
            }
        }
        Next::Finish
    }

    /// Whether a person can still start it or let it go on.
    #[must_use]
    pub fn can_start(&self) -> bool {
        matches!(self.phase, Phase::Planned | Phase::Paused(_))
    }

    /// How many stories are done, and how many have failed.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let of = |wanted: fn(&Standing) -> bool| self.stories.iter().filter(|(_, standing)| wanted(standing)).count();
        (
            of(|standing| matches!(standing, Standing::Done { .. })),
            of(|standing| matches!(standing, Standing::Failed { .. })),
        )
    }

    fn after(mut self, entry: &Entry) -> Self {
        let is_over = matches!(self.phase, Phase::Stopped | Phase::Finished(_));
        match entry {
            Entry::Ended { story, result, .. } => {
                let attempts = self.plan.attempts;
                for (known, standing) in &mut self.stories {
                    if known.number == *story
                        && let Standing::At(point) = standing
                    {
                        *standing = point.clone().after(result, attempts);
                    }
                }
            }
            Entry::Finished { commit, .. } => self.phase = Phase::Finished(commit.clone()),
            Entry::Started { .. } if !is_over => self.phase = Phase::Running,
            Entry::Paused { why, .. } if !is_over => self.phase = Phase::Paused(why.clone()),
            Entry::Stopped { .. } if !is_over => self.phase = Phase::Stopped,
            Entry::Started { .. } | Entry::Paused { .. } | Entry::Stopped { .. } => {}
            Entry::Planned { .. } | Entry::Began { .. } | Entry::Waiting { .. } => {}
        }
        self
    }
}

impl Point {
    /// Its name.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Design => Task::Design,
            Self::WriteTests { .. } => Task::WriteTests,
            Self::WriteCode { attempt, .. } => Task::WriteCode { attempt: *attempt },
            Self::Try { attempt, .. } => Task::Try { attempt: *attempt },
            Self::Merge { .. } => Task::Merge,
        }
    }

    /// Where a story stands after a result. One that does not belong to the task changes nothing.
    fn after(self, result: &TaskResult, attempts: u32) -> Standing {
        match (self, result) {
            (_, TaskResult::GaveUp { why }) => Standing::Failed { why: why.clone() },
            (Self::Design, TaskResult::Designed { text }) => Standing::At(Self::WriteTests { design: text.clone() }),
            (Self::WriteTests { design }, TaskResult::TestsWritten(acceptance)) => {
                let ground = Ground { design, acceptance: acceptance.clone() };
                Standing::At(Self::WriteCode { ground, attempt: 1, fell: None })
            }
            (Self::WriteCode { ground, attempt, .. }, TaskResult::CodeWritten { .. }) => {
                Standing::At(Self::Try { ground, attempt })
            }
            (Self::Try { .. }, TaskResult::Passed { tests, .. }) if *tests > 0 => {
                Standing::At(Self::Merge { tests: *tests })
            }
            (Self::Try { ground, attempt }, TaskResult::Fell { why, tail, .. }) => {
                if attempt >= attempts {
                    return Standing::Failed { why: format!("after {attempt} attempts, {why}") };
                }
                let fell = Some(Fall { why: why.clone(), tail: tail.clone() });
                Standing::At(Self::WriteCode { ground, attempt: attempt + 1, fell })
            }
            (Self::Merge { tests }, TaskResult::Merged { commit }) => Standing::Done { tests, commit: commit.clone() },
            (point, _) => Standing::At(point),
        }
    }
}

impl Task {
    /// What it is called in a sentence.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Design => "The architect says how to build it".to_owned(),
            Self::WriteTests => "The tester writes its acceptance tests".to_owned(),
            Self::WriteCode { attempt: 1 } => "The developer writes it".to_owned(),
            Self::WriteCode { attempt } => format!("The developer repairs it (attempt {attempt})"),
            Self::Try { attempt: 1 } => "It is built and tested".to_owned(),
            Self::Try { attempt } => format!("It is built and tested again (attempt {attempt})"),
            Self::Merge => "It becomes part of what is done".to_owned(),
        }
    }

    /// A name for the file of its conversation.
    #[must_use]
    pub fn file_word(self) -> String {
        match self {
            Self::Design => "design".to_owned(),
            Self::WriteTests => "write-tests".to_owned(),
            Self::WriteCode { attempt } => format!("write-code-{attempt}"),
            Self::Try { attempt } => format!("try-{attempt}"),
            Self::Merge => "merge".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::project::FilePath;

    fn commit() -> CommitId {
        CommitId::parse(&"a".repeat(40)).unwrap()
    }

    fn at() -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn story(number: u64) -> Story {
        let text = String::new;
        Story {
            number,
            name: format!("B-{number}-x"),
            title: text(),
            text: text(),
            criteria: Vec::new(),
            done_in: None,
        }
    }

    fn planned(attempts: u32) -> Vec<Entry> {
        let plan = Plan { vision: "shop".to_owned(), stories: vec![story(1), story(2)], attempts, expected: None };
        vec![Entry::Planned { at: at(), by: "you".to_owned(), plan }, Entry::Started { at: at(), by: "you".to_owned() }]
    }

    fn ended(story: u64, result: TaskResult) -> Entry {
        Entry::Ended { at: at(), story, result }
    }

    fn acceptance() -> Acceptance {
        Acceptance { files: vec![FilePath::parse("a.test.js").unwrap()], former: Vec::new(), commit: commit() }
    }

    fn passed(tests: u64) -> TaskResult {
        TaskResult::Passed { tests, put_back: Vec::new(), commands: Vec::new() }
    }

    fn fell() -> TaskResult {
        TaskResult::Fell {
            why: "a test failed".to_owned(),
            tail: String::new(),
            put_back: Vec::new(),
            commands: Vec::new(),
        }
    }

    fn up_to_code() -> Vec<TaskResult> {
        vec![
            TaskResult::Designed { text: "small".to_owned() },
            TaskResult::TestsWritten(acceptance()),
            TaskResult::CodeWritten { summary: String::new() },
        ]
    }

    fn standing_after(attempts: u32, results: Vec<TaskResult>) -> Standing {
        let mut entries = planned(attempts);
        entries.extend(results.into_iter().map(|result| ended(1, result)));
        Sprint::fold(1, &entries).unwrap().stories[0].1.clone()
    }

    #[test]
    fn a_story_is_done_only_after_tests_that_ran_and_passed() {
        let mut results = up_to_code();
        results.extend([passed(2), TaskResult::Merged { commit: commit() }]);
        assert_eq!(standing_after(3, results), Standing::Done { tests: 2, commit: commit() });
        for skipped in [
            vec![TaskResult::Merged { commit: commit() }],
            [up_to_code(), vec![TaskResult::Merged { commit: commit() }]].concat(),
            [up_to_code(), vec![passed(0), TaskResult::Merged { commit: commit() }]].concat(),
            [up_to_code(), vec![fell(), passed(2), TaskResult::Merged { commit: commit() }]].concat(),
        ] {
            assert!(matches!(standing_after(3, skipped), Standing::At(_)));
        }
    }

    #[test]
    fn a_story_has_so_many_attempts_and_no_more() {
        let again = || vec![fell(), TaskResult::CodeWritten { summary: String::new() }];
        let after_one = standing_after(2, [up_to_code(), again()].concat());
        assert!(matches!(after_one, Standing::At(Point::Try { attempt: 2, .. })));
        let Standing::Failed { why } = standing_after(2, [up_to_code(), again(), vec![fell()]].concat()) else {
            panic!()
        };
        assert_eq!(why, "after 2 attempts, a test failed");
    }

    #[test]
    fn a_failed_story_does_not_keep_the_next_from_being_worked_on() {
        let mut entries = planned(3);
        entries.push(ended(1, TaskResult::GaveUp { why: "no".to_owned() }));
        let sprint = Sprint::fold(1, &entries).unwrap();
        assert!(matches!(sprint.next(), Next::Work(story, Point::Design) if story.number == 2));
        entries.push(ended(2, TaskResult::GaveUp { why: "no".to_owned() }));
        let sprint = Sprint::fold(1, &entries).unwrap();
        assert_eq!((sprint.next(), sprint.count()), (Next::Finish, (0, 2)));
    }

    #[test]
    fn what_is_paused_goes_on_and_what_is_stopped_does_not() {
        let by = || "you".to_owned();
        let mut entries = planned(3);
        entries.push(Entry::Paused { at: at(), by: Some(by()), why: None });
        assert_eq!(Sprint::fold(1, &entries).unwrap().next(), Next::Nothing);
        entries.push(Entry::Started { at: at(), by: by() });
        assert!(matches!(Sprint::fold(1, &entries).unwrap().next(), Next::Work(..)));
        entries.push(Entry::Stopped { at: at(), by: by() });
        entries.push(Entry::Started { at: at(), by: by() });
        assert_eq!(Sprint::fold(1, &entries).unwrap().phase, Phase::Stopped);
        assert_eq!(Sprint::fold(1, &[]), None);
        assert_eq!(Sprint::fold(1, &entries[1..]), None);
    }
}
