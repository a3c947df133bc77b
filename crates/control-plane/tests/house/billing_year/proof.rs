//! What has to hold at the end, seen from what really happened and not from what the server computed.

use std::collections::{BTreeMap, BTreeSet};

use billing::Invoice;
use domain::UsageHour;
use reqwest::{Method, StatusCode};
use store::sqlx;

use super::Year;
use super::money::Habit;

#[derive(Default)]
struct Billed {
    charged: Vec<UsageHour>,
    credited: Vec<UsageHour>,
}

impl Year {
    pub async fn everything_adds_up(&self) {
        assert_eq!(self.app.problems().await, [""; 0]);
        let invoices = self.documents().await;
        self.every_hour_is_billed_once(&invoices);
        self.no_cent_is_missing(&invoices).await;
        self.doors_are_as_they_should_be().await;
        let numbers: BTreeSet<&str> = invoices.iter().map(|invoice| &invoice.number[5..]).collect();
        assert_eq!(numbers.len(), invoices.len());
        assert_eq!(numbers.last().unwrap().parse::<usize>().unwrap(), invoices.len(), "a number is missing");
    }

    async fn documents(&self) -> Vec<Invoice> {
        let sql = "select document from invoices order by seq";
        let documents: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(self.app.db.db.read()).await.unwrap();
        documents.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect()
    }

    fn every_hour_is_billed_once(&self, invoices: &[Invoice]) {
        let mut all: BTreeMap<String, Billed> = BTreeMap::new();
        for invoice in invoices {
            let billed = all.entry(invoice.instance.to_string()).or_default();
            billed.charged.extend(invoice.lines.iter().flat_map(|line| line.hours.iter()));
            billed.credited.extend(invoice.credits.iter().flat_map(|credit| credit.hours.iter()));
        }
        for life in &self.lives {
            let Billed { charged, credited } = all.remove(&life.id).unwrap_or_default();
            let once: BTreeSet<UsageHour> = charged.iter().copied().collect();
            assert_eq!(once.len(), charged.len(), "{} was charged twice for an hour", life.name);
            let back: BTreeSet<UsageHour> = credited.iter().copied().collect();
            assert_eq!(back.len(), credited.len(), "{} got an hour back twice", life.name);
            let paid_for: BTreeSet<UsageHour> = once.difference(&back).copied().collect();
            assert_eq!(paid_for, life.billable(), "{life:?}");
        }
        assert!(all.is_empty(), "somebody was billed who does not exist");
    }

    /// What is owed is what was invoiced, less what was credited and what was paid.
    async fn no_cent_is_missing(&self, invoices: &[Invoice]) {
        let mut invoiced: BTreeMap<String, i64> = BTreeMap::new();
        for invoice in invoices {
            let credited: i64 = invoice.credits.iter().map(|credit| credit.amount.get()).sum();
            *invoiced.entry(invoice.customer.to_string()).or_default() += invoice.total.get() - credited;
        }
        let customers = self.app.rows("select id, email from customers").await;
        assert!(customers.len() >= self.lives.len() * 4 / 5);
        for (id, email) in customers {
            let (status, ledger) = self.app.api(Method::GET, &format!("/customers/{id}/ledger"), None).await;
            assert_eq!(status, StatusCode::OK, "{ledger}");
            let owed = ledger["owed"].as_i64().unwrap() - ledger["credit"].as_i64().unwrap();
            let paid = self.paid.get(&email).copied().unwrap_or_default();
            assert_eq!(owed, invoiced.get(&id).copied().unwrap_or_default() - paid, "{email}");
        }
    }

    async fn doors_are_as_they_should_be(&self) {
        let states = self.states().await;
        for life in &self.lives {
            let is_gone = life.left || life.habit == Habit::NoMore;
            let may_be_closed = life.habit == Habit::WhenClosed;
            let state = states[&life.id].as_str();
            let expected = if is_gone { "deleted" } else { "active" };
            assert!(state == expected || (may_be_closed && state == "suspended"), "{state}: {life:?}");
        }
        assert_eq!(self.app.count("select count(*) from workflows where state = 'stuck'").await, 0);
    }

    /// What there was to go through.
    pub async fn in_words(&self) -> String {
        let sum = |sql| self.app.count(sql);
        let (closed, opened) = (
            sum("select count(*) from workflows where kind = 'suspend.v1'").await,
            sum("select count(*) from workflows where kind = 'resume.v1'").await,
        );
        let hours: usize = self.lives.iter().map(|life| life.used.len()).sum();
        let waived: usize = self.lives.iter().map(|life| life.waived.len()).sum();
        let gone = self.lives.iter().filter(|life| life.left || life.habit == Habit::NoMore).count();
        format!(
            "{} instances, {} invoices, {hours} hours used, {waived} of them waived, {closed} doors closed and {opened} \
             opened, {gone} instances deleted; {} deaths between steps and {} in the middle of a close",
            self.lives.len(),
            self.invoices().await,
            self.mourned,
            self.kills_in_the_middle,
        )
    }
}
