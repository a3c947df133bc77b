//! Use of an instance that lies in the past: no test waits for an hour.

use control_plane::instance_token;
use domain::{Evidence, InstanceId, Month, Signal, UsageHour, UsageHours};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use store::Db;
use store::sqlx;
use world::{Clock, Entropy, Sealer};

use super::server::Server;

/// Longer than any month, so that a period is over and the next one runs for days already.
const LIVED: i64 = 40;

impl Server {
    /// Makes everything here as old as a service that began 40 days ago. Billed by anniversary, its first period is
    /// over and the second one has run for nine days at least, on whatever day the test runs.
    pub async fn grows_old(&self) {
        let db = Db::open_file(&self.data().join("spinoff.db")).await.unwrap();
        let (days, hours) = (LIVED, LIVED * 24);
        let older = "update instances set created_at = created_at - $1, active_since = active_since - $1";
        sqlx::query(older).bind(days * 86_400_000).execute(db.write()).await.unwrap();
        let sooner = "update plan_versions set valid_from = valid_from - $1,
                          document = json_set(document, '$.valid_from', valid_from - $1)";
        sqlx::query(sooner).bind(hours).execute(db.write()).await.unwrap();
        db.close().await;
    }

    /// Makes the end of an instance that is cancelled come now.
    pub async fn runs_out(&self, subdomain: &str) {
        let db = Db::open_file(&self.data().join("spinoff.db")).await.unwrap();
        let id = self.instance(subdomain)["id"].as_str().unwrap().to_owned();
        let now = UsageHour::of(Clock::System.now());
        let sooner =
            "update cancellations set next_at = $2 * 3600000, state = json_set(state, '$.running_out.until', $2)
                      where instance_id = $1";
        sqlx::query(sooner).bind(&id).bind(now.get()).execute(db.write()).await.unwrap();
        let ended = "update instances set service_ended_at = $2 * 3600000 - 1 where id = $1";
        sqlx::query(ended).bind(&id).bind(now.get()).execute(db.write()).await.unwrap();
        db.close().await;
    }

    /// The guard reports, late, that a member was active in an hour that lies so many hours back. The hour.
    pub async fn was_used(&self, subdomain: &str, hours_ago: i64) -> UsageHour {
        let hour = UsageHour::of(Clock::System.now() - SignedDuration::from_hours(hours_ago));
        let (first, last) = (at(hour, 5), at(hour, 40));
        let seen = Evidence { last, count: 7, ..Evidence::seen(Signal::Member, first).by("ada@example.com") };
        let mut hours = UsageHours::none(Month::of(first));
        hours.insert(hour).unwrap();
        let report = json!({"month": hours.month(), "hours": hours.encode(), "source": "guard", "evidence": [seen]});
        let sealer = Sealer::open(&self.data().join("secret.key"), &Entropy::System).unwrap();
        let id = InstanceId::parse(self.instance(subdomain)["id"].as_str().unwrap()).unwrap();
        let token = instance_token(&sealer, id);
        let host = format!("localhost:{}", self.port());
        let request = self.request(Method::POST, &host, "/api/v1/activity").bearer_auth(token.expose_secret());
        request.json(&report).send().await.unwrap().error_for_status().unwrap();
        hour
    }
}

fn at(hour: UsageHour, minute: i64) -> Timestamp {
    hour.start() + SignedDuration::from_mins(minute)
}
