use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::deployments::Deployment;
use super::refusal::Refusal;
use super::state::{Project, State};
use super::timeline::Status;

/// So many lines are given when no number is asked for.
const USUAL: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogAsked {
    deployment_id: String,
    limit: Option<usize>,
    filter: Option<String>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
}

impl State {
    pub(super) fn build_logs(&self, asked: &LogAsked) -> Result<Value, Refusal> {
        let (project, deployment, _) = self.logged(asked)?;
        let source = &deployment.source;
        let lines = [
            (Status::Initializing, "info", format!("Fetching {source}")),
            (Status::Building, "info", format!("Pulled {source}")),
        ];
        Ok(self.lines(asked, project, deployment, lines))
    }

    pub(super) fn deployment_logs(&self, asked: &LogAsked) -> Result<Value, Refusal> {
        let (project, deployment, _) = self.logged(asked)?;
        let lines = [
            (Status::Deploying, "info", "Starting container".to_owned()),
            (Status::Success, "info", "Health check succeeded".to_owned()),
            (Status::Failed, "error", "Health check failed: no answer with status 200 in time".to_owned()),
            (Status::Crashed, "error", "Container exited with code 1".to_owned()),
            (Status::Removed, "info", "Stopping container".to_owned()),
        ];
        Ok(self.lines(asked, project, deployment, lines))
    }

    pub(super) fn http_logs(&self, asked: &LogAsked) -> Result<Value, Refusal> {
        let (_, deployment, limit) = self.logged(asked)?;
        let skipped = deployment.requests.len().saturating_sub(limit);
        let rows = deployment.requests.iter().enumerate().skip(skipped).map(|(number, (at, host))| {
            json!({
                "timestamp": at.to_string(),
                "host": host,
                "method": "GET",
                "path": "/",
                "httpStatus": 200,
                "srcIp": "192.0.2.1",
                "clientUa": "",
                "totalDuration": 12,
                "upstreamRqDuration": 10,
                "requestId": format!("{}-{number}", deployment.id),
                "rxBytes": 400,
                "txBytes": 2_000,
                "deploymentId": deployment.id,
            })
        });
        Ok(rows.collect())
    }

    fn logged(&self, asked: &LogAsked) -> Result<(&Project, &Deployment, usize), Refusal> {
        let (place, index) = self.find_deployment(&asked.deployment_id)?;
        let project = self.at(place);
        Ok((project, &project.deployments[index], asked.limit.unwrap_or(USUAL)))
    }

    fn lines<const N: usize>(
        &self,
        asked: &LogAsked,
        project: &Project,
        deployment: &Deployment,
        lines: [(Status, &str, String); N],
    ) -> Value {
        let tags = json!({
            "projectId": project.id,
            "environmentId": deployment.environment,
            "serviceId": deployment.service,
            "deploymentId": deployment.id,
        });
        let reached = lines.into_iter().filter_map(|(status, severity, message)| {
            let at = deployment.timeline.reached(status, self.now)?;
            let is_asked = asked.start_date.is_none_or(|from| at >= from)
                && asked.end_date.is_none_or(|to| at <= to)
                && asked.filter.as_ref().is_none_or(|text| message.contains(text.as_str()));
            is_asked
                .then(|| json!({ "timestamp": at.to_string(), "message": message, "severity": severity, "tags": tags }))
        });
        let mut rows: Vec<Value> = reached.collect();
        let skipped = rows.len().saturating_sub(asked.limit.unwrap_or(USUAL));
        rows.drain(..skipped).for_each(drop);
        rows.into()
    }
}
