//! The mailbox in which all mail of a server lands.

use std::time::Duration;

use serde::Deserialize;

use super::server::Server;
use super::until::until;

/// A mail as the mailbox gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Message {
    /// The one-time code that stands on a line of its own.
    pub fn code(&self) -> Option<&str> {
        self.text.lines().map(str::trim).find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Every address in the text.
    pub fn links(&self) -> Vec<&str> {
        self.text.split_whitespace().filter(|word| word.starts_with("http")).collect()
    }
}

impl Server {
    /// All mail to an address, newest first.
    pub async fn mails_to(&self, address: &str) -> Vec<Message> {
        let all: Vec<Message> = self.site("/mailbox/messages.json").send().await.unwrap().json().await.unwrap();
        all.into_iter().filter(|message| message.to == address).collect()
    }

    /// The newest mail to an address whose subject holds some words, once it is there.
    pub async fn mail_to(&self, address: &str, subject: &str) -> Message {
        until(&format!("a mail to {address} about {subject:?}"), Duration::from_secs(20), async || {
            self.mails_to(address).await.into_iter().find(|message| message.subject.contains(subject))
        })
        .await
    }
}
