use api::{Backup, BackupFilter, BackupProof, Client, NewBackup, RestoreBackup};
use clap::Subcommand;
use domain::BackupId;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::follow::{Patience, follow};
use crate::output::{or_dash, pairs, table};
use crate::when::moment;

/// What can be done about backups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List backups, newest first
    #[command(after_help = "Exit codes: 0 done, 1 failed, 3 no such instance.

Examples:
  spinoff backups list
  spinoff backups list --instance acme --json | jq -r '.data[0].id'")]
    List {
        /// Only those of this instance: id, project name or subdomain
        #[arg(long, value_name = "INSTANCE")]
        instance: Option<String>,
    },
    /// Show one backup
    #[command(after_help = "Exit codes: 0 done, 1 failed, 3 no such backup.

Examples:
  spinoff backups show bak_01kb8r1n3m0000000000000000
  spinoff backups show bak_01kb8r1n3m0000000000000000 --json | jq -r .sha256")]
    Show {
        /// Its id, as `spinoff backups list` shows it
        backup: BackupId,
    },
    /// Back an instance up now
    #[command(after_help = "The application rests for a moment meanwhile, so that the backup is whole.

Exit codes: 0 it is kept, 1 failed, 3 no such instance, 4 refused, 5 not done in time.

Examples:
  spinoff backups create acme
  spinoff backups create acme --no-wait --json")]
    Create {
        /// Id, project name or subdomain
        instance: String,
        #[command(flatten)]
        patience: Patience,
    },
    /// Restore a backup for a test, and see whether it answers
    #[command(
        after_help = "It is restored into a project made for that alone, without a public hostname and without a way out, which
has to answer and is removed again. The instance itself is left alone. Each night this happens to as many as
[backups] proofs_a_night says.

Exit codes: 0 it answered, 1 it did not, 3 no such backup, 4 refused, 5 not done in time.

Examples:
  spinoff backups verify bak_01kb8r1n3m0000000000000000
  spinoff backups verify bak_01kb8r1n3m0000000000000000 --json | jq -r .state"
    )]
    Verify {
        /// Its id, as `spinoff backups list` shows it
        backup: BackupId,
        #[command(flatten)]
        patience: Patience,
    },
    /// List which backups were restored for a test, and what came of it
    #[command(after_help = "Exit codes: 0 done, 1 failed.

Examples:
  spinoff backups proofs
  spinoff backups proofs --json | jq -r '.data[] | select(.proven == false) | .why_not'")]
    Proofs,
    /// Put a backup in place of what its instance keeps
    #[command(
        after_help = "What the instance keeps until then is backed up first: restore that one, and all is as before. If the
instance does not answer afterwards, it goes back by itself.

On a terminal you are asked to type the subdomain; scripts give it with --confirm.

Exit codes: 0 it is restored and answers, 1 failed and undone, 3 no such backup, 4 not confirmed or refused, 5 not done
in time.

Examples:
  spinoff backups restore bak_01kb8r1n3m0000000000000000
  spinoff backups restore bak_01kb8r1n3m0000000000000000 --confirm acme --json"
    )]
    Restore {
        /// Its id, as `spinoff backups list` shows it
        backup: BackupId,
        /// The instance's subdomain, to say that you mean it
        #[arg(long, value_name = "SUBDOMAIN")]
        confirm: Option<String>,
        #[command(flatten)]
        patience: Patience,
    },
}

/// Does what was asked.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { instance } => {
            let filter = BackupFilter { instance };
            let all = Client::every(async |paging| client.backups(&filter, &paging).await).await;
            let all = all.doing(|| "can't list backups".to_owned())?;
            context.output.show(&all, || {
                table(
                    &["BACKUP", "INSTANCE", "TAKEN", "WHY", "STATE", "FILES", "BYTES", "KEPT UNTIL", "PROVEN"],
                    all.data.iter().map(row),
                )
            })
        }
        Command::Show { backup } => {
            let found = client.backup(&backup.to_string()).await.doing(|| format!("can't show {backup}"))?;
            context.output.show(&found, || in_words(&found))
        }
        Command::Create { instance, patience } => create(context, &client, &instance, &patience).await,
        Command::Verify { backup, patience } => verify(context, &client, backup, &patience).await,
        Command::Proofs => {
            let all = Client::every(async |paging| client.backup_proofs(&paging).await).await;
            let all = all.doing(|| "can't list proofs".to_owned())?;
            context.output.show(&all, || {
                table(&["BACKUP", "INSTANCE", "BEGUN", "ENDED", "ANSWERED", "WHY NOT"], all.data.iter().map(proof_row))
            })
        }
        Command::Restore { backup, confirm, patience } => restore(context, &client, backup, confirm, &patience).await,
    }
}

