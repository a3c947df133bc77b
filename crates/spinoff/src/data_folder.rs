use std::path::{Path, PathBuf};

/// The folder that holds everything of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

/// What the environment says about where data belongs.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// `$XDG_DATA_HOME`.
    pub xdg_data_home: Option<PathBuf>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// Whether the program runs as the system's administrator.
    pub is_root: bool,
}

impl DataFolder {
    /// A given folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder that is used when none is given. Whoever has no home gets one where they are.
    pub fn usual(surroundings: &Surroundings) -> Self {
        let Surroundings { xdg_data_home, home, is_root } = surroundings;
        // A relative path there is to be ignored, says the XDG specification.
        let xdg = xdg_data_home.as_ref().filter(|path| path.is_absolute());
        let path = match (xdg, home) {
            (Some(xdg), _) => xdg.join("spinoff"),
            (None, _) if *is_root => PathBuf::from("/var/lib/spinoff"),
            (None, Some(home)) => home.join(".local/share/spinoff"),
            (None, None) => PathBuf::from("spinoff-data"),
        };
        Self(path)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The key that seals secrets.
    pub fn key(&self) -> PathBuf {
        self.0.join("secret.key")
    }

    /// The store, unless another one is configured.
    pub fn store(&self) -> PathBuf {
        self.0.join("spinoff.db")
    }

    /// Where backups are kept, unless another place is configured.
    pub fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }

    /// How to reach the running server.
    pub fn server_file(&self) -> PathBuf {
        self.0.join("run/server.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_where_the_system_wants_it() {
        let usual = |xdg: Option<&str>, home: Option<&str>, is_root| {
            let surroundings =
                Surroundings { xdg_data_home: xdg.map(PathBuf::from), home: home.map(PathBuf::from), is_root };
            DataFolder::usual(&surroundings).0
        };
        assert_eq!(usual(Some("/x"), Some("/home/a"), false), PathBuf::from("/x/spinoff"));
        assert_eq!(usual(Some("x"), Some("/home/a"), false), PathBuf::from("/home/a/.local/share/spinoff"));
        assert_eq!(usual(None, Some("/root"), true), PathBuf::from("/var/lib/spinoff"));
        assert_eq!(usual(None, None, false), PathBuf::from("spinoff-data"));
    }
}
