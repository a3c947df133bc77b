//! The most that a question can cost is put aside before it is asked; what it did cost takes that place when it ended.
//! One that never ended, since the server died in it, keeps the most.

use std::time::Duration;

use domain::{InstanceId, InstanceState, Micros, ModelCallId, Month, UsageHour};

use super::counter::Tokens;
use super::question::Question;
use super::store::{self, Call, Scope};
use super::{ModelGateway, OfferedModel, Refused};
use crate::app::Core;
use crate::instances;

/// The shortest answer that is worth paying for, in tokens.
const SHORTEST: u64 = 64;
/// How often it is tried to write down what a question did cost. After that the most it can have cost stands.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// A question that is paid for.
pub(super) struct Reserved {
    pub(super) id: ModelCallId,
    /// The longest answer that was paid for, in tokens.
    pub(super) longest: u64,
    model: OfferedModel,
    most: Micros,
}

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The provider said what it took.
    Counted(Tokens),
    /// It did not say: the most stands.
    Uncounted,
    /// It did nothing.
    NotDone,
}

/// Puts aside what a question can cost at most, or says that there is not enough left. One transaction decides, and
/// whoever asks at the same moment waits for it. An answer is shortened to what is left.
pub(super) async fn reserve(
    core: &Core,
    gateway: &ModelGateway,
    instance: InstanceId,
    question: &Question,
) -> Result<Reserved, Refused> {
    let (settings, now) = (gateway.settings(), core.clock.now());
    let month = Month::of(now);
    let mut tx = core.db.begin().await?;
    match instances::store::state(&mut tx, instance).await? {
        Some(InstanceState::Active) => {}
        Some(InstanceState::Suspended) => return Err(Refused::suspended()),
        _ => return Err(Refused::not_in_use()),
    }
    // Always in this order, so that no two wait for each other.
    let own = store::hold(&mut tx, month, Scope::Instance(instance)).await?;
    let all = store::hold(&mut tx, month, Scope::All).await?;
    let model = &question.model;
    let asked = model.cost(question.asked, 0).map_err(Refused::internal)?;
    let mut longest = question.wanted;
    let shortest = SHORTEST.min(question.wanted);
    let limits = [
        (Some(settings.allowance), own, Refused::used_up(own, settings.allowance, month)),
        (settings.total, all, Refused::total_used_up(month)),
    ];
    for (limit, used, refused) in limits {
        let Some(limit) = limit else { continue };
        let left = limit.checked_sub(used).and_then(|left| left.checked_sub(asked)).unwrap_or(Micros::ZERO);
        if left < Micros::ZERO || model.answer_for(left) < shortest || limit <= used {
            return Err(refused);
        }
        longest = longest.min(model.answer_for(left));
    }
    let most = model.cost(question.asked, longest).map_err(Refused::internal)?;
    let id = ModelCallId::new(now, core.entropy.bytes());
    let call = Call { id, instance, month, hour: UsageHour::of(now), model: &model.name, most, at: now };
    store::begin(&mut tx, &call).await?;
    tx.commit().await?;
    Ok(Reserved { id, longest, model: model.clone(), most })
}

/// Writes down how a question ended. Told again, or later than anybody else, it changes nothing.
pub(super) async fn settle(core: &Core, reserved: &Reserved, ended: Ended) {
    let cost = reserved.cost(ended);
    for number in 1..=TRIES {
        match store::end(&core.db, reserved.id, ended, cost, core.clock.now()).await {
            Ok(()) => return,
            Err(error) if number == TRIES => {
                tracing::error!(
                    model_call.id = %reserved.id,
                    "What the question {} cost could not be written down, so it counts with the most, ${}: {error}",
                    reserved.id, reserved.most
                );
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

impl Reserved {
    fn cost(&self, ended: Ended) -> Micros {
        match ended {
            // What is more than money can be was not billed by anybody.
            Ended::Counted(Tokens { input, output }) => self.model.cost(input, output).unwrap_or(self.most),
            Ended::Uncounted => self.most,
            Ended::NotDone => Micros::ZERO,
        }
    }
}
