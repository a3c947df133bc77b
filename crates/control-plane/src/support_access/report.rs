//! The log of support's access to one instance, for pages.

use domain::InstanceId;
use jiff::Timestamp;
use pages::SupportRow;

use super::hours::{self, Entered};
use super::{Standing, SupportAccess, in_words, store};
use crate::app::Core;
use crate::error::AppError;

/// What was asked for and given, newest first.
pub(crate) async fn rows(core: &Core, instance: InstanceId) -> Result<Vec<SupportRow>, AppError> {
    let mut rows = Vec::new();
    for access in store::of_instance(&core.db, instance).await? {
        let entered = hours::entered(core, &access).await?;
        rows.push(SupportRow {
            at: began(&access),
            what: what(&access),
            hours: entered.iter().map(hour_in_words).collect(),
        });
    }
    Ok(rows)
}

/// What became of it, in one sentence after the other.
fn what(access: &SupportAccess) -> Vec<String> {
    let mut what = Vec::new();
    if let Some(asked) = &access.asked {
        what.push(format!("{} asked: {}", asked.by, asked.reason));
    }
    if let Some(leave) = access.leave() {
        let (by, until) = (&leave.by, moment(leave.until));
        what.push(format!("{by} let support in until {until}, {}.", in_words(leave.may_change)));
    }
    match &access.state {
        Standing::Declined { by, at } => what.push(format!("{by} declined on {}.", moment(*at))),
        Standing::Ended { by, at, .. } if by == super::TIME => {
            what.push(format!("It ended by itself on {}.", moment(*at)))
        }
        Standing::Ended { by, at, .. } => what.push(format!("{by} ended it on {}.", moment(*at))),
        Standing::Asked | Standing::Given(_) => {}
    }
    what
}

fn began(access: &SupportAccess) -> Timestamp {
    let given = access.leave().map(|leave| leave.at);
    let asked = access.asked.as_ref().map(|asked| asked.at);
    asked.or(given).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn hour_in_words(entered: &Entered) -> String {
    let hour = entered.hour.start().strftime("%-d %B %Y, %H:00 UTC");
    let alone = if entered.is_alone { "no member was active" } else { "members were active too" };
    format!("{} in the hour of {hour}; {alone}", entered.who.join(", "))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}
