/// What puts a difference right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The project goes, with everything in it.
    RemoveProject,
    /// The compute provider stops answering for the hostname.
    ReleaseHostname,
    /// The edge takes the hostname off the map.
    RemoveHostname,
    /// The subscription ends.
    EndSubscription,
    /// The instance is made once more, from its project on; what exists of it stays.
    MakeAgain,
    /// Its hostname is registered and published once more.
    PublishAgain,
    /// Its settings and its release are brought to it once more.
    ConfigureAgain,
    /// Its subscription is started once more.
    SubscribeAgain,
    /// It was made ahead and is nobody's: it is taken down, and the pool makes another.
    Discard,
    /// Only a person can tell what to do.
    ByHand,
}

impl Remedy {
    const ALL: [Self; 10] = [
        Self::RemoveProject,
        Self::ReleaseHostname,
        Self::RemoveHostname,
        Self::EndSubscription,
        Self::MakeAgain,
        Self::PublishAgain,
        Self::ConfigureAgain,
        Self::SubscribeAgain,
        Self::Discard,
        Self::ByHand,
    ];

    /// The word that is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RemoveProject => "remove_project",
            Self::ReleaseHostname => "release_hostname",
            Self::RemoveHostname => "remove_hostname",
            Self::EndSubscription => "end_subscription",
            Self::MakeAgain => "make_again",
            Self::PublishAgain => "publish_again",
            Self::ConfigureAgain => "configure_again",
            Self::SubscribeAgain => "subscribe_again",
            Self::Discard => "discard",
            Self::ByHand => "by_hand",
        }
    }

    /// Reads that word; any other is left to a person.
    pub(crate) fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|remedy| remedy.as_str() == word).unwrap_or(Self::ByHand)
    }

    /// Whether something is gone for good afterwards.
    pub(crate) const fn removes(self) -> bool {
        matches!(self, Self::RemoveProject | Self::ReleaseHostname | Self::RemoveHostname | Self::EndSubscription)
    }

    /// What an operator is told to do.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::RemoveProject => "Repairing removes the project for good, with the data in it.",
            Self::ReleaseHostname => "Repairing makes the provider stop answering for this hostname.",
            Self::RemoveHostname => "Repairing removes the hostname with its records and access rules.",
            Self::EndSubscription => {
                "Repairing ends the subscription, closes open checkouts, and gives back what was charged if the \
                 instance never worked."
            }
            Self::MakeAgain => {
                "Repairing makes it again, empty: what was in it is gone with it. If it was deleted by mistake, look \
                 first whether the provider can bring it back."
            }
            Self::PublishAgain => "Repairing registers and publishes the hostname again.",
            Self::ConfigureAgain => "Repairing brings settings and release to it again.",
            Self::SubscribeAgain => "Repairing starts the subscription again.",
            Self::Discard => "Repairing takes it down, whole. Nobody has it yet; the pool makes another one.",
            Self::ByHand => {
                "This can't be repaired from here: look at it in the provider's dashboard, and put it right or remove \
                 it there. It disappears from this list by itself."
            }
        }
    }
}
