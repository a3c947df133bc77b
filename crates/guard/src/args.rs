use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use secrecy::SecretString;

const TRAFFIC: &str = "Traffic";
const ENTRY: &str = "Who may enter";
const APP: &str = "The app that the application makes";
const USE: &str = "What counts as use";
const EMERGENCY: &str = "Emergency";
const MAIN: &str = "The main instance: takes reports of use, gives a signed member list";
const WATCHING: &str = "Watching and keeping";
const ONE_MACHINE: &str = "One machine: as `spinoff up` starts its guards";

/// Who may open the app's hostname to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AppSharing {
    /// Nobody.
    #[default]
    Never,
    /// The application.
    Application,
}

/// The guard's options, each also an environment variable.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// Where to listen; `inherited` takes the listening socket on standard input
    /// [default: 0.0.0.0:$PORT, else 127.0.0.1:8080]
    #[arg(long, env = "GUARD_LISTEN", value_name = "ADDRESS", help_heading = TRAFFIC)]
    pub listen: Option<String>,

    /// Where the application listens
    #[arg(
        long,
        env = "GUARD_UPSTREAM",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000",
        help_heading = TRAFFIC,
    )]
    pub upstream: String,

    /// Required. Whose assertions are believed, byte by byte as in their `iss`, such as
    /// https://<team>.cloudflareaccess.com
    #[arg(long, env = "GUARD_ISSUER", value_name = "URL", help_heading = ENTRY)]
    pub issuer: Option<String>,

    /// Required. Audience that an assertion must name: the tag of the Access application before this
    /// hostname; several with commas [also: CLOUDFLARE_AUDIENCE]
    #[arg(long, env = "GUARD_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',', help_heading = ENTRY)]
    pub audience: Vec<String>,

    /// Audience of assertions that open the app's hostname and nothing else, while those of --audience
    /// open everything but that; several with commas [with --app-host; default: each opens both]
    #[arg(long, env = "GUARD_APP_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',', help_heading = APP)]
    pub app_audience: Vec<String>,

    /// Where the issuer's keys are [default: <issuer>/cdn-cgi/access/certs]
    #[arg(long, env = "GUARD_CERTS_URL", value_name = "URL", help_heading = ENTRY)]
    pub certs_url: Option<String>,

    /// Certificate authority (PEM file) to trust for the issuer and the main instance as well
    #[arg(long, env = "GUARD_CA_FILE", value_name = "FILE", help_heading = ENTRY)]
    pub ca_file: Option<PathBuf>,

    /// File of members, one e-mail address or @domain a line, reread on change [default: no person
    /// enters, unless a signed list says so]
    #[arg(long, env = "GUARD_MEMBERS", value_name = "FILE", help_heading = ENTRY)]
    pub members: Option<PathBuf>,

    /// Common name of a service token that may enter; several with commas [default: none]
    #[arg(long, env = "GUARD_SERVICE_TOKENS", value_name = "NAME", value_delimiter = ',', help_heading = ENTRY)]
    pub service_token: Vec<String>,

    /// User who may enter with a password when nobody can sign in [with --emergency-password-hash]
    #[arg(long, env = "GUARD_EMERGENCY_USER", value_name = "NAME", help_heading = EMERGENCY)]
    pub emergency_user: Option<String>,

    /// That user's password as an Argon2id hash; `hash-password` makes one
    #[arg(
        long,
        env = "GUARD_EMERGENCY_PASSWORD_HASH",
        value_name = "PHC",
        hide_env_values = true,
        help_heading = EMERGENCY,
    )]
    pub emergency_password_hash: Option<SecretString>,

    /// File that holds that hash
    #[arg(long, env = "GUARD_EMERGENCY_PASSWORD_HASH_FILE", value_name = "FILE", help_heading = EMERGENCY)]
    pub emergency_password_hash_file: Option<PathBuf>,

    /// Proxy before the guard, as a network or an address, that is believed about where requests come
    /// from (X-Forwarded-For, X-Forwarded-Proto): name only addresses from which nobody else can
    /// connect; several with commas [default: those of this machine's loopback]
    #[arg(long, env = "GUARD_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',', help_heading = TRAFFIC)]
    pub trusted_proxy: Vec<String>,

    /// Spinoff's router calls the guard by a name of its own, and says in X-Spinoff-Host which host the
    /// visitor asked for; without a router leave it out
    #[arg(long, env = "GUARD_BEHIND_ROUTER", help_heading = TRAFFIC)]
    pub behind_router: bool,

    /// Path that needs no identity, matched byte for byte; several with commas [default: none]
    #[arg(long, env = "GUARD_PUBLIC_PATHS", value_name = "PATH", value_delimiter = ',', help_heading = ENTRY)]
    pub public_path: Vec<String>,

    /// Port on this machine's loopback where the app that the application makes listens; each hour in
    /// which it does is billed [default: 3000, with --app-host or --app-prefix]
    #[arg(long, env = "GUARD_APP_PORT", value_name = "PORT", help_heading = APP)]
    pub app_port: Option<u16>,

    /// Hostname that leads to that app instead of the application; the safe way to show it
    #[arg(long, env = "GUARD_APP_HOST", value_name = "HOSTNAME", help_heading = APP)]
    pub app_host: Option<String>,

    /// Paths that lead to that app, such as /yourapp/; it then shares an origin with the application,
    /// so its scripts can do whatever the visitor can do there: prefer --app-host
    #[arg(long, env = "GUARD_APP_PREFIX", value_name = "PATH", help_heading = APP)]
    pub app_prefix: Option<String>,

    /// Whether the app may be shown to everybody at its hostname: never, or when the application says so at
    /// /-/app/sharing of --activity-listen [with --app-host and --activity-listen]
    #[arg(long, env = "GUARD_APP_SHARING", value_name = "WHO", value_enum, default_value_t, help_heading = APP)]
    pub app_sharing: AppSharing,

    /// Rules about what counts as use of this application (TOML, docs/activity.md); they come before
    /// the built-in ones
    #[arg(long, env = "GUARD_ACTIVITY_RULES", value_name = "FILE", help_heading = USE)]
    pub activity_rules: Option<PathBuf>,

    /// The same rules themselves, for a place where there is no file to put them in
    #[arg(
        long,
        env = "GUARD_ACTIVITY_RULES_TEXT",
        value_name = "TOML",
        hide_env_values = true,
        conflicts_with = "activity_rules",
        help_heading = USE
    )]
    pub activity_rules_text: Option<String>,

    /// Loopback address at which the application reports use itself, at /-/activity
    /// [default: that of --listen]
    #[arg(long, env = "GUARD_ACTIVITY_LISTEN", value_name = "ADDRESS:PORT", help_heading = USE)]
    pub activity_listen: Option<SocketAddr>,

    /// Main instance to report use to and to take signed member lists from
    #[arg(long, env = "GUARD_MAIN_URL", value_name = "URL", help_heading = MAIN)]
    pub main_url: Option<String>,

    /// Token of this instance at the main instance
    #[arg(long, env = "GUARD_INSTANCE_TOKEN", value_name = "TOKEN", hide_env_values = true, help_heading = MAIN)]
    pub instance_token: Option<SecretString>,

    /// File that holds the token of this instance
    #[arg(long, env = "GUARD_INSTANCE_TOKEN_FILE", value_name = "FILE", help_heading = MAIN)]
    pub instance_token_file: Option<PathBuf>,

    /// Unix socket through which the issuer and the main instance are reached
    #[arg(long, env = "GUARD_MAIN_SOCKET", value_name = "PATH", help_heading = ONE_MACHINE)]
    pub main_socket: Option<PathBuf>,

    /// Key that signs member lists (Ed25519, base64url)
    #[arg(long, env = "GUARD_MAIN_KEY", value_name = "KEY", help_heading = MAIN)]
    pub main_key: Option<String>,

    /// Id of this instance, which signed member lists must name
    #[arg(long, env = "GUARD_INSTANCE", value_name = "ID", help_heading = MAIN)]
    pub instance: Option<String>,

    /// Lets the application ask the model that the main instance offers, at /-/model/v1 of the address at which it
    /// reports use [with --main-url; default: off]
    #[arg(long, env = "GUARD_MODEL", help_heading = MAIN)]
    pub model: bool,

    /// Folder in which the application keeps its data. The main instance, and nobody else, may then have it
    /// backed up, replaced and packed for download, and have the application rest meanwhile [with --main-url;
    /// default: none of that]
    #[arg(long, env = "GUARD_DATA", value_name = "FOLDER", help_heading = MAIN)]
    pub data: Option<PathBuf>,

    /// Begin with the application at rest, until the main instance wakes it or half an hour is over; once for
    /// each deployment [with --data]
    #[arg(long, env = "GUARD_RESTS", help_heading = MAIN)]
    pub rests: bool,

    /// Folder for keys, members and use, kept over restarts [default: a temporary one]
    #[arg(long, env = "GUARD_STATE", value_name = "FOLDER", help_heading = WATCHING)]
    pub state: Option<PathBuf>,

    /// Loopback address at which the application finds its way out [with --egress-socket]
    #[arg(long, env = "GUARD_EGRESS_LISTEN", value_name = "ADDRESS:PORT", help_heading = ONE_MACHINE)]
    pub egress_listen: Option<SocketAddr>,

    /// Unix socket of the proxy that judges and carries what the application sends out
    #[arg(long, env = "GUARD_EGRESS_SOCKET", value_name = "PATH", help_heading = ONE_MACHINE)]
    pub egress_socket: Option<PathBuf>,

    /// Where figures for Prometheus are served, at /metrics; an address that visitors can't reach
    #[arg(long, env = "GUARD_METRICS", value_name = "ADDRESS:PORT", help_heading = WATCHING)]
    pub metrics: Option<SocketAddr>,

    /// Path of the application that answers below 500 when it is well
    #[arg(long, env = "GUARD_APP_HEALTH", value_name = "PATH", default_value = "/", help_heading = WATCHING)]
    pub app_health: String,

    /// What this deployment is called; said in the health answer, so that whoever deployed it sees it arrive
    #[arg(long, env = "GUARD_RELEASE", value_name = "VERSION", help_heading = WATCHING)]
    pub release: Option<String>,

    /// What tells this deployment from the next one of the same release: a rest does not outlive it
    /// [also: RAILWAY_DEPLOYMENT_ID; default: that of --release]
    #[arg(long, env = "GUARD_DEPLOYMENT", value_name = "ID", help_heading = WATCHING)]
    pub deployment: Option<String>,

    /// Application to start and to watch
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
