//! What is tried at a door.

/// How far trials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// This edge signs, so an identity can be made for each instance.
    Identities,
    /// Somebody else signs: whatever is shown is a forgery.
    Forgeries,
}

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// The public hostname, as everybody comes.
    Hostname,
    /// That of the app which the customer makes.
    AppHostname,
    /// Straight at the guard, past the edge.
    Door,
    /// The same, asking for the app.
    AppDoor,
}

/// What is shown at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trick {
    /// Nothing.
    Nobody,
    /// A neighbour's sign-in to their own instance.
    SignInElsewhere,
    /// A neighbour's sign-in, made out for this very hostname.
    SignInHere,
    /// A sign-in of this instance's own identity, good until yesterday.
    Expired,
    /// The same, made out for nobody's hostname.
    OtherAudience,
    /// The same, in another issuer's name.
    OtherIssuer,
    /// The same, under the signature of another.
    Tampered,
    /// The same, without any signature.
    Unsigned,
    /// A sign-in to the workspace shown to the app, or the other way round.
    OtherSide,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Hostname, Self::AppHostname, Self::Door, Self::AppDoor];

    /// Whether it leads to the app that the customer makes.
    pub(crate) fn is_apps(self) -> bool {
        matches!(self, Self::AppHostname | Self::AppDoor)
    }

    /// Whether it goes past the edge.
    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::Door | Self::AppDoor)
    }

    /// The stored word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hostname => "hostname",
            Self::AppHostname => "app-hostname",
            Self::Door => "door",
            Self::AppDoor => "app-door",
        }
    }

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Hostname => "through its hostname",
            Self::AppHostname => "through its app's hostname",
            Self::Door => "straight at its guard",
            Self::AppDoor => "straight at its guard, as its app",
        }
    }
}

impl Trick {
    pub(crate) const ALL: [Self; 9] = [
        Self::Nobody,
        Self::SignInElsewhere,
        Self::SignInHere,
        Self::Expired,
        Self::OtherAudience,
        Self::OtherIssuer,
        Self::Tampered,
        Self::Unsigned,
        Self::OtherSide,
    ];

    /// The stored word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::SignInElsewhere => "sign-in-elsewhere",
            Self::SignInHere => "sign-in-here",
            Self::Expired => "expired",
            Self::OtherAudience => "other-audience",
            Self::OtherIssuer => "other-issuer",
            Self::Tampered => "tampered",
            Self::Unsigned => "unsigned",
            Self::OtherSide => "other-side",
        }
    }

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Nobody => "without any sign-in",
            Self::SignInElsewhere => "with a sign-in to another instance",
            Self::SignInHere => "with a stranger's sign-in made out for it",
            Self::Expired => "with an expired sign-in",
            Self::OtherAudience => "with a sign-in for another audience",
            Self::OtherIssuer => "with a sign-in of another issuer",
            Self::Tampered => "with a sign-in under a wrong signature",
            Self::Unsigned => "with a sign-in without signature",
            Self::OtherSide => "with a sign-in to its other hostname",
        }
    }

    /// What every neighbour tries on each way.
    pub(crate) fn of_neighbours(power: Power) -> &'static [Self] {
        match power {
            Power::Identities => &[Self::SignInElsewhere, Self::SignInHere],
            Power::Forgeries => &[],
        }
    }

    /// What is tried once on a way, whoever the neighbours are.
    pub(crate) fn of_strangers(power: Power, way: Way) -> &'static [Self] {
        match (power, way) {
            (Power::Identities, Way::Hostname | Way::Door) => &[
                Self::Nobody,
                Self::Expired,
                Self::OtherAudience,
                Self::OtherIssuer,
                Self::Tampered,
                Self::Unsigned,
                Self::OtherSide,
            ],
            (Power::Identities, Way::AppHostname | Way::AppDoor) => &[Self::Nobody, Self::OtherSide],
            // What is shown at Cloudflare's own door is looked at by Cloudflare.
            (Power::Forgeries, Way::Hostname | Way::AppHostname) => &[Self::Nobody],
            (Power::Forgeries, Way::Door | Way::AppDoor) => {
                &[Self::Nobody, Self::Expired, Self::OtherIssuer, Self::Tampered, Self::Unsigned]
            }
        }
    }
}
