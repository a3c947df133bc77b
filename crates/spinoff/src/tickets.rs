use api::{
    AssignTicket, CannedAnswer, Client, NewCannedAnswer, NewTicket, NewTicketAnswer, NewTicketNote, Ticket,
    TicketFigures, TicketFilter, TicketWithMessages,
};
use clap::Subcommand;
use domain::{Email, TicketKind};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, pairs, table, visible};
use crate::when::moment;

/// What can be done about what customers want of support.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List tickets: those that are not done, unless another state is named
    #[command(after_help = "Examples:
  spinoff tickets list
  spinoff tickets list --waiting-longest
  spinoff tickets list --assignee nobody
  spinoff tickets list --state all --json | jq -r '.data[].subject'")]
    List {
        /// Only those: unfinished, all, open, waiting, solved or closed
        #[arg(long, value_parser = ["unfinished", "all", "open", "waiting", "solved", "closed"], default_value = "unfinished")]
        state: String,
        /// Only those that this operator sees to, by address; or nobody
        #[arg(long, value_name = "EMAIL")]
        assignee: Option<String>,
        /// Only those about this instance: id, project name or subdomain
        #[arg(long)]
        instance: Option<String>,
        /// Only those that wait for us, who has waited longest first
        #[arg(long, conflicts_with_all = ["state", "instance"])]
        waiting_longest: bool,
    },
    /// Show a ticket with all that was said, and what was known when it was opened
    #[command(after_help = "Exit codes: 0 it is shown, 3 no such ticket.

Examples:
  spinoff tickets show tkt_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Show {
        /// Id of the ticket
        id: String,
    },
    /// Open a ticket for a customer, who gets the answers by mail
    #[command(after_help = "Exit codes: 0 it is open, 3 no such instance, 4 something of it is refused.

Examples:
  spinoff tickets open ada@example.com --instance acme --kind problem \\
      --subject 'It does not start' --text 'She called: since this morning it says that it starts.'")]
    Open {
        /// Who asks
        requester: Email,
        /// The instance that it is about: id, project name or subdomain
        #[arg(long)]
        instance: Option<String>,
        /// What kind it is: question, problem, billing or idea
        #[arg(long, value_parser = kind, default_value = "question")]
        kind: String,
        /// What it is about, in one line
        #[arg(long, value_name = "LINE")]
        subject: String,
        /// What they say
        #[arg(long)]
        text: String,
    },
    /// Answer a ticket: its customer gets that by mail
    #[command(after_help = "With --solved, the customer is also asked how content they are.

Exit codes: 0 it was answered, 3 no such ticket, 4 it is closed.

Examples:
  spinoff tickets answer tkt_01k9x0a4q7e8r9t0v1w2x3y4z5 --text 'Please try again now.'
  spinoff tickets answer tkt_01k9x0a4q7e8r9t0v1w2x3y4z5 --solved --text \"$(cat answer.txt)\"")]
    Answer {
        /// Id of the ticket
        id: String,
        /// What the customer reads
        #[arg(long)]
        text: String,
        /// That is all: the ticket is solved
        #[arg(long)]
        solved: bool,
    },
    /// Add a note to a ticket, which its customer never reads
    #[command(after_help = "Exit codes: 0 it was noted, 3 no such ticket.

Examples:
  spinoff tickets note tkt_01k9x0a4q7e8r9t0v1w2x3y4z5 --text 'It is the same as last week.'")]
    Note {
        /// Id of the ticket
        id: String,
        /// What is noted
        #[arg(long)]
        text: String,
    },
    /// Say who of support sees to a ticket
    #[command(after_help = "Exit codes: 0 it is assigned, 3 no such ticket, 4 nobody of support has that address.

Examples:
  spinoff tickets assign tkt_01k9x0a4q7e8r9t0v1w2x3y4z5 grace@example.com
  spinoff tickets assign tkt_01k9x0a4q7e8r9t0v1w2x3y4z5 --nobody")]
    Assign {
        /// Id of the ticket
        id: String,
        /// An operator of the role support or owner
        #[arg(required_unless_present = "nobody")]
        assignee: Option<Email>,
        /// Nobody sees to it any more
        #[arg(long, conflicts_with = "assignee")]
        nobody: bool,
    },
    /// Close a ticket: it takes no more words
    #[command(
        after_help = "Its customer is told by mail, and asked how content they are, unless they were asked before.

