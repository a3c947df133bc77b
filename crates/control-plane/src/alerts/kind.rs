use domain::Severity;

/// What an alert is about. Each kind has a runbook of the same name in `docs/runbooks`. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A workflow waits for a person.
    WorkStuck,
    /// Something that was to be made could not be, and was undone.
    WorkUndone,
    /// An instance does not answer.
    InstanceDown,
    /// A provider's ceiling is near, or somebody was turned away.
    ProviderLimit,
    /// A provider will stop everything when its limit of spending is reached.
    SpendLimit,
    /// A mail could not be delivered.
    MailUndelivered,
    /// Books and payment provider differ, or invoices could not be made.
    BooksDiffer,
    /// A bank questions a payment.
    Dispute,
    /// Money went back, or came back, in an unusual way.
    Refund,
    /// A provider says of itself that it has trouble.
    ProviderTrouble,
    /// A rollout begins nothing more, or left an instance between two releases.
    RolloutHalted,
    /// A backup could not be made, or could not be restored for a test.
    BackupFailed,
    /// Somebody got into an instance who does not belong there: it was tried, and it went.
    IsolationBroken,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::WorkStuck,
        Self::WorkUndone,
        Self::InstanceDown,
        Self::ProviderLimit,
        Self::SpendLimit,
        Self::MailUndelivered,
        Self::BooksDiffer,
        Self::Dispute,
        Self::Refund,
        Self::ProviderTrouble,
        Self::RolloutHalted,
        Self::BackupFailed,
        Self::IsolationBroken,
    ];

    /// The word that is stored, sent, and names the runbook.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::WorkStuck => "work-stuck",
            Self::WorkUndone => "work-undone",
            Self::InstanceDown => "instance-down",
            Self::ProviderLimit => "provider-limit",
            Self::SpendLimit => "spend-limit",
            Self::MailUndelivered => "mail-undelivered",
            Self::BooksDiffer => "books-differ",
            Self::Dispute => "dispute",
            Self::Refund => "refund",
            Self::ProviderTrouble => "provider-trouble",
            Self::RolloutHalted => "rollout-halted",
            Self::BackupFailed => "backup-failed",
            Self::IsolationBroken => "isolation-broken",
        }
    }

    /// Reads the stored word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How much of a hurry there is.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::InstanceDown | Self::SpendLimit | Self::IsolationBroken => Severity::Critical,
            Self::WorkStuck
            | Self::WorkUndone
            | Self::ProviderLimit
            | Self::BooksDiffer
            | Self::Dispute
            | Self::RolloutHalted
            | Self::BackupFailed => Severity::Warning,
            Self::MailUndelivered | Self::Refund | Self::ProviderTrouble => Severity::Notice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_runbook_and_survives_its_word() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            let file = folder.join(format!("{}.md", kind.as_str()));
            assert!(file.is_file(), "{} is missing", file.display());
        }
        assert_eq!(Kind::parse("weather"), None);
    }
}
