use api::{IsolationRound, NewIsolationRound};

use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};
use crate::output::{or_dash, pairs, table};

/// What can be proven.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Try to get into every instance with the identity of every other one
    Isolation(Isolation),
}

/// Whose walls are tried.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With a test identity of each instance it is tried to enter all the others, through their hostnames and
straight at their guards, and with sign-ins that are expired, forged, unsigned or made out for somewhere else. Only a
refusal that edge or guard signed counts. What sleeps or does not answer is not tried, and says so. Above 100
instances a round tries a sample of all pairs. It is also done by itself, every hour.

Exit codes: 0 all that was tried was refused, 1 nothing could be proven, 3 no such instance, 4 somebody got in, 5 not
over in time.

Examples:
  spinoff verify isolation
  spinoff verify isolation --instance acme
  spinoff verify isolation --json | jq '{attempts, refused, admitted, not_tried}'"
)]
pub struct Isolation {
    /// Try to get into this one only: id, project name or subdomain
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,

    /// Wait at most so many seconds; the work goes on all the same
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Isolation(args) => isolation(context, args).await,
    }
}

async fn isolation(context: &Context, args: Isolation) -> Result<(), Failure> {
    let Isolation { instance, timeout } = args;
    let client = context.client()?;
    let what = || "can't try the walls between instances".to_owned();
    let accepted = client.prove_isolation(&NewIsolationRound { instance }).await.doing(what)?;
    let id = accepted.workflow_id;
    let failed = "the walls were not tried to the end";
    follow(&client, context.output, id, failed, &Patience { no_wait: false, timeout }).await?;
    let round = client.isolation_round(&id.to_string()).await.doing(what)?;
    context.output.show(&round, || in_words(&round))?;
    judge(&round)
}

fn judge(round: &IsolationRound) -> Result<(), Failure> {
    if round.admitted > 0 {
        let why = round.entrances.first().cloned().unwrap_or_default();
        let next = "close the instance with `spinoff suspend` until it is known why";
        return Err(Failure::new(Exit::Refused, format!("{} got in", round.admitted), why).next(next));
    }
    if round.proven == 0 {
        let most = round.not_tried_because.iter().max_by_key(|left| left.attempts);
        let why = most.map_or_else(|| "no instance is open".to_owned(), |left| left.words.clone());
        return Err(Failure::new(Exit::Failed, "nothing was proven", why)
            .next("see to it that the instances run, then try again"));
    }
    Ok(())
}

fn in_words(round: &IsolationRound) -> String {
    let tried = round.places.len();
    let mut facts = vec![
        ("proven", format!("{} of {tried}", round.proven)),
        ("refused", format!("{} ({} by the edge)", round.refused, round.refused_by_edge)),
        ("got in", round.admitted.to_string()),
        ("not tried", round.not_tried.to_string()),
    ];
    facts.extend(round.not_tried_because.iter().map(|left| ("", format!("{}: {}", left.attempts, left.words))));
    facts.extend(round.limits.iter().map(|limit| ("note", limit.clone())));
    facts.extend(round.entrances.iter().map(|entrance| ("GOT IN", entrance.clone())));
    let row = |place: &api::IsolationPlace| {
        let why = Some(&place.why).filter(|why| !why.is_empty());
        [place.hostname.clone(), place.standing.clone(), place.refused.to_string(), or_dash(why)]
    };
    let places = table(&["INSTANCE", "STANDING", "REFUSED", "WHY NOT"], round.places.iter().map(row));
    format!("{}\n{places}", pairs(&facts))
}
