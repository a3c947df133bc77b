use std::collections::BTreeSet;

use ::store::sqlx::Error;
use domain::Email;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use providers::mail::Undelivered;

use super::store::{Entry, Next, Obstacle};
use super::{bounces, store};
use crate::alerts::{self, Kind};
use crate::app::Core;

/// After so many failed tries, over about two days, a mail counts as undeliverable.
const MOST_ATTEMPTS: u32 = 16;
const MOST_AT_ONCE: u32 = 10;
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(4);
/// How often a server that takes nothing of ours is asked again.
const REFUSED_DELAY: SignedDuration = SignedDuration::from_mins(5);
/// How long a mail waits for an address that bounces.
const BOUNCING_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Hands on every mail that is due.
pub(crate) async fn deliver_due(core: &Core) -> Result<(), Error> {
    loop {
        // A server that refuses us is asked with one mail: wrong passwords by the dozen lock accounts.
        let refused = store::refused_server(&core.db).await?.is_some();
        let most = if refused { 1 } else { MOST_AT_ONCE };
        let due = store::take_due(&core.db, &core.sealer, core.clock.now(), most).await?;
        let taken = due.len();
        let is_taken_by_server = deliver_some(core, due).await?;
        if refused && is_taken_by_server {
            store::release_all(&core.db, core.clock.now()).await?;
        } else if refused || taken < most as usize {
            return Ok(());
        }
    }
}

/// Hands on a few mails; whether the server took one.
async fn deliver_some(core: &Core, due: Vec<Entry>) -> Result<bool, Error> {
    let mut sent = Vec::new();
    let mut tried_today = BTreeSet::new();
    for entry in due {
        if is_worth_a_try(core, &entry, &mut tried_today).await? {
            sent.push(entry);
        }
    }
    // Side by side: one slow conversation costs no more time than all of them.
    let deliveries = sent.iter().map(|entry| core.drivers.mail.deliver(&entry.message));
    let mut is_taken_by_server = false;
    for (entry, delivery) in sent.iter().zip(join_all(deliveries).await) {
        match delivery {
            Ok(()) => {
                is_taken_by_server = true;
                store::delivered(&core.db, &entry.message.id, core.clock.now()).await?;
                bounces::recovered(core, &entry.message.to).await?;
            }
            Err(error) => not_delivered(core, entry, &error).await?,
        }
    }
    Ok(is_taken_by_server)
}

/// Whether a mail is to be sent now. One that came too late is given up; one to an address that
/// bounces waits for its day, unless it is in a hurry.
async fn is_worth_a_try(core: &Core, entry: &Entry, tried_today: &mut BTreeSet<Email>) -> Result<bool, Error> {
    let (id, to, now) = (&entry.message.id, &entry.message.to, core.clock.now());
    if let Some(useless_at) = entry.useless_at {
        if useless_at <= now {
            give_up(core, id, "it could not be delivered while the code was valid").await?;
        }
        return Ok(useless_at > now);
    }
    let Some(bounce) = bounces::store::find(&core.db, to).await? else { return Ok(true) };
    let rests_until = bounce.last_at + bounces::REST;
    // Of several mails to one address, one finds out for all.
    let rests_until = if tried_today.insert(to.clone()) { rests_until } else { now + bounces::REST };
    if rests_until <= now {
        return Ok(true);
    }
    match after_bounce(entry, now) {
        Next::Again(..) => store::postpone(&core.db, id, &bounce.answer, rests_until).await?,
        Next::Never => give_up(core, id, &bounce.answer).await?,
    }
    Ok(false)
}

async fn give_up(core: &Core, id: &str, why: &str) -> Result<(), Error> {
    let mut tx = core.db.begin().await?;
    store::not_delivered(&mut tx, id, why, Next::Never, core.clock.now()).await?;
    tx.commit().await
}

/// Notes what became of a mail that was not handed on, and tells the operator what needs a person.
async fn not_delivered(core: &Core, entry: &Entry, error: &Undelivered) -> Result<(), Error> {
    let (id, to, now) = (&entry.message.id, &entry.message.to, core.clock.now());
    tracing::warn!(message.id = %id, "Mail {id} was not delivered: {error}");
    let mut tx = core.db.begin().await?;
    let mut news = None;
    let next = match error {
        Undelivered::Later(_) => match delay_after(entry.attempts) {
            Some(delay) => Next::Again(now + delay, None),
            None => {
                news = Some((format!("undelivered {id}"), format!("A mail to {to} could not be delivered")));
                Next::Never
            }
        },
        Undelivered::Bounced { answer } => {
            let since = bounces::store::note(&mut tx, to, answer, now).await?;
            news = Some((format!("bounces {to} {}", since.as_millisecond()), format!("Mail to {to} bounces")));
            after_bounce(entry, now)
        }
        Undelivered::MailRefused { .. } => {
            news = Some((format!("undelivered {id}"), format!("A mail to {to} was refused")));
            Next::Never
        }
        Undelivered::WeAreRefused(_) => {
            store::hold_all(&mut tx, &error.to_string(), now, now + REFUSED_DELAY).await?;
            Next::Again(now + REFUSED_DELAY, Some(Obstacle::Server))
        }
    };
    store::not_delivered(&mut tx, id, &error.to_string(), next, now).await?;
    // What does not reach the operator is not written about to the operator.
    if let Some((key, what)) = news.filter(|_| *to != core.settings.operator) {
        let why = format!("{error}. The mail is kept: `spinoff mail retry {id}` sends it once more.");
        alerts::raise(&mut tx, core, Kind::MailUndelivered, &key, &what, &why, "/admin").await?;
    }
    tx.commit().await
}

fn after_bounce(entry: &Entry, now: Timestamp) -> Next {
    if entry.useless_at.is_some() || entry.at + BOUNCING_FOR < now {
        return Next::Never;
    }
    Next::Again(now + bounces::REST, Some(Obstacle::Address))
}

fn delay_after(attempts: u32) -> Option<SignedDuration> {
    if attempts + 1 >= MOST_ATTEMPTS {
        return None;
    }
    let doubled = FIRST_DELAY.as_millis().saturating_mul(1_i128 << attempts.min(20));
    let millis = i64::try_from(doubled.min(LONGEST_DELAY.as_millis())).unwrap_or(i64::MAX);
    Some(SignedDuration::from_millis(millis))
}
