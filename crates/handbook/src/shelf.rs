use std::borrow::Cow;

use serde_json::Value;

use crate::reference;

/// A document before it is bound.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its path in the repository; of one that is generated, where it would lie.
    pub(crate) file: String,
    /// Where it is below `/docs`.
    pub(crate) address: String,
    pub(crate) part: &'static str,
    pub(crate) form: Form,
    /// The address of the page that it stands below.
    pub(crate) below: Option<String>,
    /// What the table of contents calls it, where its heading is too long for that.
    pub(crate) name: Option<String>,
    pub(crate) text: Cow<'static, str>,
}

/// How a document becomes pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One page.
    Whole,
    /// A page for each section, below one for what comes before them.
    BySection,
}

const BEGINNING: &str = "Begin here";
const CUSTOMERS: &str = "For customers";
const OPERATORS: &str = "For operators";
const BUILDERS: &str = "For those who build applications";
pub(crate) const REFERENCE: &str = "Reference";
const CONTRIBUTORS: &str = "For contributors";

/// The parts that customers read.
pub(crate) const FOR_CUSTOMERS: [&str; 2] = [BEGINNING, CUSTOMERS];

/// A document of the repository, whole.
macro_rules! whole {
    ($part:ident, $address:literal, $file:literal) => {
        document($part, $address, $file, Form::Whole, include_str!(concat!("../../../", $file)))
    };
}

/// A document of the repository, a page for each section.
macro_rules! by_section {
    ($part:ident, $address:literal, $file:literal) => {
        document($part, $address, $file, Form::BySection, include_str!(concat!("../../../", $file)))
    };
}

/// The runbook of an alert.
macro_rules! runbook {
    ($kind:literal) => {
        Document {
            below: Some("runbooks".to_owned()),
            name: Some($kind.to_owned()),
            ..document(
                OPERATORS,
                concat!("runbooks/", $kind),
                concat!("docs/runbooks/", $kind, ".md"),
                Form::Whole,
                include_str!(concat!("../../../docs/runbooks/", $kind, ".md")),
            )
        }
    };
}

/// Every document, in reading order.
pub(crate) fn all(api: &Value) -> Vec<Document> {
    let mut all = vec![
        whole!(BEGINNING, "", "docs/README.md"),
        whole!(BEGINNING, "quick-start", "docs/quick-start.md"),
        whole!(BEGINNING, "concepts", "docs/concepts.md"),
        whole!(CUSTOMERS, "customers", "docs/customers.md"),
        by_section!(OPERATORS, "operator", "docs/operator.md"),
        whole!(OPERATORS, "running", "docs/running.md"),
        whole!(OPERATORS, "health", "docs/health.md"),
        whole!(OPERATORS, "support", "docs/support.md"),
        whole!(OPERATORS, "troubleshooting", "docs/troubleshooting.md"),
        whole!(OPERATORS, "runbooks", "docs/runbooks/README.md"),
    ];
    all.extend(runbooks());
    all.extend([
        whole!(OPERATORS, "security", "docs/security.md"),
        whole!(BUILDERS, "your-application", "docs/your-application.md"),
        whole!(BUILDERS, "guard", "docs/guard.md"),
        whole!(BUILDERS, "activity", "docs/activity.md"),
        whole!(BUILDERS, "workspace", "docs/workspace.md"),
        by_section!(REFERENCE, "cli", "docs/cli.md"),
        whole!(REFERENCE, "api", "docs/api.md"),
    ]);
    all.extend(reference::documents(api));
    all.extend([
        whole!(CONTRIBUTORS, "contributing", "docs/contributing.md"),
        by_section!(CONTRIBUTORS, "architecture", "ARCHITECTURE.md"),
    ]);
    all
}

fn runbooks() -> [Document; 14] {
    [
        runbook!("instance-down"),
        runbook!("work-stuck"),
        runbook!("work-undone"),
        runbook!("provider-limit"),
        runbook!("spend-limit"),
        runbook!("provider-trouble"),
        runbook!("mail-undelivered"),
        runbook!("books-differ"),
        runbook!("rollout-halted"),
        runbook!("backup-failed"),
        runbook!("isolation-broken"),
        runbook!("dispute"),
        runbook!("refund"),
        runbook!("disaster"),
    ]
}

fn document(part: &'static str, address: &str, file: &str, form: Form, text: &'static str) -> Document {
    Document {
        file: file.to_owned(),
        address: address.to_owned(),
        part,
        form,
        below: None,
        name: None,
        text: Cow::Borrowed(text),
    }
}
