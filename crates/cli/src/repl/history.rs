//! What was typed before, kept in a file.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use hopen_codec::address::Address;
use hopen_codec::auth::Secret;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::status::{file_name, report};

/// The lines of earlier conversations and of this one, but for those that hold the handle's password
/// or begin with a blank. The file is for its owner alone.
pub(super) struct History {
    file: Option<PathBuf>,
    password: Option<Secret>,
}

impl History {
    /// The history for conversations by this handle.
    pub(super) fn of(address: &Address) -> Self {
        Self {
            file: file(std::env::var_os("XDG_STATE_HOME"), std::env::home_dir()),
            password: address.credentials.password().cloned(),
        }
    }

    /// Adds what was typed before. Where there is nothing yet, this is the start.
    pub(super) fn load(&mut self, editor: &mut DefaultEditor) {
        let Some(file) = &self.file else { return };
        match editor.load_history(file) {
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.give_up(&error),
            Ok(()) => {}
        }
    }

    /// Adds a line, unless it is to be forgotten.
    pub(super) fn keep(&mut self, editor: &mut DefaultEditor, line: &str) {
        if self.is_secret(line) {
            return;
        }
        let kept = editor.add_history_entry(line);
        let written = kept.and_then(|_| match &self.file {
            Some(file) => make_folder(file)
                .map_err(ReadlineError::Io)
                .and_then(|()| editor.append_history(file)),
            None => Ok(()),
        });
        if let Err(error) = written {
            self.give_up(&error);
        }
    }

    fn is_secret(&self, line: &str) -> bool {
        self.password.as_ref().is_some_and(|password| {
            let password = password.expose();
            let mut parts = line.as_bytes().windows(password.len().max(1));
            !password.is_empty() && parts.any(|part| part == password)
        })
    }

    /// Says once that the history is of this conversation only.
    fn give_up(&mut self, error: &ReadlineError) {
        if let Some(file) = self.file.take() {
            let name = file_name(&file);
            report(format_args!("warning: no history in {name}: {error}"));
        }
    }
}

/// Returns where the history is: as the XDG base directory specification has it for what a program
/// remembers of its use.
fn file(state: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| {
        let home = home.filter(|home| home.is_absolute())?;
        Some(home.join(".local/state"))
    })?;
    Some(state.join("hopen").join("history"))
}

/// Makes the folder of a file, if there is none, for its owner alone.
fn make_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_where_a_state_is_kept() {
        let found = |state: Option<&str>, home: Option<&str>| {
            let file = file(state.map(Into::into), home.map(Into::into));
            file.map(|file| file.to_str().unwrap().to_owned())
        };
        for (state, home, expected) in [
            (
                Some("/state"),
                Some("/users/ann"),
                Some("/state/hopen/history"),
            ),
            (
                None,
                Some("/users/ann"),
                Some("/users/ann/.local/state/hopen/history"),
            ),
            // The specification: a relative path is to be ignored.
            (
                Some("state"),
                Some("/users/ann"),
                Some("/users/ann/.local/state/hopen/history"),
            ),
            (Some(""), None, None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            if cfg!(unix) {
                assert_eq!(found(state, home).as_deref(), expected);
            }
        }
    }

    #[test]
    fn lines_with_the_password_are_secret() {
        let secret = |handle: &str, line: &str| {
            let history = History {
                file: None,
                password: handle
                    .parse::<Address>()
                    .unwrap()
                    .credentials
                    .password()
                    .cloned(),
            };
            history.is_secret(line)
        };
        assert!(secret("::1:ann:se:cret", "hopen `::2:ann:se:cret"));
        assert!(secret("::1:ann:x", "x"));
        assert!(!secret("::1:ann:secret", "secre"));
        assert!(!secret("::1:ann:secret", ""));
        assert!(!secret("::1:ann:", "til 5"));
        assert!(!secret("::1:ann", "til 5"));
    }
}
