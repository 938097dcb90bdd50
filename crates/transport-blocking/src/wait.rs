//! How the tests that both transports have wait: here not at all, as every call has come back.

/// Waits for what a call has returned.
pub(crate) trait Wait: Sized {
    fn wait(self) -> Self {
        self
    }
}

impl<T> Wait for T {}
