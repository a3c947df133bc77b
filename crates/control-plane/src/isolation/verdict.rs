//! What an answer means.

use serde::{Deserialize, Serialize};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Said {
        status: u16,
        /// Who signed it as a refusal.
        refused_by: Option<String>,
        /// Where it sends the visitor.
        location: Option<String>,
    },
    /// Nothing did.
    Silence,
}

/// Who refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wall {
    Edge,
    Guard,
}

/// Why something was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// Knocking would wake it.
    Asleep,
    /// It is not open, or not any more.
    NotOpen,
    /// Its compute provider could not say where it is.
    NoWay,
    /// Nothing came back, or only what somebody on the way said.
    Unreachable,
    /// Its own identity was not let in there, so that a refusal says nothing.
    NotShownHere,
    /// The neighbour's identity was not seen to be good at home.
    NotShownAtHome,
    /// Its guard does not know its identity yet; it is being told.
    NotToldYet,
    /// The refusal bears no signature: an older guard's, or an application's.
    NotSigned,
    /// Its owner shows the app to everybody, as the operator lets them.
    Shared,
}

/// What became of one trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Refused(Wall),
    /// Somebody got in who must not.
    Admitted {
        status: u16,
    },
    NotTried(Reason),
}

/// What an answer says at first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Plain(Verdict),
    /// Nobody said that it is a refusal. From a door that is there, that is an entrance.
    Unclear {
        status: u16,
    },
}

impl Reason {
    /// The stored word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Asleep => "asleep",
            Self::NotOpen => "not-open",
            Self::NoWay => "no-way",
            Self::Unreachable => "unreachable",
            Self::NotShownHere => "not-shown-here",
            Self::NotShownAtHome => "not-shown-at-home",
            Self::NotToldYet => "not-told-yet",
            Self::NotSigned => "not-signed",
            Self::Shared => "shared",
        }
    }

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Asleep => "it sleeps, and is not woken for this",
            Self::NotOpen => "it was not open",
            Self::NoWay => "its compute provider did not say where it is",
            Self::Unreachable => "it did not answer",
            Self::NotShownHere => "its own test identity was not let in there, so a refusal would say nothing",
            Self::NotShownAtHome => "the neighbour's test identity was not seen to be good at home",
            Self::NotToldYet => "its guard does not know its test identity yet, and is being told",
            Self::NotSigned => "the refusal bears no signature of edge or guard, such as an older guard's",
            Self::Shared => "its owner shows the app to everybody",
        }
    }
}

/// Judges an answer. `login` is where another company's edge sends strangers, by how its address begins.
pub(crate) fn at_first_sight(answer: &Answer, login: Option<&str>) -> Sight {
    let Answer::Said { status, refused_by, location } = answer else {
        return Sight::Plain(Verdict::NotTried(Reason::Unreachable));
    };
    let wall = match refused_by.as_deref() {
        Some("edge") => Some(Wall::Edge),
        Some("guard") => Some(Wall::Guard),
        _ => None,
    };
    let is_refusal = matches!(*status, 401 | 403);
    let is_sent_to = |login: &str| {
        location.as_deref().and_then(|to| to.strip_prefix(login)).is_some_and(|rest| rest.starts_with('/'))
    };
    Sight::Plain(match wall {
        Some(wall) if is_refusal || (wall == Wall::Edge && *status == 302) => Verdict::Refused(wall),
        Some(_) => Verdict::NotTried(Reason::NotOpen),
        None if matches!(*status, 302 | 303 | 307) && login.is_some_and(is_sent_to) => Verdict::Refused(Wall::Edge),
        None if is_refusal => Verdict::NotTried(Reason::NotSigned),
        None => return Sight::Unclear { status: *status },
    })
}

/// Judges an answer that was unclear, by whether the door then let its own identity in, and by what it said to the
/// same trial again.
pub(crate) fn after_all(status: u16, is_there: bool, again: Sight) -> Verdict {
    match again {
        _ if !is_there => Verdict::NotTried(Reason::Unreachable),
        Sight::Unclear { .. } => Verdict::Admitted { status },
        Sight::Plain(verdict) => verdict,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn said(status: u16, refused_by: Option<&str>, location: Option<&str>) -> Answer {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Answer::Said { status, refused_by: owned(refused_by), location: owned(location) }
    }

    fn sight(status: u16, refused_by: Option<&str>) -> Sight {
        at_first_sight(&said(status, refused_by, None), None)
    }

    #[test]
    fn only_a_signed_refusal_is_a_refusal() {
        assert_eq!(sight(403, Some("guard")), Sight::Plain(Verdict::Refused(Wall::Guard)));
        assert_eq!(sight(401, Some("edge")), Sight::Plain(Verdict::Refused(Wall::Edge)));
        assert_eq!(sight(302, Some("edge")), Sight::Plain(Verdict::Refused(Wall::Edge)));
        for status in [401, 403] {
            assert_eq!(sight(status, None), Sight::Plain(Verdict::NotTried(Reason::NotSigned)));
            assert_eq!(sight(status, Some("app")), Sight::Plain(Verdict::NotTried(Reason::NotSigned)));
        }
        assert_eq!(sight(503, Some("guard")), Sight::Plain(Verdict::NotTried(Reason::NotOpen)));
        let silence = at_first_sight(&Answer::Silence, None);
        assert_eq!(silence, Sight::Plain(Verdict::NotTried(Reason::Unreachable)));
    }

    #[test]
    fn whatever_else_a_door_says_is_an_entrance_if_the_door_is_there_and_says_it_again() {
        for status in [200, 204, 301, 302, 404, 405, 500, 502] {
            let Sight::Unclear { status } = sight(status, None) else { panic!("{status} was taken for plain") };
            let again = Sight::Unclear { status };
            assert_eq!(after_all(status, true, again), Verdict::Admitted { status });
            assert_eq!(after_all(status, false, again), Verdict::NotTried(Reason::Unreachable));
            let refused = sight(403, Some("guard"));
            assert_eq!(after_all(status, true, refused), Verdict::Refused(Wall::Guard));
        }
    }

    #[test]
    fn being_sent_to_the_edges_login_is_a_refusal_and_to_anywhere_else_is_none() {
        let login = Some("https://team.cloudflareaccess.com");
        let to = |address| at_first_sight(&said(302, None, Some(address)), login);
        let refused = Sight::Plain(Verdict::Refused(Wall::Edge));
        assert_eq!(to("https://team.cloudflareaccess.com/cdn-cgi/access/login/acme.example.com?kid=a"), refused);
        for elsewhere in ["https://team.cloudflareaccess.com.evil.example/", "/login", "https://evil.example/"] {
            assert_eq!(to(elsewhere), Sight::Unclear { status: 302 }, "{elsewhere}");
        }
    }
}
