//! The body of one answer in parts: what is cut from it is handed on while the rest arrives.

use crate::document::{BodyPart, BodyStyle, Cutter};
use crate::http::{ApiClient, BodySink, PageBody, Request, Taking};
use crate::source::Headers;
use crate::{Error, ErrorKind, Result};
use std::hash::BuildHasher;
use tokio::sync::{mpsc, Mutex};

/// A part of a body, and the headers of its answer.
pub struct ArrivedPart {
    pub part: BodyPart,
    pub headers: Headers,
}

impl ArrivedPart {
    /// Returns the part as the page of a request's answer.
    pub fn into_page(self, client: &ApiClient, request: &Request) -> PageBody {
        let mut page = client.part_of(request, self.headers, self.part.bytes);
        page.line_base = self.part.line_base;
        page
    }
}

/// Cuts a body into parts. When a request is tried again, parts that were handed on are left out, and must be what they were.
pub struct Parts {
    style: BodyStyle,
    most: usize,
    state: Mutex<State>,
    sender: mpsc::Sender<ArrivedPart>,
}

struct State {
    cutter: Option<Cutter>,
    headers: Headers,
    /// Hashes of the parts that were handed on.
    handed_on: Vec<u64>,
    /// Parts of the body that arrives now.
    n_parts: usize,
}

impl State {
    fn next_part(&mut self) -> Result<Option<BodyPart>> {
        match &mut self.cutter {
            Some(cutter) => Ok(cutter.next_part()?),
            None => Ok(None),
        }
    }
}

impl Parts {
    /// Prepares for bodies of this style, whose parts have at most `most` bytes, and are handed on by `sender`.
    pub fn new(style: &BodyStyle, most: usize, sender: mpsc::Sender<ArrivedPart>) -> Parts {
        let state = State { cutter: None, headers: Headers::new(Vec::new()), handed_on: Vec::new(), n_parts: 0 };
        Parts { style: style.clone(), most, state: Mutex::new(state), sender }
    }

    /// Returns the last part of the body that arrived; `None` when none did. Fails when parts that were handed on did not come again.
    pub fn last(self) -> Result<Option<BodyPart>> {
        let state = self.state.into_inner();
        match state.cutter {
            Some(_) if state.n_parts < state.handed_on.len() => Err(changed()),
            None if !state.handed_on.is_empty() => Err(changed()),
            cutter => Ok(cutter.map(Cutter::finish)),
        }
    }

    async fn hand_on(&self, state: &mut State, part: BodyPart) -> Result<()> {
        let hash = foldhash::fast::FixedState::default().hash_one(&part.bytes);
        state.n_parts += 1;
        match state.handed_on.get(state.n_parts - 1) {
            Some(known) if *known == hash => Ok(()),
            Some(_) => Err(changed()),
            None => {
                state.handed_on.push(hash);
                let arrived = ArrivedPart { part, headers: state.headers.clone() };
                self.sender.send(arrived).await.map_err(|_| Error::new(ErrorKind::Cancelled, "the load was stopped"))
            }
        }
    }
}

impl BodySink for Parts {
    fn begin(&self, headers: &Headers) -> bool {
        // Nobody else has it: the kernel sends one try after the other.
        let Ok(mut state) = self.state.try_lock() else { return false };
        state.cutter = self.style.cutter(headers.get("content-type"), self.most);
        state.headers = headers.clone();
        state.n_parts = 0;
        state.cutter.is_some()
    }

    fn take<'a>(&'a self, piece: &'a [u8]) -> Taking<'a> {
        Box::pin(async move {
            let mut state = self.state.lock().await;
            let Some(cutter) = state.cutter.as_mut() else { return Err(Error::internal("a body that was not begun")) };
            cutter.push(piece, &self.style);
            while let Some(part) = state.next_part()? {
                self.hand_on(&mut state, part).await?;
            }
            Ok(())
        })
    }
}

fn changed() -> Error {
    Error::api("the answer was cut off, and the second answer began differently: the records may have changed")
}
