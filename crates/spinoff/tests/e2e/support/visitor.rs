//! What people do with a browser again and again.

use super::browser::Browser;
use super::server::Server;

/// What somebody writes into the form for a workspace.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    pub name: &'a str,
    pub email: &'a str,
    pub company: &'a str,
    pub subdomain: &'a str,
    pub card: &'a str,
}

impl<'a> Order<'a> {
    /// An order in which nothing is wrong.
    pub fn of(name: &'a str, email: &'a str, subdomain: &'a str) -> Self {
        Self { name, email, company: "", subdomain, card: "4242 4242 4242 4242" }
    }
}

impl Browser {
    /// Fills in the whole form and accepts everything; it is not sent yet.
    pub async fn fill_in(&self, order: &Order<'_>) {
        self.fill("name", order.name).await;
        self.fill("email", order.email).await;
        self.fill("company", order.company).await;
        self.fill("subdomain", order.subdomain).await;
        self.fill_in_card(order.card, order.name).await;
        for agreement in ["agree_terms", "agree_privacy", "agree_acceptable_use", "agree_billing"] {
            self.tick(agreement).await;
        }
    }

    /// Fills in the card, of which a form that comes back holds nothing.
    pub async fn fill_in_card(&self, number: &str, name: &str) {
        self.fill("card_number", number).await;
        self.fill("card_expiry", "12/49").await;
        self.fill("card_cvc", "123").await;
        self.fill("card_name", name).await;
    }

    /// Orders a workspace and waits until it is ready.
    pub async fn sign_up(&self, server: &Server, order: &Order<'_>) {
        self.go(&format!("{}/signup", server.url())).await;
        self.fill_in(order).await;
        self.press("Make my workspace").await;
        self.see("Your workspace is ready").await;
    }

    /// Signs in on the page that asks for an address, with the code that is mailed to it.
    pub async fn sign_in_as(&self, server: &Server, email: &str) {
        let former = codes(server, email).await.len();
        self.ask_for_code(email).await;
        self.until(&format!("a code for {email}"), async || codes(server, email).await.len() > former).await;
        let code = codes(server, email).await.remove(0);
        self.give_code(&code).await;
        self.until("to be let in", async || !self.url().await.contains("/cdn-cgi/access/")).await;
    }

    /// Has a code mailed to an address.
    pub async fn ask_for_code(&self, email: &str) {
        self.see("We mail you a code").await;
        self.fill("email", email).await;
        self.press("Mail me a code").await;
        self.see("Enter your code").await;
    }

    pub async fn give_code(&self, code: &str) {
        self.fill("code", code).await;
        self.press("Sign in").await;
    }
}

/// All codes that were mailed to an address, newest first.
async fn codes(server: &Server, email: &str) -> Vec<String> {
    server.mails_to(email).await.iter().filter_map(|mail| mail.code().map(str::to_owned)).collect()
}
