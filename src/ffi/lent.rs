//! Handles and values that DuckDB lends.

use std::ffi::c_void;
use std::marker::PhantomData;

/// A handle of the C API, valid for `'a`: for the length of a callback, as a rule.
#[derive(Clone, Copy)]
pub struct Lent<'a, H: Copy> {
    handle: H,
    _lent: PhantomData<&'a ()>,
}

impl<H: Copy> Lent<'_, H> {
    /// Borrows a handle.
    ///
    /// # Safety
    /// The handle is valid for as long as the result and its copies are used.
    pub unsafe fn borrow<'a>(handle: H) -> Lent<'a, H> {
        Lent { handle, _lent: PhantomData }
    }

    /// Returns the handle.
    pub fn raw(&self) -> H {
        self.handle
    }
}

/// Borrows what DuckDB carries for Unify: what was given to it as a `Box<T>`, or as an `Arc<T>`, for it to hand back.
///
/// # Safety
/// `carried` is what [`give`] or [`Arc::into_raw`](std::sync::Arc::into_raw) returned for a `T`, which lives for `'a` and is not changed meanwhile.
pub unsafe fn carried<'a, T>(carried: *const c_void) -> &'a T {
    // SAFETY: the caller vouches for it.
    unsafe { &*carried.cast::<T>() }
}

/// Gives a value to DuckDB, which hands it to [`free`] when it is done.
pub fn give<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)).cast()
}

/// Frees what [`give`] gave.
///
/// # Safety
/// `given` is what `give` returned for a `T`; it comes back once.
pub unsafe extern "C" fn free<T>(given: *mut c_void) {
    super::guard::guard_or((), || {
        // SAFETY: the caller vouches for it.
        drop(unsafe { Box::from_raw(given.cast::<T>()) });
    });
}
