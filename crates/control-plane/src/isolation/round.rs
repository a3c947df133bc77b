use std::collections::HashMap;
use std::sync::Arc;

use ::store::is_unique_violation;
use ::store::sqlx::Error;
use async_trait::async_trait;
use domain::{InstanceId, WorkflowId};
use jiff::SignedDuration;
use workflow::{OnFailure, Run, StepError, Stop, Workflow, WorkflowState};

use super::doors::{Neighbour, Party};
use super::sample::{Sample, WHOLE};
use super::store::{self, Entrance, Proof, Round, Seat};
use super::tally::{Standing, Tally};
use super::trial::{Power, Trick, Way};
use super::verdict::{Reason, Verdict};
use super::{power, report};
use crate::alerts::{self, Kind};
use crate::app::{App, Core};
use crate::error::{AppError, refused};
use crate::instances::{self, Instance};
use crate::workflows::{self, Plan};
use crate::{audit, members};

/// Stored with every run; a changed sequence of steps gets a new number.
pub(crate) const KIND: &str = "prove-isolation.v1";
/// What all rounds work on, so that there is one at a time.
const SUBJECT: &str = "isolation";
const TIME_LIMIT: SignedDuration = SignedDuration::from_hours(12);

/// How often all are tried.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The same where there are so many that a round takes a sample: each costs the compute provider a question.
const EVERY_WHEN_MANY: SignedDuration = SignedDuration::from_hours(6);

/// Who asks for what nobody asks for.
const BY_ITSELF: &str = "schedule";
/// How the audit log calls whoever tells it.
const ACTOR: &str = "isolation prover";

/// Tries the walls between all instances, or those around one.
pub(crate) struct ProveIsolation(pub Arc<Core>);

/// Asks for a round now. While one is under way, asking again gives that.
pub(crate) async fn request(app: &App, only: Option<&Instance>, by: &str) -> Result<WorkflowId, AppError> {
    let only = only.map(|instance| instance.id);
    let mut tx = app.db.begin().await?;
    if let Some((id, state)) = workflow::under_way(&mut tx, KIND, SUBJECT).await? {
        drop(tx);
        let round = store::find(&app.db, &id).await?;
        if round.is_some_and(|round| round.only.is_some() && round.only != only) {
            let next = "It takes seconds to minutes. Ask again when it is over.";
            return Err(refused(409, "A round for another instance is under way", next));
        }
        if state == WorkflowState::Stuck {
            app.engine.retry(&id).await?;
        }
        return WorkflowId::parse(&id).map_err(AppError::internal);
    }
    let subject = only.map_or_else(|| SUBJECT.to_owned(), |only| only.to_string());
    audit::record(&mut tx, app, by, "isolation.round_requested", &subject, "").await?;
    let id = begin(&mut tx, app, only, by).await?;
    match tx.commit().await {
        Ok(()) => app.engine.wake(),
        Err(error) => return Err(error.into()),
    }
    Ok(id)
}

