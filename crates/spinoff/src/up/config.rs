mod backups;
mod brand;
mod cloudflare;
mod compute;
mod drivers;
mod fitness;
mod health;
pub mod homes;
mod model;
mod railway;
mod secret;
mod site;
mod stripe;
mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use config::{Environment, File, FileFormat};
use control_plane::BillingSettings;
use domain::Plan;
use providers::Routing;
use secrecy::SecretString;
use serde::Deserialize;

use super::UpArgs;
use crate::context::Context;

pub use backups::Backups;
pub use brand::BrandSettings;
pub use cloudflare::Cloudflare;
pub use compute::Compute;
pub use drivers::{ComputeDriver, EdgeDriver, MailDriver, PaymentsDriver, StorageDriver};
pub use fitness::host_of;
pub use health::{Alerts, Health, Status};
pub use model::Model;
pub use railway::Railway;
pub use secret::{Secrets, secret};
pub use site::{Site, is_local};
pub use stripe::Stripe;
pub use support::Support;

/// What the operator decided: `spinoff.toml`, overridden by the environment, overridden by options.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Config {
    pub site: Site,
    pub brand: BrandSettings,
    pub store: Store,
    pub compute: Compute,
    pub edge: Edge,
    pub payments: Payments,
    pub mail: Mail,
    pub backups: Backups,
    pub instances: Instances,
    pub pool: Pool,
    pub model: Model,
    pub smtp: Smtp,
    pub plan: Plan,
    pub billing: BillingSettings,
    pub railway: Railway,
    pub cloudflare: Cloudflare,
    pub stripe: Stripe,
    pub health: Health,
    pub alerts: Alerts,
    pub status: Status,
    pub support: Support,
}

/// `[store]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
}

/// `[edge]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edge {
    pub driver: EdgeDriver,
    /// Whether each hostname has records of its own, or one wildcard record leads all of them here.
    #[serde(deserialize_with = "drivers::routing")]
    pub routing: Routing,
}

/// `[payments]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payments {
    pub driver: PaymentsDriver,
}

/// `[instances]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instances {
    /// For how many days a deletion that was asked for can be taken back; 0 begins it at once.
    pub undo_days: u16,
}

impl Default for Instances {
    /// A weekend.
    fn default() -> Self {
        Self { undo_days: 3 }
    }
}

/// `[pool]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pool {
    /// How many instances are kept ready ahead of their customers.
    pub size: u32,
}

/// `[mail]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    pub driver: MailDriver,
    /// `Name <address>`
    pub from: Option<String>,
}

/// `[smtp]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    pub url: Option<SecretString>,
    pub url_file: Option<PathBuf>,
}

impl Config {
    /// Reads file and environment, lets the options have the last word, and refuses drivers that do
    /// not go together.
    pub fn read(context: &Context, args: &UpArgs) -> anyhow::Result<Self> {
        let named = context.config.as_deref();
        let path = named.map_or_else(|| context.data.path().join("spinoff.toml"), Path::to_owned);
        let mut config = Self::layered(&path, named.is_some(), environment())?;
        config.apply(args);
        config.goes_together()?;
        Ok(config)
    }

    fn layered(path: &Path, must_exist: bool, environment: HashMap<String, String>) -> anyhow::Result<Self> {
        let file = File::from(path).format(FileFormat::Toml).required(must_exist);
        let environment = Environment::with_prefix("SPINOFF")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("compute.app_path")
            .with_list_parse_key("compute.egress")
            .with_list_parse_key("stripe.webhook_secret")
            .with_list_parse_key("support.webhook_secret")
            .with_list_parse_key("billing.dunning.retry_after_days")
            .with_list_parse_key("billing.dunning.reminder_days")
            .with_list_parse_key("billing.costs.alert_percents")
            .source(Some(environment));
        let read = config::Config::builder().add_source(file).add_source(environment).build();
        read.and_then(config::Config::try_deserialize)
            .with_context(|| format!("reading the settings ({} and SPINOFF_* variables)", path.display()))
    }

