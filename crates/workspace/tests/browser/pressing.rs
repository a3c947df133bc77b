//! What people do on these pages again and again.

use crate::browser::Browser;

impl Browser {
    /// Says something in the meeting that is open, and waits for the end of the answer.
    pub async fn say(&self, words: &str, answer: &str) {
        self.fill("text", words).await;
        self.press("Send").await;
        self.see(answer).await;
    }

    /// Approves the first proposal that nobody has decided about.
    pub async fn approve(&self) {
        let open = self.count("Approve").await;
        assert!(open > 0, "there is nothing to approve: {}", self.text().await);
        self.press("Approve").await;
        self.until("the proposal to be approved", async || self.count("Approve").await < open).await;
    }

    /// How many buttons read like this.
    pub async fn count(&self, words: &str) -> u64 {
        let script =
            "return [...document.querySelectorAll('button')].filter((e) => e.innerText.trim() === arguments[0]).length";
        self.js(script, &[words.into()]).await.as_u64().unwrap_or_default()
    }

    /// Starts the meeting of this title, about a vision if one is named.
    pub async fn meet(&self, title: &str, about: Option<&str>) {
        self.press("Meetings").await;
        self.see("Start a meeting").await;
        if let Some(about) = about {
            self.choose("vision", about).await;
        }
        let start = self.find(&format!("button[aria-label='Start: {title}']")).await;
        self.click(&start).await;
        self.see("Your message").await;
    }

    /// Plans a sprint for stories that are ready, by their place in the list, and opens it.
    pub async fn plan(&self, vision: &str, places: &[usize]) {
        self.press("Sprints").await;
        self.press(&format!("For “{vision}”")).await;
        self.see("Which stories?").await;
        for place in places {
            let boxes = format!("label:nth-of-type({place}) > input[name='item']");
            let story = self.find(&boxes).await;
            self.click(&story).await;
        }
        self.press("Plan it").await;
        self.see("Stop for good").await;
    }

    /// Chooses what reads like this in the list of a name.
    async fn choose(&self, name: &str, words: &str) {
        let script = "const list = document.querySelector(`select[name='${arguments[0]}']`);
            return [...list.options].find((option) => option.text === arguments[1])";
        let option = self.js(script, &[name.into(), words.into()]).await;
        assert!(option.is_object(), "no “{words}” in {name}: {}", self.text().await);
        self.js("arguments[0].selected = true", &[option]).await;
    }

    /// Where a link leads that reads like this.
    pub async fn link(&self, words: &str) -> String {
        let script = "return [...document.querySelectorAll('a[href]')].find((e) => e.innerText.trim() === arguments[0])?.href ?? ''";
        let found = self.js(script, &[words.into()]).await;
        let found = found.as_str().unwrap_or_default().to_owned();
        assert!(!found.is_empty(), "no link says {words:?}: {}", self.text().await);
        found
    }
}
