//! What wakes a listener that nobody connects to.

#[cfg(unix)]
mod system {
    use std::io::{self, PipeReader, PipeWriter, pipe};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::{Mutex, PoisonError};

    use crate::Listener;

    /// What a listener looks at while it waits: the end of a pipe whose other end is dropped.
    #[derive(Debug)]
    pub(crate) struct Stop(PipeReader);

    /// The other end.
    #[derive(Debug)]
    pub(crate) struct Stopper(Mutex<Option<PipeWriter>>);

    impl Stop {
        pub(crate) fn of(_: &Listener) -> io::Result<(Self, Stopper)> {
            let (reader, writer) = pipe()?;
            Ok((Self(reader), Stopper(Mutex::new(Some(writer)))))
        }
    }

    impl AsFd for Stop {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Stopper {
        pub(crate) fn stop(&self) {
            let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(writer.take());
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::Listener;

    /// What a listener looks at when somebody has connected.
    #[derive(Debug)]
    pub(crate) struct Stop(Arc<AtomicBool>);

    /// What connects.
    #[derive(Debug)]
    pub(crate) struct Stopper {
        is_stopped: Arc<AtomicBool>,
        address: SocketAddr,
    }

    impl Stop {
        pub(crate) fn of(listener: &Listener) -> io::Result<(Self, Stopper)> {
            let mut address = listener.tcp.local_addr()?;
            match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
                IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
                IpAddr::V4(_) | IpAddr::V6(_) => {}
            }
            let is_stopped = Arc::new(AtomicBool::new(false));
            let stopper = Stopper {
                is_stopped: Arc::clone(&is_stopped),
                address,
            };
            Ok((Self(is_stopped), stopper))
        }

        pub(crate) fn is_stopped(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    impl Stopper {
        pub(crate) fn stop(&self) {
            self.is_stopped.store(true, Ordering::SeqCst);
            // It fails where nobody listens any longer, or where so many wait to be accepted that the
            // listener is awake.
            drop(TcpStream::connect(self.address));
        }
    }
}

pub(crate) use system::{Stop, Stopper};
