//! How time passes for a test.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::TestApp;

/// How often it is looked whether something came.
const LOOKS: Duration = Duration::from_millis(20);

/// When it is given up: far beyond what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(90);

impl TestApp {
    /// Moves the clock to a moment.
    pub fn go_to(&self, moment: &str) {
        let to: Timestamp = moment.parse().unwrap();
        self.clock.advance(to.duration_since(self.clock.now()));
    }

    /// Waits for something that happens by itself.
    pub async fn until(&self, holds: impl AsyncFn() -> bool) {
        let wait = async {
            while !holds().await {
                tokio::time::sleep(LOOKS).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("what was waited for did not come");
    }

    /// Waits until nothing is under way, while the clock stands still.
    pub async fn at_rest(&self) {
        self.until(async || !self.works().await).await;
    }

    /// Waits until nothing is under way. Time passes as fast as really, so that the lease of whoever died runs out.
    pub async fn worked_off(&self) {
        self.app().engine.wake();
        self.until(async || {
            self.clock.advance(SignedDuration::try_from(LOOKS).unwrap());
            !self.works().await
        })
        .await;
    }

    /// Waits for a workflow while the clock stands still. Its state then.
    pub async fn settled(&self, workflow: &str) -> String {
        let mut changes = self.app().engine.changes();
        let over = async {
            loop {
                let record = workflow::find(&self.db.db, workflow).await.unwrap().unwrap();
                if record.state.is_over() {
                    return record.state.to_string();
                }
                // A death is announced by nobody, so a look is due now and then all the same.
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, over).await.expect("the workflow did not end")
    }

    /// Lets time pass: quickly while nobody works, and as fast as really while somebody does. Whoever lives has
    /// to be able to renew a lease in time, and the lease of whoever died has to run out.
    pub async fn a_moment_passes(&self) {
        let leased: i64 = store::sqlx::query_scalar("select count(*) from workflows where lease_until > $1")
            .bind(self.clock.now().as_millisecond())
            .fetch_one(self.db.db.read())
            .await
            .unwrap();
        let moment = if leased > 0 { LOOKS } else { LOOKS * 10 };
        self.clock.advance(SignedDuration::try_from(moment).unwrap());
    }

    async fn works(&self) -> bool {
        self.count("select count(*) from workflows where state in ('running', 'undoing')").await > 0
    }

    /// Waits for a workflow while time passes. Its state then.
    pub async fn settled_as_time_passes(&self, workflow: &str) -> String {
        self.until(async || {
            self.a_moment_passes().await;
            workflow::find(&self.db.db, workflow).await.unwrap().unwrap().state.is_over()
        })
        .await;
        workflow::find(&self.db.db, workflow).await.unwrap().unwrap().state.to_string()
    }
}
