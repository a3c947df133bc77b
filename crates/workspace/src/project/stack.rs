//! What a project is made with, seen by its files: how it is installed, built, tested and started.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::{FilePath, read_below};

/// What a project is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stack {
    /// Node, with what its `package.json` says.
    Node(Box<Package>),
    /// Python.
    Python {
        /// The file that says what is to be installed, if there is one.
        requirements: Option<&'static str>,
        /// The file that starts it.
        main: &'static str,
    },
    /// Files that a browser shows as they are.
    Static,
    /// There is nothing yet that this program knows how to run.
    Unknown,
}

/// What matters of a `package.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Package {
    main: Option<String>,
    scripts: Scripts,
    dependencies: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "devDependencies")]
    dev_dependencies: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Scripts {
    build: Option<String>,
    test: Option<String>,
    start: Option<String>,
}

/// How many tests a run says it had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tests {
    /// That passed.
    pub passed: u64,
    /// That failed.
    pub failed: u64,
    /// Files without a test of their own, which some runners count as one that passed.
    pub hollow: u64,
}

/// Shows plain files; Node is there wherever projects are tested.
pub const SHOW_FILES: &str = include_str!("static.js");

/// Runs all of Python's tests, also those in folders that are no packages, which unittest passes by.
const TEST_PYTHON: &str = include_str!("unittest.py");

/// Where Python's packages are installed, below a project's folder.
pub const PYTHON_PACKAGES: &str = ".venv/lib";

type Command = Vec<String>;

impl Stack {
    /// What the files in a folder are made with.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn at(folder: &Path) -> io::Result<Self> {
        if let Some(bytes) = read(folder, "package.json")? {
            // What is wrong with it, npm and node say better.
            return Ok(Self::Node(serde_json::from_slice(&bytes).unwrap_or_default()));
        }
        let has = |name: &'static str| Ok::<_, io::Error>(read(folder, name)?.map(|_| name));
        let requirements = has("requirements.txt")?.or(has("pyproject.toml")?);
        let main = match (has("app.py")?, has("main.py")?, has("server.py")?) {
            (Some(main), ..) | (None, Some(main), _) | (None, None, Some(main)) => Some(main),
            _ => None,
        };
        if requirements.is_some() || main.is_some() {
            return Ok(Self::Python { requirements, main: main.unwrap_or("app.py") });
        }
        Ok(if has("index.html")?.is_some() { Self::Static } else { Self::Unknown })
    }

    /// Its name in a sentence.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Node(_) => "Node",
            Self::Python { .. } => "Python",
            Self::Static => "plain files",
            Self::Unknown => "nothing that can be run yet",
        }
    }

    /// How it is installed; `None` for what needs nothing.
    #[must_use]
    pub fn install(&self) -> Option<Command> {
        match self {
            Self::Node(package) if package.needs_installing() => {
                Some(words("npm install --no-audit --no-fund --no-update-notifier"))
            }
            Self::Python { requirements: Some("requirements.txt"), .. } => {
                Some(words(&format!("python3 -m pip install --upgrade --target {PYTHON_PACKAGES} -r requirements.txt")))
            }
            _ => None,
        }
    }

    /// How it is built; `None` for what is run as it is.
    #[must_use]
    pub fn build(&self) -> Option<Command> {
        match self {
            Self::Node(package) => package.scripts.build.as_ref().map(|_| words("npm run build")),
            _ => None,
        }
    }

    /// How these tests are run, and every other one with them when `files` is empty.
    #[must_use]
    pub fn test(&self, files: &[FilePath]) -> Command {
        let runner = match self {
            Self::Python { .. } if files.is_empty() => {
                vec!["python3".to_owned(), "-c".to_owned(), TEST_PYTHON.to_owned()]
            }
            Self::Python { .. } => words("python3 -m unittest -v"),
            Self::Node(package) if package.tests_otherwise() => words("npm test --"),
            _ => words("node --test --test-reporter=tap"),
        };
        runner.into_iter().chain(files.iter().map(ToString::to_string)).collect()
    }

    /// How it is started, so that it listens on the port in the variable PORT; `None` where there is no way to.
    #[must_use]
    pub fn start(&self) -> Option<Command> {
        match self {
            Self::Node(package) if package.scripts.start.is_some() => Some(words("npm start")),
            Self::Node(package) => {
                Some(vec!["node".to_owned(), package.main.clone().unwrap_or_else(|| "index.js".to_owned())])
            }
            Self::Python { main, .. } => Some(vec!["python3".to_owned(), (*main).to_owned()]),
            Self::Static => Some(vec!["node".to_owned(), "-e".to_owned(), SHOW_FILES.to_owned()]),
            Self::Unknown => None,
        }
    }
}

impl Package {
    fn needs_installing(&self) -> bool {
        !(self.dependencies.is_empty() && self.dev_dependencies.is_empty())
    }

    /// Whether it brings a way of testing of its own.
    fn tests_otherwise(&self) -> bool {
        let test = self.scripts.test.as_deref().unwrap_or_default();
        !test.is_empty() && !test.contains("node --test") && !test.contains("no test specified")
    }
}

