//! What a task of the network threads hands to a statement, which waits for it without a thread of its own.

use crate::load::job::awaited::Awaited;
use crate::lock::lock;
use crate::{Error, ErrorKind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::AbortHandle;

/// What a look for the next item finds.
pub enum Received<T> {
    Item(T),
    /// Nothing yet.
    Nothing,
    /// Nothing any more: the task has ended.
    Over,
}

/// Items of a task, which is stopped when this is dropped.
pub struct TaskReceiver<T> {
    state: Mutex<State<T>>,
    task: AbortHandle,
}

struct State<T> {
    receiver: Receiver<T>,
    /// What a wait found.
    next: Option<T>,
    is_over: bool,
}

impl<T> TaskReceiver<T> {
    /// Makes the receiver of a task that sends to `receiver`.
    pub fn new(receiver: Receiver<T>, task: AbortHandle) -> TaskReceiver<T> {
        TaskReceiver { state: Mutex::new(State { receiver, next: None, is_over: false }), task }
    }

    /// Takes the next item, without waiting.
    pub fn take(&self) -> Received<T> {
        let mut state = lock(&self.state);
        if let Some(item) = state.next.take() {
            return Received::Item(item);
        }
        match state.receiver.try_recv() {
            Ok(item) => Received::Item(item),
            Err(TryRecvError::Empty) => Received::Nothing,
            Err(TryRecvError::Disconnected) => Received::Over,
        }
    }
}

impl<T: Send> Awaited for TaskReceiver<T> {
    fn wait_at_most(&self, wait: Duration) -> bool {
        let mut state = lock(&self.state);
        if state.next.is_some() || state.is_over {
            return true;
        }
        match state.receiver.recv_timeout(wait) {
            Ok(item) => state.next = Some(item),
            Err(RecvTimeoutError::Disconnected) => state.is_over = true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
        true
    }

    fn interrupted(&self) -> Error {
        Error::new(ErrorKind::Interrupted, "interrupted")
    }
}

impl<T> Drop for TaskReceiver<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn task_receiver(receiver: Receiver<u8>) -> (TaskReceiver<u8>, tokio::task::JoinHandle<()>) {
        let task = tokio::spawn(std::future::pending());
        (TaskReceiver::new(receiver, task.abort_handle()), task)
    }

    #[tokio::test]
    async fn items_come_in_order_whether_they_were_waited_for_or_not() {
        let (sender, receiver) = mpsc::channel();
        let (task_receiver, task) = task_receiver(receiver);
        assert!(matches!(task_receiver.take(), Received::Nothing) && !task_receiver.wait_at_most(Duration::from_millis(1)));
        for item in [1, 2] {
            sender.send(item).unwrap();
        }
        assert!(task_receiver.wait_at_most(Duration::ZERO) && task_receiver.wait_at_most(Duration::ZERO));
        assert!(matches!(task_receiver.take(), Received::Item(1)) && matches!(task_receiver.take(), Received::Item(2)));
        drop(sender);
        assert!(task_receiver.wait_at_most(Duration::from_secs(9)) && matches!(task_receiver.take(), Received::Over));
        drop(task_receiver);
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
