use crate::{ProjectName, ProjectNameError};

/// Why a list of instances can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstancesTxtError {
    /// A line is neither empty, a comment nor a project name.
    #[error("line {line}: {cause}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        cause: ProjectNameError,
    },
    /// The same project twice.
    #[error("line {line}: {name} is listed already")]
    Repeated {
        /// Counted from 1.
        line: usize,
        /// The project.
        name: ProjectName,
    },
}

/// Reads `instances.txt`: one project name a line; empty lines and lines that begin with `#` are
/// passed over.
///
/// # Errors
/// [`InstancesTxtError`] names the first line that is wrong; nothing of a wrong list is used.
pub fn parse_instances_txt(text: &str) -> Result<Vec<ProjectName>, InstancesTxtError> {
    let mut names = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let entry = raw.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let line = index + 1;
        let name = ProjectName::parse(entry).map_err(|cause| InstancesTxtError::Line { line, cause })?;
        if names.contains(&name) {
            return Err(InstancesTxtError::Repeated { line, name });
        }
        names.push(name);
    }
    Ok(names)
}

/// Writes `instances.txt`.
pub fn write_instances_txt<'a>(names: impl IntoIterator<Item = &'a ProjectName>) -> String {
    names.into_iter().map(|name| format!("{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_survives_being_written() {
        let names = parse_instances_txt("# fleet\nai-diy-acme\n\n  ai-diy-zoo  \n").unwrap();
        assert_eq!(write_instances_txt(&names), "ai-diy-acme\nai-diy-zoo\n");
        assert_eq!(parse_instances_txt(&write_instances_txt(&names)), Ok(names));
    }

    #[test]
    fn a_wrong_line_is_named() {
        assert!(parse_instances_txt("ai-diy-acme\nzoo\n").unwrap_err().to_string().starts_with("line 2:"));
        assert!(matches!(
            parse_instances_txt("ai-diy-acme\nai-diy-acme"),
            Err(InstancesTxtError::Repeated { line: 2, .. })
        ));
    }
}
