//! Answers that are being given, and who hears them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::journal::{Entry, MeetingId, Minutes};
use super::meeting::{Meeting, State};
use super::prompt;
use super::proposal::Content;
use crate::app::App;
use crate::events::Changes;
use crate::library::{Library, LibraryError};
use crate::model::{Answer, Ask, Cost, Finish, Message, ModelError, Purpose, Role};
use crate::moment;
use crate::team::Team;

/// How often in one answer the team may propose and go on speaking.
const MOST_ROUNDS: usize = 4;

/// What pages hear of a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The next words of an answer.
    Piece {
        /// The answer's number.
        answer: u32,
        /// The words.
        text: String,
    },
    /// Something was written down.
    Changed,
}

/// Answers that are being given; cheap to clone.
#[derive(Clone)]
pub struct Talks(Arc<Inner>);

struct Inner {
    live: Mutex<HashMap<MeetingId, Live>>,
    heard: broadcast::Sender<(MeetingId, Heard)>,
    writing: Mutex<()>,
}

#[derive(Default)]
struct Live {
    answer: u32,
    text: String,
    stop: CancellationToken,
    /// Whether another answer was asked for meanwhile.
    is_asked_again: bool,
}

impl Live {
    fn so_far(&self) -> SoFar {
        SoFar { answer: self.answer, text: self.text.clone() }
    }
}

impl Default for Talks {
    fn default() -> Self {
        let heard = broadcast::channel(512).0;
        Self(Arc::new(Inner { live: Mutex::default(), heard, writing: Mutex::default() }))
    }
}

/// What was heard so far of an answer that is being given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoFar {
    /// The answer's number.
    pub answer: u32,
    /// The words.
    pub text: String,
}

/// An answer that was asked for.
struct Asked {
    meeting: Meeting,
    team: Result<Team, LibraryError>,
    role: Role,
    answer: u32,
}

/// How a round of the talk ended.
enum Ended {
    Whole,
    BrokenOff,
}

impl Talks {
    /// What was heard so far of the answer that a meeting is being given.
    #[must_use]
    pub fn so_far(&self, id: MeetingId) -> Option<SoFar> {
        self.live().get(&id).map(Live::so_far)
    }

    /// The same, and everything that is heard from then on.
    #[must_use]
    pub fn listen(&self, id: MeetingId) -> (Option<SoFar>, broadcast::Receiver<(MeetingId, Heard)>) {
        let live = self.live();
        (live.get(&id).map(Live::so_far), self.0.heard.subscribe())
    }

    /// Tells open pages that something was written down.
    pub fn announce(&self, id: MeetingId) {
        // An error only means that no page is open.
        let _ = self.0.heard.send((id, Heard::Changed));
    }

    /// Tells pages outside of meetings of what is written down in one, until `closing`.
    pub async fn tell(self, changes: Changes, mut closing: watch::Receiver<bool>) {
        let mut heard = self.0.heard.subscribe();
        loop {
            tokio::select! {
                heard = heard.recv() => match heard {
                    Ok((_, Heard::Piece { .. })) => {}
                    Ok((_, Heard::Changed)) | Err(RecvError::Lagged(_)) => changes.stir(),
                    Err(RecvError::Closed) => break,
                },
                _ = closing.wait_for(|closing| *closing) => break,
            }
        }
    }

    /// Ends the answer that a meeting is being given.
    pub fn stop(&self, id: MeetingId) {
        if let Some(live) = self.live().get(&id) {
            live.stop.cancel();
        }
    }

