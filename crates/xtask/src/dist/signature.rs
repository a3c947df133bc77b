//! A signature by OpenSSH, since whoever gets a release can check it with what their system has already.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::shell;
use crate::temporary::TemporaryFolder;

/// Stands beside the checksums that it signs.
pub const FILE: &str = "SHA256SUMS.sig";

/// What is signed, so that a signature under something else is none under a release.
const NAMESPACE: &str = "spinoff-release";

/// By which name the key is looked up; it says nothing to anybody.
const SIGNER: &str = "release";

/// Signs a file; the signature stands beside it.
pub fn sign(key: &Path, file: &Path) -> Result<()> {
    shell::run(Command::new("ssh-keygen").args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]).arg(key).arg(file))
}

/// Checks that the owner of this public key signed the file.
pub fn check(key: &Path, file: &Path, signature: &Path) -> Result<()> {
    let text = fs::read_to_string(key).with_context(|| format!("reading the key {}", key.display()))?;
    let folder = TemporaryFolder::new("dist-signer")?;
    let believed = folder.path().join("believed");
    fs::write(&believed, believed_line(&text)?).context("writing down which key is believed")?;
    let signed = fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-n", NAMESPACE, "-I", SIGNER, "-f"]).arg(&believed).arg("-s").arg(signature);
    let done = command.stdin(Stdio::from(signed)).output().context("can't run ssh-keygen")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(
        done.status.success(),
        "{} was not signed with {}: {}",
        file.display(),
        key.display(),
        said.lines().last().unwrap_or("ssh-keygen does not say why")
    );
    Ok(())
}

/// One line of the form of `allowed_signers`.
fn believed_line(key: &str) -> Result<String> {
    let mut words = key.split_whitespace();
    let (kind, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_key = key.trim().lines().count() == 1
        && (kind.starts_with("ssh-") || kind.starts_with("sk-") || kind.starts_with("ecdsa-"));
    ensure!(is_key && !body.is_empty(), "the key is no public key of OpenSSH's form, such as `ssh-ed25519 AAAA…`");
    Ok(format!("{SIGNER} namespaces=\"{NAMESPACE}\" {kind} {body}\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;

    use super::*;

    fn key(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        shell::run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path)).unwrap();
        path
    }

    #[test]
    fn only_what_the_named_key_signed_for_a_release_passes() {
        let folder = TemporaryFolder::new("dist-sign").unwrap();
        let at = |name: &str| folder.path().join(name);
        let (ours, theirs) = (key(folder.path(), "ours"), key(folder.path(), "theirs"));
        let (sums, signature) = (at("SHA256SUMS"), at(FILE));
        fs::write(&sums, "sums\n").unwrap();
        sign(&ours, &sums).unwrap();
        check(&ours.with_extension("pub"), &sums, &signature).unwrap();
        let error = check(&theirs.with_extension("pub"), &sums, &signature).unwrap_err().to_string();
        assert!(error.contains("was not signed with"), "{error}");
        fs::write(&sums, "other sums\n").unwrap();
        assert!(check(&ours.with_extension("pub"), &sums, &signature).is_err(), "what was changed after");

        let other = at("other");
        fs::write(&other, "sums\n").unwrap();
        let mut command = Command::new("ssh-keygen");
        shell::run(command.args(["-q", "-Y", "sign", "-n", "file", "-f"]).arg(&ours).arg(&other)).unwrap();
        assert!(check(&ours.with_extension("pub"), &other, &at("other.sig")).is_err(), "signed as something else");
    }

    #[test]
    fn what_is_no_public_key_is_refused_with_what_one_looks_like() {
        assert_eq!(
            believed_line("ssh-ed25519 AAAA ada@home\n").unwrap(),
            "release namespaces=\"spinoff-release\" ssh-ed25519 AAAA\n"
        );
        for text in ["", "ssh-ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "ssh-rsa AAAA\n* ssh-rsa BBBB"] {
            assert!(believed_line(text).unwrap_err().to_string().contains("ssh-ed25519"), "{text}");
        }
    }
}
