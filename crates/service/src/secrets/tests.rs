//! What must hold of the file; the keyring belongs to the person who runs the tests and is left alone.

use super::*;

fn secrets(dir: &Path, passphrase: Option<&str>) -> Secrets {
    Secrets::new(dir, SecretsChoice::File, passphrase.map(|text| Zeroizing::new(text.to_owned())))
}

/// Secrets survive the program, are in no file in readable form, and only this user may read the files.
#[tokio::test]
async fn kept_sealed_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let first = secrets(dir.path(), None);
    assert_eq!(first.place().await.unwrap(), SecretsPlace::Nowhere);
    assert_eq!(first.get("mail/password").await.unwrap(), None);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "asking leaves no trace");
    first.set("mail/password", "open sesame").await.unwrap();
    first.set("mail/password", "open barley").await.unwrap();
    first.set("ca/key", "----").await.unwrap();
    first.remove("ca/key").await.unwrap();
    let again = secrets(dir.path(), None);
    assert_eq!(again.get("mail/password").await.unwrap().unwrap().as_str(), "open barley");
    assert_eq!(again.get("ca/key").await.unwrap(), None);
    assert_eq!(again.place().await.unwrap(), SecretsPlace::SealedByKeyFile);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("open barley"), "{path:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        }
    }
}

/// A passphrase that is missing or wrong opens nothing and changes nothing.
#[tokio::test]
async fn passphrase_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    secrets(dir.path(), Some("right")).set("a", "1").await.unwrap();
    assert!(!dir.path().join("secrets.key").exists(), "with a passphrase no key lies beside the vault");
    let before = std::fs::read(dir.path().join("secrets.json")).unwrap();
    assert!(matches!(secrets(dir.path(), None).get("a").await, Err(SecretsError::PassphraseMissing)));
    assert!(matches!(secrets(dir.path(), Some("wrong")).set("a", "2").await, Err(SecretsError::WrongKey { .. })));
    assert_eq!(std::fs::read(dir.path().join("secrets.json")).unwrap(), before);
    let right = secrets(dir.path(), Some("right"));
    assert_eq!(right.get("a").await.unwrap().unwrap().as_str(), "1");
    assert_eq!(right.place().await.unwrap(), SecretsPlace::SealedByPassphrase);
}

/// A damaged file is said to be damaged and never taken for an empty one, which would make a new authority.
#[tokio::test]
async fn damage_is_said() {
    let dir = tempfile::tempdir().unwrap();
    secrets(dir.path(), None).set("a", "1").await.unwrap();
    std::fs::write(dir.path().join("secrets.json"), "{").unwrap();
    assert!(matches!(secrets(dir.path(), None).get("a").await, Err(SecretsError::Damaged { .. })));
    assert!(matches!(secrets(dir.path(), None).set("a", "2").await, Err(SecretsError::Damaged { .. })));
}

/// A passphrase given later takes the place of the key file, and nothing is lost on the way.
#[tokio::test]
async fn passphrase_replaces_key_file() {
    let dir = tempfile::tempdir().unwrap();
    secrets(dir.path(), None).set("a", "1").await.unwrap();
    assert!(dir.path().join("secrets.key").exists());
    assert_eq!(secrets(dir.path(), Some("new")).get("a").await.unwrap().unwrap().as_str(), "1");
    assert!(!dir.path().join("secrets.key").exists());
    assert!(matches!(secrets(dir.path(), None).get("a").await, Err(SecretsError::PassphraseMissing)));
}
