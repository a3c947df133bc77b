//! An instance's second hostname, where the app that its customer makes is shown, apart from the
//! workspace that makes it: `acme.example.com` has its app at `acme-app.example.com`.
//!
//! No instance's own hostname may look like this, see `domain::Subdomain`.

const MARK: &str = "-app";

/// In a guard's state: what says that its app is shown to everybody. Whoever puts other data in the place of
/// an instance's takes it away, since nobody has said so of those.
pub const SHARING_RECORD: &str = "app-sharing.json";

/// Where the app of the instance at this hostname is shown.
#[must_use]
pub fn hostname_of(instance: &str) -> String {
    let (label, rest) = split(instance);
    format!("{label}{MARK}{rest}")
}

/// The hostname of the instance whose app would be shown at this one.
#[must_use]
pub fn instance_at(hostname: &str) -> Option<String> {
    let (label, rest) = split(hostname);
    let label = label.strip_suffix(MARK).filter(|label| !label.is_empty())?;
    Some(format!("{label}{rest}"))
}

/// What assertions for the app's hostname name as their audience, when those for the instance's own
/// name `instance`: a sign-in to one is none to the other.
#[must_use]
pub fn audience_of(instance: &str) -> String {
    format!("{instance}{MARK}")
}

/// The first label, and what follows with its dot.
fn split(hostname: &str) -> (&str, &str) {
    hostname.find('.').map_or((hostname, ""), |dot| hostname.split_at(dot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_and_its_app_are_found_from_each_other() {
        for (instance, app) in [("acme.localhost", "acme-app.localhost"), ("a-b.example.com", "a-b-app.example.com")] {
            assert_eq!(hostname_of(instance), app);
            assert_eq!(instance_at(app).as_deref(), Some(instance));
        }
        for other in
            ["acme.localhost", "app.localhost", "-app.localhost", "acme.x-app.localhost", "acme-apps.localhost"]
        {
            assert_eq!(instance_at(other), None, "{other}");
        }
    }
}
