//! The releases that are rolled out: what is wrong with each, and where.

use domain::InstanceId;
use jiff::SignedDuration;

use super::Chance;

/// What is wrong with a release on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its provider gives it up while it is deployed.
    FailsToStart,
    /// It is deployed, and never answers well.
    NeverWell,
    /// It answers well, and no longer after so long.
    DiesAfter(SignedDuration),
    /// It destroys what it finds, and notices that after so long.
    LosesData(SignedDuration),
    /// It says that it is another version.
    SaysAnother,
    /// It takes so long to answer that nobody waits for it.
    TooSlow,
}

/// A release as those know it who made it.
#[derive(Debug, Clone)]
pub struct Release {
    /// From 1 on; as a text it is the version.
    pub number: u32,
    /// What is wrong with it where it is bad, if it is.
    pub flaw: Option<Flaw>,
    /// On so many of a thousand instances it is bad.
    pub bad_thousandths: u64,
    /// How long it takes to answer well.
    pub slowness: SignedDuration,
    /// Whether it brings what it finds into a form that no earlier one can read.
    pub changes_form: bool,
}

impl Release {
    /// Every third one is bad, each in another way, and some of them on some instances only.
    pub fn by_chance(chance: Chance, number: u32) -> Self {
        let life = |most| SignedDuration::from_secs(i64::try_from(chance.below(("dies", number), most)).unwrap());
        let flaw = number.is_multiple_of(3).then(|| match (u64::from(number / 3) + chance.0 * 3) % 6 {
            0 => Flaw::FailsToStart,
            1 => Flaw::NeverWell,
            2 => Flaw::DiesAfter(SignedDuration::from_secs(10) + life(80)),
            3 => Flaw::LosesData(life(80)),
            4 => Flaw::SaysAnother,
            _ => Flaw::TooSlow,
        });
        let is_slow = chance.below(("is slow", number), 4) == 0;
        Self {
            number,
            flaw,
            bad_thousandths: chance.one_of(("where", number), &[1000, 1000, 300, 100]),
            slowness: if is_slow { SignedDuration::from_secs(40) } else { SignedDuration::ZERO },
            changes_form: number > 1 && chance.below(("form", number), 4) == 0,
        }
    }

    pub fn version(&self) -> String {
        self.number.to_string()
    }

    /// What is wrong with it on an instance.
    pub fn flaw_on(&self, chance: Chance, instance: InstanceId) -> Option<Flaw> {
        let is_bad = chance.thousandths(("bad on", self.number, instance.to_string()), self.bad_thousandths);
        self.flaw.filter(|_| is_bad)
    }

    /// Whether it shows only while an instance is watched.
    pub fn shows_late(&self) -> bool {
        matches!(self.flaw, Some(Flaw::DiesAfter(_) | Flaw::LosesData(_)))
    }

    /// Whether nothing but a backup helps against it.
    pub fn harms_data(&self) -> bool {
        self.changes_form || matches!(self.flaw, Some(Flaw::LosesData(_)))
    }
}
