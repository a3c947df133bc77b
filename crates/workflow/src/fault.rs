use std::sync::Arc;

/// A place in a workflow at which something can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Point {
    /// The workflow's kind.
    pub kind: String,
    /// The step's name; the way back has an `undo ` before it.
    pub step: String,
    /// Before or after the step's effect.
    pub moment: Moment,
}

/// On which side of a step's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The intent is stored, the effect has not begun.
    Before,
    /// The effect happened, its result is not stored yet.
    After,
}

impl Point {
    /// Reads `kind/step/before` or `kind/step/after`, as given to `--crash-at`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (kind, step) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let moment = match parts.next()? {
            "before" => Moment::Before,
            "after" => Moment::After,
            _ => return None,
        };
        Some(Self { kind, step, moment })
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step fails and may be tried again.
    Temporary,
    /// The step fails for good.
    Permanent,
    /// The process is gone: nothing more is written, the lease stays as it was.
    Death,
}

/// Decides at which points something goes wrong: the rehearsal of failures.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Decide>>);

type Decide = dyn Fn(&Point) -> Option<Fault> + Send + Sync;

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self(None)
    }

    /// Asks the function at every point.
    pub fn by(decide: impl Fn(&Point) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    pub(crate) fn at(&self, kind: &str, step: &str, moment: Moment) -> Option<Fault> {
        let decide = self.0.as_ref()?;
        decide(&Point { kind: kind.to_owned(), step: step.to_owned(), moment })
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Faults(injected)" } else { "Faults(none)" })
    }
}
