//! Points where a test may let the world fail: one before each call that changes a directory.

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "the other version fails")]
pub(super) const fn point() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use test::{Fault, inject, point};

#[cfg(test)]
mod test {
    use std::cell::Cell;
    use std::io;

    /// What goes wrong on this thread, after a number of points that pass.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Fault {
        /// Nothing.
        None,
        /// The process is killed: from there on nothing changes any more, not even by cleaning up.
        Kill(usize),
        /// The disk is full once; what follows works.
        Full(usize),
    }

    thread_local! {
        static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
        /// Without other threads, faults come in order.
        static ALONE: rayon::ThreadPool =
            rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    }

    pub(crate) fn inject(fault: Fault) {
        ALONE.with(|pool| assert_eq!(pool.current_thread_index(), Some(0)));
        FAULT.set(fault);
    }

    pub(crate) fn point() -> io::Result<()> {
        let (result, next) = match FAULT.get() {
            Fault::None => (Ok(()), Fault::None),
            Fault::Kill(0) => (Err(io::ErrorKind::Interrupted), Fault::Kill(0)),
            Fault::Kill(n) => (Ok(()), Fault::Kill(n - 1)),
            Fault::Full(0) => (Err(io::ErrorKind::StorageFull), Fault::None),
            Fault::Full(n) => (Ok(()), Fault::Full(n - 1)),
        };
        FAULT.set(next);
        result.map_err(io::Error::from)
    }
}
