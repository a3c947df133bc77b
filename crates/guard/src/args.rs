use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use secrecy::SecretString;

/// The guard's options, each also an environment variable.
#[derive(Clone, Debug, Parser)]
#[command(about = "Lets members of one instance through to its application, and nobody else")]
pub struct Args {
    /// Where to listen; `inherited` takes the listening socket on standard input
    /// [default: 0.0.0.0:$PORT, else 127.0.0.1:8080]
    #[arg(long, env = "GUARD_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// Where the application listens
    #[arg(long, env = "GUARD_UPSTREAM", value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub upstream: String,

    /// Whose assertions are believed, as in their `iss`
    #[arg(long, env = "GUARD_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,

    /// Audience an assertion must name; repeatable [also: CLOUDFLARE_AUDIENCE]
    #[arg(long, env = "GUARD_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',')]
    pub audience: Vec<String>,

    /// Where the issuer's keys are [default: <issuer>/cdn-cgi/access/certs]
    #[arg(long, env = "GUARD_CERTS_URL", value_name = "URL")]
    pub certs_url: Option<String>,

    /// Certificate authority (PEM file) to trust for the issuer and the main instance as well
    #[arg(long, env = "GUARD_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// File of members, one e-mail address or @domain a line, reread on change
    #[arg(long, env = "GUARD_MEMBERS", value_name = "FILE")]
    pub members: Option<PathBuf>,

    /// Common name of a service token that may enter; repeatable
    #[arg(long, env = "GUARD_SERVICE_TOKENS", value_name = "NAME", value_delimiter = ',')]
    pub service_token: Vec<String>,

    /// User who may enter with a password when nobody can sign in [with --emergency-password-hash]
    #[arg(long, env = "GUARD_EMERGENCY_USER", value_name = "NAME")]
    pub emergency_user: Option<String>,

    /// That user's password as an Argon2id hash; `hash-password` makes one
    #[arg(long, env = "GUARD_EMERGENCY_PASSWORD_HASH", value_name = "PHC", hide_env_values = true)]
    pub emergency_password_hash: Option<SecretString>,

    /// File that holds that hash
    #[arg(long, env = "GUARD_EMERGENCY_PASSWORD_HASH_FILE", value_name = "FILE")]
    pub emergency_password_hash_file: Option<PathBuf>,

    /// Path that needs no identity, matched exactly; repeatable
    #[arg(long, env = "GUARD_PUBLIC_PATHS", value_name = "PATH", value_delimiter = ',')]
    pub public_path: Vec<String>,

    /// Port on this machine's loopback where the app that the application makes listens; each hour in
    /// which it does is billed [default: 3000, with --app-host or --app-prefix]
    #[arg(long, env = "GUARD_APP_PORT", value_name = "PORT")]
    pub app_port: Option<u16>,

    /// Hostname that leads to that app instead of the application; the safe way to show it
    #[arg(long, env = "GUARD_APP_HOST", value_name = "HOSTNAME")]
    pub app_host: Option<String>,

    /// Paths that lead to that app, such as /yourapp/; it then shares an origin with the application,
    /// so its scripts can do whatever the visitor can do there: prefer --app-host
    #[arg(long, env = "GUARD_APP_PREFIX", value_name = "PATH")]
    pub app_prefix: Option<String>,

    /// Rules about what counts as use of this application (TOML, docs/activity.md); they come before
    /// the built-in ones
    #[arg(long, env = "GUARD_ACTIVITY_RULES", value_name = "FILE")]
    pub activity_rules: Option<PathBuf>,

    /// Loopback address at which the application reports use itself, at /-/activity
    /// [default: that of --listen]
    #[arg(long, env = "GUARD_ACTIVITY_LISTEN", value_name = "ADDRESS:PORT")]
    pub activity_listen: Option<SocketAddr>,

    /// Main instance to report use to and to take signed member lists from
    #[arg(long, env = "GUARD_MAIN_URL", value_name = "URL")]
    pub main_url: Option<String>,

    /// Token of this instance at the main instance
    #[arg(long, env = "GUARD_INSTANCE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub instance_token: Option<SecretString>,

    /// File that holds the token of this instance
    #[arg(long, env = "GUARD_INSTANCE_TOKEN_FILE", value_name = "FILE")]
    pub instance_token_file: Option<PathBuf>,

    /// Unix socket through which the issuer and the main instance are reached
    #[arg(long, env = "GUARD_MAIN_SOCKET", value_name = "PATH")]
    pub main_socket: Option<PathBuf>,

    /// Key that signs member lists (Ed25519, base64url)
    #[arg(long, env = "GUARD_MAIN_KEY", value_name = "KEY")]
    pub main_key: Option<String>,

    /// Id of this instance, which signed member lists must name
    #[arg(long, env = "GUARD_INSTANCE", value_name = "ID")]
    pub instance: Option<String>,

    /// Folder for keys, members and use, kept over restarts [default: a temporary one]
    #[arg(long, env = "GUARD_STATE", value_name = "FOLDER")]
    pub state: Option<PathBuf>,

    /// Loopback address at which the application finds its way out [with --egress-socket]
    #[arg(long, env = "GUARD_EGRESS_LISTEN", value_name = "ADDRESS:PORT")]
    pub egress_listen: Option<SocketAddr>,

    /// Unix socket of the proxy that judges and carries what the application sends out
    #[arg(long, env = "GUARD_EGRESS_SOCKET", value_name = "PATH")]
    pub egress_socket: Option<PathBuf>,

    /// Where figures for Prometheus are served, at /metrics; an address that visitors can't reach
    #[arg(long, env = "GUARD_METRICS", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,

    /// Path of the application that answers below 500 when it is well
    #[arg(long, env = "GUARD_APP_HEALTH", value_name = "PATH", default_value = "/")]
    pub app_health: String,

    /// Application to start and to watch
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
