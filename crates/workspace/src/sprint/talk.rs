//! A task that a model does with tools: a conversation, written down word by word, so that a restart
//! goes on where it was and pays for nothing twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::brief::Brief;
use super::state::Task;
use super::tools::{self, Call, Hands};
use super::work::{Halt, Work};
use crate::model::{Answer, Ask, Message, Purpose, ToolCall};
use crate::project::{Branch, CommitId, FilePath};

/// The most answers in one conversation.
const MOST_ANSWERS: usize = 40;
/// How often words without a tool are let pass.
const PATIENCE: usize = 2;

const NUDGE: &str =
    "Nothing was changed: words alone do nothing here. Use the tools, and call done when you are finished.";

/// A line of a conversation. The brief is not written down, since it follows from the sprint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Line {
    /// The model's answer, before anything of it is done.
    Answered { at: Timestamp, text: String, calls: Vec<ToolCall> },
    /// What came of its next call.
    Did {
        at: Timestamp,
        text: String,
        /// The state of the branch with everything up to here in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<CommitId>,
    },
    /// The model was reminded of its tools.
    Nudged { at: Timestamp },
}

/// What a conversation led to.
pub(super) struct Talked {
    /// The model's last word.
    pub(super) summary: String,
    /// The files it wrote, in order, each once.
    pub(super) written: Vec<FilePath>,
}

/// Why a conversation led to nothing: the model's doing, so the story has failed.
pub(super) struct Fruitless(pub(super) String);

/// What is talked about, and where.
pub(super) struct Topic<'a> {
    pub(super) sprint: u32,
    pub(super) story: u64,
    pub(super) task: Task,
    pub(super) branch: &'a Branch,
    /// Files that must not be written.
    pub(super) untouchable: &'a [FilePath],
}

/// An answer and what came of its calls, as far as it was done.
struct Turn {
    text: String,
    calls: Vec<ToolCall>,
    did: Vec<(String, Option<CommitId>)>,
    was_nudged: bool,
}

impl Work {
    /// Talks until the model says it is done. The work folder holds the branch.
    pub(super) async fn talk(&self, topic: &Topic<'_>, brief: Brief) -> Result<Result<Talked, Fruitless>, Halt> {
        let mut turns = read_turns(self.shelf.read(topic.sprint, &topic.file())?);
        self.do_again(&turns)?;
        loop {
            if let Some(outcome) = self.catch_up(topic, &mut turns).await? {
                return Ok(Ok(outcome));
            }
            if turns.len() >= MOST_ANSWERS {
                return Ok(Err(Fruitless(format!(
                    "the {} did not come to an end in {MOST_ANSWERS} answers",
                    brief.role
                ))));
            }
            let idle = turns.iter().rev().take_while(|turn| turn.calls.is_empty()).count();
            if let Some(last) = turns.last_mut().filter(|turn| turn.calls.is_empty()) {
                if idle > PATIENCE {
                    let said: String = last.text.trim().chars().take(300).collect();
                    return Ok(Err(Fruitless(format!("the {} only talked: “{said}”", brief.role))));
                }
                if !last.was_nudged {
                    self.write(topic, &Line::Nudged { at: self.now() })?;
                    last.was_nudged = true;
                }
            }
            let Answer { text, calls, .. } = self.ask(topic, &brief, &turns).await?;
            self.write(topic, &Line::Answered { at: self.now(), text: text.clone(), calls: calls.clone() })?;
            turns.push(Turn { text, calls, did: Vec::new(), was_nudged: false });
        }
    }

    /// Does what the last answer asks for and was not done yet; what came of everything once the model
    /// says it is done.
    async fn catch_up(&self, topic: &Topic<'_>, turns: &mut [Turn]) -> Result<Option<Talked>, Halt> {
        let Some(turn) = turns.last_mut() else { return Ok(None) };
        let open: Vec<ToolCall> = turn.calls.iter().skip(turn.did.len()).cloned().collect();
        for call in open {
            let hands = Hands { work: self, topic };
            let (text, kept) = hands.take(&call).await?;
            self.write(topic, &Line::Did { at: self.now(), text: text.clone(), kept: kept.clone() })?;
            turn.did.push((text, kept));
        }
        let summary = turn.calls.iter().find_map(|call| match Call::parse(call) {
            Ok(Call::Done { summary }) => Some(summary),
            _ => None,
        });
        Ok(summary.map(|summary| Talked { summary, written: written(turns, topic.untouchable) }))
    }

    /// Writes again what was written since the branch was last kept; commands are not run again.
    fn do_again(&self, turns: &[Turn]) -> Result<(), Halt> {
        let done: Vec<(&ToolCall, &Option<CommitId>)> =
            turns.iter().flat_map(|turn| turn.calls.iter().zip(turn.did.iter().map(|(_, kept)| kept))).collect();
        let since = done.iter().rposition(|(_, kept)| kept.is_some()).map_or(0, |at| at + 1);
        for (call, _) in done.iter().skip(since) {
            if let Ok(Call::WriteFile { path, content }) = Call::parse(call) {
                // What could not be written then has its answer already.
                let _ = self.project.write(&path, content.as_bytes());
            }
        }
        Ok(())
    }

    async fn ask(&self, topic: &Topic<'_>, brief: &Brief, turns: &[Turn]) -> Result<Answer, Halt> {
        let mut messages = brief.messages.clone();
        for turn in turns {
            messages.push(Message::Assistant { text: turn.text.clone(), calls: turn.calls.clone() });
            for (call, (text, _)) in turn.calls.iter().zip(&turn.did) {
                messages.push(Message::Tool { call_id: call.id.clone(), text: text.clone() });
            }
            if turn.was_nudged {
                messages.push(Message::User(NUDGE.to_owned()));
            }
        }
        let ask =
            Ask { role: brief.role, messages, tools: tools::all(), purpose: self.purpose(topic.sprint, topic.story) };
        self.ask_model(topic.sprint, ask).await
    }

    pub(super) fn purpose(&self, sprint: u32, story: u64) -> Purpose {
        Purpose {
            project: Some(self.project.name().as_str().to_owned()),
            meeting: None,
            sprint: Some(format!("S-{sprint}")),
            story: Some(format!("B-{story}")),
        }
    }

    fn write(&self, topic: &Topic<'_>, line: &Line) -> Result<(), Halt> {
        Ok(self.shelf.append(topic.sprint, &topic.file(), line)?)
    }
}

impl Topic<'_> {
    fn file(&self) -> String {
        format!("B-{}-{}.jsonl", self.story, self.task.file_word())
    }
}

fn read_turns(lines: Vec<Line>) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for line in lines {
        match (line, turns.last_mut()) {
            (Line::Answered { text, calls, .. }, _) => {
                turns.push(Turn { text, calls, did: Vec::new(), was_nudged: false });
            }
            (Line::Did { text, kept, .. }, Some(turn)) => turn.did.push((text, kept)),
            (Line::Nudged { .. }, Some(turn)) => turn.was_nudged = true,
            (Line::Did { .. } | Line::Nudged { .. }, None) => {}
        }
    }
    turns
}

fn written(turns: &[Turn], untouchable: &[FilePath]) -> Vec<FilePath> {
    let mut files = Vec::new();
    for call in turns.iter().flat_map(|turn| &turn.calls) {
        if let Ok(Call::WriteFile { path, .. }) = Call::parse(call)
            && !files.contains(&path)
            && !untouchable.contains(&path)
        {
            files.push(path);
        }
    }
    files
}