    /// Held while what is written down depends on what was read.
    pub fn writing(&self) -> MutexGuard<'_, ()> {
        self.0.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the team answer what waits for an answer; if it is answering, once it has ended.
    pub fn start(&self, app: &App, id: MeetingId) {
        let stop = CancellationToken::new();
        {
            let mut live = self.live();
            if let Some(live) = live.get_mut(&id) {
                live.is_asked_again = true;
                return;
            }
            live.insert(id, Live { stop: stop.clone(), ..Live::default() });
        }
        let (talks, app) = (self.clone(), app.clone());
        tokio::spawn(async move {
            let ended = talks.answer_all(&app, id, &stop).await;
            let live = talks.live().remove(&id);
            talks.announce(id);
            let is_asked_again = live.is_some_and(|live| live.is_asked_again);
            match ended {
                // Something may have been said between the last look and the end.
                Ok(Ended::Whole) if talks.is_waiting(&app, id).await => talks.start(&app, id),
                Ok(Ended::BrokenOff) if is_asked_again && talks.is_waiting(&app, id).await => talks.start(&app, id),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "An answer in meeting {id} cannot be written down: {error}"),
            }
        });
    }

    async fn is_waiting(&self, app: &App, id: MeetingId) -> bool {
        let meeting = app.library(move |library: &Library| Minutes::of(library)?.read(id)).await;
        meeting.is_ok_and(|meeting| meeting.state == State::Waiting)
    }

    async fn answer_all(&self, app: &App, id: MeetingId, stop: &CancellationToken) -> Result<Ended, LibraryError> {
        while !stop.is_cancelled() {
            let Some(asked) = self.begin(app, id).await? else { break };
            if let Ended::BrokenOff = self.answer_one(app, asked, stop).await? {
                return Ok(Ended::BrokenOff);
            }
        }
        Ok(Ended::Whole)
    }

    /// Writes down that an answer is asked for, if one is due, and what it is an answer to: nothing can
    /// be said between the two and be overlooked.
    async fn begin(&self, app: &App, id: MeetingId) -> Result<Option<Asked>, LibraryError> {
        let (talks, now) = (self.clone(), moment::now());
        app.library(move |library: &Library| {
            let _one_at_a_time = talks.writing();
            let minutes = Minutes::of(library)?;
            let meeting = minutes.read(id)?;
            match meeting.state {
                // An answer without an end that is not given here was given by a program that died.
                State::Waiting | State::Answering { .. } => {}
                State::Open | State::Stopped | State::Closed => return Ok(None),
            }
            let team = Team::read(&library.root()?);
            let addressed =
                team.as_ref().ok().and_then(|team| meeting.unanswered().find_map(|text| team.addressed(text)));
            let lead = match meeting.unanswered_request() {
                Some(_) => Role::ProjectManager,
                None => meeting.kind.lead(),
            };
            let role = addressed.unwrap_or(lead);
            let answer = meeting.next_answer();
            minutes.write(id, now, Entry::Asked { answer, role })?;
            Ok(Some(Asked { meeting, team, role, answer }))
        })
        .await
    }

    async fn answer_one(&self, app: &App, asked: Asked, stop: &CancellationToken) -> Result<Ended, LibraryError> {
        let Asked { meeting, team, role, answer } = asked;
        let id = meeting.id;
        if let Some(live) = self.live().get_mut(&id) {
            live.answer = answer;
            live.text.clear();
        }
        self.announce(id);
        let spoken = match team {
            Ok(team) => self.speak(app, &meeting, team, role, stop).await,
            Err(error) => Err(error.to_string()),
        };
        let text = self.so_far(id).map(|so_far| so_far.text).unwrap_or_default();
        let (entry, ended) = match spoken {
            Ok(cost) => (Entry::Answered { answer, text, cost }, Ended::Whole),
            Err(why) => (Entry::BrokenOff { answer, text, why }, Ended::BrokenOff),
        };
        write(app, id, entry).await?;
        Ok(ended)
    }

    /// Speaks and proposes, round by round; the error says why it broke off, in words to the people.
    async fn speak(
        &self,
        app: &App,
        meeting: &Meeting,
        team: Team,
        role: Role,
        stop: &CancellationToken,
    ) -> Result<Cost, String> {
        let (told, language) = (meeting.clone(), app.settings.now().language.clone());
        let tools = team.tools_of(role, meeting.kind.tools());
        let shelf = app.workshop.sprints.shelf().clone();
        let mut messages = app
            .library(move |library: &Library| -> Result<_, LibraryError> {
                let sprint = told.sprint.map(|number| shelf.sprint(number)).transpose()?.flatten();
                prompt::conversation(library, &team, &told, sprint.as_ref(), role, &language)
            })
            .await
            .map_err(|error| error.to_string())?;
        let mut cost = Cost::NOTHING;
        for _ in 0..MOST_ROUNDS {
            let purpose = Purpose {
                project: meeting.subject().map(|name| name.as_str().to_owned()),
                meeting: Some(meeting.id.to_string()),
                ..Purpose::default()
            };
            let ask = Ask { role, messages: messages.clone(), tools: tools.clone(), purpose };
            let answer = self.ask(app, meeting.id, ask, stop).await.map_err(|error| error.to_string())?;
            cost = cost + answer.cost;
            match answer.finish {
                Finish::Length => self.hear(meeting.id, "\n\n*(The answer reached its longest and ends here.)*"),
                Finish::Filtered => self.hear(meeting.id, "\n\n*(The provider held back the rest of the answer.)*"),
                Finish::Said | Finish::Calls => {}
            }
            if answer.calls.is_empty() {
                break;
            }
            let outcomes = self.propose(app, meeting.id, role, &answer).await.map_err(|error| error.to_string())?;
            messages.push(Message::Assistant { text: answer.text, calls: answer.calls });
            messages.extend(outcomes);
            self.announce(meeting.id);
        }
        Ok(cost)
    }

    async fn ask(&self, app: &App, id: MeetingId, ask: Ask, stop: &CancellationToken) -> Result<Answer, ModelError> {
        let mut is_first = true;
        let heard = |piece: &str| {
            // What is said after a proposal is a paragraph of its own.
            let has_words = self.so_far(id).is_some_and(|so_far| !so_far.text.is_empty());
            if std::mem::take(&mut is_first) && has_words {
                self.hear(id, "\n\n");
            }
            self.hear(id, piece);
        };
        app.model.ask(ask, heard, stop).await
    }

    fn hear(&self, id: MeetingId, piece: &str) {
        let mut live = self.live();
        let Some(live) = live.get_mut(&id) else { return };
        live.text.push_str(piece);
        // Sent under the lock, so that whoever begins to listen hears each piece exactly once.
        let _ = self.0.heard.send((id, Heard::Piece { answer: live.answer, text: piece.to_owned() }));
    }

    /// Writes down what an answer proposes; what came of each call is what the model is told.
    async fn propose(
        &self,
        app: &App,
        id: MeetingId,
        role: Role,
        answer: &Answer,
    ) -> Result<Vec<Message>, LibraryError> {
        let (calls, talks, now) = (answer.calls.clone(), self.clone(), moment::now());
        app.library(move |library: &Library| {
            let _one_at_a_time = talks.writing();
            let minutes = Minutes::of(library)?;
            let mut number = minutes.read(id)?.next_proposal();
            let mut outcomes = Vec::new();
            for call in calls {
                let text = match Content::read(&call) {
                    Ok(contents) => {
                        for content in contents {
                            minutes.write(id, now, Entry::Proposed { proposal: number, role, content })?;
                            number = number.saturating_add(1);
                        }
                        "Shown to the people. It takes effect only if one of them approves it.".to_owned()
                    }
                    Err(problem) => format!("It was not shown: {problem} Put it right and propose it again."),
                };
                outcomes.push(Message::Tool { call_id: call.id, text });
            }
            Ok(outcomes)
        })
        .await
    }

    fn live(&self) -> MutexGuard<'_, HashMap<MeetingId, Live>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what happened in a meeting now.
async fn write(app: &App, id: MeetingId, entry: Entry) -> Result<(), LibraryError> {
    let now = moment::now();
    app.library(move |library: &Library| Minutes::of(library)?.write(id, now, entry)).await
}