async fn create(context: &Context, client: &Client, instance: &str, patience: &Patience) -> Result<(), Failure> {
    let what = || format!("can't back up {instance}");
    let accepted = client.create_backup(&NewBackup { instance: instance.to_owned() }).await.doing(what)?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{instance} is being backed up; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{instance} was not backed up");
    follow(client, context.output, accepted.workflow_id, &failed, patience).await?;
    let filter = BackupFilter { instance: Some(instance.to_owned()) };
    let paging = api::Paging { limit: Some(1), ..api::Paging::default() };
    let newest = client.backups(&filter, &paging).await.doing(what)?.data.into_iter().next();
    let words = newest.as_ref().map_or_else(
        || format!("{instance} is backed up"),
        |backup| format!("{instance} is backed up as {}", backup.id),
    );
    context.output.report(&newest, words)
}

async fn verify(context: &Context, client: &Client, backup: BackupId, patience: &Patience) -> Result<(), Failure> {
    let accepted = client.verify_backup(&backup.to_string()).await.doing(|| format!("can't verify {backup}"))?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{backup} is being restored for a test; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{backup} was not proven");
    let workflow = follow(client, context.output, accepted.workflow_id, &failed, patience).await?;
    context.output.report(&workflow, format!("{backup} was restored for a test, and answered"))
}

async fn restore(
    context: &Context,
    client: &Client,
    backup: BackupId,
    confirm: Option<String>,
    patience: &Patience,
) -> Result<(), Failure> {
    let what = || format!("can't restore {backup}");
    let found = client.backup(&backup.to_string()).await.doing(what)?;
    let subdomain = client.instance(&found.instance_id.to_string()).await.doing(what)?.subdomain;
    let asked = Asked {
        what: &format!(
            "{subdomain} gets back what it kept on {}; what it keeps now is backed up first",
            moment(found.begun_at)
        ),
        word: subdomain.as_str(),
        word_is: "its subdomain",
        not_done: &format!("{subdomain} was not restored"),
        purpose: "to replace what it keeps now",
    };
    asked.confirm(confirm)?;
    let confirmation = RestoreBackup { confirm: subdomain.to_string() };
    let accepted = client.restore_backup(&backup.to_string(), &confirmation).await.doing(what)?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{subdomain} is being restored; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{subdomain} was not restored");
    let workflow = follow(client, context.output, accepted.workflow_id, &failed, patience).await?;
    context.output.report(&workflow, format!("{subdomain} is restored; what it kept before is its newest backup"))
}

fn proof_row(proof: &BackupProof) -> [String; 6] {
    [
        proof.backup_id.to_string(),
        proof.instance_id.to_string(),
        moment(proof.begun_at),
        or_dash(proof.ended_at.map(moment)),
        or_dash(proof.proven.map(|proven| if proven { "yes" } else { "no" })),
        or_dash(proof.why_not.clone()),
    ]
}

fn row(backup: &Backup) -> [String; 9] {
    [
        backup.id.to_string(),
        backup.instance_id.to_string(),
        moment(backup.begun_at),
        backup.reason.in_words().to_owned(),
        backup.state.to_string(),
        or_dash(backup.files),
        or_dash(backup.bytes),
        or_dash(backup.expires_at.map(moment)),
        or_dash(backup.proven_at.map(moment)),
    ]
}

fn in_words(backup: &Backup) -> String {
    pairs(&[
        ("id", backup.id.to_string()),
        ("instance", backup.instance_id.to_string()),
        ("taken", moment(backup.begun_at)),
        ("why", backup.reason.in_words().to_owned()),
        ("state", backup.state.to_string()),
        ("version", backup.version.clone()),
        ("where", backup.place.clone()),
        ("files", or_dash(backup.files)),
        ("bytes of files", or_dash(backup.content_bytes)),
        ("left out", or_dash(backup.left_out)),
        ("bytes kept", or_dash(backup.bytes)),
        ("SHA-256", or_dash(backup.sha256.clone())),
        ("kept until", or_dash(backup.expires_at.map(moment))),
        ("proven", or_dash(backup.proven_at.map(moment))),
        ("restored", or_dash(backup.restored_at.map(moment))),
        ("trouble", or_dash(backup.trouble.clone())),
    ])
}
