//! What rounds say, for pages and programs.

use domain::InstanceId;
use jiff::Timestamp;

use super::sample::Sample;
use super::store::{self, Entrance, Round, Seat};
use super::tally::{Standing, Tally};
use super::trial::{Trick, Way};
use crate::app::Core;
use crate::error::AppError;
use crate::instances;

/// Entrances shown of one round.
const MOST_ENTRANCES: u32 = 200;

/// A round with all that it says.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub round: Round,
    /// What it adds up to, as far as it has come.
    pub tally: Tally,
    pub places: Vec<Place>,
    /// What was no refusal, in sentences.
    pub entrances: Vec<String>,
}

/// What a round says of one instance that it tries.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub seat: Seat,
    /// How people know it.
    pub hostname: String,
}

/// What a customer reads of one instance.
#[derive(Debug, Clone)]
pub(crate) struct OfInstance {
    /// When it was last proven, by how many refused attempts, of how many others.
    pub proven: Option<(Timestamp, u64, u64)>,
    /// What was said of it since, if that is something else.
    pub since: Option<(Timestamp, String)>,
    pub is_breached: bool,
}

impl Report {
    pub(crate) fn sample(&self) -> Sample {
        Sample::of(usize::try_from(self.round.instances.unwrap_or(0)).unwrap_or(usize::MAX), self.round.turn)
    }

    /// How many of those that were tried stand so.
    pub(crate) fn number(&self, standing: Standing) -> u64 {
        self.places.iter().filter(|place| place.seat.standing == standing).count() as u64
    }

    /// What can't be tried here at all, and what was left to later turns; in sentences.
    pub(crate) fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        if !self.round.has_identities {
            limits.push(
                "Sign-ins are signed by Cloudflare Access, so no identity can be made for a trial: whether a member of one \
                 instance is refused by another was not tried. Strangers, forged, expired and wrongly issued sign-ins were."
                    .to_owned(),
            );
        }
        let sample = self.sample();
        let (turns, instances) = (sample.turns_for_all(), self.round.instances.unwrap_or(0));
        if turns > 1 && self.round.only.is_none() {
            let each = sample.each();
            limits.push(format!(
                "A sample: each of {instances} instances is tried by {each} others in a round. Every pair has its turn within {turns} rounds."
            ));
        } else if turns > 1 {
            limits.push(format!(
                "A sample: it is tried by {} of {} others.",
                sample.each(),
                instances.saturating_sub(1)
            ));
        }
        if instances == 1 {
            limits.push("There is one instance, so there was no neighbour to try it.".to_owned());
        }
        limits
    }
}

/// A round with all that it says; `None` where there is none.
pub(crate) async fn of_round(core: &Core, id: &str) -> Result<Option<Report>, AppError> {
    let Some(round) = store::find(&core.db, id).await? else { return Ok(None) };
    let mut tally = Tally::default();
    let mut places = Vec::new();
    for seat in store::seats(&core.db, id).await?.into_iter().filter(|seat| seat.is_target) {
        tally.add(&seat.tally);
        places.push(Place { hostname: hostname(core, seat.instance).await?, seat });
    }
    let mut entrances = Vec::new();
    for entrance in store::entrances(&core.db, id, MOST_ENTRANCES).await? {
        entrances.push(entrance_in_words(core, &entrance).await?);
    }
    Ok(Some(Report { tally, places, entrances, round }))
}

/// What is known of one instance.
pub(crate) async fn of_instance(core: &Core, instance: InstanceId) -> Result<OfInstance, AppError> {
    let proof = store::proof_of(&core.db, instance).await?;
    let latest = store::latest_of(&core.db, instance).await?;
    let proven_at = proof.as_ref().map(|proof| proof.proven_at);
    let later = latest.filter(|seat| seat.standing != Standing::Proven && seat.ended_at >= proven_at);
    let is_breached = later.as_ref().is_some_and(|seat| seat.standing == Standing::Breached);
    let since = later.and_then(|seat| Some((seat.ended_at?, why(&seat))));
    let proven = proof.map(|proof| (proof.proven_at, proof.refused, proof.neighbours));
    Ok(OfInstance { proven, since, is_breached })
}

/// Why an instance is not proven to be walled off.
pub(crate) fn why(seat: &Seat) -> String {
    match seat.standing {
        Standing::Waiting => "Its turn is still to come.".to_owned(),
        Standing::Breached => "Something that had to be refused was not.".to_owned(),
        Standing::Proven | Standing::NotProven => {
            let most = seat.tally.not_tried.iter().max_by_key(|(_, number)| **number);
            match most {
                Some((reason, _)) => format!("Not tried: {}.", reason.in_words()),
                None => String::new(),
            }
        }
    }
}

/// So many instances, in words.
pub(crate) fn instances_in_words(number: u64) -> String {
    if number == 1 { "1 instance".to_owned() } else { format!("{number} instances") }
}

/// A tally in one sentence.
pub(crate) fn in_words(tally: &Tally) -> String {
    let Tally { admitted, .. } = tally;
    let (refused, left_out) = (tally.refused(), tally.left_out());
    let got_in = if *admitted == 0 { "nobody got in".to_owned() } else { format!("{admitted} got in") };
    format!("{refused} refused, {got_in}, {left_out} not tried")
}

async fn entrance_in_words(core: &Core, entrance: &Entrance) -> Result<String, AppError> {
    let way = Way::ALL.into_iter().find(|way| way.as_str() == entrance.way).map_or("", Way::in_words);
    let trick = Trick::ALL.into_iter().find(|trick| trick.as_str() == entrance.trick).map_or("", Trick::in_words);
    let who = match entrance.neighbour {
        Some(neighbour) => format!("somebody of {}", hostname(core, neighbour).await?),
        None => "somebody".to_owned(),
    };
    let target = hostname(core, entrance.instance).await?;
    Ok(format!("{who} got into {target} {way} {trick}, with the answer {}", entrance.status))
}

/// How people know an instance.
pub(crate) async fn hostname(core: &Core, instance: InstanceId) -> Result<String, AppError> {
    let found = instances::store::find(&core.db, instance).await?;
    Ok(found.map_or_else(|| instance.to_string(), |instance| core.shown_hostname(&instance.subdomain)))
}
