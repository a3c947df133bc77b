#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::sync::OnceLock;

use super::*;

/// The program itself, which the test runner is not. It stays the same one while tests run, although
/// another may be built meanwhile.
pub(crate) fn executable() -> PathBuf {
    static PROGRAM: OnceLock<File> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        let path = tests.ancestors().nth(2).unwrap().join("ai-diy");
        File::open(&path).expect("the program is built together with the tests")
    });
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), program.as_raw_fd()))
}

/// A workbench in a folder of its own.
pub(crate) struct Stage {
    home: tempfile::TempDir,
    pub(crate) bench: Bench,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let home = tempfile::tempdir_in("/var/tmp").unwrap();
        let bench = Bench::open(&home.path().join("bench"), executable(), Tools::default(), Clock::default()).unwrap();
        std::fs::create_dir(home.path().join("project")).unwrap();
        Self { home, bench }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn job(&self, script: &str) -> Job {
        Job {
            command: ["/bin/sh", "-c", script].map(str::to_owned).into(),
            folder: self.path("project"),
            changes_folder: true,
            writable: Vec::new(),
            readable: Vec::new(),
            env: Vec::new(),
            reach: Reach::Nowhere,
            limits: Limits::default(),
            purpose: Some(Purpose { project: "shop".to_owned(), story: None }),
        }
    }

    async fn run(&self, job: &Job) -> Outcome {
        self.bench.run(job, |_| (), &CancellationToken::new()).await.unwrap()
    }
}

#[tokio::test]
async fn a_command_is_on_record_with_what_it_said_in_order() {
    let stage = Stage::set();
    let outcome = stage.run(&stage.job("echo one; echo two >&2; echo three; exit 4")).await;
    assert_eq!(outcome.output.text(), "one\ntwo\nthree\n");
    assert_eq!(outcome.ended, Ended::Told(Ending::Exited(4)));
    let [recorded] = &stage.bench.records().all().unwrap()[..] else { panic!("one command was run") };
    assert_eq!((recorded.number, recorded.tail.as_str()), (1, "one\ntwo\nthree\n"));
    assert_eq!(recorded.ended.as_ref().unwrap().0, outcome.ended);
    assert_eq!(stage.bench.records().output(1).unwrap().unwrap(), "one\ntwo\nthree\n");
    assert_eq!(std::fs::read_dir(stage.path("bench/temporary")).unwrap().count(), 0);
}

#[tokio::test]
async fn numbers_go_on_after_a_restart_and_what_never_ended_says_so() {
    let stage = Stage::set();
    stage.run(&stage.job("true")).await;
    stage.bench.records().begin(&stage.job("died with the program"), Clock::default().now()).unwrap();
    let again = Bench::open(&stage.path("bench"), executable(), Tools::default(), Clock::default()).unwrap();
    again.run(&stage.job("true"), |_| (), &CancellationToken::new()).await.unwrap();
    let all = again.records().all().unwrap();
    assert_eq!(all.iter().map(|recorded| recorded.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(all[0].ended.is_some() && all[1].ended.is_none() && all[2].ended.is_some());
}

#[tokio::test]
async fn endless_output_is_stopped_and_cut() {
    let stage = Stage::set();
    let mut job = stage.job("yes");
    job.limits.output = 2 << 20;
    let outcome = stage.run(&job).await;
    assert_eq!(outcome.ended, Ended::TooMuchOutput(2 << 20));
    assert!(outcome.output.text().contains("bytes are left out here"));
}

#[tokio::test]
async fn a_full_folder_is_stopped() {
    let stage = Stage::set();
    let mut job = stage.job("i=0; while :; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); done");
    job.limits.disk = 8 << 20;
    assert_eq!(stage.run(&job).await.ended, Ended::TooMuchDisk(8 << 20));
}

#[tokio::test]
async fn a_person_stops_a_command_and_all_that_came_from_it() {
    let stage = Stage::set();
    let stop = CancellationToken::new();
    let job = stage.job("( setsid sleep 987654 & ); echo begun; sleep 987654");
    let heard = stop.clone();
    let outcome = stage.bench.run(&job, move |_| heard.cancel(), &stop).await.unwrap();
    assert_eq!((outcome.ended, outcome.output.text().as_str()), (Ended::Stopped, "begun\n"));
}

#[tokio::test]
async fn a_command_reaches_the_way_to_registries_and_nothing_else() {
    let stage = Stage::set();
    if !stage.bench.promises().ports {
        return;
    }
    let hosts = USUAL.map(str::to_owned).into();
    assert!(stage.bench.open_registries(Registries { hosts, through: None, insist: true }).await.unwrap());
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script = format!(
        "perl -MIO::Socket::INET -e '($p) = $ENV{{HTTPS_PROXY}} =~ /(\\d+)$/; $s = IO::Socket::INET->new(qq(127.0.0.1:$p)) or die $!;
         print $s qq(CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n); print scalar <$s>;
         print IO::Socket::INET->new(qq(127.0.0.1:{})) ? q(ESCAPED) : q(nothing else)'",
        other.local_addr().unwrap().port()
    );
    let job = Job { reach: Reach::Registries, ..stage.job(&script) };
    let outcome = stage.run(&job).await;
    assert_eq!(outcome.output.text(), "HTTP/1.1 403 Forbidden\r\nnothing else");
}

#[tokio::test]
async fn a_command_finds_no_variables_but_the_usual_and_its_own() {
    let stage = Stage::set();
    let mut job = stage.job("env | sed 's/=.*//' | sort | tr '\\n' ' '");
    job.env.push(("PORT", "0".to_owned()));
    assert_eq!(stage.run(&job).await.output.text(), "CI HOME LANG NO_COLOR PATH PORT PWD TMPDIR ");
}
