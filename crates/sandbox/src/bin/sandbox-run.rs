//! The smallest executable that can start a sandbox, for this crate's tests; `spinoff sandbox` is
//! the one that ships. It can also play a program that uses the network.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let code = match arguments.as_slice() {
        [_, subcommand, order, dashes, command @ ..] if subcommand == sandbox::SUBCOMMAND && dashes == "--" => {
            sandbox::run_from_args(&order.to_string_lossy(), command)
        }
        [_, verb, address] if verb == "listen" => listen(&address.to_string_lossy()),
        [_, verb, address] if verb == "connect" => connect(&address.to_string_lossy()),
        [_, verb, project, temporary, command @ ..] if verb == "walled" => walled(project, temporary, command),
        _ => {
            eprintln!(
                "usage: sandbox-run sandbox ORDER -- COMMAND… | listen ADDRESS | connect ADDRESS | walled PROJECT TEMPORARY COMMAND…"
            );
            2
        }
    };
    std::process::exit(code);
}

/// Says so once it listens, then answers until it is killed.
fn listen(address: &str) -> i32 {
    match TcpListener::bind(address) {
        Ok(listener) => {
            println!("listening");
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.write_all(b"hello");
            }
            0
        }
        Err(cause) => {
            println!("cannot listen: {cause}");
            1
        }
    }
}

/// Runs a command behind the third wall, with a loopback, and says how it ended and what is promised.
fn walled(project: &OsString, temporary: &OsString, command: &[OsString]) -> i32 {
    let executable = Path::new("/proc/self/exe");
    match sandbox::Promises::find_out(executable) {
        Ok(promises) => println!("{:?}", promises.loopback),
        Err(cause) => println!("no promises: {cause}"),
    }
    let wall = sandbox::Wall::around(project, temporary)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .network(sandbox::Network::Loopback { except: std::collections::BTreeSet::new() });
    let started = wall.command(executable, command).and_then(|(mut starting, stream)| Ok((starting.status()?, stream)));
    match started {
        Ok((status, _)) => status.code().unwrap_or(1),
        Err(cause) => {
            println!("cannot start: {cause}");
            1
        }
    }
}

fn connect(address: &str) -> i32 {
    match TcpStream::connect(address) {
        Ok(_) => {
            println!("connected");
            0
        }
        Err(cause) => {
            println!("cannot connect: {cause}");
            1
        }
    }
}
