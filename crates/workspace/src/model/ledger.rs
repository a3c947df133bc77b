//! The account of use: what each call took and what for, in `usage.jsonl` in the data folder.
//!
//! A call is written down before it is made, with the most it can cost, and again when it ended. One
//! that never ended, since the program died in it, counts with the most: budgets are kept either way.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::message::Purpose;
use super::price::{Cost, Price, Tokens};
use super::role::Role;
use super::setup::Budgets;
use crate::folder::Folder;
use crate::journal::Journal;

const FILE: &str = "usage.jsonl";

/// The shortest answer worth paying for, in tokens.
const SHORTEST_ANSWER: u64 = 64;

/// The account of use; cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    root: PathBuf,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    last: u64,
    under_way: BTreeMap<u64, Begun>,
    days: BTreeMap<Date, Total>,
    sprints: BTreeMap<String, Total>,
    stories: BTreeMap<String, Total>,
    meetings: BTreeMap<String, Total>,
}

/// What a number of calls took together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// How many calls.
    pub calls: u64,
    /// Tokens asked.
    pub input: u64,
    /// Tokens answered.
    pub output: u64,
    /// What they cost, with the most for calls that are under way.
    pub cost: Cost,
    /// How many of the calls were counted by estimate.
    pub estimated: u64,
}

/// What is about to be called.
pub struct Intended<'a> {
    /// Who asks.
    pub role: Role,
    /// Which model.
    pub model: &'a str,
    /// What for.
    pub purpose: &'a Purpose,
    /// Its price.
    pub price: Price,
    /// The tokens that are sent.
    pub input: u64,
    /// The tokens of the longest answer wanted.
    pub longest: u64,
}

