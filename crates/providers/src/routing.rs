/// How requests find the instance that a hostname belongs to. An installation keeps to one of them: at
/// Railway a wildcard and single names can't lead to different services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Routing {
    /// Each hostname has records of its own, which lead to its instance.
    #[default]
    Records,
    /// One wildcard record leads all hostnames to this server, whose router passes requests on.
    Wildcard,
}

impl Routing {
    /// The word by which it is set.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Wildcard => "wildcard",
        }
    }
}