    fn apply(&mut self, args: &UpArgs) {
        if let Some(listen) = args.listen {
            self.site.listen = listen;
        }
        if let Some(domain) = &args.base_domain {
            self.site.base_domain.clone_from(domain);
        }
        if let Some(app) = &args.app {
            self.compute.app = Some(app.clone());
        }
        if let Some(path) = &args.app_health {
            self.compute.app_health.clone_from(path);
        }
        if let Some(path) = &args.app_activity_rules {
            self.compute.app_activity_rules = Some(path.clone());
        }
        if let Some(url) = &args.store {
            self.store.url = Some(url.clone().into());
        }
        self.compute.app_path.extend(args.app_path.iter().cloned());
        self.compute.egress.extend(args.app_egress.iter().cloned());
        if self.site.product.is_empty() {
            self.site.product = product_of(self.compute.app.as_deref());
        }
    }
}

/// The bundled application has a name; another one is called after its program.
fn product_of(app: Option<&str>) -> String {
    let Some(command) = app else { return "AI-DIY".to_owned() };
    let program =
        command.split_whitespace().find(|word| !word.contains('=') && *word != "exec").unwrap_or("the application");
    Path::new(program).file_name().map_or_else(|| program.to_owned(), |name| name.to_string_lossy().into_owned())
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the environment for settings")]
fn environment() -> HashMap<String, String> {
    // SPINOFF_SERVER and SPINOFF_TOKEN are options of the command line, not settings.
    std::env::vars().filter(|(name, _)| name.starts_with("SPINOFF_") && name.contains("__")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use providers::compute::ModelOffer;

    use super::*;

    fn read(toml: &str, environment: &[(&str, &str)]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spinoff.toml");
        std::fs::write(&path, toml).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::layered(&path, true, environment)
    }

    #[test]
    fn the_environment_overrides_the_file_and_options_override_both() {
        let file = "[site]\nbase_domain = \"a.test\"\nlisten = \"127.0.0.1:1\"\n[plan]\nhour_cents = 50\n";
        let mut config = read(file, &[("SPINOFF_SITE__BASE_DOMAIN", "b.test")]).unwrap();
        assert_eq!(config.site.base_domain, "b.test");
        assert_eq!((config.plan.hour_cents.get(), config.plan.base_cents.get()), (50, 500));
        config.apply(&UpArgs { base_domain: Some("c.test".into()), ..UpArgs::default() });
        assert_eq!(config.site.base_domain, "c.test");
        assert_eq!(config.site.operator_email.as_str(), "operator@localhost");
    }

    #[test]
    fn a_secret_that_is_rolled_may_be_several() {
        let read = |toml: &str, environment: &[(&str, &str)]| {
            let config = read(toml, environment).unwrap().stripe;
            let all = Secrets::read(config.webhook_secret.as_ref(), config.webhook_secret_file.as_ref()).unwrap();
            all.iter().map(|secret| secrecy::ExposeSecret::expose_secret(secret).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(read("[stripe]\nwebhook_secret = \"a\"\n", &[]), ["a"]);
        assert_eq!(read("[stripe]\nwebhook_secret = [\"b\", \"a\"]\n", &[]), ["b", "a"]);
        assert_eq!(read("", &[("SPINOFF_STRIPE__WEBHOOK_SECRET", "b,a")]), ["b", "a"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "b\n\na\n").unwrap();
        assert_eq!(read(&format!("[stripe]\nwebhook_secret_file = {:?}\n", file.path()), &[]), ["b", "a"]);
        assert_eq!(read("[stripe]\nwebhook_secret = \"\"\n", &[]), [""; 0]);
    }

    #[test]
    fn invoices_are_made_out_as_the_settings_say() {
        let file = "[billing]\ncycle = \"anniversary\"\ndue_days = 30\n[billing.seller]\nname = \"Example\"\n";
        let billing = read(file, &[("SPINOFF_BILLING__GRACE_HOURS", "12")]).unwrap().billing;
        assert_eq!((billing.grace_hours, billing.due_days, billing.seller.name.as_str()), (12, 30, "Example"));
        assert_eq!(billing.cycle, control_plane::BillingCycle::Anniversary);
        assert_eq!(read("", &[]).unwrap().billing, BillingSettings::default());
        assert!(read("[billing]\ncycle = \"weekly\"\n", &[]).is_err());
    }

    #[test]
    fn taxes_and_trials_are_read_and_what_contradicts_itself_is_refused() {
        let file = "[plan]\ntrial_days = 14\n[[billing.taxes]]\ncountry = \"DE\"\nname = \"VAT\"\npercent = \"19\"\n\
                    [[billing.taxes]]\nname = \"Levy\"\npercent = 7.5\n";
        let config = read(file, &[]).unwrap();
        assert_eq!(config.plan.trial_days, 14);
        assert_ne!(config.billing.taxes, BillingSettings::default().taxes);
        for (wrong, told) in
            [("percent = \"much\"", "no percentage"), ("percent = \"1\"\ncountry = \"EU\"", "no country")]
        {
            let file = format!("[[billing.taxes]]\nname = \"VAT\"\n{wrong}\n");
            let error = format!("{:#}", read(&file, &[]).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn dunning_takes_as_long_as_the_settings_say() {
        let file = "[billing.dunning]\nreminder_days = [3]\ngrace_days = 4\n";
        let set = read(file, &[("SPINOFF_BILLING__DUNNING__RETRY_AFTER_DAYS", "2,4")]).unwrap().billing.dunning;
        assert_eq!((set.reminder_days, set.retry_after_days, set.grace_days), (vec![3], vec![2, 4], 4));
        assert_eq!(set.suspended_days, BillingSettings::default().dunning.suspended_days);
        assert!(read("[billing.dunning]\nnotice_days = 0\n", &[]).is_err(), "nothing is deleted without notice");
        for (wrong, named) in
            [("grace_days = 700", "grace_days says 700"), ("reminder_days = [7, 400]", "reminder_days says 400")]
        {
            let config = read(&format!("[billing.dunning]\n{wrong}\n"), &[]).unwrap();
            let error = config.goes_together().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn prices_are_read_exactly_and_what_can_not_be_meant_is_refused() {
        let file = "[billing.costs]\nspend_limit = 100\n[billing.costs.prices]\nmemory_month = 8.5\ndollar = \"0.92\"\n\
                    [[billing.costs.prices.fixed]]\nname = \"Domain\"\nmonth = \"1.25\"\n";
        let costs = read(file, &[("SPINOFF_BILLING__COSTS__ALERT_PERCENTS", "60,90")]).unwrap().billing.costs;
        assert_eq!((costs.alert_percents.as_slice(), costs.spend_limit.unwrap().get()), (&[60, 90][..], 100_000_000));
        assert_eq!((costs.prices.memory_month.get(), costs.prices.fixed[0].month.get()), (8_500_000, 1_250_000));
        assert_eq!(costs.prices.cpu_month, BillingSettings::default().costs.prices.cpu_month);
        assert!(read("[billing.costs.prices]\ndisk_month = \"-1\"\n", &[]).is_err());
        let config = read("[billing.costs]\nalert_percents = [50, 100]\n", &[]).unwrap();
        let error = config.goes_together().unwrap_err().to_string();
        assert!(error.contains("[billing.costs] alert_percents says 100"), "{error}");
    }

    #[test]
    fn a_model_is_offered_as_the_settings_say_and_half_an_offer_is_refused() {
        let config = read("", &[]).unwrap();
        config.goes_together().unwrap();
        assert!(config.model.offer().is_none() && config.model.gateway().unwrap().is_none());
        let models = "[[model.models]]\nname = \"small\"\ninput = \"0.15\"\noutput = 0.6\n";
        let whole = format!("[model]\nprovider_url = \"https://a.example/v1\"\nallowance = 5\n{models}");
        let config = read(&whole, &[("SPINOFF_MODEL__KEY", "sk-secret")]).unwrap();
        config.goes_together().unwrap();
        assert_eq!(config.model.offer(), Some(ModelOffer::Gateway { model: "small".into() }));
        assert_eq!((config.model.models[0].output.get(), config.model.allowance.unwrap().get()), (600_000, 5_000_000));
        assert!(!format!("{:?}{:?}", config.model, config.model.gateway().unwrap()).contains("sk-secret"));
        let rehearsal = read("[model]\nrehearsal = true\n", &[]).unwrap().model;
        assert_eq!(rehearsal.offer(), Some(ModelOffer::Rehearsal));
        for (file, told) in [
            (models.to_owned(), "[model] has no provider_url"),
            (whole.replace("https", "http"), "could read the key"),
            (whole.replace("allowance = 5\n", ""), "[model] allowance is missing"),
            (whole.replace("allowance = 5", "allowance = 0"), "[model] allowance is 0"),
            (whole.replace(models, ""), "[model] has no models"),
            (format!("{whole}{models}"), "names the model \"small\" twice"),
            (whole.replace("allowance", "rehearsal = true\nallowance"), "both provider_url and rehearsal"),
        ] {
            let error = read(&file, &[]).unwrap().goes_together().unwrap_err().to_string();
            assert!(error.contains(told), "{file}: {error}");
        }
        assert!(read(&whole.replace("output = 0.6", "output = -1"), &[]).is_err());
    }

    #[test]
    fn a_deletion_can_be_taken_back_for_as_long_as_the_settings_say() {
        assert_eq!(read("", &[]).unwrap().instances.undo_days, 3);
        assert_eq!(read("[instances]\nundo_days = 0\n", &[]).unwrap().instances.undo_days, 0);
        let error = read("[instances]\nundo_days = 31\n", &[]).unwrap().goes_together().unwrap_err().to_string();
        assert!(error.contains("[instances] undo_days says 31"), "{error}");
    }

    #[test]
    fn mail_reaches_support_as_the_settings_say_and_half_a_way_is_refused() {
        assert!(read("", &[]).unwrap().support.settings().unwrap().mail.is_none());
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let file = "[support]\naddress = \"Support@example.com\"\nrefuse_strangers = true\n";
        let config = read(file, &[("SPINOFF_SUPPORT__WEBHOOK_SECRET", secret)]).unwrap();
        let settings = config.support.settings().unwrap();
        assert_eq!(settings.address.unwrap().as_str(), "support@example.com");
        assert!(settings.mail.is_some() && settings.strangers == control_plane::Strangers::Refused);
        assert!(!format!("{:?}", config.support).contains(secret));
        for (file, told) in [
            (file.to_owned(), "webhook_secret is not"),
            ("[support]\nwebhook_secret = \"short\"\n".to_owned(), "[support] webhook_secret can't be used"),
            (
                format!(
                    "[support]\nwebhook_secret = {secret:?}\naddress = \"a-mailbox-with-a-long-name@example.com\"\n"
                ),
                "at most 19 characters",
            ),
        ] {
            let error = format!("{:#}", read(&file, &[]).unwrap().support.settings().unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn backups_are_kept_where_and_as_long_as_the_settings_say() {
        let config = read("", &[]).unwrap();
        assert_eq!((config.backups.driver, config.backups.every_hours), (StorageDriver::Folder, 24));
        let file = "[backups]\ndriver = \"s3\"\nendpoint = \"https://s3.example.com\"\nbucket = \"b\"\nevery_hours = 6\n\
                    [backups.retention]\ndays = 3\n";
        let config = read(file, &[("SPINOFF_BACKUPS__SECRET_ACCESS_KEY", "secret")]).unwrap();
        let settings = config.backups.settings();
        assert_eq!((settings.every_hours, settings.retention.days, settings.retention.monthly_days), (6, 3, 186));
        assert_eq!(config.backups.driver, StorageDriver::S3);
        assert!(!format!("{:?}", config.backups).contains("\"secret\""));
        let error = config.goes_together().unwrap_err().to_string();
        assert!(error.contains("[backups] access_key_id is missing"), "{error}");
        let error = format!("{:#}", read("[backups]\ndriver = \"tape\"\n", &[]).unwrap_err());
        assert!(error.contains("[backups] has no driver \"tape\"; there is: folder, s3"), "{error}");
    }

    #[test]
    fn other_homes_are_named_and_what_can_not_be_one_is_refused() {
        assert!(read("", &[]).unwrap().compute.homes.is_empty());
        let local = "[compute.homes.big-disk]\nfolder = \"/mnt/big\"\nfirst_port = 31000\nfirst_uid = 300000\n";
        let config = read(local, &[]).unwrap();
        config.goes_together().unwrap();
        let (name, home) = config.compute.homes.iter().next().unwrap();
        assert_eq!((name.as_str(), home.on_this_machine(name).unwrap().first_port), ("big-disk", 31000));
        assert!(homes::any(&config, ComputeDriver::Local) && !homes::any(&config, ComputeDriver::Railway));
        assert!(read(&local.replace("big-disk", "Big Disk"), &[]).is_err());
        for (file, told) in [
            (local.replace("big-disk", "default"), "is what [compute] describes"),
            ("[compute.homes.eu]\n".to_owned(), "[compute.homes.eu] is on this machine and needs folder"),
            (format!("{local}region = \"eu\"\n"), "has no region"),
            (
                "[compute.homes.eu]\ndriver = \"railway\"\nregion = \"eu\"\n".to_owned(),
                "has another driver than [compute]",
            ),
        ] {
            let error = read(&file, &[]).unwrap().goes_together().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_misspelt_setting_is_an_error_and_not_ignored() {
        let error = format!("{:#}", read("[site]\nbase_domian = \"a.test\"\n", &[]).unwrap_err());
        assert!(error.contains("base_domian"), "{error}");
        assert!(read("[plan]\nhour_cents = \"much\"\n", &[]).is_err());
    }

    #[test]
    fn every_driver_can_be_named_and_one_that_does_not_exist_is_answered_with_those_that_do() {
        let named = "[compute]\ndriver = \"local\"\n[edge]\ndriver = \"builtin\"\n[payments]\ndriver = \"ledger\"\n\
                     [mail]\ndriver = \"smtp\"\n";
        let config = read(named, &[]).unwrap();
        assert_eq!(config.compute.driver, ComputeDriver::Local);
        assert_eq!(config.edge.driver, EdgeDriver::Builtin);
        assert_eq!(config.payments.driver, PaymentsDriver::Ledger);
        assert_eq!(config.mail.driver, MailDriver::Smtp);
        assert_eq!(read(named, &[("SPINOFF_MAIL__DRIVER", "outbox")]).unwrap().mail.driver, MailDriver::Outbox);
        for (section, known) in
            [("compute", "local"), ("edge", "builtin"), ("payments", "ledger"), ("mail", "outbox, smtp")]
        {
            let toml = format!("[{section}]\ndriver = \"cloudflaer\"\n");
            let error = format!("{:#}", read(&toml, &[]).unwrap_err());
            let told = format!("[{section}] has no driver \"cloudflaer\"; there is: {known}");
            assert!(error.contains(&told), "{error}");
        }
    }

    #[test]
    fn destinations_come_from_the_file_or_the_environment_and_options_add_to_them() {
        let file = "[compute]\negress = [\"api.example.com:443\", \"*.Example.org:443\"]\n";
        let listed = |config: &Config| config.compute.egress.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut config = read(file, &[]).unwrap();
        assert_eq!(listed(&config), ["api.example.com:443", "*.example.org:443"]);
        config.apply(&UpArgs { app_egress: vec!["127.0.0.1:9".parse().unwrap()], ..UpArgs::default() });
        assert_eq!(listed(&config).last().unwrap(), "127.0.0.1:9");
        let variables = [("SPINOFF_COMPUTE__EGRESS", "a.test:1,b.test:2"), ("SPINOFF_COMPUTE__APP_PATH", "/a,/b")];
        let config = read(file, &variables).unwrap();
        assert_eq!(listed(&config), ["a.test:1", "b.test:2"]);
        assert_eq!(config.compute.app_path, ["/a", "/b"].map(PathBuf::from));
        assert!(listed(&read("", &[]).unwrap()).is_empty());
        let error = format!("{:#}", read("[compute]\negress = [\"https://a.test\"]\n", &[]).unwrap_err());
        assert!(error.contains("https://a.test") && error.contains("without scheme"), "{error}");
    }

    #[test]
    fn rules_about_use_are_handed_on_when_every_guard_could_follow_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.toml");
        let mut config = read("[compute]\napp_activity_rules = \"/does/not/exist\"\n", &[]).unwrap();
        assert!(format!("{:#}", config.compute.activity_rules().unwrap_err()).contains("(/does/not/exist)"));
        config.apply(&UpArgs { app_activity_rules: Some(path.clone()), ..UpArgs::default() });
        let good = "[[rule]]\npath = \"^/poll\"\nuse = false\n";
        std::fs::write(&path, good).unwrap();
        assert_eq!(config.compute.activity_rules().unwrap().as_deref(), Some(good));
        std::fs::write(&path, "[[rule]]\npath = \"^/(poll\"\nuse = false\n").unwrap();
        let error = format!("{:#}", config.compute.activity_rules().unwrap_err());
        assert!(error.contains("rules.toml): line 2: `path` is no regular expression"), "{error}");
        assert_eq!(read("", &[]).unwrap().compute.activity_rules().unwrap(), None);
    }

    #[test]
    fn another_application_is_called_after_its_program() {
        assert_eq!(product_of(None), "AI-DIY");
        assert_eq!(product_of(Some("FOO=1 /opt/venv/bin/datasette serve $DATA")), "datasette");
        assert_eq!(product_of(Some("exec datasette serve $DATA")), "datasette");
    }
}
