use std::io::Read as _;
use std::path::{Path, PathBuf};

use api::{Access, AccessApplication, IdentityProvider, NewAccess, OidcClient};
use secrecy::{ExposeSecret as _, SecretString};

use super::file_failure;
use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};
use crate::follow::{Patience, follow};

/// A path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// What can be done about the application before an instance.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show whether the shared application or its own stands before an instance
    #[command(after_help = "Examples:
  spinoff instances access show acme
  spinoff instances access show acme --json | jq -r .application")]
    Show {
        /// Id, project name or subdomain
        instance: String,
    },
    /// Give an instance an application of its own, with its customer's identity provider
    Own(Own),
    /// Let the shared application stand before an instance again, and remove its own
    Shared(Shared),
}

/// Which instance gets which identity provider.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Members sign in at that identity provider from then on; who is a member is decided by the list of
members, as before. At each moment of the change members get in and nobody else does; whoever is signed in signs in
once more. It takes two of the 500 applications that an account at Cloudflare may have.

The secret of an OpenID Connect client is read from a file, or from standard input when the file is -. The redirect
address to register there is https://TEAM.cloudflareaccess.com/cdn-cgi/access/callback.

Exit codes: 0 its own stands before it, 1 failed and was undone, 3 no such instance, 4 refused, 5 not there in time.

Examples:
  spinoff instances access own acme --identity-provider \"Acme Okta\"
  spinoff instances access own acme --issuer https://login.acme.example --client-id spinoff --client-secret-file secret
  pass acme/oidc | spinoff instances access own acme --issuer https://login.acme.example --client-id spinoff \\
      --client-secret-file -"
)]
pub struct Own {
    /// Id, project name or subdomain
    instance: String,

    /// Name or id of an identity provider that Cloudflare knows already
    #[arg(long, value_name = "NAME", required_unless_present = "issuer", conflicts_with = "issuer")]
    identity_provider: Option<String>,

    /// Address of one that speaks OpenID Connect; it is made at Cloudflare for this instance
    #[arg(long, value_name = "URL", requires = "client_id", requires = "client_secret_file")]
    issuer: Option<String>,

    /// As whom Cloudflare asks it
    #[arg(long, value_name = "ID", requires = "issuer")]
    client_id: Option<String>,

    /// File with the client's secret, - for standard input
    #[arg(long, value_name = "FILE", requires = "issuer")]
    client_secret_file: Option<PathBuf>,

    #[command(flatten)]
    patience: Patience,
}

/// Which instance goes back to the shared application.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Its own application, and the identity provider if it was made for it, are removed at Cloudflare.

Exit codes: 0 the shared one stands before it, 1 failed, 3 no such instance, 4 refused, 5 not there in time.

Examples:
  spinoff instances access shared acme
  spinoff instances access shared acme --no-wait --json | jq -r .workflow_id"
)]
pub struct Shared {
    /// Id, project name or subdomain
    instance: String,

    #[command(flatten)]
    patience: Patience,
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { instance } => show(context, &instance).await,
        Command::Own(args) => own(context, args).await,
        Command::Shared(args) => shared(context, args).await,
    }
}

/// What stands before an instance.
pub fn in_words(access: &Access) -> String {
    let provider = access.identity_provider.as_ref().map(|name| format!(", with {name}"));
    let changes = if access.changing { " (it changes just now)" } else { "" };
    format!("{} application{}{changes}", access.application.as_str(), provider.unwrap_or_default())
}

async fn show(context: &Context, instance: &str) -> Result<(), Failure> {
    let what = || format!("can't show what stands before {instance}");
    let found = context.client()?.instance(instance).await.doing(what)?;
    let Some(access) = found.access else {
        let why = "all instances are entered in the same way here, or this one is over";
        return Err(Failure::new(Exit::NotFound, what(), why));
    };
    context.output.show(&access, || {
        let whose = match access.application {
            AccessApplication::Own => "The application before it is its own.",
            AccessApplication::Shared => "The application before it is the one that all share.",
        };
        format!("{}\n{whose}\n", in_words(&access))
    })
}

async fn own(context: &Context, args: Own) -> Result<(), Failure> {
    let Own { instance, identity_provider, issuer, client_id, client_secret_file, patience } = args;
    let what = || format!("can't give {instance} an application of its own");
    let wanted = match (identity_provider, issuer, client_id, client_secret_file) {
        (Some(name), ..) => IdentityProvider::Existing(name),
        (None, Some(issuer), Some(client_id), Some(file)) => {
            IdentityProvider::Oidc(OidcClient { issuer, client_id, client_secret: secret(&file)? })
        }
        _ => return Err(Failure::new(Exit::Usage, what(), "name an identity provider, or its issuer and client")),
    };
    let client = context.client()?;
    let new = NewAccess { identity_provider: wanted };
    let accepted = client.give_own_access(&instance, &new).await.doing(what)?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{instance} gets its own application; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{instance} did not get its own application");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    context.output.report(&workflow, format!("{instance} has its own application"))
}

async fn shared(context: &Context, args: Shared) -> Result<(), Failure> {
    let Shared { instance, patience } = args;
    let client = context.client()?;
    let accepted = client
        .give_shared_access(&instance)
        .await
        .doing(|| format!("can't give {instance} the shared application back"))?;
    if patience.no_wait {
        let id = accepted.workflow_id;
        let words = format!("{instance} goes back to the shared one; follow it with `spinoff workflows show {id}`");
        return context.output.report(&accepted, words);
    }
    let failed = format!("{instance} did not get the shared application back");
    let workflow = follow(&client, context.output, accepted.workflow_id, &failed, &patience).await?;
    context.output.report(&workflow, format!("the shared application stands before {instance}"))
}

fn secret(file: &Path) -> Result<SecretString, Failure> {
    let what = || "can't read the client's secret".to_owned();
    let mut text = String::new();
    let read = if file == Path::new(STANDARD_INPUT) {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|cause| file_failure(&what(), file, &cause))?;
    let secret = SecretString::from(text.trim());
    if secret.expose_secret().is_empty() {
        return Err(Failure::new(Exit::Usage, what(), format!("{} is empty", file.display())));
    }
    Ok(secret)
}
