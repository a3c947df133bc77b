//! The smallest executable that can start a sandbox, for this crate's tests; `spinoff sandbox` is
//! the one that ships. It can also play a program that uses the network.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let code = match arguments.as_slice() {
        [_, subcommand, order, dashes, command @ ..] if subcommand == sandbox::SUBCOMMAND && dashes == "--" => {
            sandbox::run_from_args(&order.to_string_lossy(), command)
        }
        [_, verb, address] if verb == "listen" => listen(&address.to_string_lossy()),
        [_, verb, address] if verb == "connect" => connect(&address.to_string_lossy()),
        _ => {
            eprintln!("usage: sandbox-run sandbox ORDER -- COMMAND… | listen ADDRESS | connect ADDRESS");
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
