use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema;
use crate::shelf::{Document, Form, REFERENCE};

/// The methods of an address, in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The API's reference, a document for each noun and one for what is sent and answered.
pub(crate) fn documents(api: &Value) -> Vec<Document> {
    let base = api["servers"][0]["url"].as_str().unwrap_or_default();
    let mut by_tag: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, methods) in api["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(told) = methods.get(method) else { continue };
            let tag = told["tags"][0].as_str().unwrap_or("other");
            by_tag.entry(tag).or_default().push(Operation { method, path: format!("{base}{path}"), told });
        }
    }
    let mut documents: Vec<Document> =
        by_tag.iter().map(|(tag, operations)| document(tag, None, page(tag, operations, api))).collect();
    documents.push(document("types", Some("What is sent and answered"), schema::page(api)));
    documents
}

/// One method at one address.
struct Operation<'a> {
    method: &'static str,
    path: String,
    told: &'a Value,
}

fn document(noun: &str, name: Option<&str>, text: String) -> Document {
    Document {
        file: format!("docs/api/{noun}.md"),
        address: format!("api/{noun}"),
        part: REFERENCE,
        form: Form::Whole,
        below: Some("api".to_owned()),
        name: name.map(str::to_owned),
        text: Cow::Owned(text),
    }
}

fn page(tag: &str, operations: &[Operation<'_>], api: &Value) -> String {
    let mut text = format!("# API: {}\n\n", tag.replace('-', " "));
    for operation in operations {
        text.push_str(&format!("## {}\n\n", operation.title()));
        text.push_str(&format!("```text\n{} {}\n```\n\n", operation.method.to_uppercase(), operation.path));
        for words in ["summary", "description"] {
            if let Some(words) = operation.told[words].as_str().filter(|words| !words.is_empty()) {
                text.push_str(&format!("{}\n\n", schema::prose(words)));
            }
        }
        text.push_str(&operation.parameters());
        text.push_str(&operation.body(api));
        text.push_str(&operation.answers());
    }
    text
}

impl Operation<'_> {
    /// What it does, from its name: `list_instances` lists instances.
    fn title(&self) -> String {
        let name = self.told["operationId"].as_str().unwrap_or(self.method).replace('_', " ");
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    fn parameters(&self) -> String {
        let Some(parameters) = self.told["parameters"].as_array().filter(|all| !all.is_empty()) else {
            return String::new();
        };
        let mut text = "| parameter | where | type | |\n|---|---|---|---|\n".to_owned();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            let what = schema::prose(parameter["description"].as_str().unwrap_or_default());
            let kind = schema::kind(&parameter["schema"]);
            text.push_str(&format!("| `{name}` | {place} | {kind} | {what} |\n"));
        }
        text + "\n"
    }

    /// The body's members, where it is an object with a name, and else its type.
    fn body(&self, api: &Value) -> String {
        let content = &self.told["requestBody"]["content"];
        let Some((_, media)) = content.as_object().and_then(|all| all.iter().next()) else { return String::new() };
        let sent = &media["schema"];
        let members = schema::named(sent, api).map(schema::members).unwrap_or_default();
        let what = schema::kind(sent);
        if members.is_empty() { format!("Send {what}.\n\n") } else { format!("Send {what}:\n\n{members}") }
    }

    fn answers(&self) -> String {
        let mut text = "| status | | answer |\n|---|---|---|\n".to_owned();
        for (status, answer) in self.told["responses"].as_object().into_iter().flatten() {
            let said = answer["description"].as_str().filter(|said| !said.is_empty());
            let what = schema::prose(said.unwrap_or_else(|| meaning(status)));
            let content = answer["content"].as_object().and_then(|all| all.iter().next());
            let body = content.map(|(media, body)| match media.as_str() {
                "application/json" | "application/problem+json" => schema::kind(&body["schema"]),
                other => format!("`{other}`"),
            });
            text.push_str(&format!("| {status} | {what} | {} |\n", body.unwrap_or_default()));
        }
        text + "\n"
    }
}

/// What a status means wherever nothing else is said of it.
fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "done",
        "201" => "made",
        "202" => "taken on, and under way",
        "204" => "done, and nothing to say",
        "400" => "the request can't be read",
        "401" => "no token, or one that is not known",
        "403" => "not with this token",
        "404" => "there is no such thing",
        "409" => "not as things stand",
        "413" => "the body is too large",
        "415" => "the body is no JSON",
        "422" => "something in it can't be so",
        "429" => "too often",
        "503" => "not now",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_operation_is_told_with_what_it_takes_and_answers() {
        let api = json!({
            "servers": [{"url": "/api/v1"}],
            "paths": {"/pots/{id}": {"put": {
                "tags": ["pots"], "operationId": "fill_pot",
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}, "description": "Which | one"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewTea"}}}},
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tea"}}}},
                    "409": {"description": "It is full"},
                },
            }}},
            "components": {"schemas": {
                "NewTea": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "description": "Which <tea>"}}},
                "Tea": {"type": "object", "properties": {}},
            }},
        });
        let all = documents(&api);
        let addresses: Vec<&str> = all.iter().map(|document| document.address.as_str()).collect();
        assert_eq!(addresses, ["api/pots", "api/types"]);
        let text = &all[0].text;
        for part in [
            "# API: pots",
            "## Fill pot",
            "PUT /api/v1/pots/{id}",
            "| `id` | path | string | Which \\| one |",
            "Send [NewTea](types.md#newtea):",
            "| `kind` | string | Which &lt;tea> |",
            "| 200 | done | [Tea](types.md#tea) |",
            "| 409 | It is full |  |",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(all[1].text.contains("## NewTea"), "{}", all[1].text);
    }
}