impl Tests {
    /// What the last summary in a test run's output says. No summary is no test.
    #[must_use]
    pub fn count(output: &str) -> Self {
        let mut tests = Self::default();
        let mut hollow = 0;
        for line in output.lines() {
            hollow += u64::from(line.strip_prefix("# Subtest: ").is_some_and(is_file));
            let line = line.trim().trim_start_matches(['#', 'ℹ']).trim();
            let Some((first, rest)) = line.split_once(char::is_whitespace) else { continue };
            match (first, rest.trim()) {
                ("pass", rest) => tests.passed = number(rest).unwrap_or(tests.passed),
                ("fail", rest) => tests.failed = number(rest).unwrap_or(tests.failed),
                ("Tests:" | "Tests", rest) => tests = listed(rest).unwrap_or(tests),
                ("Ran", rest) => tests = Self { passed: leading(rest).unwrap_or_default(), ..Self::default() },
                (count, rest) if rest.starts_with("passing") => tests.passed = number(count).unwrap_or_default(),
                (count, rest) if rest.starts_with("failing") => tests.failed = number(count).unwrap_or_default(),
                ("FAILED", rest) if rest.starts_with('(') => {
                    let failed: u64 = rest.split(['=', ',', ')', '(']).filter_map(number).sum();
                    tests = Self { passed: tests.passed.saturating_sub(failed), failed, hollow: 0 };
                }
                _ => {}
            }
        }
        Self { passed: tests.passed.saturating_sub(hollow), hollow, ..tests }
    }
}

/// Node counts a file that holds no test as a test, under its whole path.
fn is_file(name: &str) -> bool {
    let is_code = [".js", ".mjs", ".cjs", ".ts", ".mts"].iter().any(|ending| name.ends_with(ending));
    name.starts_with('/') && is_code
}

/// `2 failed, 3 passed, 5 total`, and `3 passed (3)`.
fn listed(text: &str) -> Option<Tests> {
    let count = |word: &str| {
        let before = text.split([',', '|']).find(|part| part.contains(word))?;
        leading(before.trim())
    };
    let (passed, failed) = (count("passed"), count("failed"));
    (passed.is_some() || failed.is_some()).then(|| Tests {
        passed: passed.unwrap_or_default(),
        failed: failed.unwrap_or_default(),
        hollow: 0,
    })
}

fn leading(text: &str) -> Option<u64> {
    number(text.split_whitespace().next()?)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn read(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    match FilePath::parse(name) {
        Ok(path) => read_below(folder, &path),
        Err(_) => Ok(None),
    }
}

fn words(line: &str) -> Command {
    line.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_runners_summary_is_understood() {
        for (output, passed, failed) in [
            ("ok 1 - a\n1..1\n# tests 3\n# pass 2\n# fail 1\n", 2, 1),
            ("ℹ tests 3\nℹ pass 3\nℹ fail 0\n", 3, 0),
            ("Tests:       1 failed, 2 passed, 3 total\n", 2, 1),
            (" Tests  2 passed (2)\n", 2, 0),
            (" Tests  1 failed | 2 passed (3)\n", 2, 1),
            ("  3 passing (20ms)\n  1 failing\n", 3, 1),
            ("Ran 4 tests in 0.001s\n\nOK\n", 4, 0),
            ("Ran 4 tests in 0.001s\n\nFAILED (failures=1, errors=1)\n", 2, 2),
            ("", 0, 0),
            ("it passes all tests, believe me\n", 0, 0),
            ("# pass 9\n# tests 1\n# pass 0\n# fail 1\n", 0, 1),
            ("# Subtest: /a/hollow.test.js\nok 1\n# Subtest: real\nok 2\n# pass 2\n# fail 0\n", 1, 0),
        ] {
            let tests = Tests::count(output);
            assert_eq!((tests.passed, tests.failed), (passed, failed), "{output}");
        }
    }

    #[test]
    fn a_package_says_how_it_is_tested_and_started() {
        let node = |json: &str| Stack::Node(serde_json::from_str(json).unwrap());
        let file = [FilePath::parse("a.test.js").unwrap()];
        let plain = node(r#"{"scripts": {"start": "node server.js", "test": "node --test"}}"#);
        assert_eq!(plain.install(), None);
        assert_eq!(plain.test(&file).join(" "), "node --test --test-reporter=tap a.test.js");
        assert_eq!(plain.start().unwrap().join(" "), "npm start");
        let other = node(
            r#"{"main": "a.js", "scripts": {"test": "vitest run", "build": "vite build"}, "devDependencies": {"vitest": "1"}}"#,
        );
        assert_eq!(other.test(&file).join(" "), "npm test -- a.test.js");
        assert_eq!(other.build().unwrap().join(" "), "npm run build");
        assert!(other.install().is_some());
        assert_eq!(other.start().unwrap().join(" "), "node a.js");
        assert_eq!(Stack::Static.install(), None);
    }

    #[test]
    fn python_runs_all_tests_wherever_they_are_and_finds_what_was_installed() {
        let python = Stack::Python { requirements: Some("requirements.txt"), main: "app.py" };
        let file = [FilePath::parse("acceptance/test_a.py").unwrap()];
        assert_eq!(python.test(&file).join(" "), "python3 -m unittest -v acceptance/test_a.py");
        assert_eq!(python.test(&[])[..2], ["python3", "-c"]);
        assert!(python.install().unwrap().contains(&PYTHON_PACKAGES.to_owned()));
    }
}
