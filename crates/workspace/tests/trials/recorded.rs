//! Small projects of each stack, as a team would write them.

/// A project, and how it is recognized when it runs.
pub struct Recorded {
    /// What the tester writes.
    pub test: (&'static str, &'static str),
    /// What the developer writes.
    pub code: Vec<(&'static str, String)>,
    /// What its page says.
    pub says: &'static str,
    /// What it says in the terminal once it listens.
    pub ready: &'static str,
}

pub fn plain_files() -> Recorded {
    let test =
        "const test = require('node:test'); const assert = require('node:assert'); const fs = require('node:fs');
test('greets', () => assert.match(fs.readFileSync('index.html', 'utf8'), /Good day/));\n";
    Recorded {
        test: ("acceptance/page.test.js", test),
        code: vec![("index.html", "<!doctype html><title>Greeting</title><h1>Good day</h1>\n".to_owned())],
        says: "Good day",
        ready: "The files are shown.",
    }
}

pub fn node_alone() -> Recorded {
    node(
        "{\"name\": \"numbers\", \"version\": \"1.0.0\", \"main\": \"index.js\"}\n",
        "const words = () => '42 is a number';\n",
        &[],
    )
}

/// With a package, and a step that builds something.
pub fn node_with_a_package() -> Recorded {
    node(
        "{\"name\": \"numbers\", \"version\": \"1.0.0\", \"dependencies\": {\"is-number\": \"7.0.0\"},
  \"scripts\": {\"build\": \"node build.js\", \"start\": \"node index.js\"}}\n",
        "const fs = require('node:fs'); const isNumber = require('is-number');
const words = () => isNumber(42) ? `42 ${fs.readFileSync('built.txt', 'utf8')}` : 'no';\n",
        &[("build.js", "require('node:fs').writeFileSync('built.txt', 'is a number');\n")],
    )
}

fn node(package: &str, words: &str, more: &[(&'static str, &str)]) -> Recorded {
    let test = "const test = require('node:test'); const assert = require('node:assert');
const { server } = require('../index.js');
test('answers', async () => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
  assert.match(await answer.text(), /42 is a number/);
  server.close();
});\n";
    let server = "const http = require('node:http');
exports.server = http.createServer((_, answer) => answer.end(words()));
if (require.main === module) {
  exports.server.listen(process.env.PORT ?? 3000, '127.0.0.1', () => console.log('It listens.'));
}\n";
    let own = [("package.json", package.to_owned()), ("index.js", format!("{words}{server}"))];
    let more = more.iter().map(|(path, text)| (*path, (*text).to_owned()));
    Recorded {
        test: ("acceptance/answer.test.js", test),
        code: own.into_iter().chain(more).collect(),
        says: "42 is a number",
        ready: "It listens.",
    }
}

pub fn python_alone() -> Recorded {
    python("def words():\n    return 'ready since ever'\n", &[])
}

pub fn python_with_a_package() -> Recorded {
    let words = "import six\n\ndef words():\n    return six.ensure_str(b'ready since ever')\n";
    python(words, &[("requirements.txt", "six==1.17.0\n")])
}

fn python(words: &str, more: &[(&'static str, &str)]) -> Recorded {
    let test = "import unittest
import app

class Answer(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(app.words(), 'ready since ever')\n";
    let server = "
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(words().encode())

if __name__ == '__main__':
    server = HTTPServer(('127.0.0.1', int(os.environ.get('PORT', 3000))), Handler)
    print('It listens.', flush=True)
    server.serve_forever()\n";
    let more = more.iter().map(|(path, text)| (*path, (*text).to_owned()));
    Recorded {
        test: ("acceptance/test_answer.py", test),
        code: [("app.py", format!("{words}{server}"))].into_iter().chain(more).collect(),
        says: "ready since ever",
        ready: "It listens.",
    }
}