/// A call that was written down and may be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its number.
    pub call: u64,
    /// The tokens of the longest answer that the budgets leave.
    pub longest: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Begun {
    call: u64,
    at: Timestamp,
    role: Role,
    model: String,
    purpose: Purpose,
    input: u64,
    at_most: Cost,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Entry {
    Began(Begun),
    Ended { call: u64, at: Timestamp, tokens: Tokens, cost: Cost, outcome: String },
}

impl Ledger {
    /// The account in a data folder, with all that was ever written in it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn open(root: &Path) -> io::Result<Self> {
        let account = Mutex::new(read(root)?);
        Ok(Self(Arc::new(Inner { root: root.to_owned(), account })))
    }

    /// Reads the account anew, after somebody else has put it there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reread(&self) -> io::Result<()> {
        let mut account = self.0.account.lock().unwrap_or_else(PoisonError::into_inner);
        *account = read(&self.0.root)?;
        Ok(())
    }

    /// Writes down that a call is about to be made, if the budgets leave enough for it.
    ///
    /// # Errors
    /// [`ModelError::BudgetUsedUp`] and [`ModelError::Unaccountable`].
    pub fn begin(&self, now: Timestamp, budgets: Budgets, intended: &Intended<'_>) -> Result<Allowed, ModelError> {
        let mut account = self.0.account.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = account.longest_answer(now, budgets, intended)?;
        let most = Tokens { input: intended.input, output: longest, ..Tokens::default() };
        let call = account.last + 1;
        let entry = Entry::Began(Begun {
            call,
            at: now,
            role: intended.role,
            model: intended.model.to_owned(),
            purpose: intended.purpose.clone(),
            input: intended.input,
            at_most: intended.price.of(most),
        });
        self.write(&entry)?;
        account.apply(entry);
        Ok(Allowed { call, longest })
    }

    /// Writes down what a call took, however it ended; `outcome` says how in a few words.
    ///
    /// # Errors
    /// [`ModelError::Unaccountable`]; the call then counts with the most it can have cost.
    pub fn end(&self, now: Timestamp, call: u64, tokens: Tokens, cost: Cost, outcome: &str) -> Result<(), ModelError> {
        let mut account = self.0.account.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry::Ended { call, at: now, tokens, cost, outcome: outcome.to_owned() };
        self.write(&entry)?;
        account.apply(entry);
        Ok(())
    }

    /// What was used on the day of `now`, UTC.
    #[must_use]
    pub fn day(&self, now: Timestamp) -> Total {
        let today = date_of(now);
        self.read(|account| account.span(|date| date == today))
    }

    /// What was used in the month of `now`, UTC.
    #[must_use]
    pub fn month(&self, now: Timestamp) -> Total {
        let month = date_of(now).first_of_month();
        self.read(|account| account.span(|date| date.first_of_month() == month))
    }

    /// What a sprint used.
    #[must_use]
    pub fn sprint(&self, id: &str) -> Total {
        self.read(|account| account.of(&account.sprints, id, |purpose| purpose.sprint.as_deref()))
    }

    /// What a story used, in all sprints.
    #[must_use]
    pub fn story(&self, id: &str) -> Total {
        self.read(|account| account.of(&account.stories, id, |purpose| purpose.story.as_deref()))
    }

    /// What a meeting used.
    #[must_use]
    pub fn meeting(&self, id: &str) -> Total {
        self.read(|account| account.of(&account.meetings, id, |purpose| purpose.meeting.as_deref()))
    }

    fn read(&self, look: impl FnOnce(&Account) -> Total) -> Total {
        look(&self.0.account.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file is opened anew each time, so that it may be moved away or restored meanwhile.
    fn write(&self, entry: &Entry) -> Result<(), ModelError> {
        let write = || Journal::open(&Folder::open(&self.0.root)?, FILE)?.append(entry);
        write().map_err(|error| ModelError::Unaccountable(error.to_string()))
    }
}

fn read(root: &Path) -> io::Result<Account> {
    let mut account = Account::default();
    for entry in Journal::read(&Folder::open(root)?, FILE)? {
        account.apply(entry);
    }
    Ok(account)
}

impl Account {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Began(begun) => {
                self.last = self.last.max(begun.call);
                self.under_way.insert(begun.call, begun);
            }
            Entry::Ended { call, tokens, cost, .. } => {
                // A second end of the same call, or one without a beginning, counts nothing.
                let Some(begun) = self.under_way.remove(&call) else { return };
                let total = Total::of(tokens, cost);
                *self.days.entry(date_of(begun.at)).or_default() += total;
                let Purpose { sprint, story, meeting, .. } = begun.purpose;
                for (totals, id) in
                    [(&mut self.sprints, sprint), (&mut self.stories, story), (&mut self.meetings, meeting)]
                {
                    if let Some(id) = id {
                        *totals.entry(id).or_default() += total;
                    }
                }
            }
        }
    }

    fn longest_answer(&self, now: Timestamp, budgets: Budgets, intended: &Intended<'_>) -> Result<u64, ModelError> {
        let (today, month) = (date_of(now), date_of(now).first_of_month());
        let sprint = intended.purpose.sprint.as_deref();
        let spans = [
            ("day", budgets.day, self.span(|date| date == today)),
            ("month", budgets.month, self.span(|date| date.first_of_month() == month)),
            (
                "sprint",
                budgets.sprint.filter(|_| sprint.is_some()),
                sprint
                    .map_or_else(Total::default, |id| self.of(&self.sprints, id, |purpose| purpose.sprint.as_deref())),
            ),
        ];
        let asked = intended.price.of(Tokens { input: intended.input, ..Tokens::default() });
        let mut longest = intended.longest;
        for (span, budget, spent) in spans {
            let Some(budget) = budget else { continue };
            let used_up = ModelError::BudgetUsedUp { span, budget, spent: spent.cost };
            let left = budget.less(spent.cost);
            if left <= asked {
                return Err(used_up);
            }
            let affordable = intended.price.answer_for(left.less(asked)).unwrap_or(u64::MAX);
            if affordable < SHORTEST_ANSWER.min(intended.longest) {
                return Err(used_up);
            }
            longest = longest.min(affordable);
        }
        Ok(longest)
    }

    fn span(&self, is_in: impl Fn(Date) -> bool) -> Total {
        let ended = self.days.iter().filter(|(date, _)| is_in(**date)).map(|(_, total)| *total);
        let under_way = self.under_way.values().filter(|begun| is_in(date_of(begun.at))).map(Begun::total);
        ended.chain(under_way).fold(Total::default(), |sum, total| sum + total)
    }

    fn of(&self, totals: &BTreeMap<String, Total>, id: &str, key: impl Fn(&Purpose) -> Option<&str>) -> Total {
        let under_way = self.under_way.values().filter(|begun| key(&begun.purpose) == Some(id)).map(Begun::total);
        under_way.fold(totals.get(id).copied().unwrap_or_default(), |sum, total| sum + total)
    }
}

impl Begun {
    fn total(&self) -> Total {
        Total { calls: 1, input: self.input, output: 0, cost: self.at_most, estimated: 1 }
    }
}

impl Total {
    fn of(tokens: Tokens, cost: Cost) -> Self {
        let estimated = u64::from(tokens.counted == super::price::Counted::Estimated);
        Self { calls: 1, input: tokens.input, output: tokens.output, cost, estimated }
    }
}

impl std::ops::Add for Total {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cost: self.cost + other.cost,
            estimated: self.estimated.saturating_add(other.estimated),
        }
    }
}

impl std::ops::AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

fn date_of(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
