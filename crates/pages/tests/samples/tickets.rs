use super::{Fill, Sample, before, sample};
use domain::{TicketKind, TicketState, TicketVoice};
use jiff::SignedDuration;
use pages::console::{
    CannedAnswerForm, CannedAnswerRow, ConsoleCannedAnswers, ConsoleTicket, ConsoleTicketRow, ConsoleTickets, Fact,
    TicketFigures, TicketFilter,
};
use pages::mail::TicketLetter;
use pages::{
    Area, BookHit, BookLink, NewTicketPage, PortalTicket, PortalTickets, RatingForm, RatingPage, Stretch, TicketEntry,
    TicketFile, TicketRow, TicketValues,
};

pub fn all(fill: Fill) -> Vec<Sample> {
    vec![
        sample("portal-tickets", list(fill).render()),
        sample("portal-new-ticket", new(fill, None).render()),
        sample("portal-new-ticket-offered", new(fill, Some(fill.list(vec![hit(fill)]))).render()),
        sample("portal-ticket", portal(fill, TicketState::Waiting).render()),
        sample("portal-ticket-closed", portal(fill, TicketState::Closed).render()),
        sample("rating", rating(fill, false).render()),
        sample("rating-answered", rating(fill, true).render()),
        sample("console-tickets", tickets(fill).render()),
        sample("console-ticket", console(fill).render()),
        sample("console-canned-answers", canned(fill).render()),
    ]
}

/// Name, subject, text and HTML of each.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let letter = |rating_url| TicketLetter {
        product: fill.text("AI-DIY"),
        subject: fill.text("It does not start"),
        name: fill.text("Ada"),
        paragraphs: fill.list(vec![fill.text("Please try again now.")]),
        url: Some("http://localhost:8080/portal/tickets/tkt_1".to_owned()),
        may_reply: true,
        rating_url,
    };
    let answer = letter(None);
    let solved = letter(Some("http://localhost:8080/support/rating/tkt_1.0".to_owned()));
    vec![
        ("mail-ticket-answer", answer.subject(), answer.text(), answer.html()),
        ("mail-ticket-solved", solved.subject(), solved.text(), solved.html()),
    ]
}

fn list(fill: Fill) -> PortalTickets {
    let row = |state| TicketRow {
        url: "/portal/tickets/tkt_1".to_owned(),
        subject: fill.text("It does not start"),
        state,
        hostname: fill.maybe("corner-bakery.localhost:8080"),
        changed_at: before(600),
    };
    PortalTickets {
        shell: fill.shell("Support", Area::Portal),
        tickets: fill.list(TicketState::ALL.map(row).to_vec()),
        next: fill.option("/portal/tickets?cursor=tkt_1".to_owned()),
    }
}

fn new(fill: Fill, answers: Option<Vec<BookHit>>) -> NewTicketPage {
    let name = "corner-bakery".to_owned();
    NewTicketPage {
        shell: fill.shell("Ask support", Area::Portal),
        instances: fill.list(vec![(name.clone(), fill.text("corner-bakery.localhost:8080"))]),
        values: TicketValues {
            key: "0".to_owned(),
            instance: name,
            kind: TicketKind::Problem,
            subject: fill.text("It does not start"),
            text: fill.text("Since this morning."),
        },
        answers,
        error: fill.maybe("A message has from 1 to 20000 characters."),
    }
}

fn hit(fill: Fill) -> BookHit {
    BookHit {
        link: BookLink { name: fill.text("Backups and copies"), url: "/docs/customers#backups".to_owned() },
        page: fill.maybe("For customers"),
        around: vec![Stretch { text: fill.text("What your workspace keeps is backed up"), found: true }],
    }
}

fn entries(fill: Fill) -> Vec<TicketEntry> {
    let entry = |voice, who: &str, text: &str| TicketEntry {
        voice,
        who: fill.text(who),
        at: before(3_000),
        text: fill.text(text),
        quoted: fill.maybe("> Hello,"),
        files: fill.list(vec![TicketFile {
            name: fill.text("screen.png"),
            url: "/portal/tickets/tkt_1/attachments/1".to_owned(),
            size: 1_300_000,
        }]),
    };
    vec![
        entry(TicketVoice::Customer, "ada@example.com", "It does not start.\nSince this morning."),
        entry(TicketVoice::Note, "grace@example.com", "The same as last week."),
        entry(TicketVoice::Support, "AI-DIY support", "Please try again now."),
    ]
}

