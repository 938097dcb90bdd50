//! KX's C library, loaded at run time from the path in `KX_LIBE`: the shared library that ships
//! inside KX's Python package. It is not free software and is not included.

#![allow(unsafe_code)]

use crate::subject;
use crate::workloads::symbol_sum;
use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_longlong};
use std::ptr::{copy_nonoverlapping, null_mut};

/// A K object as `k.h` declares it.
#[repr(C)]
struct K {
    m: i8,
    a: i8,
    t: i8,
    u: u8,
    r: c_int,
    /// An atom's value, or a vector's count with its items behind it.
    word: u64,
}

pub struct Subject {
    d9: unsafe extern "C" fn(*mut K) -> *mut K,
    r0: unsafe extern "C" fn(*mut K),
    ktn: unsafe extern "C" fn(c_int, c_longlong) -> *mut K,
    message: *mut K,
    /// Keeps the functions above loaded.
    _library: Library,
}

impl Subject {
    pub fn open() -> Result<Self, String> {
        let path = std::env::var_os("KX_LIBE").ok_or("KX_LIBE is not set")?;
        let open = || -> Result<Self, libloading::Error> {
            // SAFETY: the symbols have the signatures that KX publishes in k.h.
            unsafe {
                let library = Library::new(path)?;
                let khpu: unsafe extern "C" fn(*const c_char, c_int, *const c_char) -> c_int =
                    *library.get(b"khpu")?;
                // Starts its memory, as the manual asks.
                khpu(c"".as_ptr(), -1, c"".as_ptr());
                Ok(Self {
                    d9: *library.get(b"d9")?,
                    r0: *library.get(b"r0")?,
                    ktn: *library.get(b"ktn")?,
                    message: null_mut(),
                    _library: library,
                })
            }
        };
        open().map_err(|error| error.to_string())
    }
}

impl subject::Subject for Subject {
    type Value = Object;

    fn name(&self) -> &'static str {
        crate::measure::REFERENCE
    }

    fn load(&mut self, message: &[u8]) {
        // SAFETY: the old message is ours; ktn(4, n) has room for n bytes behind its head.
        unsafe {
            if !self.message.is_null() {
                (self.r0)(self.message);
            }
            self.message = (self.ktn)(4, message.len() as c_longlong);
            let items = self.message.cast::<u8>().add(size_of::<K>());
            copy_nonoverlapping(message.as_ptr(), items, message.len());
        }
    }

    fn decode(&self) -> Option<Object> {
        // SAFETY: d9 takes a byte vector and leaves its reference alone.
        let object = unsafe { (self.d9)(self.message) };
        // SAFETY: looked at only if it is not null; -128 is an error.
        let good = !object.is_null() && unsafe { (*object).t } != -128;
        good.then_some(Object {
            object,
            r0: self.r0,
        })
    }

    fn visit(&self, value: &Object) -> u64 {
        // SAFETY: the object is alive.
        unsafe { visit(value.object) }
    }

    fn is_counted(&self) -> bool {
        false
    }
}

/// A reference that is ours.
pub struct Object {
    object: *mut K,
    r0: unsafe extern "C" fn(*mut K),
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { (self.r0)(self.object) }
    }
}

unsafe fn visit(k: *const K) -> u64 {
    // SAFETY: the caller's object is alive and laid out as its type says.
    unsafe {
        let sum = |words: &[u64]| words.iter().fold(0, |a: u64, word| a.wrapping_add(*word));
        let symbol = |text: *const c_char| symbol_sum(CStr::from_ptr(text).to_bytes());
        match (*k).t {
            -11 => symbol((*k).word as *const c_char),
            -7 | -9 | -12 => (*k).word,
            7 | 9 | 12 => sum(items(k)),
            10 => items::<u8>(k).iter().map(|byte| u64::from(*byte)).sum(),
            11 => items(k).iter().fold(0, |a, text| a + symbol(*text)),
            0 => items(k)
                .iter()
                .fold(0, |a: u64, item| a.wrapping_add(visit(*item))),
            98 => visit((*k).word as *const K),
            99 => {
                let pair = k.add(1).cast::<*const K>();
                visit(*pair).wrapping_add(visit(*pair.add(1)))
            }
            kind => panic!("type {kind} is in no workload"),
        }
    }
}

unsafe fn items<'a, T>(k: *const K) -> &'a [T] {
    // SAFETY: a vector's items lie behind its head.
    unsafe { std::slice::from_raw_parts(k.add(1).cast(), (*k).word as usize) }
}
