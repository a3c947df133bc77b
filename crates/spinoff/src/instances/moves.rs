use api::{Instance, NewMove};
use domain::{HomeName, MoveState};

use crate::confirm::yes;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};
use crate::when::moment;

/// Which instance to move, and to where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A home is a region or a compute driver that the settings name: [compute.homes.<name>]; `default` is
always there. Everything that the instance keeps is carried there and tried first. Then it is closed for some minutes, while
what was written until then follows, and its address leads there. Its address, members, hours and bill stay the same, and
its customer is told by mail before and after. If anything fails, it is where it was, and nothing is left in the other home.

The place that it left is kept, at rest, until its customer confirms in the portal or you do with
`spinoff instances confirm-move`. Until then `spinoff instances move-back` takes it back, with everything written since.

Exit codes: 0 it lives there, 1 failed and was undone, 3 no such instance, 4 not confirmed or refused, 5 not there in time.

Examples:
  spinoff instances move acme --to frankfurt --yes
  spinoff instances move acme --to default --yes --json"
)]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// The home that it shall live in
    #[arg(long, value_name = "HOME")]
    to: HomeName,

    /// Say that you mean it
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    patience: Patience,
}

/// Which move is right.
#[derive(Debug, clap::Args)]
#[command(after_help = "The place that the instance left is removed, with everything in it. That can't be taken back.

Exit codes: 0 it is removed, 1 failed, 3 no such instance, 4 not confirmed or refused, 5 not done in time.

Examples:
  spinoff instances confirm-move acme --yes")]
pub struct Confirm {
    /// Id, project name or subdomain
    instance: String,

    /// Say that you mean it
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    patience: Patience,
}

/// Which move to take back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The instance moves back to the place that it left, with everything that was written since, and is
closed for some minutes. The place that it comes from is removed. If anything fails, it stays where it is.

Exit codes: 0 it is back, 1 failed and was undone, 3 no such instance, 4 refused, 5 not back in time.

Examples:
  spinoff instances move-back acme"
)]
pub struct Back {
    /// Id, project name or subdomain
    instance: String,

    #[command(flatten)]
    patience: Patience,
}

/// Moves an instance to another home.
pub async fn there(context: &Context, args: Args) -> Result<(), Failure> {
    let Args { instance, to, yes: said, patience } = args;
    let what = || format!("can't move {instance}");
    let client = context.client()?;
    let found = client.instance(&instance).await.doing(what)?;
    let name = found.subdomain;
    context
        .output
        .note(format!("{name} is closed for some minutes while it moves to {to}; its customer is told by mail."));
    yes(said, &format!("{name} was not moved"))?;
    let wanted = NewMove { home: to.clone(), confirm: name.to_string() };
    let accepted = client.move_instance(&found.id.to_string(), &wanted).await.doing(what)?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{name} moves to {to}; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{name} was not moved");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    let words = format!(
        "{name} lives in {to}; the place that it left is kept until `spinoff instances confirm-move {name}` or \
         `spinoff instances move-back {name}`"
    );
    context.output.report(&workflow, words)
}

/// Removes the place that an instance left.
pub async fn confirm(context: &Context, args: Confirm) -> Result<(), Failure> {
    let Confirm { instance, yes: said, patience } = args;
    let what = || format!("can't confirm the move of {instance}");
    let client = context.client()?;
    context.output.note(format!("The place that {instance} left is removed, with everything in it."));
    yes(said, &format!("the move of {instance} was not confirmed"))?;
    let accepted = client.confirm_move(&instance).await.doing(what)?;
    if patience.no_wait {
        let words = format!("it is being removed; follow it with `spinoff workflows show {}`", accepted.workflow_id);
        return context.output.report(&accepted, words);
    }
    let failed = format!("the place that {instance} left was not removed");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    context.output.report(&workflow, format!("the place that {instance} left is removed"))
}

/// Takes a move back.
pub async fn back(context: &Context, args: Back) -> Result<(), Failure> {
    let Back { instance, patience } = args;
    let client = context.client()?;
    let accepted = client.move_back(&instance).await.doing(|| format!("can't move {instance} back"))?;
    if patience.no_wait {
        let words = format!("{instance} moves back; follow it with `spinoff workflows show {}`", accepted.workflow_id);
        return context.output.report(&accepted, words);
    }
    let failed = format!("{instance} was not moved back");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    context.output.report(&workflow, format!("{instance} is back where it was"))
}

/// Where an instance lives and how its move stands, for whoever is shown it.
pub fn rows(instance: &Instance) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    rows.extend(instance.home.as_ref().map(|home| ("home", format!("{} ({})", home.name, home.label))));
    rows.extend(instance.last_move.as_ref().map(|last| {
        let (from, to, since) = (&last.from, &last.to, moment(last.changed_at));
        let words = match last.state {
            MoveState::Moving => format!("from {from} to {to}, under way since {since}"),
            MoveState::Kept => {
                format!("from {from} to {to}, to be confirmed since {since}; `spinoff instances confirm-move`, or `move-back`")
            }
            MoveState::Settling => format!("from {from} to {to}; what it left is being removed since {since}"),
            MoveState::Returning => format!("back from {to} to {from}, under way since {since}"),
            MoveState::Settled => format!("from {from} to {to}, confirmed, over since {since}"),
            MoveState::Returned => format!("from {from} to {to}; it is where it was since {since}"),
        };
        let why = last.why.as_ref().map(|why| format!(": {why}"));
        ("last move", format!("{words}{}", why.unwrap_or_default()))
    }));
    rows
}
