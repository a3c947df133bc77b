//! The team: five roles, each with a name, a voice, a duty and a prompt in a Markdown file. A file
//! `team/<role>.md` in the data folder takes the place of the one in the program.

use rust_embed::RustEmbed;

use crate::folder::{Folder, Found};
use crate::front_matter::{Problem, Sheet};
use crate::library::LibraryError;
use crate::model::{Role, Tool};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/team"]
struct Files;

/// A member of the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// What they are on the team.
    pub role: Role,
    /// What they are called; one word, by which they can be addressed.
    pub name: String,
    /// How they speak.
    pub voice: String,
    /// What they do.
    pub duty: String,
    /// The tools that they are offered in meetings, where those have them; `None` for all.
    pub tools: Option<Vec<String>>,
    /// What the model is told to be.
    pub prompt: String,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Team(Vec<Persona>);

impl Team {
    /// The team as the program and the data folder describe it.
    ///
    /// # Errors
    /// When the disk fails, or a file in the data folder cannot be understood.
    pub fn read(root: &Folder) -> Result<Self, LibraryError> {
        let own = root.enter("team")?;
        let read = |role: Role| -> Result<Persona, LibraryError> {
            let file = format!("{}.md", role.word());
            let changed = own.as_ref().map_or(Ok(Found::Nothing), |folder| folder.read(&file))?;
            let bytes = match changed {
                Found::File(bytes) => bytes,
                Found::Unreadable(why) => return Err(Problem(format!("team/{file}: {why}")).into()),
                Found::Nothing => Files::get(&file).map(|file| file.data.into_owned()).unwrap_or_default(),
            };
            let problem = |why: Problem| Problem(format!("team/{file} cannot be understood: {why}"));
            Ok(Persona::parse(role, &String::from_utf8_lossy(&bytes)).map_err(problem)?)
        };
        Ok(Self(Role::ALL.into_iter().map(read).collect::<Result<_, _>>()?))
    }

    /// All members.
    #[must_use]
    pub fn all(&self) -> &[Persona] {
        &self.0
    }

    /// The member in a role.
    #[must_use]
    pub fn member(&self, role: Role) -> Option<&Persona> {
        self.0.iter().find(|persona| persona.role == role)
    }

    /// What the member in a role is called.
    #[must_use]
    pub fn name_of(&self, role: Role) -> &str {
        self.member(role).map_or(role.noun(), |persona| &persona.name)
    }

    /// Those of a meeting's tools that the member in a role is offered.
    #[must_use]
    pub fn tools_of(&self, role: Role, tools: Vec<Tool>) -> Vec<Tool> {
        let offered = self.member(role).and_then(|persona| persona.tools.as_deref());
        match offered {
            Some(offered) => tools.into_iter().filter(|tool| offered.iter().any(|name| name == tool.name)).collect(),
            None => tools,
        }
    }

    /// Whom a message addresses: the first `@name` or `@role` in it that is one of the team.
    #[must_use]
    pub fn addressed(&self, message: &str) -> Option<Role> {
        let starts = message.match_indices('@').filter(|(at, _)| {
            // An address such as ada@example.com addresses nobody here.
            !message[..*at].chars().next_back().is_some_and(char::is_alphanumeric)
        });
        starts.map(|(at, _)| &message[at + 1..]).find_map(|rest| {
            let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            let word = word.trim_end_matches('-').to_lowercase();
            self.0
                .iter()
                .find(|persona| persona.name.to_lowercase() == word || persona.role.word() == word)
                .map(|persona| persona.role)
        })
    }
}

impl Persona {
    fn parse(role: Role, text: &str) -> Result<Self, Problem> {
        let sheet = Sheet::parse(text)?;
        let field = |name: &str| Ok::<_, Problem>(sheet.text(name)?.unwrap_or_default());
        let name = field("name")?.split_whitespace().next().unwrap_or(role.noun()).to_owned();
        let list = |tools: String| tools.split(',').map(|tool| tool.trim().to_owned()).collect();
        let tools = sheet.text("tools")?.map(list);
        Ok(Self { role, name, voice: field("voice")?, duty: field("duty")?, tools, prompt: sheet.body.clone() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::meetings::Kind;

    #[test]
    fn each_role_has_a_name_a_voice_a_duty_and_a_prompt() {
        let home = tempfile::tempdir().unwrap();
        let team = Team::read(&Folder::open(home.path()).unwrap()).unwrap();
        assert_eq!(team.all().len(), 5);
        for persona in team.all() {
            let all = [&persona.name, &persona.voice, &persona.duty, &persona.prompt];
            assert!(all.iter().all(|text| !text.is_empty()), "{persona:?}");
        }
    }

    #[test]
    fn a_message_addresses_one_by_name_or_role() {
        let home = tempfile::tempdir().unwrap();
        let team = Team::read(&Folder::open(home.path()).unwrap()).unwrap();
        for (message, role) in [
            ("@Theo, is that hard?", Some(Role::Architect)),
            ("what do you think, @theo?", Some(Role::Architect)),
            ("@project-manager: and now?", Some(Role::ProjectManager)),
            ("(@jona)", Some(Role::Tester)),
            ("write to theo@theo.example, @wil", Some(Role::Scribe)),
            ("me@theo", None),
            ("@nobody", None),
            ("hello", None),
            ("@", None),
        ] {
            assert_eq!(team.addressed(message), role, "{message}");
        }
    }

    #[test]
    fn a_file_in_the_data_folder_takes_the_place_of_the_usual_one() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("team")).unwrap();
        std::fs::write(home.path().join("team/scribe.md"), "---\nname: Ines Maria\n---\nWrite verse.").unwrap();
        let root = Folder::open(home.path()).unwrap();
        let team = Team::read(&root).unwrap();
        assert_eq!((team.name_of(Role::Scribe), team.name_of(Role::Tester)), ("Ines", "Jona"));
        assert_eq!(team.member(Role::Scribe).unwrap().prompt, "Write verse.");
        let names =
            |role| -> Vec<_> { team.tools_of(role, Kind::Vision.tools()).into_iter().map(|tool| tool.name).collect() };
        assert_eq!(names(Role::Scribe), ["propose_vision", "record_decision"], "all, where none are named");
        assert_eq!(names(Role::Architect), ["record_decision"]);
        std::fs::write(home.path().join("team/scribe.md"), "---\nname: [\n---\n").unwrap();
        let error = Team::read(&root).unwrap_err().to_string();
        assert!(error.starts_with("team/scribe.md cannot be understood"), "{error}");
    }
}
