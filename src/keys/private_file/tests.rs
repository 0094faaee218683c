use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_file_is_written_once_and_read_by_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    write_new(&path, b"first").unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let error = write_new(&path, b"second").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(read(&path).unwrap().as_str(), "first");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(
        error.contains("640") && error.contains("chmod 600"),
        "{error}"
    );
}

#[test]
fn what_is_no_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    write_new(&path, &[b'a'; FILE_BYTES_MAX + 1]).unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        matches!(error, PrivateFileError::TooLarge { .. }),
        "{error}"
    );
    let error = read(&folder.path().join("none")).unwrap_err();
    assert!(matches!(error, PrivateFileError::Io { .. }), "{error}");
}
