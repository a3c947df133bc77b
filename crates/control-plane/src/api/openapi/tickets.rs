use utoipa::OpenApi;

/// The description of what has to do with tickets.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    paths::list_tickets,
    paths::open_ticket,
    paths::ticket_figures,
    paths::show_ticket,
    paths::answer_ticket,
    paths::note_ticket,
    paths::assign_ticket,
    paths::close_ticket,
    paths::ticket_attachment,
    paths::list_canned_answers,
    paths::keep_canned_answer,
    paths::remove_canned_answer,
))]
struct Described;

#[expect(dead_code, reason = "read by the derive that describes the API, never called")]
mod paths {
    use api::{
        AssignTicket, CannedAnswer, NewCannedAnswer, NewTicket, NewTicketAnswer, NewTicketNote, Page, Problem, Ticket,
        TicketFigures, TicketWithMessages,
    };

    described! {
        list_tickets = (get, path = "/tickets", tag = "tickets",
            params(("state" = Option<String>, Query, description = "open, waiting, solved, closed, or unfinished for the first two"),
                   ("assignee" = Option<String>, Query, description = "Those that an operator sees to, by address, or nobody"),
                   ("instance" = Option<String>, Query, description = "Only those about this instance: id, project name or subdomain"),
                   ("order" = Option<String>, Query, description = "waiting: those that wait for us, who has waited longest first, on one page"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200")),
            responses((status = 200, body = Page<Ticket>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)));
        open_ticket = (post, path = "/tickets", tag = "tickets", request_body = NewTicket,
            params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same ticket")),
            responses((status = 201, body = Ticket), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, description = "There is no such instance", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
                      (status = 429, description = "Too many were opened from this address within an hour", body = Problem)));
        ticket_figures = (get, path = "/tickets/figures", tag = "tickets",
            responses((status = 200, description = "How support is doing", body = TicketFigures), (status = 401, body = Problem)));
        show_ticket = (get, path = "/tickets/{ticket}", tag = "tickets", params(("ticket" = String, Path)),
            responses((status = 200, body = TicketWithMessages), (status = 401, body = Problem), (status = 404, body = Problem)));
        answer_ticket = (post, path = "/tickets/{ticket}/answers", tag = "tickets", request_body = NewTicketAnswer,
            params(("ticket" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "With the same key it is said once")),
            responses((status = 200, description = "Its customer gets it by mail", body = Ticket), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, description = "It is closed", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        note_ticket = (post, path = "/tickets/{ticket}/notes", tag = "tickets", request_body = NewTicketNote,
            params(("ticket" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "With the same key it is noted once")),
            responses((status = 200, description = "For support only", body = Ticket), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        assign_ticket = (put, path = "/tickets/{ticket}/assignee", tag = "tickets", request_body = AssignTicket, params(("ticket" = String, Path)),
            responses((status = 200, body = Ticket), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "Nobody of support has that address", body = Problem)));
        close_ticket = (post, path = "/tickets/{ticket}/close", tag = "tickets", params(("ticket" = String, Path)),
            responses((status = 200, description = "It is closed; asked again, the same", body = Ticket), (status = 401, body = Problem), (status = 404, body = Problem)));
        ticket_attachment = (get, path = "/tickets/{ticket}/attachments/{file}", tag = "tickets",
            params(("ticket" = String, Path), ("file" = i64, Path, description = "Its number")),
            responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_canned_answers = (get, path = "/canned-answers", tag = "tickets",
            responses((status = 200, description = "All of them, by name", body = Page<CannedAnswer>), (status = 401, body = Problem)));
        keep_canned_answer = (post, path = "/canned-answers", tag = "tickets", request_body = NewCannedAnswer,
            responses((status = 201, body = CannedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 409, description = "There is one of that name", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        remove_canned_answer = (delete, path = "/canned-answers/{answer}", tag = "tickets", params(("answer" = String, Path)),
            responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)));
    }
}
