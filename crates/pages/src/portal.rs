use askama::Template;
use domain::{Bill, Cents, Email, InstanceState, MemberRole, Month, Plan, Signal, UsageHour};
use jiff::Timestamp;

use crate::calendar;
use crate::health::HealthView;
use crate::isolation::IsolationNote;
use crate::leaving::{Download, Leaving, WhyLeaving};
use crate::moves::LivesIn;
use crate::page::{Markup, page};
use crate::shell::{Observed, Shell};
use crate::updates::UpdatesView;

/// A customer's workspaces.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/home.html")]
pub struct PortalHome {
    /// What surrounds the page.
    pub shell: Shell,
    /// Their workspaces; may be none.
    pub instances: Vec<InstanceCard>,
    /// On whose page the means of payment and past invoices are, such as `Stripe`: a button posts to
    /// `/portal/payment`. `None` where there is no such page.
    pub paid_at: Option<String>,
}

/// One workspace in the list.
#[derive(Debug, Clone)]
pub struct InstanceCard {
    /// Its subdomain.
    pub name: String,
    /// Its hostname.
    pub hostname: String,
    /// Where it is.
    pub url: String,
    /// Where its page in the portal is; for one that is being made or removed, its progress page.
    pub portal_url: String,
    /// Where it stands.
    pub state: InstanceState,
    /// What was last seen of it.
    pub observed: Option<Observed>,
    /// Usage hours this month so far.
    pub hours_this_month: u32,
    /// The bill so far, formatted with [`Plan::price`].
    pub bill_so_far: String,
}

/// One workspace: state, usage, bill, members, deletion.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/instance.html")]
pub struct PortalInstance {
    /// What surrounds the page.
    pub shell: Shell,
    /// Its subdomain.
    pub name: String,
    /// Its hostname.
    pub hostname: String,
    /// Where it is.
    pub url: String,
    /// Where this page is; forms and links below it: `POST <portal_url>/members` (field `email`),
    /// `GET <portal_url>/delete`.
    pub portal_url: String,
    /// Where it stands.
    pub state: InstanceState,
    /// Why it is suspended.
    pub suspended_because: Option<String>,
    /// What was last seen of it.
    pub observed: Option<Observed>,
    /// How it is, by whom that was seen, and how much of the time it answered.
    pub health: HealthView,
    /// The month shown.
    pub month: Month,
    /// The hours used in that month, earliest first.
    pub hours: Vec<HourRow>,
    /// The bill of that month so far.
    pub bill: BillView,
    /// What of the included AI is used this month; none where none is included.
    pub included_ai: Option<IncludedAi>,
    /// Who may enter.
    pub members: Vec<MemberRow>,
    /// Whether the reader may invite, remove and delete.
    pub may_manage: bool,
    /// What was entered into the invitation form when it was refused.
    pub invite_email: String,
    /// Why it was refused.
    pub invite_error: Option<String>,
    /// What it runs, and what was agreed about its updates; none for one that is not in use.
    pub updates: Option<UpdatesView>,
    /// Where it lives; none where all workspaces live in one home. Forms post to `<portal_url>/moves/confirmation` and
    /// `<portal_url>/moves/back`.
    pub lives_in: Option<LivesIn>,
    /// What is said of its address.
    pub renaming: Renaming,
    /// How far it has come with giving it up; none where it is not in use, or is to be deleted.
    pub leaving: Option<Leaving>,
    /// Until when its deletion can be taken back, where that was asked for: `POST <portal_url>/deletion/undo`.
    pub deleted_at: Option<String>,
    /// Whether everything can be downloaded.
    pub download: Download,
    /// Until when support may enter, if it may.
    pub support_until: Option<Timestamp>,
    /// How it is walled off from all others.
    pub isolation: IsolationNote,
}

/// The address of a workspace, and how to change it: `POST <portal_url>/rename` with the field
/// `subdomain`; whether a name is free is asked at `<portal_url>/rename/availability`.
#[derive(Debug, Clone)]
pub struct Renaming {
    /// What follows the subdomain in an address; no leading dot.
    pub base_domain: String,
    /// The hostname that it moves to at this moment.
    pub moving_to: Option<String>,
    /// What is being done for that.
    pub doing: Option<String>,
    /// What was entered when it was refused.
    pub entered: String,
    /// Why it was refused.
    pub error: Option<String>,
}

/// One used hour with what shows that it was used.
#[derive(Debug, Clone)]
pub struct HourRow {
    /// The hour.
    pub hour: UsageHour,
    /// What shows it.
    pub evidence: Vec<EvidenceRow>,
}

