use api::{ChangeUpdates, NewPin, PastUpdate, Updates};
use fleet::{Stage, Window};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::output::{or_dash, pairs, table};
use crate::when::{ago, end_of, moment};

/// Until when an instance stays at what it runs, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "No rollout touches it until then, for 180 days at most; then it is brought along by itself.

Exit codes: 0 it is pinned, 3 no such instance, 4 refused.

Examples:
  spinoff instances pin acme --until 2026-12-24 --because 'Their fair ends on the 23rd.'
  spinoff instances unpin acme")]
pub struct Pin {
    /// Id, project name or subdomain
    instance: String,
    /// The last day, in UTC
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = end_of)]
    until: Timestamp,
    /// Why, in one sentence
    #[arg(long, value_name = "SENTENCE")]
    because: String,
}

/// When updates of an instance may begin.
#[derive(Debug, clap::Args)]
#[command(after_help = "In UTC, and for at least two hours, so that an update that waits for its turn fits.

Exit codes: 0 it is agreed, 2 no such window, 3 no such instance, 4 refused.

Examples:
  spinoff instances window acme --days sat,sun --from 2 --hours 4
  spinoff instances window acme --none")]
pub struct WindowArgs {
    /// Id, project name or subdomain
    instance: String,
    /// The days on which it opens: mon, tue, wed, thu, fri, sat, sun
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = day, required_unless_present = "none")]
    days: Vec<Weekday>,
    /// The hour at which it opens, 0 to 23
    #[arg(long, value_name = "HOUR", required_unless_present = "none")]
    from: Option<u8>,
    /// For how many hours, 2 to 24
    #[arg(long, value_name = "N", required_unless_present = "none")]
    hours: Option<u8>,
    /// At any time
    #[arg(long, conflicts_with_all = ["days", "from", "hours"])]
    none: bool,
}

/// Until when updates are put off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "As customers can by themselves: for 7 days at most, counted from when the update was announced.

Exit codes: 0 it is agreed, 3 no such instance, 4 refused.

Examples:
  spinoff instances defer acme --days 3
  spinoff instances defer acme --none"
)]
pub struct Defer {
    /// Id, project name or subdomain
    instance: String,
    /// For so many days from now on
    #[arg(long, value_name = "N", required_unless_present = "none", value_parser = clap::value_parser!(u8).range(1..=7))]
    days: Option<u8>,
    /// No longer
    #[arg(long, conflicts_with = "days")]
    none: bool,
}

/// Shows what an instance runs, and what was agreed about its updates.
pub async fn show(context: &Context, instance: &str) -> Result<(), Failure> {
    let updates = context.client()?.updates(instance).await;
    let updates = updates.doing(|| format!("can't show the updates of {instance}"))?;
    context.output.show(&updates, || in_words(context, &updates))
}

/// Keeps an instance at what it runs.
pub async fn pin(context: &Context, args: Pin) -> Result<(), Failure> {
    let pin = NewPin { until: args.until, because: args.because };
    let words = format!("{} stays at what it runs until {}", args.instance, moment(pin.until));
    let change = ChangeUpdates { pin: Some(Some(pin)), ..ChangeUpdates::default() };
    agree(context, &args.instance, &change, words).await
}

/// Lets rollouts reach an instance again.
pub async fn unpin(context: &Context, instance: &str) -> Result<(), Failure> {
    let change = ChangeUpdates { pin: Some(None), ..ChangeUpdates::default() };
    agree(context, instance, &change, format!("{instance} is pinned no longer")).await
}

/// Says when updates of an instance may begin.
pub async fn window(context: &Context, args: WindowArgs) -> Result<(), Failure> {
    let instance = &args.instance;
    let window =
        match (args.from, args.hours) {
            (Some(from), Some(hours)) => {
                let window = Window::new(&args.days, from, hours);
                Some(window.map_err(|error| {
                    Failure::new(Exit::Usage, format!("no window was chosen for {instance}"), error)
                })?)
            }
            _ => None,
        };
    let words = match &window {
        Some(window) => format!("updates of {instance} begin {}", window_in_words(window)),
        None => format!("updates of {instance} begin at any time"),
    };
    let change = ChangeUpdates { window: Some(window), ..ChangeUpdates::default() };
    agree(context, instance, &change, words).await
}

/// Puts updates of an instance off.
pub async fn defer(context: &Context, args: Defer) -> Result<(), Failure> {
    let until = args.days.map(|days| context.clock.now() + SignedDuration::from_hours(24 * i64::from(days)));
    let words = match until {
        Some(until) => format!("updates of {} wait until {}", args.instance, moment(until)),
        None => format!("updates of {} are put off no longer", args.instance),
    };
    let change = ChangeUpdates { deferred_until: Some(until), ..ChangeUpdates::default() };
    agree(context, &args.instance, &change, words).await
}

/// Makes an instance one of a stage.
pub async fn stage(context: &Context, instance: &str, stage: Stage) -> Result<(), Failure> {
    let change = ChangeUpdates { stage: Some(stage), ..ChangeUpdates::default() };
    agree(context, instance, &change, format!("{instance} belongs to the stage {stage}")).await
}

async fn agree(context: &Context, instance: &str, change: &ChangeUpdates, words: String) -> Result<(), Failure> {
    let changed = context.client()?.change_updates(instance, change).await;
    let changed = changed.doing(|| format!("can't change what is agreed about updates of {instance}"))?;
    context.output.report(&changed, words)
}

fn in_words(context: &Context, updates: &Updates) -> String {
    let now = context.clock.now();
    let release = updates.release.as_ref();
    let waiting = updates.waiting.as_ref().map(|waiting| {
        let when = waiting.opens_at.filter(|_| waiting.state == fleet::UnitState::Waiting);
        let when = when.map_or_else(String::new, |at| format!(", not before {}", moment(at)));
        format!("{} is {} in {}{when}", waiting.version, waiting.state, waiting.rollout_id)
    });
    let mut rows = vec![
        ("runs", or_dash(release.map(|it| format!("{} since {}", it.version, moment(it.since))))),
        ("stage", updates.stage.to_string()),
        ("update", or_dash(waiting)),
        ("window", updates.window.as_ref().map_or_else(|| "at any time".to_owned(), window_in_words)),
    ];
    rows.extend(updates.deferred_until.map(|until| ("put off until", moment(until))));
    rows.extend(updates.pin.as_ref().map(|pin| ("pinned until", format!("{}: {}", moment(pin.until), pin.because))));
    let mut text = pairs(&rows);
    if !updates.recent.is_empty() {
        let row = |past: &PastUpdate| {
            let at = past.at.map(|at| ago(now, at));
            [past.version.to_string(), past.state.to_string(), or_dash(at), or_dash(past.why.as_ref())]
        };
        let recent = table(&["UPDATE TO", "HOW IT WENT", "WHEN", "WHY"], updates.recent.iter().map(row));
        text.push_str(&format!("\n{recent}"));
    }
    text
}

fn window_in_words(window: &Window) -> String {
    let days: Vec<&str> = window.days().iter().map(|day| word(*day)).collect();
    format!("{} from {:02}:00 UTC for {} hours", days.join(", "), window.from_hour(), window.hours())
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn word(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("", |(word, _)| word)
}

fn day(word: &str) -> Result<Weekday, String> {
    let found = DAYS.iter().find(|(known, _)| *known == word).map(|(_, day)| *day);
    found.ok_or_else(|| "choose of mon, tue, wed, thu, fri, sat and sun".to_owned())
}
