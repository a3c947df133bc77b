/// What the applications of instances are told of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelOffer {
    /// A recorded project is played, and no model is asked.
    Rehearsal,
    /// The main instance passes questions on.
    Gateway {
        /// The model that is asked, if nobody says otherwise.
        model: String,
    },
}

impl ModelOffer {
    /// Where a guard takes questions, on its loopback.
    pub const PATH: &str = "/-/model/v1";

    /// The variable that has a guard take them.
    pub(super) const GUARD: &str = "GUARD_MODEL";

    /// Whether guards pass questions on.
    pub(super) fn passes_on(&self) -> bool {
        matches!(self, Self::Gateway { .. })
    }

    /// What the application finds in its environment, with its guard at `http://host:port`. Nothing of it is secret: the
    /// guard proves whose question it is. The names are those of the bundled application, and beside them two for any
    /// other.
    pub(super) fn variables(&self, guard: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Rehearsal => vec![("AI_DIY_MODEL", "rehearsal".to_owned())],
            Self::Gateway { model } => {
                let url = format!("{guard}{}", Self::PATH);
                vec![
                    ("AI_DIY_MODEL_URL", url.clone()),
                    ("AI_DIY_MODEL_NAME", model.clone()),
                    ("SPINOFF_MODEL_URL", url),
                    ("SPINOFF_MODEL_NAME", model.clone()),
                ]
            }
        }
    }
}
