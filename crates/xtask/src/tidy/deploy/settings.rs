//! Settings: in the environment, and in files of TOML.

use super::known::Known;
use super::words;
use crate::tidy::Complaint;
use crate::tidy::tree::File;

/// How variables of our programs begin.
const STARTS: [&str; 3] = ["SPINOFF_", "GUARD_", "AI_DIY_"];

/// Variables that are for these files themselves, not for a program.
const OWN: [&str; 1] = ["SPINOFF_IMAGE"];

pub fn check(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = variables(file, known);
    complaints.extend(keys(file, known));
    complaints
}

fn variables(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        for name in STARTS.iter().flat_map(|start| words(line, start, is_part)) {
            // `SPINOFF_<SECTION>__<KEY>` names none.
            if !STARTS.contains(&name) && !OWN.contains(&name) && !is_variable(name, known) {
                complaints.push(Complaint::new(&file.path, index + 1, format!("no program reads `{name}`")));
            }
        }
    }
    complaints
}

fn is_variable(name: &str, known: &Known) -> bool {
    let setting = name.strip_prefix("SPINOFF_").filter(|rest| rest.contains("__")).map(str::to_ascii_lowercase);
    let Some(setting) = setting else { return known.is_said(name) };
    let mut parts = setting.split("__");
    parts.next().is_some_and(|section| known.sections.contains(section)) && parts.all(|key| known.keys.contains(key))
}

/// In a file of TOML, and in the blocks of a document that are TOML.
fn keys(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut inside = file.path.ends_with(".toml");
    for (index, line) in file.text.lines().enumerate() {
        if let Some(language) = line.trim().strip_prefix("```") {
            inside = language == "toml";
        }
        // What is commented out is a setting as well, to be put in force by who reads it.
        let setting = line.trim_start_matches("# ").trim();
        if inside && let Some(wrong) = unknown(setting, known) {
            complaints.push(Complaint::new(&file.path, index + 1, format!("there is no setting `{wrong}`")));
        }
    }
    complaints
}

fn unknown(line: &str, known: &Known) -> Option<String> {
    if let Some(path) = line.strip_prefix('[') {
        let path = path.trim_start_matches('[').split(']').next().unwrap_or_default();
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let all = known.sections.contains(first) && parts.all(|part| known.keys.contains(part));
        return (!all).then(|| format!("[{path}]"));
    }
    let (key, _) = line.split_once(" = ")?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (is_key && !known.keys.contains(key)).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::complaints;

    #[test]
    fn a_variable_that_no_program_reads_is_found() {
        let fine = "SPINOFF_SITE__PUBLIC_URL=https://example.com SPINOFF_SMTP__URL_FILE=/x SPINOFF_TOKEN=t\n\
                    GUARD_METRICS: 0.0.0.0:9100\n`SPINOFF_<SECTION>__<KEY>` and ${SPINOFF_IMAGE:-x}\n";
        assert_eq!(complaints("deploy/compose.yaml", fine), [""; 0]);
        let wrong = "SPINOFF_SITE__PUBLICURL=x\nSPINOFF_SIGHT__LISTEN=x\nGUARD_METRIC=x\nSPINOFF_TOKENS=x\n";
        let found = complaints("deploy/compose.yaml", wrong);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0], "1: no program reads `SPINOFF_SITE__PUBLICURL`");
    }

    #[test]
    fn a_setting_that_is_misspelt_is_found_in_files_and_documents() {
        let fine = "# Settings, all = true of them\n[site]\nlisten = \"x\"  # where\n# public_url = \"x\"\n[smtp]\nurl_file = \"x\"\n";
        assert_eq!(complaints("deploy/spinoff.toml", fine), [""; 0]);
        let found = complaints("docs/running.md", "```toml\n[sight]\nlistens = \"x\"\n```\nlistens = \"x\" is prose\n");
        assert_eq!(found, ["2: there is no setting `[sight]`", "3: there is no setting `listens`"]);
    }
}