Exit codes: 0 it is closed, also when it was, 3 no such ticket.

Examples:
  spinoff tickets close tkt_01k9x0a4q7e8r9t0v1w2x3y4z5"
    )]
    Close {
        /// Id of the ticket
        id: String,
    },
    /// Show how support is doing: what waits, the time to the first answer, satisfaction
    #[command(after_help = "Examples:
  spinoff tickets figures
  spinoff tickets figures --json | jq .average_rating_tenths")]
    Figures,
    /// The answers that are given again and again
    #[command(subcommand)]
    Canned(Canned),
}

/// What can be done about canned answers.
#[derive(Debug, Subcommand)]
pub enum Canned {
    /// List the answers that are kept, by name
    #[command(after_help = "Examples:
  spinoff tickets canned list")]
    List,
    /// Keep an answer
    #[command(after_help = "{name} becomes the customer's name, {subdomain} that of their workspace.

Exit codes: 0 it is kept, 4 there is one of that name, or something of it is refused.

Examples:
  spinoff tickets canned add 'Slow start' \\
      --text 'Hello {name}, {subdomain} starts within a minute when it has rested.'")]
    Add {
        /// What it is called
        name: String,
        /// What it says
        #[arg(long)]
        text: String,
    },
    /// Keep an answer no longer
    #[command(after_help = "Exit codes: 0 it is removed, 3 no such answer.

Examples:
  spinoff tickets canned remove ans_01k9x0a4q7e8r9t0v1w2x3y4z5")]
    Remove {
        /// Id of the answer
        id: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    let output = &context.output;
    match command {
        Command::List { state, assignee, instance, waiting_longest } => {
            let state = Some(state).filter(|state| state != "all" && !waiting_longest);
            let order = waiting_longest.then(|| "waiting".to_owned());
            list(context, &client, &TicketFilter { state, assignee, instance, order }).await
        }
        Command::Show { id } => {
            let ticket = client.ticket(&id).await.doing(|| format!("can't show {id}"))?;
            output.show(&ticket, || in_words(&ticket))
        }
        Command::Open { requester, instance, kind, subject, text } => {
            let new = NewTicket { requester, instance, kind, subject, text };
            let ticket = client.open_ticket(&new).await.doing(|| "can't open the ticket".to_owned())?;
            output.report(&ticket, format!("It is open: {}", ticket.id))
        }
        Command::Answer { id, text, solved } => {
            let answer = NewTicketAnswer { text, solved };
            let ticket = client.answer_ticket(&id, &answer).await.doing(|| format!("can't answer {id}"))?;
            output.report(&ticket, format!("{} was answered, and is {}", ticket.id, ticket.state))
        }
        Command::Note { id, text } => {
            let note = NewTicketNote { text };
            let ticket = client.note_ticket(&id, &note).await.doing(|| format!("can't add a note to {id}"))?;
            output.report(&ticket, format!("It was noted in {}", ticket.id))
        }
        Command::Assign { id, assignee, nobody: _ } => {
            let assign = AssignTicket { assignee };
            let ticket = client.assign_ticket(&id, &assign).await.doing(|| format!("can't assign {id}"))?;
            let who = ticket.assignee.as_ref().map_or("Nobody", Email::as_str);
            output.report(&ticket, format!("{who} sees to {}", ticket.id))
        }
        Command::Close { id } => {
            let ticket = client.close_ticket(&id).await.doing(|| format!("can't close {id}"))?;
            output.report(&ticket, format!("{} is closed", ticket.id))
        }
        Command::Figures => {
            let figures = client.ticket_figures().await.doing(|| "can't show the figures".to_owned())?;
            output.show(&figures, || figures_in_words(&figures))
        }
        Command::Canned(command) => canned(context, &client, command).await,
    }
}

async fn list(context: &Context, client: &Client, filter: &TicketFilter) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.tickets(filter, &paging).await)
        .await
        .doing(|| "can't list the tickets".to_owned())?;
    let row = |ticket: &Ticket| {
        [
            ticket.id.to_string(),
            ticket.state.clone(),
            or_dash(ticket.waiting_since.map(moment)),
            or_dash(ticket.assignee.as_ref()),
            ticket.requester.to_string(),
            ticket.subject.clone(),
        ]
    };
    let headings = ["TICKET", "STATE", "WAITS SINCE", "ASSIGNEE", "REQUESTER", "SUBJECT"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

async fn canned(context: &Context, client: &Client, command: Canned) -> Result<(), Failure> {
    let output = &context.output;
    match command {
        Canned::List => {
            let page = client.canned_answers().await.doing(|| "can't list the canned answers".to_owned())?;
            let row = |answer: &CannedAnswer| [answer.id.to_string(), answer.name.clone(), answer.text.clone()];
            output.show(&page, || table(&["ANSWER", "NAME", "TEXT"], page.data.iter().map(row)))
        }
        Canned::Add { name, text } => {
            let kept = client.keep_canned_answer(&NewCannedAnswer { name, text }).await;
            let kept = kept.doing(|| "can't keep the answer".to_owned())?;
            output.report(&kept, format!("It is kept: {}", kept.id))
        }
        Canned::Remove { id } => {
            client.remove_canned_answer(&id).await.doing(|| format!("can't remove {id}"))?;
            output.report(&serde_json::json!({"id": id}), format!("{id} is removed"))
        }
    }
}

fn in_words(shown: &TicketWithMessages) -> String {
    let (ticket, facts) = (&shown.ticket, &shown.facts);
    let head = pairs(&[
        ("id", ticket.id.to_string()),
        ("subject", ticket.subject.clone()),
        ("kind", ticket.kind.clone()),
        ("state", ticket.state.clone()),
        ("requester", ticket.requester.to_string()),
        ("assignee", or_dash(ticket.assignee.as_ref())),
        ("opened", moment(ticket.opened_at)),
        ("waits since", or_dash(ticket.waiting_since.map(moment))),
        ("rating", or_dash(ticket.rating)),
        ("then: instance", or_dash(facts.hostname.as_ref())),
        ("then: state", or_dash(facts.instance_state.as_ref())),
        ("then: release", or_dash(facts.release.as_ref())),
        ("then: health", or_dash(facts.health.as_ref())),
        ("then: payment", or_dash(facts.payment.as_ref())),
        ("then: incidents", or_dash(Some(facts.incidents.join("; ")).filter(|all| !all.is_empty()))),
    ]);
    let said = shown.messages.iter().map(|message| {
        // Line by line: only line ends of what others typed may reach a terminal.
        let lines: Vec<String> = message.text.lines().map(|line| format!("  {}", visible(line.to_owned()))).collect();
        let files: Vec<String> = message
            .attachments
            .iter()
            .map(|file| format!("  [{}: {}, {} bytes]", file.number, visible(file.name.clone()), file.size))
            .collect();
        format!(
            "{} {} ({})\n{}\n",
            moment(message.at),
            visible(message.author.clone()),
            message.voice,
            [lines, files].concat().join("\n")
        )
    });
    format!("{head}\n{}", said.collect::<Vec<_>>().join("\n"))
}

fn figures_in_words(figures: &TicketFigures) -> String {
    let rating = figures.average_rating_tenths.map(|tenths| format!("{}.{} of 5", tenths / 10, tenths % 10));
    pairs(&[
        ("wait for us", figures.open.to_string()),
        ("the longest since", or_dash(figures.oldest_waiting_since.map(moment))),
        ("wait for their customers", figures.waiting.to_string()),
        ("counted over", format!("{} days", figures.days)),
        ("opened", figures.opened.to_string()),
        ("first answer, in the middle", or_dash(figures.median_first_answer_seconds.map(|s| format!("{s} s")))),
        ("ratings", figures.ratings.to_string()),
        ("satisfaction", or_dash(rating)),
    ])
}

fn kind(word: &str) -> Result<String, String> {
    TicketKind::parse(word).map(|kind| kind.as_str().to_owned()).map_err(|error| error.to_string())
}
