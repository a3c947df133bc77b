//! Somebody who visits the program with a browser that knows no scripts.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};

use crate::program::Program;

/// More than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The stories of the recorded project, each with a criterion.
pub const STORIES: [(&str, &str); 3] = [
    ("Put an item on the list", "An empty list says so and has a form"),
    ("Tick off what is in the basket", "Each item has a button that says whether it is in the basket"),
    ("Keep the list when the program stops", "A list is there again after a new start"),
];

/// The vision of everything that is made here, as its name and its title.
pub const VISION: (&str, &str) = ("shopping-list", "Shopping list");

impl Program {
    /// The text of a page that is there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        Client::new().get(format!("{}{path}", self.address)).send().await.unwrap()
    }

    /// Sends a form, and gives the page that it leads to.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let sent = Client::new().post(format!("{}{path}", self.address)).form(fields).send().await.unwrap();
        (sent.status(), sent.text().await.unwrap())
    }

    /// Sends a form that is taken.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) {
        let (status, page) = self.post(path, fields).await;
        assert!(status.is_success(), "{path}: {status}: {page}");
    }

    /// Waits until a page says something. The page itself is told when to look again.
    pub async fn see(&self, path: &str, words: &str) -> String {
        let news = if path.starts_with("/meetings/M-") { format!("{path}/events") } else { "/events".to_owned() };
        let mut news = self.get(&news).await;
        let mut page = String::new();
        let looking = async {
            loop {
                page = self.page(path).await;
                if page.contains(words) {
                    return;
                }
                assert!(news.chunk().await.unwrap().is_some(), "the news ended");
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        assert!(seen.is_ok(), "{path} never said “{words}”: {page}");
        page
    }

    /// Writes the vision and so many of the stories.
    pub async fn write_stories(&self, count: usize) {
        self.send("/visions", &[("title", VISION.1), ("body", "Nobody comes home without the milk.")]).await;
        for (title, criteria) in STORIES.iter().take(count) {
            let item = [("title", *title), ("vision", VISION.0), ("status", "ready"), ("criteria", *criteria)];
            self.send("/backlog", &item).await;
        }
    }

    /// Plans a sprint for backlog items of these numbers; gives its address.
    pub async fn plan(&self, items: &[usize], attempts: &str) -> String {
        let names: Vec<String> = items.iter().map(|number| item_name(*number)).collect();
        let mut fields = vec![("vision", VISION.0), ("attempts", attempts)];
        fields.extend(names.iter().map(|name| ("item", name.as_str())));
        let sent = Client::new().post(format!("{}/sprints", self.address)).form(&fields).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        sent.url().path().to_owned()
    }
}

/// The name of a story by its number, counted from 1.
pub fn item_name(number: usize) -> String {
    let words: Vec<String> = STORIES[number - 1].0.split(' ').map(str::to_lowercase).collect();
    format!("B-{number}-{}", words.join("-"))
}
