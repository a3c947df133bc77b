/// How far an incident has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentState {
    /// Something is wrong, and it is being looked for.
    Investigating,
    /// It is known what is wrong.
    Identified,
    /// It was put right, and is being watched.
    Monitoring,
    /// It is over.
    Resolved,
}

/// How many notice it, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// Few notice.
    Minor,
    /// Many notice.
    Major,
    /// Nothing works.
    Critical,
}

/// A part of the service that the status page speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The site, the portal and the API.
    Site,
    /// Signing in.
    SignIn,
    /// The customers' workspaces.
    Instances,
    /// Making new ones.
    Provisioning,
    /// Paying.
    Payments,
    /// Mail that we send.
    Mail,
    /// The companies that all of it runs at.
    Providers,
}

/// An incident that is over takes no more updates: what comes back is another incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the incident is resolved")]
pub struct IncidentIsOver;

/// A word that says nothing of an incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of {known}")]
pub struct UnknownIncidentWord {
    /// What was given.
    pub word: String,
    /// What there is.
    pub known: String,
}

fn unknown(word: &str, known: &[&str]) -> UnknownIncidentWord {
    UnknownIncidentWord { word: word.to_owned(), known: known.join(", ") }
}

impl IncidentState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The state after an update that says how far it has come: forth or back, until it is over.
    ///
    /// # Errors
    /// [`IncidentIsOver`].
    pub const fn after(self, told: Self) -> Result<Self, IncidentIsOver> {
        match self {
            Self::Resolved => Err(IncidentIsOver),
            Self::Investigating | Self::Identified | Self::Monitoring => Ok(told),
        }
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownIncidentWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownIncidentWord> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| unknown(word, &Self::ALL.map(Self::as_str)))
    }

    /// Whether it is resolved.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved)
    }
}

impl Impact {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownIncidentWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownIncidentWord> {
        let found = Self::ALL.into_iter().find(|impact| impact.as_str() == word);
        found.ok_or_else(|| unknown(word, &Self::ALL.map(Self::as_str)))
    }
}

impl Component {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Site, Self::SignIn, Self::Instances, Self::Provisioning, Self::Payments, Self::Mail, Self::Providers];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::SignIn => "sign-in",
            Self::Instances => "instances",
            Self::Provisioning => "provisioning",
            Self::Payments => "payments",
            Self::Mail => "mail",
            Self::Providers => "providers",
        }
    }

    /// As visitors of the status page read it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Site => "Site and portal",
            Self::SignIn => "Signing in",
            Self::Instances => "Workspaces",
            Self::Provisioning => "New workspaces",
            Self::Payments => "Payments",
            Self::Mail => "Mail",
            Self::Providers => "Companies that we build on",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`UnknownIncidentWord`] for any other word.
    pub fn parse(word: &str) -> Result<Self, UnknownIncidentWord> {
        let found = Self::ALL.into_iter().find(|component| component.as_str() == word);
        found.ok_or_else(|| unknown(word, &Self::ALL.map(Self::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_goes_forth_and_back_until_it_is_over() {
        for from in IncidentState::ALL {
            for told in IncidentState::ALL {
                let expected = if from.is_over() { Err(IncidentIsOver) } else { Ok(told) };
                assert_eq!(from.after(told), expected);
            }
        }
    }

    #[test]
    fn every_word_reads_as_what_it_was_written_from() {
        for component in Component::ALL {
            assert_eq!(Component::parse(component.as_str()), Ok(component));
        }
        for impact in Impact::ALL {
            assert_eq!(Impact::parse(impact.as_str()), Ok(impact));
        }
        for state in IncidentState::ALL {
            assert_eq!(IncidentState::parse(state.as_str()), Ok(state));
        }
        let refusal = Impact::parse("huge").map_err(|error| error.to_string());
        assert_eq!(refusal, Err("\"huge\" is none of minor, major, critical".to_owned()));
    }
}
