//! How the tests that both transports have wait.

use core::future::Future;

use async_io::block_on;

/// Waits for what a call has returned.
pub(crate) trait Wait: Future + Sized {
    fn wait(self) -> Self::Output {
        block_on(self)
    }
}

impl<F: Future> Wait for F {}
