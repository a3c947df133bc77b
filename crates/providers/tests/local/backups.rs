use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use providers::ProviderError;
use providers::backup::{Identity, Kept, Source, Target};
use providers::compute::Compute as _;
use providers::compute::local::Local;
use providers::storage::{FolderStorage, ObjectName, Storage};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::harness::{Server, deploy, instance, name, settings, until_healthy, visit};

struct Vault {
    storage: Arc<dyn Storage>,
    identity: Identity,
}

impl Vault {
    fn at(folder: &Path) -> Self {
        Self { storage: Arc::new(FolderStorage::new(folder)), identity: Identity::generate() }
    }

    fn target(&self) -> Target {
        Target { storage: Arc::clone(&self.storage), name: object(), recipient: self.identity.recipient() }
    }

    fn source(&self, kept: &Kept) -> Source {
        Source {
            storage: Arc::clone(&self.storage),
            name: object(),
            identity: self.identity.clone(),
            sha256: kept.sha256.clone(),
            bytes: kept.bytes,
        }
    }

    async fn take(&self, local: &Local, slug: &str, number: u8) -> Kept {
        local.back_up(&name(slug), instance(number), &self.target()).await.unwrap()
    }
}

fn object() -> ObjectName {
    ObjectName::parse("ins_1/bak_1.tar.gz.age").unwrap()
}

