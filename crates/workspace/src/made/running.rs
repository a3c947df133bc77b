//! One run of the app, from the files to its end.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{End, Made, MadeError, Run, State, traffic};
use crate::bench::{Ended, Job, Launched, Limits, Purpose, Reach, outgrown};
use crate::project::{Problem, Project, Stack};

impl Made {
    /// From the files to the end of the app; why it ended.
    pub(super) async fn live(&self, project: &Project, run: &Run, stop: &CancellationToken) -> Result<End, MadeError> {
        let folder = project.app_folder()?;
        project.unpack(&run.commit, &folder).await?;
        let stack = Stack::at(&folder)?;
        let start = stack.start().ok_or(MadeError::Nothing)?;
        let job = self.job(project, &folder)?;
        for (command, reach) in [(stack.install(), Reach::Registries), (stack.build(), Reach::Nowhere)] {
            let Some(command) = command else { continue };
            let limits = Limits { time: Some(Duration::from_secs(600)), ..Limits::default() };
            let made = self.clone();
            let heard = move |piece: &[u8]| made.hear(piece);
            let preparing = Job { command: command.clone(), limits, reach, ..job.clone() };
            let outcome = self.0.bench.run(&preparing, heard, stop).await.map_err(Problem::Bench)?;
            if stop.is_cancelled() {
                return Ok(End::Otherwise("It was stopped before it was ready.".to_owned()));
            }
            if !outcome.ended.is_success() {
                let command = command.join(" ");
                return Ok(End::Otherwise(format!("It could not be made ready: {command} {}.", outcome.ended)));
            }
        }
        let job = Job { command: start, ..job };
        let launched = self.0.bench.launch(&job).map_err(Problem::Bench)?;
        Ok(self.attend(launched, &job, run, stop).await?)
    }

    async fn attend(&self, mut launched: Launched, job: &Job, run: &Run, stop: &CancellationToken) -> io::Result<End> {
        let mut said = launched.output;
        let made = self.clone();
        let listening = tokio::spawn(async move {
            while let Ok(Some(piece)) = said.next().await {
                made.hear(&piece);
            }
        });
        let end = tokio::select! {
            ended = launched.leash.ending() => End::Otherwise(format!("It ended by itself: it {ended}.")),
            () = outgrown(job, &launched.rest) => End::Otherwise(format!(
                "It was stopped: its folders held more than {} MiB. Nothing in them was removed.", job.limits.disk >> 20
            )),
            end = self.watch(run) => {
                launched.leash.ask_to_stop().await;
                launched.leash.ending().await;
                end
            }
            () = stop.cancelled() => {
                launched.leash.ask_to_stop().await;
                End::Otherwise(match launched.leash.ending().await {
                    Ended::Vanished => "It was stopped, together with what watched it.".to_owned(),
                    _ => "It was stopped.".to_owned(),
                })
            }
        };
        launched.rest.end(launched.leash).await?;
        // It ends with the app, whose words it hears.
        let _ = listening.await;
        Ok(end)
    }

    /// Waits until it listens, then until nobody has used it for long; why it has to stop. Open pages are
    /// only told of what they show.
    async fn watch(&self, run: &Run) -> End {
        let habits = self.0.habits;
        let listens = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, habits.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(habits.start, listens).await.is_err() {
            let (seconds, port) = (habits.start.as_secs(), habits.port);
            let why = format!("It was stopped: after {seconds} seconds nothing listened at 127.0.0.1:{port}.");
            return End::Otherwise(why);
        }
        let now = self.0.clock.now();
        self.life().state = State::Running { run: run.clone(), used: now };
        self.0.diary.ran(now);
        self.tell();
        let mut is_to_stop = false;
        loop {
            tokio::time::sleep(habits.look).await;
            let now = self.0.clock.now();
            self.0.diary.ran(now);
            let is_used = traffic::is_used(habits.port);
            let used = match &mut self.life().state {
                State::Running { used, .. } => {
                    if is_used {
                        *used = now;
                    }
                    *used
                }
                _ => now,
            };
            if (now - used).unsigned_abs() >= habits.idle {
                return End::Idle(habits.idle.as_secs() / 60);
            }
            if self.is_to_stop(used, now) != is_to_stop {
                is_to_stop = !is_to_stop;
                self.tell();
            }
        }
    }

    fn job(&self, project: &Project, folder: &Path) -> io::Result<Job> {
        let data = project.data_folder()?;
        let mut env = project.variables(folder);
        env.extend([
            ("PORT", self.0.habits.port.to_string()),
            ("HOST", Ipv4Addr::LOCALHOST.to_string()),
            ("DATA", data.display().to_string()),
            ("NODE_ENV", "production".to_owned()),
        ]);
        Ok(Job {
            command: Vec::new(),
            folder: folder.to_owned(),
            changes_folder: true,
            writable: vec![data, project.cache()],
            readable: Vec::new(),
            env,
            reach: Reach::Serve(self.0.habits.port),
            limits: Limits { time: None, ..Limits::default() },
            purpose: Some(Purpose { project: project.name().as_str().to_owned(), story: None }),
        })
    }
}