/// One piece of evidence within an hour.
#[derive(Debug, Clone)]
pub struct EvidenceRow {
    /// What was seen.
    pub signal: Signal,
    /// Whose doing it was, where that is known.
    pub who: Option<String>,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How often.
    pub count: u32,
}

/// A bill with the plan that says how its amounts are written.
#[derive(Debug, Clone)]
pub struct BillView {
    /// The lines and their total.
    pub bill: Bill,
    /// The plan it follows.
    pub plan: Plan,
}

/// The allowance of AI that comes with a workspace.
#[derive(Debug, Clone)]
pub struct IncludedAi {
    /// How much of it is used, such as `$3.20 of $5.00`.
    pub used: String,
    /// Whether nothing is left of it.
    pub is_used_up: bool,
    /// When there is a new one.
    pub renewed_at: Timestamp,
}

/// One member of a workspace.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The address, or `@domain` for everybody there.
    pub member: String,
    /// What they may do.
    pub role: MemberRole,
    /// Since when.
    pub added_at: Timestamp,
    /// Where removing them is confirmed; `None` where they can't be removed.
    pub remove_url: Option<String>,
}

/// Asks whether a member shall really be removed. Posts nothing but itself to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/confirm_remove_member.html")]
pub struct ConfirmRemoveMember {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Who would be removed.
    pub member: String,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

/// Asks whether a workspace shall really be deleted. Posts `confirmation` to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/confirm_delete.html")]
pub struct ConfirmDelete {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's subdomain, which has to be typed.
    pub subdomain: String,
    /// Its hostname.
    pub hostname: String,
    /// Who may enter it now.
    pub members: u32,
    /// What will still be owed for this month, formatted.
    pub bill_so_far: String,
    /// For how many days that can be taken back; 0 for not at all.
    pub undo_days: u16,
    /// Why somebody leaves, as they said it in a form that is shown again.
    pub why: WhyLeaving,
    /// Why the confirmation was refused.
    pub error: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

page!(PortalHome, here: "/portal");
page!(PortalInstance, here: "/portal");
page!(ConfirmRemoveMember, here: "/portal");
page!(ConfirmDelete, here: "/portal");

/// Where an instance stands, in words for its customer.
pub(crate) fn state_label(state: &InstanceState) -> &'static str {
    match state {
        InstanceState::Requested => "Asked for",
        InstanceState::Provisioning => "Being made",
        InstanceState::Active => "In use",
        InstanceState::Suspended => "Suspended",
        InstanceState::Deleting => "Being removed",
        InstanceState::Deleted => "Removed",
        InstanceState::Failed => "Could not be made",
    }
}

/// What a state means for its customer, where that is not plain.
pub(crate) fn state_hint(state: &InstanceState) -> &'static str {
    match state {
        InstanceState::Requested | InstanceState::Provisioning => "It is being made, which takes a moment.",
        InstanceState::Active => "",
        InstanceState::Suspended => "Nobody can enter for now. Everything in it is kept.",
        InstanceState::Deleting => "It is being removed with everything in it.",
        InstanceState::Deleted => "It is gone. The record says what was removed.",
        InstanceState::Failed => "It could not be made; what had been made was removed again, and nothing is charged.",
    }
}

/// The colour that goes with a state; the word always stands beside it.
pub(crate) fn state_tone(state: &InstanceState) -> &'static str {
    match state {
        InstanceState::Active => "good",
        InstanceState::Requested | InstanceState::Provisioning | InstanceState::Deleting => "wait",
        InstanceState::Suspended | InstanceState::Failed => "bad",
        InstanceState::Deleted => "off",
    }
}

/// Whether there is anything to open.
fn can_open(state: &InstanceState) -> bool {
    *state == InstanceState::Active
}

impl InstanceCard {
    fn can_open(&self) -> bool {
        can_open(&self.state)
    }
}

impl PortalInstance {
    fn can_open(&self) -> bool {
        can_open(&self.state)
    }

    fn calendar(&self) -> Markup {
        calendar::of(self.month, self.hours.iter().map(|row| row.hour))
    }

    fn month_in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }
}

impl BillView {
    fn price(&self, amount: &Cents) -> String {
        self.plan.price(*amount)
    }
}

impl HourRow {
    fn label(&self) -> String {
        calendar::hour_in_words(self.hour)
    }

    fn start(&self) -> Timestamp {
        self.hour.start()
    }
}

impl MemberRow {
    fn role_label(&self) -> &'static str {
        match self.role {
            MemberRole::Owner => "Owner",
            MemberRole::Member => "Member",
        }
    }

    fn is_you(&self, reader: &Option<Email>) -> bool {
        reader.as_ref().is_some_and(|reader| reader.as_str() == self.member)
    }
}

fn clock(at: &Timestamp) -> String {
    calendar::clock(*at)
}