fn refused(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Refused { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_kept_is_put_back_under_it_and_it_runs_again() {
    let server = Server::new();
    let local = server.open().await;
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::at(place.path());
    let release = server
        .serving("echo first > $DATA/words; mkdir -p $DATA/sub; ln -sf ../words $DATA/sub/link; chmod 640 $DATA/words");
    let project = deploy(&local, "backups-life", 1, &release).await;
    until_healthy(&local, &project).await;
    local.suspend(&project).await.unwrap();
    let owner = fs::metadata(server.data(&project).join("words")).unwrap().uid();
    let kept = vault.take(&local, "backups-life", 1).await;
    assert_eq!((kept.contents.files, kept.contents.left_out), (1, 0));

    fs::write(server.data(&project).join("words"), "second").unwrap();
    fs::write(server.data(&project).join("later"), "x").unwrap();
    local.restore(&project, instance(1), &vault.source(&kept)).await.unwrap();
    let data = server.data(&project);
    assert_eq!(fs::read_to_string(data.join("words")).unwrap(), "first\n");
    assert_eq!(fs::read_link(data.join("sub/link")).unwrap(), Path::new("../words"));
    assert!(!data.join("later").exists());
    assert_eq!(fs::metadata(data.join("words")).unwrap().permissions().mode() & 0o777, 0o640);
    for path in [data.clone(), data.join("words"), data.join("sub"), data.join("sub/link")] {
        assert_eq!(fs::symlink_metadata(&path).unwrap().uid(), owner, "{}", path.display());
    }
    assert!(!server.project_folder(&project).join("data.incoming").exists());
    local.resume(&project).await.unwrap();
    until_healthy(&local, &project).await;
    assert!(visit(&local, &project).await.contains("200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_replaced_under_an_application_that_runs_nor_for_anybody_else() {
    let server = Server::new();
    let local = server.open().await;
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::at(place.path());
    let project = deploy(&local, "backups-wrong", 2, &server.serving("echo first > $DATA/words")).await;
    until_healthy(&local, &project).await;
    let kept = vault.take(&local, "backups-wrong", 2).await;
    let error = local.restore(&project, instance(2), &vault.source(&kept)).await.unwrap_err();
    assert!(refused(&error) && error.to_string().contains("suspend it first"), "{error}");
    local.suspend(&project).await.unwrap();
    for error in [
        local.restore(&project, instance(3), &vault.source(&kept)).await.unwrap_err(),
        local.restore(&name("backups-nobody"), instance(2), &vault.source(&kept)).await.unwrap_err(),
        local.back_up(&project, instance(3), &vault.target()).await.unwrap_err(),
    ] {
        assert!(matches!(error, ProviderError::NotFound { .. }), "{error}");
    }
    let stranger = Source { identity: Identity::generate(), ..vault.source(&kept) };
    assert!(refused(&local.restore(&project, instance(2), &stranger).await.unwrap_err()));
    let path = place.path().join(object().as_str());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    assert!(refused(&local.restore(&project, instance(2), &vault.source(&kept)).await.unwrap_err()));
    assert_eq!(fs::read_to_string(server.data(&project).join("words")).unwrap(), "first\n");
    assert!(!server.project_folder(&project).join("data.incoming").exists());
    local.resume(&project).await.unwrap();
    until_healthy(&local, &project).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_fits_a_project_that_never_ran_and_a_killed_restore_leaves_the_old_data() {
    let server = Server::new();
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::at(place.path());
    let project = name("backups-fresh");
    let kept = {
        let local = server.open().await;
        local.create_project(&project, instance(4)).await.unwrap();
        fs::write(server.data(&project).join("words"), "first").unwrap();
        let kept = vault.take(&local, "backups-fresh", 4).await;
        let copy = name("backups-copy");
        local.create_project(&copy, instance(5)).await.unwrap();
        local.configure(&copy, &settings(5)).await.unwrap();
        local.restore(&copy, instance(5), &vault.source(&kept)).await.unwrap();
        assert_eq!(fs::read_to_string(server.data(&copy).join("words")).unwrap(), "first");
        local.deploy(&copy, &server.serving("grep -q first $DATA/words")).await.unwrap();
        until_healthy(&local, &copy).await;
        local.delete_project(&copy, instance(5)).await.unwrap();
        kept
    };
    // As a server that died in the middle left it.
    let incoming = server.project_folder(&project).join("data.incoming");
    fs::create_dir(&incoming).unwrap();
    fs::write(incoming.join("half"), "x").unwrap();
    symlink("/", incoming.join("out")).unwrap();
    fs::write(server.data(&project).join("words"), "second").unwrap();
    let local = server.open().await;
    assert!(!incoming.exists());
    assert_eq!(fs::read_to_string(server.data(&project).join("words")).unwrap(), "second");
    local.restore(&project, instance(4), &vault.source(&kept)).await.unwrap();
    assert_eq!(fs::read_to_string(server.data(&project).join("words")).unwrap(), "first");
}

/// A file system with little room, where this test may make one.
struct Small(tempfile::TempDir);

impl Small {
    fn of(bytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), options.as_c_str()).ok()?;
        Some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

/// Nothing that would compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut seed = 1_u32;
    let next = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    (0..bytes).map(next).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_for_a_backup_the_former_one_stays() {
    let Some(small) = Small::of(1 << 20) else {
        eprintln!("no file system can be mounted here, so this was not tried");
        return;
    };
    let server = Server::new();
    let local = server.open().await;
    let vault = Vault::at(small.0.path());
    let project = name("backups-full");
    local.create_project(&project, instance(6)).await.unwrap();
    fs::write(server.data(&project).join("words"), "first").unwrap();
    let kept = vault.take(&local, "backups-full", 6).await;
    fs::write(server.data(&project).join("noise"), noise(4 << 20)).unwrap();
    let error = local.back_up(&project, instance(6), &vault.target()).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("No space left"), "{error}");
    local.restore(&project, instance(6), &vault.source(&kept)).await.unwrap();
    assert_eq!(fs::read_dir(server.data(&project)).unwrap().count(), 1);
    assert_eq!(vault.storage.list().await.unwrap(), [object()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_to_put_a_backup_back_the_present_data_stays() {
    let Some(small) = Small::of(6 << 20) else {
        eprintln!("no file system can be mounted here, so this was not tried");
        return;
    };
    let mut server = Server::new();
    server.settings.folder = small.0.path().join("instances");
    let local = server.open().await;
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::at(place.path());
    let project = name("backups-narrow");
    local.create_project(&project, instance(7)).await.unwrap();
    let data = server.settings.folder.join(project.as_str()).join("data");
    fs::write(data.join("noise"), noise(4 << 20)).unwrap();
    let kept = vault.take(&local, "backups-narrow", 7).await;
    fs::write(data.join("words"), "second").unwrap();
    let error = local.restore(&project, instance(7), &vault.source(&kept)).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("No space left"), "{error}");
    assert_eq!(fs::read_to_string(data.join("words")).unwrap(), "second");
    assert!(!data.with_file_name("data.incoming").exists(), "what was half unpacked is gone");
}
