//! Every page and every mail that a person sees, as typed templates.
//!
//! Views go in, text comes out: nothing here reads, waits, or asks for the time. Whoever answers a
//! request fills one of these structs and calls `render()`. All input is escaped by the templates;
//! styles and scripts are files of their own, so that pages live under the strictest policy,
//! [`CONTENT_SECURITY_POLICY`].

mod assets;
mod backups;
mod billing_details;
mod bills;
mod book;
mod brand;
mod calendar;
mod chart;
pub mod console;
mod copying;
mod health;
mod hour;
mod invoice;
mod isolation;
mod leaving;
mod legal;
pub mod mail;
mod mailbox;
mod moves;
mod news;
mod onward;
mod page;
mod portal;
mod progress;
mod security;
mod shell;
mod sign_in;
mod signup;
mod site;
mod status;
mod support;
mod tickets;
mod unsubscribe;
mod updates;
mod when;

pub use assets::{Asset, BESIDE_EDGE, Shelf, asset, assets};
pub use backups::{BackupRow, Backups, ConfirmRestore};
pub use billing_details::{BillingDetailsErrors, BillingDetailsPage, BillingDetailsValues};
pub use bills::{
    Bills, BudgetForm, CapChoice, CapForm, ConfirmCap, CouponRow, CouponsView, HourKind, HourLink, InvoicePage,
    InvoiceRow, MonthOfHours, Reckoning, ReckoningRow, SoFar, Threshold,
};
pub use book::{BookEntry, BookHit, BookLink, BookMissing, BookPage, BookPart, BookSearch, Prose, Stretch};
pub use brand::{Brand, Colour, Colours, ColoursError, Figure, Front, OwnText, Picture, PictureKind, Point};
pub use copying::{CopySource, CopyWorkspace};
pub use health::{HealthView, UptimeRow, UptimeView, ViewRow};
pub use hour::{Contest, HourCharge, HourPage, SeenBy, Sighting};
pub use invoice::{AmountRow, HowToPay, InvoiceLine, InvoiceView, PartyView, PaymentRow, Standing};
pub use isolation::{IsolationNote, IsolationStanding};
pub use leaving::{Download, LastBillView, Leave, Leaving, WhyLeaving};
pub use mailbox::{Mailbox, MailboxMessage, MailboxRow};
pub use moves::{LivesIn, MoveNote};
pub use news::{News, NewsEntry, NewsFeed, Sitemap};
pub use onward::Onward;
pub use page::{CONTENT_SECURITY_POLICY, MAIL_CONTENT_SECURITY_POLICY, Markup};
pub use portal::{
    BillView, ConfirmDelete, ConfirmRemoveMember, EvidenceRow, HourRow, IncludedAi, InstanceCard, MemberRow,
    PortalHome, PortalInstance, Renaming,
};
pub use progress::{
    DeletionRecord, Progress, ProgressState, ProgressStep, ProgressView, Purpose, RemovedRow, StepState,
};
pub use security::{Security, Walls};
pub use shell::{Area, Health, Notice, NoticeKind, Observed, Shell};
pub use sign_in::{SignInCode, SignInEmail, SignedOut, Unavailable};
pub use signup::{Availability, Signup, SignupErrors, SignupValues};
pub use site::{Docs, ErrorPage, Landing, Legal, LegalText, NotFound, Pricing};
pub use status::{ComponentRow, Condition, IncidentView, Status, StatusCounts, StatusFeed, Subscription, UpdateView};
pub use support::{SupportNow, SupportPage, SupportRow};
pub use tickets::{
    NewTicketPage, PortalTicket, PortalTickets, RatingForm, RatingPage, TicketEntry, TicketFile, TicketRow,
    TicketValues,
};
pub use unsubscribe::Unsubscribe;
pub use updates::{ComingUpdate, PastUpdateRow, UpdatesView, WEEKDAYS, WindowForm};
