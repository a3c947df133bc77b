use std::fs;

use sandbox::{Ending, Limits};

use crate::harness::{House, start};

#[test]
fn ordinary_work_is_done_as_ever() {
    let house = House::new();
    let done = house.run(
        "mkdir -p a/b && echo one > a/b/c && mv a/b/c a/d && ln -s d a/e && cat a/e && ln a/d a/f && rm -r a \
         && echo scratch > \"$TMPDIR/x\" && cat \"$TMPDIR/x\" && (echo piped | cat) && pwd",
    );
    let project = house.path("project");
    assert_eq!(done.out, format!("one\nscratch\npiped\n{}\n", project.display()));
    assert_eq!(done.ending, Ending::Exited(0));
}

#[test]
fn the_exit_code_and_the_signal_are_told() {
    let house = House::new();
    assert_eq!(house.run("exit 7").ending, Ending::Exited(7));
    assert_eq!(house.run("kill -SEGV $$").ending, Ending::Killed(11));
}

#[test]
fn the_environment_is_what_was_given_and_nothing_else() {
    let house = House::new();
    let done = start(&house.wall().env("GIVEN", "yes"), &["/usr/bin/env"]).finish();
    let names: Vec<&str> = done.out.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(names, ["GIVEN", "HOME", "PATH", "TMPDIR"]);
}

#[test]
fn standard_input_is_empty() {
    assert_eq!(House::new().run("cat; readlink /proc/self/fd/0").out, "/dev/null\n");
}

#[test]
fn a_program_that_is_not_there_is_told_apart() {
    let house = House::new();
    let done = start(&house.wall(), &["no-such-program"]).finish();
    assert_eq!(done.ending, Ending::Exited(sandbox::EXIT_NOT_FOUND));
    assert!(done.err.contains("no-such-program"), "{}", done.err);
}

#[test]
fn a_missing_project_folder_is_named_and_nothing_starts() {
    let house = House::new();
    fs::remove_dir_all(house.path("project")).unwrap();
    let done = start(&house.wall(), &["/bin/echo", "started"]).finish();
    assert_eq!(done.ending, Ending::Exited(sandbox::EXIT_NO_SANDBOX));
    assert_eq!(done.out, "");
    assert!(done.err.contains("project"), "{}", done.err);
}

#[test]
fn a_project_that_is_only_shown_cannot_be_changed() {
    let house = House::new();
    fs::write(house.path("project/file"), "as it was").unwrap();
    let wall = house.wall().project_read_only();
    let done =
        house.start(&wall, "cat file; ( echo x > file ) || echo refused; ( echo x > new ) || echo refused").finish();
    assert_eq!(done.out, "as it wasrefused\nrefused\n");
}

#[test]
fn node_runs_its_tests_behind_the_wall() {
    let house = House::new();
    if house.run("node --version").ending != Ending::Exited(0) {
        return; // this machine has no Node
    }
    fs::write(
        house.path("project/a.test.mjs"),
        "import test from 'node:test'; import http from 'node:http'; import fs from 'node:fs';
         test('serves', async () => {
           const server = http.createServer((_, answer) => answer.end('hello')).listen(0);
           await new Promise((ready) => server.once('listening', ready));
           const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
           if (await answer.text() !== 'hello') throw new Error('silent');
           fs.writeFileSync('written', 'x'); process.memoryUsage();
           server.closeAllConnections(); server.close();
         });",
    )
    .unwrap();
    let wall = house
        .wall()
        .network(sandbox::Network::Loopback { except: [].into() })
        .limits(Limits { memory_bytes: Some(4 << 30), ..Limits::default() });
    let done = start(&wall, &["node", "--test"]).finish();
    assert_eq!(done.ending, Ending::Exited(0), "{}", done.out);
    assert!(done.out.contains("pass 1"), "{}", done.out);
}
