//! Keys: from the environment or a file of one's own, wiped when they go, never printed.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A key that must not be seen. Its memory is overwritten when it is dropped.
///
/// # Examples
/// ```
/// use nanobook_broker::secret::Secret;
/// let key = Secret::new("abc".to_owned());
/// assert_eq!(format!("{key:?}"), "Secret(hidden)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// From an environment variable.
    ///
    /// # Errors
    /// When it is not set, empty or not text; the message names the variable and not its value.
    pub fn from_env(name: &'static str) -> Result<Self> {
        match std::env::var(name) {
            Ok(text) if !text.trim().is_empty() => {
                let text = Zeroizing::new(text);
                Ok(Self::new(text.trim().to_owned()))
            }
            _ => Err(Error::Config {
                setting: name,
                detail: "the environment variable is not set".to_owned(),
            }),
        }
    }

    /// From a file that nobody but its owner may read. White space at its ends is left out.
    ///
    /// # Errors
    /// When it can't be read, is empty, or others may read it.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bad = |detail: String| Error::File {
            path: path.to_owned(),
            detail,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let meta = std::fs::metadata(path).map_err(|e| bad(e.to_string()))?;
            let mode = meta.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let detail = format!("others may read it (mode {mode:o}); chmod 600 it");
                return Err(bad(detail));
            }
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?);
        if text.trim().is_empty() {
            return Err(bad("it is empty".to_owned()));
        }
        Ok(Self::new(text.trim().to_owned()))
    }

    /// The key itself, to be used and not kept.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "hush\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Secret::from_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("chmod 600") && !error.contains("hush"),
            "{error}"
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Secret::from_file(&path).unwrap().expose(), "hush");
    }

    #[test]
    fn an_absent_variable_is_named() {
        let error = Secret::from_env("NANOBOOK_NO_SUCH_KEY").unwrap_err();
        assert!(error.to_string().starts_with("NANOBOOK_NO_SUCH_KEY"));
    }
}
