use jiff::SignedDuration;

use super::operations::Operation;
use crate::ProviderError;
use crate::http::Repeat;

/// What a refusal means.
pub(super) enum Judgement {
    /// Come again in half a minute.
    Throttled,
    /// What the caller gets.
    Error(ProviderError),
}

/// Reads a refusal by its code and its message, since Railway gives most of them one code.
pub(super) fn judge(operation: &Operation, code: &str, message: &str) -> Judgement {
    // It may repeat what was sent.
    let shown = if operation.is_secret { "its words are kept back, since they may hold secrets" } else { message };
    let says = |part: &str| message.contains(part);
    let what = format!("ask Railway for {}", operation.field);
    let refused = |why: &str, next: &str| Judgement::Error(ProviderError::refused(what.clone(), why, next));
    if says("too quickly")
        || says("every 30s")
        || says("Whoa there")
        || is_one_of(code, &["RATE_LIMITED", "TOO_MANY_REQUESTS"])
    {
        return Judgement::Throttled;
    }
    if says("Not Authorized") || says("project token not found") || is_one_of(code, &["UNAUTHENTICATED", "FORBIDDEN"]) {
        return refused(
            "Railway does not accept the token",
            "make a new workspace token in the workspace's settings at Railway and put it into the configuration",
        );
    }
    if says("Two Factor Authentication") {
        return refused(
            "Railway wants a second factor, which a program does not have",
            "use a workspace token, or let a person do it in Railway's dashboard",
        );
    }
    if is_one_of(code, &["PLAN_LIMIT", "SUBSCRIPTION_REQUIRED"]) {
        return refused(
            &format!("the workspace's plan does not allow more ({shown})"),
            "raise the plan or its limit at Railway",
        );
    }
    if code.ends_with("NOT_FOUND") || says(" not found") {
        return Judgement::Error(ProviderError::not_found(format!("what {} is about", operation.field)));
    }
    if says("Cannot redeploy yet") {
        let why = "the version before is still being prepared";
        return Judgement::Error(ProviderError::not_yet(why, SignedDuration::from_secs(10)));
    }
    if says("please try again") {
        return Judgement::Error(ProviderError::unavailable(what, shown));
    }
    if says("Problem processing request") || says("Internal server error") {
        // Nobody knows how far it came.
        let why = shown.to_owned();
        let is_ambiguous = operation.repeat == Repeat::Never;
        let error =
            if is_ambiguous { ProviderError::Lost { what, why } } else { ProviderError::unavailable(what, why) };
        return Judgement::Error(error);
    }
    let next = if code == "GRAPHQL_VALIDATION_FAILED" {
        "Railway's API has changed: update Spinoff"
    } else {
        "correct what it names, in the configuration or at Railway, and try again"
    };
    refused(shown, next)
}

fn is_one_of(code: &str, codes: &[&str]) -> bool {
    codes.contains(&code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::super::operations;
    use super::*;

    fn error(operation: &Operation, code: &str, message: &str) -> ProviderError {
        match judge(operation, code, message) {
            Judgement::Error(error) => error,
            Judgement::Throttled => panic!("throttled"),
        }
    }

    #[test]
    fn a_refusal_that_may_repeat_secrets_is_not_repeated() {
        for message in ["GUARD_INSTANCE_TOKEN=tok-1 is no text", "Problem processing request tok-1"] {
            let told = error(&operations::SET_VARIABLES, "BAD_USER_INPUT", message);
            assert!(!told.to_string().contains("tok-1") && !format!("{told:?}").contains("tok-1"), "{told}");
        }
        let told = error(&operations::CREATE_PROJECT, "INTERNAL_SERVER_ERROR", "Invalid project name");
        assert!(told.to_string().contains("Invalid project name"), "{told}");
    }

    #[test]
    fn the_message_decides_where_the_code_says_nothing() {
        let internal = "INTERNAL_SERVER_ERROR";
        let make = &operations::CREATE_PROJECT;
        for message in ["That was too quickly", "Only one every 30s", "Whoa there pal!"] {
            assert!(matches!(judge(make, internal, message), Judgement::Throttled), "{message}");
        }
        assert!(matches!(error(make, internal, "Project not found"), ProviderError::NotFound { .. }));
        assert!(matches!(error(make, internal, "Problem processing request"), ProviderError::Lost { .. }));
        let set = &operations::SET_LIMITS;
        assert!(matches!(error(set, internal, "Problem processing request"), ProviderError::Unavailable { .. }));
        let again = "Failed to create service domain, please try again";
        assert!(matches!(error(make, internal, again), ProviderError::Unavailable { .. }));
        let wait = "Cannot redeploy yet, please wait for the original deployment to finish building";
        assert!(matches!(error(make, internal, wait), ProviderError::NotYet { .. }));
        for permanent in ["Not Authorized", "project token not found", "Two Factor Authentication Required"] {
            assert!(matches!(error(make, internal, permanent), ProviderError::Refused { .. }), "{permanent}");
        }
        assert!(error(make, "PLAN_LIMIT", "no more").to_string().contains("raise the plan"));
    }
}
