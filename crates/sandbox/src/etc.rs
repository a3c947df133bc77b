//! `/etc` as the program finds it: what programs need to run, nothing that tells of the host.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, SEE_DOCTOR, Step};
use crate::{Spec, ids};

/// Shown read-only where the host has them. Keys and passwords are not among them.
pub(crate) const SHOWN: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
];

/// Writes the files that are the same on every host.
pub(crate) fn write(spec: &Spec) -> Result<(), Failure> {
    let id = ids::seen_inside(spec.profile);
    let hostname = &spec.hostname;
    let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
    let home = home.to_string_lossy();
    fs::create_dir_all("/etc").step("create /etc", SEE_DOCTOR)?;
    for (name, text) in [
        (
            "passwd",
            format!(
                "app:x:{id}:{id}:app:{home}:/bin/sh\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
        ),
        ("group", format!("app:x:{id}:\nnogroup:x:65534:\n")),
        ("hosts", format!("127.0.0.1 localhost {hostname}\n::1 localhost {hostname}\n")),
        ("hostname", format!("{hostname}\n")),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n".to_owned()),
    ] {
        let file = Path::new("/etc").join(name);
        fs::write(&file, text).step(format!("write {}", file.display()), SEE_DOCTOR)?;
    }
    Ok(())
}