fn portal(fill: Fill, state: TicketState) -> PortalTicket {
    PortalTicket {
        shell: fill.shell("Ticket", Area::Portal),
        url: "/portal/tickets/tkt_1".to_owned(),
        subject: fill.text("It does not start"),
        state,
        hostname: fill.maybe("corner-bakery.localhost:8080"),
        opened_at: before(9_000),
        entries: fill.list(entries(fill)),
        key: "0".to_owned(),
        entered: fill.text("And now?"),
        error: fill.maybe("A message has from 1 to 20000 characters."),
        rating: state.is_done().then(|| question(fill)),
    }
}

fn question(fill: Fill) -> RatingForm {
    RatingForm { url: "/support/rating/tkt_1.0".to_owned(), chosen: Some(4), comment: fill.text("Quick!") }
}

fn rating(fill: Fill, is_answered: bool) -> RatingPage {
    RatingPage {
        shell: fill.shell("Your question", Area::Site),
        subject: fill.text("It does not start"),
        form: question(fill),
        is_answered,
        error: fill.maybe("There is no score. Choose one from 1 to 5."),
    }
}

fn row(fill: Fill, state: TicketState) -> ConsoleTicketRow {
    ConsoleTicketRow {
        id: format!("tkt_{}", state.as_str()),
        subject: fill.text("It does not start"),
        requester: fill.text("Ada (ada@example.com)"),
        hostname: fill.maybe("corner-bakery.localhost:8080"),
        kind: TicketKind::Problem,
        state,
        assignee: fill.maybe("grace@example.com"),
        waiting_since: (state == TicketState::Open).then(|| before(7_200)),
        opened_at: before(9_000),
    }
}

fn tickets(fill: Fill) -> ConsoleTickets {
    ConsoleTickets {
        shell: fill.shell("Tickets", Area::Console),
        figures: TicketFigures {
            open: 2,
            waiting: 1,
            oldest: fill.option(before(7_200)),
            days: 90,
            opened: 40,
            median_first_answer: fill.option(SignedDuration::from_mins(47)),
            ratings: 12,
            average_tenths: fill.option(46),
        },
        tickets: fill.list(TicketState::ALL.map(|state| row(fill, state)).to_vec()),
        filter: TicketFilter { state: "unfinished".to_owned(), ..TicketFilter::default() },
        people: fill.list(vec![fill.text("grace@example.com")]),
        next: fill.option("/admin/tickets?cursor=tkt_1".to_owned()),
    }
}

fn console(fill: Fill) -> ConsoleTicket {
    let fact = |label: &str, value: &str| Fact { label: label.to_owned(), value: fill.text(value) };
    ConsoleTicket {
        shell: fill.shell("Ticket", Area::Console),
        ticket: row(fill, TicketState::Open),
        facts: fill.list(vec![
            fact("Instance", "corner-bakery.localhost:8080, active"),
            fact("Release", "1.2.0"),
            fact("Payment", "Invoice 2026-11-0018 of 2026-11-30, $12.00: paid."),
            fact("Open incidents", "none"),
        ]),
        facts_at: before(9_000),
        entries: fill.list(entries(fill)),
        rating: fill.option((4, fill.text("Quick!"))),
        may_act: true,
        key: "0".to_owned(),
        entered: fill.text("Please try again now."),
        error: fill.maybe("An answer has from 1 to 20000 characters."),
        canned: fill.list(vec![("ans_1".to_owned(), fill.text("Slow start"))]),
        people: fill.list(vec![fill.text("grace@example.com")]),
        reader: "operator@localhost".to_owned(),
    }
}

fn canned(fill: Fill) -> ConsoleCannedAnswers {
    let answer = CannedAnswerRow {
        id: "ans_1".to_owned(),
        name: fill.text("Slow start"),
        text: fill.text("Hello {name}, {subdomain} starts within a minute."),
    };
    ConsoleCannedAnswers {
        shell: fill.shell("Canned answers", Area::Console),
        answers: fill.list(vec![answer]),
        may_act: true,
        entered: CannedAnswerForm { name: fill.text("Slow start"), text: fill.text("Hello") },
        error: fill.maybe("There is an answer of that name."),
    }
}
