use super::{Fill, Sample, before, now, sample};
use domain::{Cents, Month, Signal, UsageHour};
use jiff::civil::date;
use pages::{
    AmountRow, Area, BillingDetailsErrors, BillingDetailsPage, BillingDetailsValues, Bills, BudgetForm, CapChoice,
    CapForm, ConfirmCap, Contest, CouponRow, CouponsView, HourCharge, HourKind, HourLink, HourPage, HowToPay,
    InvoiceLine, InvoicePage, InvoiceRow, InvoiceView, MonthOfHours, PartyView, PaymentRow, Reckoning, ReckoningRow,
    SeenBy, Sighting, SoFar, Standing, Threshold,
};

pub fn all(fill: Fill) -> Vec<Sample> {
    let reason = || fill.text("Nobody of us worked that night. I think a browser was left open.");
    let answer =
        || fill.text("You are right: the page was open in a hidden tab, and only asked whether it is still there.");
    let at = before(86_400);
    let hours = [
        ("portal-hour", hour(fill, HourCharge::Coming { price: "$1.00".to_owned() }, possible(fill))),
        (
            "portal-hour-waiting",
            hour(
                fill,
                HourCharge::Billed {
                    price: "$1.00".to_owned(),
                    number: fill.text("2026-11-0018"),
                    url: "/i".to_owned(),
                },
                Contest::Waiting { reason: reason(), at },
            ),
        ),
        (
            "portal-hour-accepted",
            hour(
                fill,
                HourCharge::Credited { number: fill.text("2026-11-0018"), url: "/i".to_owned() },
                Contest::Accepted { reason: reason(), answer: answer(), at },
            ),
        ),
        (
            "portal-hour-refused",
            hour(fill, HourCharge::Waived, Contest::Refused { reason: reason(), answer: answer(), at }),
        ),
        (
            "portal-hour-free",
            hour(
                fill,
                HourCharge::Free(fill.text("It lies in your trial.")),
                Contest::Impossible(fill.text("An hour that costs nothing need not be contested.")),
            ),
        ),
        ("portal-hour-unused", hour(fill, HourCharge::Unused, possible(fill))),
    ];
    let mut found = vec![
        sample("portal-bills", bills(fill).render()),
        sample("portal-details", details(fill, BillingDetailsErrors::default()).render()),
        sample(
            "portal-details-refused",
            details(
                fill,
                BillingDetailsErrors {
                    name: fill.maybe("Enter the name of the person or company that invoices are made out to"),
                    address: fill.maybe("Use at most 6 lines"),
                    country: fill.maybe("Choose a country: it decides which taxes are charged"),
                    tax_id: fill.maybe("\"ATU1\" is no VAT number of Austria: it should look like ATU99999999"),
                    mail_to: fill.maybe("\"nobody\" is not an e-mail address"),
                },
            )
            .render(),
        ),
        sample("portal-cap", confirm_cap(fill, CapChoice::Money).render()),
        sample("portal-cap-none", confirm_cap(fill, CapChoice::Uncapped).render()),
        sample(
            "portal-invoice",
            invoice_page(
                fill,
                Standing::Open,
                HowToPay::Transfer(fill.list(vec![
                    fill.text(
                        "Please transfer the amount to Spinoff Ltd, IBAN GB29 NWBK 6016 1331 9268 19, BIC NWBKGB2L.",
                    ),
                    fill.text("Give 2026-11-0018 as reference, so that we know what it is for."),
                ])),
            )
            .render(),
        ),
        sample(
            "portal-invoice-overdue",
            invoice_page(
                fill,
                Standing::Overdue,
                HowToPay::Online {
                    url: "https://pay.example.com/i/1?a=b&c=d".to_owned(),
                    because: fill.maybe("Your card ending in 4242 was refused."),
                },
            )
            .render(),
        ),
        sample(
            "portal-invoice-automatic",
            invoice_page(
                fill,
                Standing::Void,
                HowToPay::Automatic(
                    fill.text("We charge your card ending in 4242 on 3 December 2026. You need not do anything."),
                ),
            )
            .render(),
        ),
        sample("portal-invoice-paid", invoice_page(fill, Standing::Paid, HowToPay::Nothing).render()),
    ];
    found.extend(hours.map(|(name, page)| sample(name, page.render())));
    found
}

fn month_of_hours(fill: Fill) -> MonthOfHours {
    let starts = [300, 297, 296, 250, 249, 226, 225, 130, 129, 128, 55, 54, 2, 1, 0];
    let links = starts.iter().enumerate().map(|(index, back)| HourLink {
        hour: UsageHour::of(before(back * 3600)),
        kind: [HourKind::Free, HourKind::Free, HourKind::Waived].get(index).copied().unwrap_or(HourKind::Charged),
        url: format!("/portal/instances/ins_1/bills/hours/{index}"),
    });
    MonthOfHours { month: Month::of(now()), hours: fill.list(links.collect()) }
}

