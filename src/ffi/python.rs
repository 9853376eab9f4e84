//! Ctrl-C in a process whose main thread runs Python.
//!
//! Python notes a signal, and acts on it when its own code goes on: not while a statement of ours waits. So the waiting thread asks Python
//! whether SIGINT came. No handler runs meanwhile, since one that uses the database would wait for the statement it interrupts. Python's
//! functions are looked up in the process; where there are none, nothing is asked.

use super::exit::is_main_thread;
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void, CStr};
use std::time::{Duration, Instant};

/// How often Python is asked at most: it answers once no other thread of it runs Python code.
const POLL: Duration = Duration::from_millis(50);

thread_local! {
    static LAST_ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A `PyObject *`.
type Object = *mut c_void;

/// What the fields of [`Python`] are called, in their order.
const NAMES: [&CStr; 11] = [
    c"Py_IsInitialized",
    c"PyGILState_GetThisThreadState",
    c"PyGILState_Ensure",
    c"PyGILState_Release",
    c"PyOS_InterruptOccurred",
    c"PyErr_SetInterrupt",
    c"PyImport_ImportModule",
    c"PyObject_GetAttrString",
    c"PyObject_CallMethod",
    c"Py_DecRef",
    c"PyErr_Clear",
];

/// The functions of Python's stable ABI that are used.
#[repr(C)]
struct Python {
    is_initialized: unsafe extern "C" fn() -> c_int,
    state_of_this_thread: unsafe extern "C" fn() -> *mut c_void,
    ensure: unsafe extern "C" fn() -> c_int,
    release: unsafe extern "C" fn(c_int),
    interrupt_occurred: unsafe extern "C" fn() -> c_int,
    set_interrupt: unsafe extern "C" fn(),
    import: unsafe extern "C" fn(*const c_char) -> Object,
    attribute: unsafe extern "C" fn(Object, *const c_char) -> Object,
    call_method: unsafe extern "C" fn(Object, *const c_char, *const c_char, ...) -> Object,
    dec_ref: unsafe extern "C" fn(Object),
    clear_error: unsafe extern "C" fn(),
}

/// Returns whether Ctrl-C was pressed in a Python whose main thread this is, and takes it: the caller ends the statement. Python's own
/// handler would have raised `KeyboardInterrupt`, in whose place the statement's error stands. A handler of the user runs, too, when the
/// statement has ended.
pub fn took_interrupt() -> bool {
    if LAST_ASKED.get().is_some_and(|last| last.elapsed() < POLL) || !is_main_thread() {
        return false;
    }
    let took = Python::of_process().is_some_and(|python| python.took_interrupt());
    LAST_ASKED.set(Some(Instant::now()));
    took
}

impl Python {
    /// Looks the functions up; `None` when the process lacks one, or this thread never ran Python code.
    fn of_process() -> Option<Python> {
        let mut found = [std::ptr::null_mut(); NAMES.len()];
        for (place, name) in found.iter_mut().zip(NAMES) {
            // SAFETY: the name is a C string; what was loaded for all of the process is searched.
            *place = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            if place.is_null() {
                return None;
            }
        }
        // SAFETY: these are the functions of the fields, in their order, none of them null; each has its signature in every Python 3.
        let python = unsafe { std::mem::transmute::<[*mut c_void; NAMES.len()], Python>(found) };
        // SAFETY: it may be called at any time.
        if unsafe { (python.is_initialized)() } == 0 {
            return None;
        }
        // SAFETY: Python is initialized; no state is needed.
        let state = unsafe { (python.state_of_this_thread)() };
        (!state.is_null()).then_some(python)
    }

    fn took_interrupt(&self) -> bool {
        // SAFETY: Python is initialized and knows this thread. DuckDB's client lets go of the interpreter while a statement runs; if it
        // has not, this counts up.
        let held = unsafe { (self.ensure)() };
        // SAFETY: the interpreter is held.
        let took = unsafe { (self.interrupt_occurred)() } != 0;
        if took && !self.has_default_handler() {
            // SAFETY: the interpreter is held. The handler runs once Python's own code goes on.
            unsafe { (self.set_interrupt)() };
        }
        // SAFETY: given by `ensure`, given back once.
        unsafe { (self.release)(held) };
        took
    }

    /// Returns whether SIGINT has Python's own handler, which does nothing but raise `KeyboardInterrupt`. The interpreter must be held.
    fn has_default_handler(&self) -> bool {
        // SAFETY: the interpreter is held; null and an error when it fails.
        let module = unsafe { (self.import)(c"_signal".as_ptr()) };
        if module.is_null() {
            // SAFETY: the interpreter is held.
            unsafe { (self.clear_error)() };
            return false;
        }
        // SAFETY: the module is alive, the name a C string.
        let default = unsafe { (self.attribute)(module, c"default_int_handler".as_ptr()) };
        // SAFETY: the module is alive; the format says that a C int follows.
        let handler = unsafe { (self.call_method)(module, c"getsignal".as_ptr(), c"i".as_ptr(), libc::SIGINT) };
        let is_default = !handler.is_null() && handler == default;
        // SAFETY: the interpreter is held.
        unsafe { (self.clear_error)() };
        for object in [handler, default, module] {
            // SAFETY: a reference of ours, given back once; null is allowed.
            unsafe { (self.dec_ref)(object) };
        }
        is_default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_python_is_never_interrupted_by_it() {
        assert!(Python::of_process().is_none());
        assert!(!took_interrupt());
    }
}
