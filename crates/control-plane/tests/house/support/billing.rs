//! Use, invoices and books as a test sees them.

use std::collections::BTreeMap;

use domain::{Evidence, Month, Signal, UsageHour, UsageHours};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::TestApp;

impl TestApp {
    /// The guard of an instance reports that it was used at these moments.
    pub async fn used_at(&self, subdomain: &str, moments: &[Timestamp]) {
        self.reported(subdomain, "guard", moments).await;
    }

    /// One that can speak for an instance reports that it was used at these moments.
    pub async fn reported(&self, subdomain: &str, source: &str, moments: &[Timestamp]) {
        let mut months: BTreeMap<Month, Vec<Timestamp>> = BTreeMap::new();
        for moment in moments {
            months.entry(Month::of(*moment)).or_default().push(*moment);
        }
        let token = self.host.token_of(&format!("ai-diy-{subdomain}"));
        for (month, moments) in months {
            let mut hours = UsageHours::none(month);
            moments.iter().for_each(|moment| hours.insert(UsageHour::of(*moment)).unwrap());
            let evidence: Vec<_> = moments.iter().map(|at| Evidence::seen(Signal::Member, *at)).collect();
            let report = json!({"month": month, "hours": hours.encode(), "source": source, "evidence": evidence});
            let (status, answer) = self.api_as(Some(&token), Method::POST, "/activity", Some(report)).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
    }

    /// The same, by the hours in words.
    pub async fn used(&self, subdomain: &str, moments: &[&str]) {
        let moments: Vec<Timestamp> = moments.iter().map(|text| text.parse().unwrap()).collect();
        self.used_at(subdomain, &moments).await;
    }

    /// Asks for a closing. The workflow.
    pub async fn ask_to_close(&self, month: Option<&str>) -> String {
        let (status, answer) = self.api(Method::POST, "/billing/close", Some(json!({"month": month}))).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["workflow_id"].as_str().unwrap().to_owned()
    }

    /// Closes and waits until that is done.
    pub async fn close(&self, month: Option<&str>) {
        let id = self.ask_to_close(month).await;
        assert_eq!(self.settled_as_time_passes(&id).await, "done");
    }

    /// All invoices, oldest first, each with its lines.
    pub async fn invoices(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = self.api(Method::GET, &format!("/invoices?limit=200{cursor}"), None).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            for invoice in page["data"].as_array().unwrap() {
                all.push(self.invoice(invoice["number"].as_str().unwrap()).await);
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        all.reverse();
        all
    }

    pub async fn invoice(&self, number: &str) -> Value {
        let (status, invoice) = self.api(Method::GET, &format!("/invoices/{number}"), None).await;
        assert_eq!(status, StatusCode::OK, "{invoice}");
        invoice
    }

    /// What the check of the books finds.
    pub async fn problems(&self) -> Vec<String> {
        let (status, found) = self.api(Method::POST, "/billing/check", None).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        serde_json::from_value(found["problems"].clone()).unwrap()
    }

    pub async fn ledger(&self, subdomain: &str) -> Value {
        let customer = self.instance(subdomain).await["customer_id"].as_str().unwrap().to_owned();
        let (status, ledger) = self.api(Method::GET, &format!("/customers/{customer}/ledger"), None).await;
        assert_eq!(status, StatusCode::OK, "{ledger}");
        ledger
    }

    /// What lies in the store, two columns of it.
    pub async fn rows(&self, sql: &'static str) -> Vec<(String, String)> {
        store::sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap()
    }

    pub async fn change(&self, sql: &'static str) -> u64 {
        store::sqlx::query(sql).execute(self.db.db.write()).await.unwrap().rows_affected()
    }
}