fn bills(fill: Fill) -> Bills {
    Bills {
        shell: fill.shell("Bills", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        portal_url: "/portal/instances/ins_1".to_owned(),
        currency: "usd".to_owned(),
        so_far: fill.option(SoFar {
            period: fill.text("1 Nov 2026 to 30 Nov 2026"),
            hours: 12,
            amount: Cents::new(1700),
            expected_hours: 15,
            expected_amount: Cents::new(2000),
            most_hours: 40,
            most_amount: Cents::new(4500),
            trial_until: fill.option(before(-86_400)),
            reckoning: fill.option(reckoning(fill)),
        }),
        months: vec![month_of_hours(fill)],
        credit: if fill == Fill::Empty { Cents::ZERO } else { Cents::new(120) },
        invoices: fill.list(vec![
            row(fill, "2026-10-0017", "1 Oct 2026 to 31 Oct 2026", Standing::Overdue, 4814),
            row(fill, "2026-09-0011", "1 Sep 2026 to 30 Sep 2026", Standing::Open, 120),
            row(fill, "2026-08-0009", "1 Aug 2026 to 31 Aug 2026", Standing::Paid, 0),
            row(fill, "2026-07-0004", "12 Jul 2026 to 31 Jul 2026", Standing::Void, 0),
            row(fill, "2026-06-0002", "12 Jun 2026 to 30 Jun 2026", Standing::WrittenOff, 0),
        ]),
        next: fill.option("?before=2026-06".to_owned()),
        coupons: CouponsView {
            held: fill.list(vec![
                coupon(fill, "Launch offer", Some("LAUNCH-20"), "20 % off for 3 periods", "until 1 February 2027"),
                coupon(fill, "TEN-HOURS", None, "10 hours for free", "used up"),
            ]),
            code: fill.text("LANCH-20"),
            error: fill.maybe("There is no coupon LANCH-20. Check its letters."),
        },
        cap: Some(CapForm {
            now: fill.maybe("You are charged for at most 40 hours in each period."),
            reached: fill != Fill::Empty,
            chosen: if fill == Fill::Empty { CapChoice::Uncapped } else { CapChoice::Hours },
            hours: fill.text("40"),
            amount: fill.text(""),
            error: fill.maybe("Enter a whole number of hours, such as 40."),
        }),
        budget: Some(BudgetForm {
            amount: fill.text("25.00"),
            thresholds: vec![
                Threshold { percent: 50, told: false },
                Threshold { percent: 80, told: true },
                Threshold { percent: 100, told: true },
            ],
            error: fill.maybe("Enter an amount such as 25.00."),
        }),
        may_manage: true,
    }
}

fn reckoning(fill: Fill) -> Reckoning {
    let row = |what: &str, amount, expected| ReckoningRow {
        what: fill.text(what),
        amount: Cents::new(amount),
        expected: Cents::new(expected),
    };
    Reckoning {
        rows: vec![row("Base fee and hours", 1700, 2000), row("Launch offer", -340, -400), row("VAT 20 %", 272, 320)],
        total: Cents::new(1632),
        expected_total: Cents::new(1920),
        tax_exempt: fill.maybe("Reverse charge: the buyer owes the tax."),
    }
}

fn coupon(fill: Fill, name: &str, code: Option<&str>, offer: &str, left: &str) -> CouponRow {
    CouponRow {
        name: fill.text(name),
        code: code.and_then(|code| fill.maybe(code)),
        offer: fill.text(offer),
        left: fill.text(left),
    }
}

fn details(fill: Fill, errors: BillingDetailsErrors) -> BillingDetailsPage {
    BillingDetailsPage {
        shell: fill.shell("Billing details", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        bills_url: "/portal/instances/ins_1/bills".to_owned(),
        action: "/portal/instances/ins_1/bills/details".to_owned(),
        values: BillingDetailsValues {
            name: fill.text("Corner Bakery Žofie & Söhne GmbH"),
            address: fill.text("Mühlgasse 7\n1040 Wien"),
            country: fill.text("AT"),
            tax_id: fill.text("ATU12345678"),
            mail_to: fill.text("books@corner-bakery.example"),
        },
        errors,
    }
}

pub(super) fn row(fill: Fill, number: &str, period: &str, standing: Standing, open: i64) -> InvoiceRow {
    InvoiceRow {
        number: fill.text(number),
        period: fill.text(period),
        total: Cents::new(4814),
        open: Cents::new(open),
        standing,
        due: date(2026, 12, 15),
        url: "/portal/invoices/1".to_owned(),
        pdf_url: "/portal/invoices/1.pdf".to_owned(),
        csv_url: "/portal/invoices/1.csv".to_owned(),
    }
}

fn confirm_cap(fill: Fill, chosen: CapChoice) -> ConfirmCap {
    let meaning = [
        "You pay at most $25.00 for each period, taxes included: the base fee and 15 hours",
        "Once they are used, your workspace closes at the end of the hour that is running and opens again with the next period, or at once when you raise the cap",
        "Your data is kept",
        "Work that is under way is interrupted",
        "An hour that begins all the same is not charged",
    ];
    ConfirmCap {
        shell: fill.shell("Spending cap", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        chosen,
        value: fill.text("25.00"),
        meaning: meaning.map(|sentence| format!("{}. ", fill.text(sentence))).concat().trim_end().to_owned(),
        reached_at_once: chosen == CapChoice::Money,
        action: "/portal/instances/ins_1/bills/cap".to_owned(),
        back_url: "/portal/instances/ins_1/bills".to_owned(),
    }
}

fn possible(fill: Fill) -> Contest {
    Contest::Possible { reason: fill.text(""), error: fill.maybe("Say in a sentence why it should not count.") }
}

fn hour(fill: Fill, charge: HourCharge, contest: Contest) -> HourPage {
    let hour = UsageHour::of(now());
    let seen = |signal, who: &str, seen_by, minute: i64, count| Sighting {
        signal,
        who: fill.maybe(who),
        seen_by,
        first: hour.start() + jiff::SignedDuration::from_mins(minute),
        last: hour.start() + jiff::SignedDuration::from_mins(minute + 12),
        count,
    };
    HourPage {
        shell: fill.shell("Hour", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        bills_url: "/portal/instances/ins_1/bills".to_owned(),
        hour,
        charge,
        evidence: fill.list(vec![
            seen(Signal::Member, "ada@corner-bakery.example", SeenBy::Guard, 7, 46),
            seen(Signal::Sprint, "sprint 4", SeenBy::Application, 9, 3),
            seen(Signal::AppRunning, "cake orders", SeenBy::Guard, 11, 1),
        ]),
        contest,
        contest_action: "/portal/instances/ins_1/bills/hours/494134/contest".to_owned(),
    }
}

fn party(fill: Fill, name: &str, address: &[&str], tax_id: &str) -> PartyView {
    PartyView {
        name: fill.text(name),
        address: fill.list(address.iter().map(|line| fill.text(line)).collect()),
        tax_id: fill.maybe(tax_id),
    }
}

pub(super) fn invoice(fill: Fill, standing: Standing) -> InvoiceView {
    let line = |what: &str, quantity, unit, amount| InvoiceLine {
        what: fill.text(what),
        quantity,
        unit: Cents::new(unit),
        amount: Cents::new(amount),
    };
    let amount = |what: &str, amount| AmountRow { what: fill.text(what), amount: Cents::new(amount) };
    let paid = PaymentRow {
        on: date(2026, 12, 9),
        how: fill.text("Bank transfer, reference 2026-11-0018"),
        amount: Cents::new(4000),
    };
    let owed = matches!(standing, Standing::Open | Standing::Overdue) && fill != Fill::Empty;
    InvoiceView {
        number: fill.text("2026-11-0018"),
        standing,
        currency: "usd".to_owned(),
        workspace: fill.text("corner-bakery.localhost:8080"),
        period: fill.text("1 Nov 2026 to 30 Nov 2026"),
        issued: date(2026, 12, 1),
        due: date(2026, 12, 15),
        seller: party(fill, "Spinoff Ltd", &["1 High Street", "London EC1A 1BB", "United Kingdom"], "GB123456789"),
        buyer: party(
            fill,
            "Corner Bakery Žofie & Söhne GmbH",
            &["Ada Lovelace", "Mühlgasse 7", "1040 Wien"],
            "ATU12345678",
        ),
        lines: fill.list(vec![
            line("Base fee, 1 Nov 2026 to 30 Nov 2026", None, 500, 500),
            line("Usage hours, 1 Nov 2026 to 30 Nov 2026", Some(47), 100, 4700),
            line(
                "Late usage hours of 1 Oct 2026 to 31 Oct 2026, reported after its close: 1 Oct 2026 22:00 UTC",
                Some(1),
                100,
                100,
            ),
        ]),
        subtotal: Cents::new(5300),
        discounts: fill.list(vec![amount("Welcome: 5 hours for free", 500), amount("Spring offer: 10 % off", 480)]),
        net: Cents::new(4320),
        taxes: fill.list(vec![amount("VAT, 20 % of $43.20", 864)]),
        tax_exempt: fill.maybe("Reverse charge: the buyer owes the tax."),
        total: Cents::new(5184),
        credit_applied: if fill == Fill::Empty { Cents::ZERO } else { Cents::new(370) },
        credits: fill.list(vec![amount(
            "Credit for 1 hour of 1 Oct 2026 to 31 Oct 2026, waived after invoice 2026-10-0017",
            120,
        )]),
        payments: fill.list(vec![paid]),
        notes: fill.list(vec![fill.text(
            "Your bank has questioned $40.00 of the payment since 9 December 2026 and holds it until it has decided.",
        )]),
        open: if owed { Cents::new(814) } else { Cents::ZERO },
    }
}

fn invoice_page(fill: Fill, standing: Standing, how_to_pay: HowToPay) -> InvoicePage {
    InvoicePage {
        shell: fill.shell("Invoice", Area::Portal),
        invoice: invoice(fill, standing),
        how_to_pay,
        months: fill.list(vec![month_of_hours(fill)]),
        bills_url: "/portal/instances/ins_1/bills".to_owned(),
        details_url: "/portal/instances/ins_1/bills/details".to_owned(),
        pdf_url: "/portal/invoices/1.pdf".to_owned(),
        csv_url: "/portal/invoices/1.csv".to_owned(),
    }
}
