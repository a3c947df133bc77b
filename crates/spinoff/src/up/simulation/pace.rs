use clap::ValueEnum;
use jiff::SignedDuration;
use simulators::railway::Span;
use simulators::{cloudflare, railway};

/// How long the simulated providers take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// Seconds, to see everything once.
    #[default]
    Quick,
    /// As the real ones were seen or say: minutes.
    Realistic,
}

impl Pace {
    /// How Railway behaves.
    pub fn railway(self) -> railway::Settings {
        let seconds = SignedDuration::from_secs;
        match self {
            Self::Realistic => railway::Settings::default(),
            Self::Quick => railway::Settings {
                project_throttle: seconds(2),
                list_lag: seconds(2),
                instance_lag: seconds(1),
                volume_lag: seconds(2),
                deploy: Span::seconds(2, 5),
                verification: Span::seconds(5, 15),
                domain_sync: seconds(1),
                ..railway::Settings::default()
            },
        }
    }

    /// How Cloudflare behaves, with this zone and this team.
    pub fn cloudflare(self, zone: &str, team_url: String) -> cloudflare::Settings {
        let list_lag = match self {
            Self::Quick => SignedDuration::ZERO,
            Self::Realistic => SignedDuration::from_secs(2),
        };
        cloudflare::Settings { zone: zone.to_owned(), team_url, list_lag, ..cloudflare::Settings::default() }
    }
}
