/// One signature for each route, for the document alone.
macro_rules! described {
    ($($name:ident = ($($what:tt)*);)*) => { $(
        #[utoipa::path($($what)*)]
        fn $name() {}
    )* };
}

mod growth;
mod tickets;

use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

/// The API's own description, from the types that are sent.
pub(crate) async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(described())
}

/// The same for whoever makes a reference of it.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    let mut document = Described::openapi();
    document.merge(tickets::described());
    document.merge(growth::described());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Spinoff",
        description = "The operator's API. Every answer that is no success is a problem as of RFC 9457, with what to do next in `next_step`. Lists are given in pages: pass `next_cursor` as `cursor`."
    ),
    servers((url = "/api/v1")),
    security(("bearer" = [])),
    paths(
        paths::list_instances, paths::create_instance, paths::show_instance, paths::delete_instance, paths::take_deletion_back, paths::copy_instance,
        paths::suspend_instance, paths::resume_instance, paths::rename_instance, paths::move_instance, paths::confirm_move, paths::move_back,
        paths::show_cancellation, paths::cancel_instance, paths::take_cancellation_back, paths::export_instance,
        paths::give_own_access, paths::give_shared_access,
        paths::instance_health, paths::instance_logs, paths::list_members, paths::add_member, paths::remove_member,
        paths::usage, paths::list_support_access, paths::ask_for_support_access, paths::end_support_access,
        paths::hour_of_use, paths::show_spending, paths::set_cap, paths::remove_cap, paths::set_budget, paths::remove_budget,
        paths::list_customers, paths::list_messages, paths::retry_message, paths::list_workflows, paths::show_workflow, paths::retry_workflow,
        paths::abandon_workflow, paths::list_audit_events, paths::list_alerts, paths::acknowledge_alert, paths::silence_alert, paths::resolve_alert,
        paths::list_incidents, paths::open_incident, paths::show_incident, paths::update_incident, paths::report_activity,
        paths::report_emergency, paths::signed_members, paths::ask_model, paths::list_models, paths::model_usage, paths::list_providers, paths::list_findings,
        paths::show_finding, paths::repair_finding, paths::sweep_providers, paths::show_pool,
        paths::show_isolation, paths::prove_isolation, paths::show_isolation_round,
        paths::list_invoices, paths::show_invoice, paths::invoice_pdf, paths::invoice_csv, paths::pay_invoice, paths::charge_invoice, paths::list_refunds, paths::refund_invoice, paths::write_off_invoice, paths::list_disputes, paths::show_ledger,
        paths::give_credit, paths::waive_hours, paths::list_contests, paths::open_contest, paths::decide_contest,
        paths::close_periods, paths::preview_bill, paths::check_books, paths::list_charge_differences, paths::show_margins, paths::show_dunning, paths::pause_dunning, paths::unpause_dunning,
        paths::show_billing_details, paths::set_billing_details, paths::list_coupons, paths::create_coupon, paths::show_coupon,
        paths::end_coupon, paths::list_customer_coupons, paths::give_coupon,
        paths::list_backups, paths::create_backup, paths::show_backup, paths::restore_backup, paths::verify_backup,
        paths::list_backup_proofs, paths::list_releases, paths::add_release, paths::show_release,
        paths::promote_release, paths::withdraw_release, paths::prove_release, paths::list_rollouts,
        paths::start_rollout, paths::show_rollout, paths::list_rollout_units, paths::skip_unit, paths::pause_rollout,
        paths::resume_rollout, paths::cancel_rollout, paths::roll_back_rollout, paths::show_updates,
        paths::change_updates,
    )
)]
struct Described;

