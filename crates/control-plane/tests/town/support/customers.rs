use std::sync::atomic::Ordering;

use control_plane::operator_token;
use domain::InstanceId;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use workflow::WorkflowRecord;

use super::Town;
use super::companies::BASE;

/// What a customer does on the payment provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Enters a card that works.
    Pays,
    /// Enters a card that is declined, and goes away.
    IsDeclined,
    /// Never comes.
    StaysAway,
}

/// What came of an order.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The workflow of the order.
    pub workflow: String,
    pub instance: InstanceId,
}

impl Town {
    pub async fn order(&self, subdomain: &str) -> Ordered {
        let order = json!({"customer_email": format!("{subdomain}@example.com"), "subdomain": subdomain});
        let accepted = self.ask(Method::POST, "/instances", order).await.unwrap();
        Ordered { workflow: workflow(&accepted), instance: accepted["id"].as_str().unwrap().parse().unwrap() }
    }

    /// Fills in the form, as a customer does. Who orders twice is signed in.
    pub async fn sign_up(&self, subdomain: &str) -> Ordered {
        let email = format!("{subdomain}@example.com");
        let mut form = vec![("name", "Ada"), ("email", &email), ("subdomain", subdomain), ("key", subdomain)];
        form.extend(["agree_terms", "agree_privacy", "agree_acceptable_use", "agree_billing"].map(|name| (name, "on")));
        let site = self.url.trim_end_matches("/api/v1");
        let request = self.http.post(format!("{site}/signup")).form(&form).header("sec-fetch-site", "same-origin");
        let answer = request.header("host", BASE).send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let to = to.unwrap_or_else(|| panic!("{subdomain}: {}", answer.status()));
        let workflow =
            to.strip_prefix("/signup/").and_then(|rest| rest.strip_suffix("/payment")).expect(&to).to_owned();
        let instance = self.workflow(&workflow).await.subject.parse().unwrap();
        Ordered { workflow, instance }
    }

    /// Looks after the pool, as is done twice a minute, until nothing is left to do for it.
    pub async fn fill_pool(&self) {
        for _ in 0..20 {
            control_plane::keep_pool(&self.app.core()).await.unwrap();
            self.settle().await;
            self.clock.advance(SignedDuration::from_secs(30));
        }
    }

    /// The workflow that makes an instance, or hands one over, if the order came so far.
    pub async fn provisioning(&self, instance: InstanceId) -> Option<WorkflowRecord> {
        let all = workflow::of_subject(&self.db.db, &instance.to_string()).await.unwrap();
        let id = all.into_iter().find(|record| ["provision.v1", "claim.v1"].contains(&record.kind.as_str()))?.id;
        Some(self.workflow(&id).await)
    }

    pub async fn delete(&self, subdomain: &str) -> String {
        self.try_delete(subdomain).await.unwrap()
    }

    /// `None` where that is refused as things stand.
    pub async fn try_delete(&self, subdomain: &str) -> Option<String> {
        let path = format!("/instances/{subdomain}");
        self.ask(Method::DELETE, &path, json!({"confirm": subdomain})).await.map(|accepted| workflow(&accepted))
    }

    pub async fn try_suspend(&self, subdomain: &str) -> Option<String> {
        let why = json!({"reason": "The card was declined."});
        self.ask(Method::POST, &format!("/instances/{subdomain}/suspend"), why).await.map(|said| workflow(&said))
    }

    pub async fn try_resume(&self, subdomain: &str) -> Option<String> {
        self.ask(Method::POST, &format!("/instances/{subdomain}/resume"), json!({})).await.map(|said| workflow(&said))
    }

    /// `None` where that is refused as things stand.
    pub async fn try_rename(&self, subdomain: &str, to: &str) -> Option<String> {
        let wish = json!({"subdomain": to});
        self.ask(Method::POST, &format!("/instances/{subdomain}/rename"), wish).await.map(|said| workflow(&said))
    }

    /// `None` where that is refused as things stand.
    pub async fn try_own_access(&self, subdomain: &str, provider: &Value) -> Option<String> {
        let wish = json!({"identity_provider": provider});
        self.ask(Method::PUT, &format!("/instances/{subdomain}/access"), wish).await.map(|said| workflow(&said))
    }

    /// `None` where that is refused as things stand.
    pub async fn try_shared_access(&self, subdomain: &str) -> Option<String> {
        self.ask(Method::DELETE, &format!("/instances/{subdomain}/access"), json!({})).await.map(|said| workflow(&said))
    }

    /// The operator gives a workflow up.
    pub async fn abandon(&self, workflow: &str) {
        self.ask(Method::POST, &format!("/workflows/{workflow}/abandon"), json!({})).await;
    }

    /// Customers go to the pages that were opened for them since they last did, each as is their habit.
    /// Whether there were any.
    pub async fn visit_checkouts(&self) -> bool {
        let stripe = &self.companies.stripe;
        let opened = stripe.creations("checkout.session");
        if self.checkouts_visited.swap(opened, Ordering::SeqCst) == opened {
            return false;
        }
        let mut tx = self.db.db.begin().await.unwrap();
        for session in stripe.checkout_sessions().iter().filter(|session| session["status"] == "open") {
            let [id, instance] = ["id", "client_reference_id"].map(|name| session[name].as_str().unwrap().to_owned());
            match self.habit {
                Habit::Pays => drop(stripe.complete(&id).unwrap()),
                Habit::IsDeclined => drop(stripe.decline(&id)),
                Habit::StaysAway => continue,
            }
            // As when they come back to the page of their order.
            workflow::nudge(&mut tx, &instance, self.clock.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        true
    }

    /// Asks the API as the operator's program; `None` where it says that something does not go with the
    /// state of things.
    pub async fn ask(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let token = operator_token(&self.app.sealer);
        let request = self.http.request(method, format!("{}{path}", self.url)).json(&body);
        let answer = request.bearer_auth(token.expose_secret()).send().await.unwrap();
        let (status, said) = (answer.status(), answer.text().await.unwrap());
        match status {
            status if status.is_success() => Some(serde_json::from_str(&said).unwrap_or_default()),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND => None,
            other => panic!("{path}: {other} {said}"),
        }
    }
}

fn workflow(accepted: &Value) -> String {
    accepted["workflow_id"].as_str().unwrap().to_owned()
}