/// Begins a round of all when the last one is long enough ago. To be called often; of two replicas one begins.
///
/// # Errors
/// When the store can't be used.
pub async fn begin_if_due(core: &Core) -> Result<(), Error> {
    let open = store::number_open(&core.db).await?;
    let every = if open > WHOLE as u64 { EVERY_WHEN_MANY } else { EVERY };
    let last = store::last_began(&core.db).await?;
    if open == 0 || last.is_some_and(|last| core.clock.now() < last + every) {
        return Ok(());
    }
    let mut tx = core.db.begin().await?;
    if workflow::under_way(&mut tx, KIND, SUBJECT).await?.is_some() {
        return Ok(());
    }
    match begin(&mut tx, core, None, BY_ITSELF).await {
        Ok(_) => tx.commit().await,
        // Another replica was faster.
        Err(error) if is_unique_violation(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn begin(tx: &mut ::store::Tx, core: &Core, only: Option<InstanceId>, by: &str) -> Result<WorkflowId, Error> {
    let plan = Plan { kind: KIND, time_limit: TIME_LIMIT, subject: SUBJECT };
    let id = workflows::begin(tx, core, &plan, &()).await?;
    let round = Round {
        id: id.to_string(),
        turn: store::next_turn(tx).await?,
        only,
        requested_by: by.to_owned(),
        has_identities: power(core) == Power::Identities,
        began_at: core.clock.now(),
        instances: None,
        ended_at: None,
    };
    store::begin(tx, &round).await?;
    Ok(id)
}

#[async_trait]
impl Workflow for ProveIsolation {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> SignedDuration {
        TIME_LIMIT
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Halt
    }

    async fn run(&self, run: &Run) -> Result<(), Stop> {
        let core = &*self.0;
        run.step::<String, _, _>("see who is there", || seat(core, run.id())).await?;
        run.step("try the doors", || async { try_all(core, run.id()).await.map_err(StepError::temporary) }).await?;
        run.step("add it up", || add_up(core, run.id())).await.map(|_: String| ())
    }

    async fn undo(&self, _run: &Run) -> Result<(), Stop> {
        Ok(())
    }
}

async fn seat(core: &Core, id: &str) -> Result<String, StepError> {
    let round = find(core, id).await?;
    if let Some(instances) = round.instances {
        return Ok(report::instances_in_words(instances));
    }
    let instances = store::open_instances(&core.db).await?;
    let mut tx = core.db.begin().await?;
    store::seat(&mut tx, &round, &instances).await?;
    tx.commit().await?;
    Ok(report::instances_in_words(instances.len() as u64))
}

/// Tries what was not tried yet: after a crash it goes on with the next instance.
async fn try_all(core: &Core, id: &str) -> Result<(), AppError> {
    let round = store::find(&core.db, id).await?.ok_or(AppError::NotFound)?;
    let seats = store::seats(&core.db, id).await?;
    let mut trials = Trials {
        core,
        power: if round.has_identities { Power::Identities } else { Power::Forgeries },
        sample: Sample::of(seats.len(), round.turn),
        instances: seats.iter().map(|seat| seat.instance).collect(),
        round: round.id,
        at_home: HashMap::new(),
    };
    for seat in seats.into_iter().filter(|seat| seat.is_target && seat.ended_at.is_none()) {
        trials.at(seat).await?;
    }
    Ok(())
}

/// Trials under way.
struct Trials<'a> {
    core: &'a Core,
    round: String,
    power: Power,
    sample: Sample,
    instances: Vec<InstanceId>,
    /// Who was looked at home already; `None` for those who were not seen to be good there.
    at_home: HashMap<usize, Option<Neighbour>>,
}

impl Trials<'_> {
    /// Tries every way into one instance, and stores what came of it.
    async fn at(&mut self, mut seat: Seat) -> Result<(), AppError> {
        let target = seat.instance;
        let party = self.party(target).await?;
        let mut tally = Tally::default();
        for way in ways(self.core) {
            match &party {
                Err(reason) => tally.leave_out(*reason, self.planned(way)),
                Ok(party) => self.by(way, seat.seat, target, party, &mut tally).await?,
            }
        }
        let now = self.core.clock.now();
        let has_neighbours = self.sample.each() > 0;
        seat.standing = tally.standing(self.power, has_neighbours);
        let mut tx = self.core.db.begin().await?;
        if seat.standing == Standing::Proven {
            let (refused, neighbours) = (tally.refused(), self.neighbours_of(seat.seat));
            let proof = Proof { instance: target, proven_at: now, refused, neighbours };
            store::proven(&mut tx, &self.round, &proof).await?;
        }
        seat.tally = tally;
        store::told(&mut tx, &self.round, &seat, now).await?;
        Ok(tx.commit().await?)
    }

    /// Tries one way.
    async fn by(
        &mut self,
        way: Way,
        seat: usize,
        target: InstanceId,
        party: &Party,
        tally: &mut Tally,
    ) -> Result<(), AppError> {
        if let Err(reason) = party.lets_its_own_in(self.core, self.power, way).await {
            if reason == Reason::NotToldYet {
                self.tell(target).await?;
            }
            tally.leave_out(reason, self.planned(way));
            return Ok(());
        }
        for trick in Trick::of_strangers(self.power, way) {
            let verdict = self.tried(party, target, way, *trick, None).await?;
            tally.count(verdict, false);
        }
        let tricks = Trick::of_neighbours(self.power);
        if tricks.is_empty() {
            return Ok(());
        }
        for other in self.sample.neighbours_of(seat) {
            self.look_at_home(other).await?;
            let Some(Some(neighbour)) = self.at_home.get(&other) else {
                tally.leave_out(Reason::NotShownAtHome, tricks.len() as u64);
                continue;
            };
            for trick in tricks {
                let verdict = self.tried(party, target, way, *trick, Some(neighbour)).await?;
                tally.count(verdict, true);
            }
        }
        Ok(())
    }

    async fn tried(
        &self,
        party: &Party,
        target: InstanceId,
        way: Way,
        trick: Trick,
        neighbour: Option<&Neighbour>,
    ) -> Result<Verdict, AppError> {
        let verdict = party.tried(self.core, self.power, way, (trick, neighbour)).await?;
        if let Verdict::Admitted { status } = verdict {
            let entrance = Entrance {
                instance: target,
                neighbour: neighbour.map(|neighbour| neighbour.instance),
                way: way.as_str().to_owned(),
                trick: trick.as_str().to_owned(),
                status,
                at: self.core.clock.now(),
            };
            self.raise(&entrance, way, trick).await?;
        }
        Ok(verdict)
    }

    /// Pages the operator at the first entrance of a round, and notes every one.
    async fn raise(&self, entrance: &Entrance, way: Way, trick: Trick) -> Result<(), AppError> {
        let core = self.core;
        let hostname = match instances::store::find(&core.db, entrance.instance).await? {
            Some(instance) => core.hostname(&instance.subdomain),
            None => entrance.instance.to_string(),
        };
        let status = entrance.status;
        let how = format!("{} {}, and got the answer {status}", way.in_words(), trick.in_words());
        tracing::error!(instance.id = %entrance.instance, "A stranger got into {hostname} {how}");
        let mut tx = core.db.begin().await?;
        if store::got_in(&mut tx, &self.round, entrance).await? {
            audit::record(&mut tx, core, ACTOR, "isolation.breached", &entrance.instance.to_string(), &how).await?;
        }
        let what = format!("A stranger got into {hostname}");
        let why = format!(
            "The isolation prover came {how}. Close the instance with `spinoff suspend` until it is known why."
        );
        let path = format!("/admin/isolation/{}", self.round);
        let key = format!("isolation {}", self.round);
        alerts::raise(&mut tx, core, Kind::IsolationBroken, &key, &what, &why, &path).await?;
        tx.commit().await?;
        core.mail_waiting.notify_one();
        Ok(())
    }

    /// Sees whether a neighbour's identity is good at home, once in a round.
    async fn look_at_home(&mut self, seat: usize) -> Result<(), AppError> {
        if self.at_home.contains_key(&seat) {
            return Ok(());
        }
        let seen = match self.instances.get(seat) {
            Some(instance) => self.party(*instance).await?.ok(),
            None => None,
        };
        let neighbour = match seen {
            Some(party) => {
                let is_good = party.lets_its_own_in(self.core, self.power, Way::Door).await.is_ok();
                is_good.then(|| party.as_neighbour())
            }
            None => None,
        };
        self.at_home.insert(seat, neighbour);
        Ok(())
    }

    async fn party(&self, instance: InstanceId) -> Result<Result<Party, Reason>, AppError> {
        match instances::store::find(&self.core.db, instance).await? {
            Some(instance) => Party::find(self.core, instance).await,
            None => Ok(Err(Reason::NotOpen)),
        }
    }

    /// Has edge and guard of an instance told of its identity. Instances that were made before there were any are told
    /// in their first round.
    async fn tell(&self, instance: InstanceId) -> Result<(), AppError> {
        let mut tx = self.core.db.begin().await?;
        members::store::next_serial(&mut tx, instance).await?;
        members::publish::start(&mut tx, self.core, instance).await?;
        Ok(tx.commit().await?)
    }

    /// How many trials a way has.
    fn planned(&self, way: Way) -> u64 {
        let of_neighbours = Trick::of_neighbours(self.power).len() * self.sample.each();
        (of_neighbours + Trick::of_strangers(self.power, way).len()) as u64
    }

    fn neighbours_of(&self, seat: usize) -> u64 {
        let is_good = |other: &usize| matches!(self.at_home.get(other), Some(Some(_)));
        self.sample.neighbours_of(seat).filter(is_good).count() as u64
    }
}

/// The ways that there are.
fn ways(core: &Core) -> impl Iterator<Item = Way> {
    let shows_apps = core.gate.shows_apps() && power(core) == Power::Identities;
    Way::ALL.into_iter().filter(move |way| shows_apps || !way.is_apps())
}

async fn add_up(core: &Core, id: &str) -> Result<String, StepError> {
    let (mut whole, mut sum) = (Tally::default(), store::Sum::default());
    for seat in store::seats(&core.db, id).await? {
        whole.add(&seat.tally);
        sum.tried += u64::from(seat.is_target && seat.tally.attempts() > 0);
        sum.proven += u64::from(seat.is_target && seat.standing == Standing::Proven);
    }
    (sum.refused, sum.admitted) = (whole.refused(), whole.admitted);
    let mut tx = core.db.begin().await?;
    store::end(&mut tx, id, &sum, core.clock.now()).await?;
    tx.commit().await?;
    Ok(report::in_words(&whole))
}

async fn find(core: &Core, id: &str) -> Result<Round, StepError> {
    let round = store::find(&core.db, id).await?;
    round.ok_or_else(|| StepError::permanent(anyhow::anyhow!("the round {id} is not in the store")))
}