/// What each route takes and answers.
#[expect(dead_code, reason = "read by the derive that describes the API, never called")]
mod paths {
    use api::{
        ActivityAccepted, ActivityReport, Alert, AskForAccess, AuditEvent, Backup, BackupProof, BillPreview,
        BillingDetails, BooksCheck, Budget, CancelInstance, Cancellation, Cap, ChangeUpdates, ChargeDifference,
        ClosePeriods, Contest, CopyInstance, Coupon, Customer, CustomerCoupon, DecideContest, DeleteInstance,
        DeletionAccepted, Dispute, DryRun, Dunning, EmergencyReport, Finding, HourOfUse, HoursWaived, Incident,
        Instance, InstanceAccepted, InstanceHealth, Invoice, Isolation, IsolationRound, Ledger, Margins, Member,
        Message, ModelUsage, NewAccess, NewBackup, NewBillingDetails, NewBudget, NewCap, NewContest, NewCoupon,
        NewCredit, NewIncident, NewIncidentUpdate, NewInstance, NewIsolationRound, NewMember, NewMove, NewPayment,
        NewProof, NewRefund, NewRelease, NewRollout, Page, Pool, Problem, PromoteRelease, Provider, RedeemCoupon,
        Refund, Release, RenameInstance, RestoreBackup, Rollout, RolloutPlan, RolloutUnit, SignedMembers, SilenceAlert,
        Spending, SupportAccess, SuspendInstance, TakenBack, Updates, Usage, WaiveHours, WithdrawRelease, Workflow,
        WorkflowAccepted, WriteOff,
    };

