//! The threads of one database: a runtime for the network, a pool for conversion, and one thread a job.

use crate::lock::lock;
use crate::{Error, ErrorKind, Result};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Most threads for sockets: they only move bytes.
const MAX_NETWORK_THREADS: usize = 2;
/// How many cores there are for each thread for sockets. Where two share what one can do, they wake each other.
const CORES_A_NETWORK_THREAD: usize = 4;
/// How long the network threads get to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Threads that exist from the first load until the database closes.
pub struct Workers {
    runtime: Mutex<Option<Runtime>>,
    handle: tokio::runtime::Handle,
    converters: Mutex<Option<Arc<rayon::ThreadPool>>>,
    converter_threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Workers {
    /// Starts the threads, each of which calls `enter` first.
    pub fn start(enter: impl Fn() + Clone + Send + Sync + 'static) -> Result<Workers> {
        let failed = |err: &dyn std::fmt::Display| Error::internal(format!("could not start threads: {err}"));
        let n_cores = std::thread::available_parallelism().map_or(2, |n_cores| n_cores.get());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(network_threads(n_cores))
            .thread_name("unify-net")
            .on_thread_start(enter.clone())
            .enable_all()
            .build()
            .map_err(|err| failed(&err))?;
        let threads: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
        let (spawned, enter) = (threads.clone(), Arc::new(enter));
        let converters = rayon::ThreadPoolBuilder::new()
            .num_threads(n_cores)
            .spawn_handler(move |thread| {
                let named = std::thread::Builder::new().name(format!("unify-conv-{}", thread.index()));
                let enter = enter.clone();
                lock(&spawned).push(named.spawn(move || {
                    enter();
                    thread.run();
                })?);
                Ok(())
            })
            .build()
            .map_err(|err| failed(&err))?;
        Ok(Workers {
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
            converters: Mutex::new(Some(Arc::new(converters))),
            converter_threads: threads,
        })
    }

    /// Runs a future on the network threads.
    pub fn spawn<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
        self.handle.spawn(future)
    }

    /// Runs `work` on the conversion threads.
    pub async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let Some(converters) = lock(&self.converters).clone() else { return Err(stopping()) };
        converters.spawn(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the conversion of a page panicked")));
            // Nobody waits any more when the load was stopped.
            let _ = sender.send(outcome);
        });
        receiver.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Stops and joins all threads, but one that calls this itself.
    pub fn stop(&self) {
        if let Some(runtime) = lock(&self.runtime).take() {
            let stop = || runtime.shutdown_timeout(STOP_TIMEOUT);
            match tokio::runtime::Handle::try_current() {
                // A network thread was the last to keep the database open, and its tasks must not wait.
                Ok(_) => tokio::task::block_in_place(stop),
                Err(_) => stop(),
            }
        }
        drop(lock(&self.converters).take());
        let threads = std::mem::take(&mut *lock(&self.converter_threads));
        for thread in threads {
            join_other(thread);
        }
    }
}

/// Returns how many threads move bytes on so many cores.
fn network_threads(n_cores: usize) -> usize {
    (n_cores / CORES_A_NETWORK_THREAD).clamp(1, MAX_NETWORK_THREADS)
}

/// Joins a thread unless it is the calling one, which cannot wait for itself and ends right after.
pub fn join_other(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        // A panic of the thread was contained and reported where it happened.
        let _ = thread.join();
    }
}

fn stopping() -> Error {
    Error::new(ErrorKind::Cancelled, "the load was stopped because the database or the process ends")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_and_a_panic_in_it_is_an_error() {
        let workers = Arc::new(Workers::start(|| ()).unwrap());
        let on_pool = workers.clone();
        let task = workers.spawn(async move {
            let sum = on_pool.compute(|| Ok(1 + 1)).await;
            let panicked = on_pool.compute(|| -> Result<()> { std::panic::panic_any("boom") }).await;
            (sum, panicked)
        });
        let (sum, panicked) = workers.handle.block_on(task).unwrap();
        assert_eq!(sum.unwrap(), 2);
        assert!(panicked.unwrap_err().message().contains("panicked"));
        workers.stop();
    }

    #[test]
    fn few_cores_have_one_network_thread() {
        assert_eq!([1, 2, 7, 8, 64].map(network_threads), [1, 1, 1, 2, 2]);
    }

    #[test]
    fn a_network_thread_may_stop_them_all() {
        let workers = Arc::new(Workers::start(|| ()).unwrap());
        let (told, stopped) = std::sync::mpsc::channel();
        let own = workers.clone();
        workers.spawn(async move {
            own.stop();
            told.send(()).unwrap();
        });
        stopped.recv().unwrap();
        assert!(lock(&workers.runtime).is_none());
    }

    #[test]
    fn after_stopping_no_thread_is_left_and_work_is_refused() {
        let workers = Workers::start(|| ()).unwrap();
        let threads = workers.converter_threads.clone();
        assert!(!lock(&threads).is_empty());
        workers.stop();
        assert!(lock(&threads).is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let err = runtime.block_on(workers.compute(|| Ok(()))).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Cancelled);
    }
}
