//! A mail server that takes what it is given, until it is told otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use providers::ProviderError;
use providers::mail::{Mail, Message, Undelivered};

/// Why a mail is not taken.
#[derive(Debug, Clone, Copy)]
pub enum Refusal {
    NoSuchMailbox,
    NotThisMail,
    NothingOfOurs,
    NotNow,
}

#[derive(Clone, Default)]
pub struct Post(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By address; `*` is everybody's.
    refusals: BTreeMap<String, Refusal>,
    taken: Vec<Message>,
    tried: Vec<Message>,
}

impl Post {
    /// From now on mail to an address, or to everybody (`*`), is refused.
    pub fn refuse(&self, address: &str, refusal: Refusal) {
        self.0.lock().unwrap().refusals.insert(address.to_owned(), refusal);
    }

    /// From now on everything is taken.
    pub fn take_all(&self) {
        self.0.lock().unwrap().refusals.clear();
    }

    /// Subjects of what was taken for an address.
    pub fn taken(&self, address: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let to = |mail: &&Message| mail.to.as_str() == address;
        state.taken.iter().filter(to).map(|mail| mail.subject.clone()).collect()
    }

    /// What was taken for an address, earliest first.
    pub fn messages(&self, address: &str) -> Vec<Message> {
        self.0.lock().unwrap().taken.iter().filter(|mail| mail.to.as_str() == address).cloned().collect()
    }

    /// What was taken for an address and lets its reader ask for no more: subject and where.
    pub fn ways_out(&self, address: &str) -> Vec<(String, String)> {
        let state = self.0.lock().unwrap();
        let to = state.taken.iter().filter(|mail| mail.to.as_str() == address);
        to.filter_map(|mail| Some((mail.subject.clone(), mail.unsubscribe_url.clone()?))).collect()
    }

    /// How often a delivery to an address was tried.
    pub fn tries(&self, address: &str) -> usize {
        self.0.lock().unwrap().tried.iter().filter(|mail| mail.to.as_str() == address).count()
    }
}

#[async_trait]
impl Mail for Post {
    fn name(&self) -> &'static str {
        "post"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Undelivered> {
        let mut state = self.0.lock().unwrap();
        state.tried.push(message.clone());
        let refusal = state.refusals.get(message.to.as_str()).or_else(|| state.refusals.get("*")).copied();
        let answer = |text: &str| text.to_owned();
        match refusal {
            None => {
                state.taken.push(message.clone());
                Ok(())
            }
            Some(Refusal::NoSuchMailbox) => Err(Undelivered::Bounced { answer: answer("550 5.1.1 no such mailbox") }),
            Some(Refusal::NotThisMail) => Err(Undelivered::MailRefused { answer: answer("554 5.6.0 no such words") }),
            Some(Refusal::NothingOfOurs) => Err(Undelivered::WeAreRefused(ProviderError::refused(
                "sending mail",
                "535 5.7.8 wrong password",
                "check the credentials in [smtp] url",
            ))),
            Some(Refusal::NotNow) => Err(Undelivered::Later(ProviderError::unavailable("sending mail", "451 later"))),
        }
    }
}