    described! {
        list_instances = (get, path = "/instances", tag = "instances",
            params(("state" = Option<String>, Query, description = "Only those in this state"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200")),
            responses((status = 200, body = Page<Instance>), (status = 401, body = Problem), (status = 422, body = Problem)));
        create_instance = (post, path = "/instances", tag = "instances", request_body = NewInstance,
            params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same instance")),
            responses((status = 202, body = InstanceAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 409, description = "The name, or one that looks like it, is taken, or a provider has no room", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        show_instance = (get, path = "/instances/{instance}", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Instance), (status = 401, body = Problem), (status = 404, body = Problem)));
        delete_instance = (delete, path = "/instances/{instance}", tag = "instances", request_body = DeleteInstance,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, description = "It waits to be taken back, or is under way", body = DeletionAccepted),
                      (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "The confirmation does not match", body = Problem)));
        take_deletion_back = (delete, path = "/instances/{instance}/deletion", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "It is kept", body = Instance), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not to be deleted, or is being removed already", body = Problem)));
        copy_instance = (post, path = "/instances/{instance}/copies", tag = "instances", request_body = CopyInstance,
            params(("instance" = String, Path, description = "Id, project name or subdomain"),
                   ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same copy")),
            responses((status = 202, body = InstanceAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, description = "There is no such instance, or no such backup of it", body = Problem),
                      (status = 409, description = "It can't be copied now, an invoice is not paid, the name is taken, or a provider has no room", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        list_backups = (get, path = "/backups", tag = "backups",
            params(("instance" = Option<String>, Query, description = "Only those of this instance: id, project name or subdomain"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200")),
            responses((status = 200, body = Page<Backup>), (status = 401, body = Problem), (status = 404, body = Problem)));
        create_backup = (post, path = "/backups", tag = "backups", request_body = NewBackup,
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        show_backup = (get, path = "/backups/{backup}", tag = "backups", params(("backup" = String, Path)),
            responses((status = 200, body = Backup), (status = 401, body = Problem), (status = 404, body = Problem)));
        restore_backup = (post, path = "/backups/{backup}/restore", tag = "backups", request_body = RestoreBackup,
            params(("backup" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "The confirmation does not match", body = Problem)));
        verify_backup = (post, path = "/backups/{backup}/verify", tag = "backups", params(("backup" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, body = Problem)));
        list_backup_proofs = (get, path = "/backups/proofs", tag = "backups",
            params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200")),
            responses((status = 200, body = Page<BackupProof>), (status = 401, body = Problem)));
        suspend_instance = (post, path = "/instances/{instance}/suspend", tag = "instances", request_body = SuspendInstance,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "There is no reason for it", body = Problem)));
        resume_instance = (post, path = "/instances/{instance}/resume", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, body = Problem)));
        rename_instance = (post, path = "/instances/{instance}/rename", tag = "instances", request_body = RenameInstance,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem),
                      (status = 409, description = "The name, or one that looks like it, is taken, or the instance can't move now", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        move_instance = (post, path = "/instances/{instance}/moves", tag = "instances", request_body = NewMove,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, description = "It is on its way; asked again for the same home, the same", body = WorkflowAccepted),
                      (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It lives there, can't move now, or its last move was not confirmed", body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "There is no such home, or the confirmation does not match", body = Problem)));
        confirm_move = (post, path = "/instances/{instance}/moves/confirmation", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, description = "The place that it left is being removed", body = WorkflowAccepted), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, description = "Nothing of a move is kept", body = Problem)));
        move_back = (delete, path = "/instances/{instance}/moves", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, description = "It is on its way back, with everything that was written since", body = WorkflowAccepted),
                      (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Nothing of a move is kept, or it can't move now", body = Problem)));
        show_cancellation = (get, path = "/instances/{instance}/cancellation", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "How it stands, or what would happen", body = Cancellation), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, description = "It is not in use", body = Problem)));
        cancel_instance = (post, path = "/instances/{instance}/cancellation", tag = "instances", request_body = CancelInstance,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "It runs to the end of what is paid for; asked again, the same", body = Cancellation),
                      (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not in use", body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "The confirmation does not match", body = Problem)));
        take_cancellation_back = (delete, path = "/instances/{instance}/cancellation", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = TakenBack), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not cancelled, or an invoice has to be paid first", body = Problem)));
        export_instance = (get, path = "/instances/{instance}/export", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "All files with their checksums, as a .tar.gz", body = Vec<u8>, content_type = "application/gzip"),
                      (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "There is nothing, or the compute provider can't", body = Problem),
                      (status = 503, description = "Too many are under way", body = Problem)));
        give_own_access = (put, path = "/instances/{instance}/access", tag = "instances", request_body = NewAccess,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem),
                      (status = 409, description = "The edge can't, it has one already or something else works on it, or Cloudflare has no room", body = Problem),
                      (status = 415, body = Problem),
                      (status = 422, description = "The identity provider can't be used", body = Problem)));
        give_shared_access = (delete, path = "/instances/{instance}/access", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It has none of its own, or something else works on it", body = Problem)));
        instance_health = (get, path = "/instances/{instance}/health", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "What was seen of it, by whom and when, and how much of the time it answered", body = InstanceHealth),
                      (status = 401, body = Problem), (status = 404, body = Problem)));
        instance_logs = (get, path = "/instances/{instance}/logs", tag = "instances",
            params(("instance" = String, Path), ("lines" = Option<u32>, Query)),
            responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_members = (get, path = "/instances/{instance}/members", tag = "members",
            params(("instance" = String, Path)),
            responses((status = 200, body = Page<Member>), (status = 401, body = Problem), (status = 404, body = Problem)));
        add_member = (post, path = "/instances/{instance}/members", tag = "members", request_body = NewMember,
            params(("instance" = String, Path)),
            responses((status = 201, body = Member), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        remove_member = (delete, path = "/instances/{instance}/members/{email}", tag = "members",
            params(("instance" = String, Path), ("email" = String, Path)),
            responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)));
        usage = (get, path = "/instances/{instance}/usage", tag = "usage",
            params(("instance" = String, Path), ("month" = Option<String>, Query, description = "2026-11; the present month when left out")),
            responses((status = 200, body = Usage), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)));
        hour_of_use = (get, path = "/instances/{instance}/usage/hours/{hour}", tag = "usage",
            params(("instance" = String, Path, description = "Id, project name or subdomain"),
                   ("hour" = String, Path, description = "Any moment within the hour, such as 2026-11-28T09:00:00Z")),
            responses((status = 200, body = HourOfUse), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)));
        show_spending = (get, path = "/instances/{instance}/spending", tag = "spending",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Spending), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not in use", body = Problem)));
        set_cap = (put, path = "/instances/{instance}/spending/cap", tag = "spending", request_body = NewCap,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "The cap, and what happens when it is reached", body = Cap), (status = 400, body = Problem),
                      (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not in use", body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "It is neither a number of hours nor an amount", body = Problem)));
        remove_cap = (delete, path = "/instances/{instance}/spending/cap", tag = "spending",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 204, description = "There is no cap"), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not in use", body = Problem)));
        set_budget = (put, path = "/instances/{instance}/spending/budget", tag = "spending", request_body = NewBudget,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Budget), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "Nothing, or another part than 50, 80 or 100 %, would be told", body = Problem)));
        remove_budget = (delete, path = "/instances/{instance}/spending/budget", tag = "spending",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 204, description = "There is no budget"), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_customers = (get, path = "/customers", tag = "customers",
            params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Customer>), (status = 401, body = Problem)));
        list_messages = (get, path = "/messages", tag = "messages",
            params(("state" = Option<String>, Query, description = "waiting, delivered or failed"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Message>), (status = 401, body = Problem), (status = 422, body = Problem)));
        retry_message = (post, path = "/messages/{id}/retry", tag = "messages", params(("id" = String, Path)),
            responses((status = 200, body = Message), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It was delivered, or is on its way", body = Problem)));
        list_workflows = (get, path = "/workflows", tag = "workflows",
            params(("state" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Workflow>), (status = 401, body = Problem), (status = 422, body = Problem)));
        show_workflow = (get, path = "/workflows/{id}", tag = "workflows", params(("id" = String, Path)),
            responses((status = 200, body = Workflow), (status = 401, body = Problem), (status = 404, body = Problem)));
        retry_workflow = (post, path = "/workflows/{id}/retry", tag = "workflows", params(("id" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)));
        abandon_workflow = (post, path = "/workflows/{id}/abandon", tag = "workflows", params(("id" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)));
        list_providers = (get, path = "/providers", tag = "providers",
            responses((status = 200, body = Page<Provider>), (status = 401, body = Problem)));
        list_findings = (get, path = "/providers/findings", tag = "providers",
            params(("state" = Option<String>, Query, description = "open, as without it, or closed")),
            responses((status = 200, body = Page<Finding>), (status = 401, body = Problem), (status = 422, body = Problem)));
        show_finding = (get, path = "/providers/findings/{id}", tag = "providers", params(("id" = String, Path)),
            responses((status = 200, body = Finding), (status = 401, body = Problem), (status = 404, body = Problem)));
        repair_finding = (post, path = "/providers/findings/{id}/repair", tag = "providers", params(("id" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is settled, or only a person can put it right", body = Problem)));
        sweep_providers = (post, path = "/providers/sweep", tag = "providers",
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem)));
        list_support_access = (get, path = "/instances/{instance}/support-access", tag = "support",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Page<SupportAccess>), (status = 401, body = Problem), (status = 404, body = Problem)));
        ask_for_support_access = (post, path = "/instances/{instance}/support-access", tag = "support", request_body = AskForAccess,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 201, description = "The customer was asked; only they let support in", body = SupportAccess),
                      (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "The customer was asked already, or the instance is not open", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        end_support_access = (delete, path = "/instances/{instance}/support-access", tag = "support",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 204, description = "Support can't enter; asked again, the same"), (status = 401, body = Problem),
                      (status = 404, body = Problem)));
        show_isolation = (get, path = "/isolation", tag = "isolation",
            responses((status = 200, body = Isolation), (status = 401, body = Problem)));
        prove_isolation = (post, path = "/isolation/rounds", tag = "isolation", request_body = NewIsolationRound,
            responses((status = 202, body = WorkflowAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, body = Problem),
                      (status = 409, description = "A round for another instance is under way", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        show_isolation_round = (get, path = "/isolation/rounds/{id}", tag = "isolation",
            params(("id" = String, Path, description = "The workflow's")),
            responses((status = 200, body = IsolationRound), (status = 401, body = Problem), (status = 404, body = Problem)));
        show_pool = (get, path = "/pool", tag = "pool",
            responses((status = 200, body = Pool), (status = 401, body = Problem)));
        list_invoices = (get, path = "/invoices", tag = "invoices",
            params(("instance" = Option<String>, Query, description = "Id, project name or subdomain"),
                   ("customer" = Option<String>, Query), ("state" = Option<String>, Query, description = "open, overdue, paid or written_off"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Invoice>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)));
        show_invoice = (get, path = "/invoices/{number}", tag = "invoices", params(("number" = String, Path)),
            responses((status = 200, body = Invoice), (status = 401, body = Problem), (status = 404, body = Problem)));
        invoice_pdf = (get, path = "/invoices/{number}/pdf", tag = "invoices", params(("number" = String, Path)),
            responses((status = 200, description = "The invoice on paper", content_type = "application/pdf"), (status = 401, body = Problem), (status = 404, body = Problem)));
        invoice_csv = (get, path = "/invoices/{number}/csv", tag = "invoices", params(("number" = String, Path)),
            responses((status = 200, description = "Its lines and hours", body = String, content_type = "text/csv"), (status = 401, body = Problem), (status = 404, body = Problem)));
        pay_invoice = (post, path = "/invoices/{number}/payments", tag = "invoices", request_body = NewPayment,
            params(("number" = String, Path)),
            responses((status = 200, body = Invoice), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Another payment has this reference", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        charge_invoice = (post, path = "/invoices/{number}/charge", tag = "invoices", params(("number" = String, Path)),
            responses((status = 202, body = WorkflowAccepted), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Nothing is left of it, or customers pay by hand", body = Problem)));
        list_refunds = (get, path = "/invoices/{number}/refunds", tag = "invoices", params(("number" = String, Path)),
            responses((status = 200, body = Page<Refund>), (status = 401, body = Problem), (status = 404, body = Problem)));
        refund_invoice = (post, path = "/invoices/{number}/refunds", tag = "invoices", request_body = NewRefund,
            params(("number" = String, Path)),
            responses((status = 200, body = Refund), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Less is left of what was paid, or another refund has this reference", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        write_off_invoice = (post, path = "/invoices/{number}/write-off", tag = "invoices", request_body = WriteOff,
            params(("number" = String, Path)),
            responses((status = 200, body = Invoice), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Nothing is left of it", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        list_disputes = (get, path = "/disputes", tag = "invoices",
            params(("state" = Option<String>, Query, description = "open, as without it, or closed")),
            responses((status = 200, body = Page<Dispute>), (status = 401, body = Problem), (status = 422, body = Problem)));
        show_ledger = (get, path = "/customers/{id}/ledger", tag = "customers", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Ledger), (status = 401, body = Problem), (status = 404, body = Problem)));
        give_credit = (post, path = "/customers/{id}/credits", tag = "customers", request_body = NewCredit,
            params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Ledger), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Another credit has this reference", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        show_dunning = (get, path = "/customers/{id}/dunning", tag = "customers", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Dunning), (status = 401, body = Problem), (status = 404, body = Problem)));
        pause_dunning = (post, path = "/customers/{id}/dunning/pause", tag = "customers", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Dunning), (status = 401, body = Problem), (status = 404, body = Problem)));
        unpause_dunning = (post, path = "/customers/{id}/dunning/unpause", tag = "customers", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Dunning), (status = 401, body = Problem), (status = 404, body = Problem)));
        show_billing_details = (get, path = "/customers/{id}/billing", tag = "customers", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = BillingDetails), (status = 401, body = Problem), (status = 404, body = Problem)));
        set_billing_details = (put, path = "/customers/{id}/billing", tag = "customers", request_body = NewBillingDetails,
            params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = BillingDetails), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "A field can't be what it says", body = Problem)));
        list_coupons = (get, path = "/coupons", tag = "coupons",
            params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Coupon>), (status = 401, body = Problem)));
        create_coupon = (post, path = "/coupons", tag = "coupons", request_body = NewCoupon,
            responses((status = 200, body = Coupon), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 409, description = "Another coupon has this code", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        show_coupon = (get, path = "/coupons/{code}", tag = "coupons", params(("code" = String, Path)),
            responses((status = 200, body = Coupon), (status = 401, body = Problem), (status = 404, body = Problem)));
        end_coupon = (post, path = "/coupons/{code}/end", tag = "coupons", params(("code" = String, Path)),
            responses((status = 200, body = Coupon), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_customer_coupons = (get, path = "/customers/{id}/coupons", tag = "coupons", params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Page<CustomerCoupon>), (status = 401, body = Problem), (status = 404, body = Problem)));
        give_coupon = (post, path = "/customers/{id}/coupons", tag = "coupons", request_body = RedeemCoupon, params(("id" = String, Path, description = "Id or e-mail address")),
            responses((status = 200, body = Page<CustomerCoupon>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It has ended, or all of it are taken", body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "There is no such coupon", body = Problem)));
        waive_hours = (post, path = "/instances/{instance}/usage/waive", tag = "usage", request_body = WaiveHours,
            params(("instance" = String, Path)),
            responses((status = 200, body = HoursWaived), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        list_contests = (get, path = "/contests", tag = "usage",
            params(("state" = Option<String>, Query, description = "open, accepted or refused"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Contest>), (status = 401, body = Problem), (status = 422, body = Problem)));
        open_contest = (post, path = "/contests", tag = "usage", request_body = NewContest,
            responses((status = 200, body = Contest), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        decide_contest = (post, path = "/contests/{id}/decision", tag = "usage", request_body = DecideContest, params(("id" = String, Path)),
            responses((status = 200, body = Contest), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It was decided otherwise", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        close_periods = (post, path = "/billing/close", tag = "billing", request_body = ClosePeriods,
            responses((status = 200, description = "What would be issued", body = DryRun), (status = 202, body = WorkflowAccepted), (status = 400, body = Problem),
                      (status = 401, body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "The month is not over", body = Problem)));
        preview_bill = (get, path = "/billing/preview/{instance}", tag = "billing",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, description = "The invoice of the running period, as if it ended now", body = BillPreview), (status = 401, body = Problem),
                      (status = 404, body = Problem), (status = 409, description = "Nothing is charged for it any more", body = Problem)));
        check_books = (post, path = "/billing/check", tag = "billing",
            responses((status = 200, body = BooksCheck), (status = 401, body = Problem)));
        list_charge_differences = (get, path = "/billing/differences", tag = "billing",
            params(("state" = Option<String>, Query, description = "open, as without it, or closed")),
            responses((status = 200, body = Page<ChargeDifference>), (status = 401, body = Problem), (status = 422, body = Problem)));
        show_margins = (get, path = "/billing/margins", tag = "billing",
            params(("month" = Option<String>, Query, description = "2026-11; the one before the present month when left out")),
            responses((status = 200, body = Margins), (status = 401, body = Problem),
                      (status = 422, description = "The month is still to come, or no month", body = Problem)));
        list_alerts = (get, path = "/alerts", tag = "alerts",
            params(("state" = Option<String>, Query, description = "open, acknowledged, silenced or resolved; all that are not resolved when left out"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Alert>), (status = 401, body = Problem), (status = 422, body = Problem)));
        acknowledge_alert = (post, path = "/alerts/{id}/acknowledge", tag = "alerts", params(("id" = String, Path)),
            responses((status = 200, body = Alert), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is resolved", body = Problem)));
        silence_alert = (post, path = "/alerts/{id}/silence", tag = "alerts", params(("id" = String, Path)), request_body = SilenceAlert,
            responses((status = 200, body = Alert), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is resolved", body = Problem), (status = 415, body = Problem),
                      (status = 422, description = "It has no reason, or no end within 7 days", body = Problem)));
        resolve_alert = (post, path = "/alerts/{id}/resolve", tag = "alerts", params(("id" = String, Path)),
            responses((status = 200, body = Alert), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_incidents = (get, path = "/incidents", tag = "incidents",
            params(("state" = Option<String>, Query, description = "A state, or open for all that are not resolved"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Incident>), (status = 401, body = Problem), (status = 422, body = Problem)));
        open_incident = (post, path = "/incidents", tag = "incidents", request_body = NewIncident,
            responses((status = 200, body = Incident), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        show_incident = (get, path = "/incidents/{id}", tag = "incidents", params(("id" = String, Path)),
            responses((status = 200, body = Incident), (status = 401, body = Problem), (status = 404, body = Problem)));
        update_incident = (post, path = "/incidents/{id}/updates", tag = "incidents", params(("id" = String, Path)), request_body = NewIncidentUpdate,
            responses((status = 200, body = Incident), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is resolved", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        list_audit_events = (get, path = "/audit-events", tag = "audit-events",
            params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<AuditEvent>), (status = 401, body = Problem)));
        report_activity = (post, path = "/activity", tag = "activity", request_body = ActivityReport,
            responses((status = 200, body = ActivityAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 403, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        report_emergency = (post, path = "/activity/emergency", tag = "activity", request_body = EmergencyReport,
            responses((status = 200, body = ActivityAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 403, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
                      (status = 429, description = "Too many entries within an hour", body = Problem)));
        list_releases = (get, path = "/releases", tag = "releases",
            params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Release>), (status = 401, body = Problem)));
        add_release = (post, path = "/releases", tag = "releases", request_body = NewRelease,
            responses((status = 201, body = Release), (status = 200, description = "It was there already", body = Release),
                      (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 409, description = "Another release has this version", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        show_release = (get, path = "/releases/{version}", tag = "releases", params(("version" = String, Path)),
            responses((status = 200, body = Release), (status = 401, body = Problem), (status = 404, body = Problem)));
        promote_release = (post, path = "/releases/{version}/promote", tag = "releases", request_body = PromoteRelease, params(("version" = String, Path)),
            responses((status = 200, body = Release), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is not proven where it is, not there, withdrawn, or with the customers already", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        withdraw_release = (post, path = "/releases/{version}/withdraw", tag = "releases", request_body = WithdrawRelease, params(("version" = String, Path)),
            responses((status = 200, body = Release), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, description = "There is no reason", body = Problem)));
        prove_release = (post, path = "/releases/{version}/proofs", tag = "releases", request_body = NewProof, params(("version" = String, Path)),
            responses((status = 200, body = Release), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        list_rollouts = (get, path = "/rollouts", tag = "rollouts",
            params(("state" = Option<String>, Query, description = "open: only the one that is not over"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<Rollout>), (status = 401, body = Problem), (status = 422, body = Problem)));
        start_rollout = (post, path = "/rollouts", tag = "rollouts", request_body = NewRollout,
            responses((status = 202, body = Rollout), (status = 200, description = "What it would do, for a dry run", body = RolloutPlan),
                      (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 404, description = "There is no such release, or no such instance", body = Problem),
                      (status = 409, description = "Another one is open, the release was withdrawn, or no backup can be made", body = Problem),
                      (status = 415, body = Problem), (status = 422, body = Problem)));
        show_rollout = (get, path = "/rollouts/{id}", tag = "rollouts", params(("id" = String, Path)),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_rollout_units = (get, path = "/rollouts/{id}/units", tag = "rollouts",
            params(("id" = String, Path), ("state" = Option<String>, Query, description = "Only those in this state"),
                   ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
            responses((status = 200, body = Page<RolloutUnit>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)));
        skip_unit = (post, path = "/rollouts/{id}/units/{instance}/skip", tag = "rollouts",
            params(("id" = String, Path), ("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Its update has begun", body = Problem)));
        pause_rollout = (post, path = "/rollouts/{id}/pause", tag = "rollouts", params(("id" = String, Path)),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is over, or on its way back", body = Problem)));
        resume_rollout = (post, path = "/rollouts/{id}/resume", tag = "rollouts", params(("id" = String, Path)),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is over, or on its way back", body = Problem)));
        cancel_rollout = (post, path = "/rollouts/{id}/cancel", tag = "rollouts", params(("id" = String, Path)),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is over, or on its way back", body = Problem)));
        roll_back_rollout = (post, path = "/rollouts/{id}/roll-back", tag = "rollouts", params(("id" = String, Path)),
            responses((status = 200, body = Rollout), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "Another one is open", body = Problem)));
        show_updates = (get, path = "/instances/{instance}/updates", tag = "instances",
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Updates), (status = 401, body = Problem), (status = 404, body = Problem)));
        change_updates = (put, path = "/instances/{instance}/updates", tag = "instances", request_body = ChangeUpdates,
            params(("instance" = String, Path, description = "Id, project name or subdomain")),
            responses((status = 200, body = Updates), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem),
                      (status = 409, description = "It is gone", body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        ask_model = (post, path = "/model/chat/completions", tag = "model",
            request_body(content = Object, description = "A question as of the OpenAI-compatible protocol, asked by the guard of an instance. Text and functions only; fields that could cost what is not counted are refused."),
            responses((status = 200, description = "The provider's answer, as it arrives"),
                      (status = 400, description = "The question can't be passed on. This and all other errors have the protocol's own form"),
                      (status = 401, description = "No instance's token"), (status = 402, description = "The allowance of the month is used up"),
                      (status = 403, description = "The instance is suspended, or not in use"), (status = 404, description = "No such model is offered"),
                      (status = 413, description = "The question is larger than 2 MiB"),
                      (status = 429, description = "Too many questions at once; come back after `Retry-After`"),
                      (status = 502, description = "The provider failed"), (status = 504, description = "The provider did not answer in time")));
        list_models = (get, path = "/model/models", tag = "model",
            responses((status = 200, description = "The models that may be asked for"), (status = 401, description = "No instance's token"),
                      (status = 404, description = "No model is offered")));
        model_usage = (get, path = "/model/usage", tag = "model",
            params(("month" = Option<String>, Query, description = "Such as 2026-11; the present one, if left out")),
            responses((status = 200, body = ModelUsage), (status = 401, body = Problem), (status = 422, body = Problem)));
        signed_members = (get, path = "/activity/members", tag = "activity",
            responses((status = 200, body = SignedMembers), (status = 401, body = Problem), (status = 403, body = Problem)));
    }
}
