//! How customers pay.

use reqwest::{Method, StatusCode};
use serde_json::json;
use store::sqlx::{self, Row as _};

use super::Year;

/// What a customer does about bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Pays at once.
    Prompt,
    /// Pays after the first reminder.
    Late,
    /// Pays a half now and the rest after the first reminder.
    InParts,
    /// Pays at once; the order is sent twice, and now and then the money as well.
    Twice,
    /// Pays when the door is closed.
    WhenClosed,
    /// Pays for the first months, and then no more.
    NoMore,
}

/// From here on who pays no more pays no more.
const LAST_PAID: &str = "2027-03";

impl Habit {
    pub fn of(customer: usize) -> Self {
        match customer % 10 {
            3 => Self::Late,
            5 => Self::InParts,
            6 | 9 => Self::Twice,
            4 => Self::WhenClosed,
            7 => Self::NoMore,
            _ => Self::Prompt,
        }
    }

    /// How much of what is left is paid on a day, if anything.
    fn pays(self, month: &str, day: &str, left: i64, is_closed: bool) -> Option<i64> {
        match (self, day) {
            (Self::Prompt | Self::Twice, "05") | (Self::Late | Self::InParts, "20") => Some(left),
            (Self::InParts, "05") => Some((left / 2).max(1)),
            (Self::NoMore, "05") if month <= LAST_PAID => Some(left),
            (Self::WhenClosed, "16") if is_closed => Some(left),
            _ => None,
        }
    }
}

struct Open {
    number: String,
    email: String,
    left: i64,
    is_closed: bool,
}

impl Year {
    pub async fn some_pay(&mut self) {
        let today = self.app.clock.now().to_string();
        let (month, day) = (&today[..7], &today[8..10]);
        for open in self.open_invoices().await {
            let customer: usize = open.email[1..].split('@').next().unwrap().parse().unwrap();
            let habit = Habit::of(customer);
            let Some(amount) = habit.pays(month, day, open.left, open.is_closed) else { continue };
            let is_sent_again = habit == Habit::Twice && self.dice.one_in(4);
            let references = if is_sent_again { &["first", "second"][..] } else { &["first"] };
            for reference in references {
                self.pay(&open, amount, &format!("{} {today} {reference}", open.number)).await;
            }
        }
    }

    /// Books a payment, as two people at once do who don't know of each other.
    async fn pay(&mut self, open: &Open, amount: i64, reference: &str) {
        let path = format!("/invoices/{}/payments", open.number);
        let body = json!({"amount": amount, "reference": reference});
        let both = (0..2).map(|_| self.app.api(Method::POST, &path, Some(body.clone())));
        for (status, answer) in futures_util::future::join_all(both).await {
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        *self.paid.entry(open.email.clone()).or_default() += amount;
    }

    async fn open_invoices(&self) -> Vec<Open> {
        let sql = "select v.number, v.outstanding, c.email,
                       (select count(*) from instances i where i.customer_id = c.id and i.state = 'suspended') as closed
                   from invoices v join customers c on c.id = v.customer_id where v.outstanding > 0 order by v.seq";
        let rows = sqlx::query(sql).fetch_all(self.app.db.db.read()).await.unwrap();
        let open = |row: &sqlx::any::AnyRow| Open {
            number: row.get("number"),
            email: row.get("email"),
            left: row.get("outstanding"),
            is_closed: row.get::<i64, _>("closed") > 0,
        };
        rows.iter().map(open).collect()
    }

    /// Whoever owes nothing that is due can enter.
    pub async fn nobody_who_pays_is_closed(&self) {
        let today = self.app.clock.now().to_string();
        let closed: Vec<String> = sqlx::query_scalar(
            "select i.subdomain from instances i where i.state = 'suspended' and not exists
                 (select 1 from invoices v where v.customer_id = i.customer_id and v.outstanding > 0 and v.due_on < $1)",
        )
        .bind(&today[..10])
        .fetch_all(self.app.db.db.read())
        .await
        .unwrap();
        assert!(closed.is_empty(), "{today}: closed though everything is paid: {closed:?}");
    }
}
