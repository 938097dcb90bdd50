//! KX's C library, loaded at run time from the path in `KX_LIBE`: the shared library that ships
//! inside KX's Python package. It is not free software and is not included.

#![allow(unsafe_code)]

use crate::sockets::Medium;
use crate::subject;
use crate::workloads::{Workload, symbol_sum};
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_longlong};
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

/// How it is called in what is printed.
pub const NAME: &str = "KX libe";

/// The library with the functions that are used, as k.h declares them.
#[derive(Clone, Copy)]
pub(crate) struct Libe {
    b9: unsafe extern "C" fn(c_int, *mut K) -> *mut K,
    d9: unsafe extern "C" fn(*mut K) -> *mut K,
    r0: unsafe extern "C" fn(*mut K),
    r1: unsafe extern "C" fn(*mut K) -> *mut K,
    ks: unsafe extern "C" fn(*const c_char) -> *mut K,
    ktn: unsafe extern "C" fn(c_int, c_longlong) -> *mut K,
    khpu: unsafe extern "C" fn(*const c_char, c_int, *const c_char) -> c_int,
    kclose: unsafe extern "C" fn(c_int),
    k: unsafe extern "C" fn(c_int, *const c_char, ...) -> *mut K,
}

impl Libe {
    pub(crate) fn open() -> Result<Self, String> {
        let path = std::env::var_os("KX_LIBE").ok_or("KX_LIBE is not set")?;
        let open = || -> Result<Self, libloading::Error> {
            // SAFETY: the symbols have the signatures that KX publishes in k.h.
            unsafe {
                let library = Library::new(path)?;
                let libe = Self {
                    b9: *library.get(b"b9")?,
                    d9: *library.get(b"d9")?,
                    r0: *library.get(b"r0")?,
                    r1: *library.get(b"r1")?,
                    ks: *library.get(b"ks")?,
                    ktn: *library.get(b"ktn")?,
                    khpu: *library.get(b"khpu")?,
                    kclose: *library.get(b"kclose")?,
                    k: *library.get(b"k")?,
                };
                // Starts its memory, as the manual asks.
                (libe.khpu)(c"".as_ptr(), -1, c"".as_ptr());
                // It stays loaded: objects and handles may live as long as anything.
                std::mem::forget(library);
                Ok(libe)
            }
        };
        open().map_err(|error| error.to_string())
    }

    /// Returns a byte vector of these.
    fn bytes_of(&self, bytes: &[u8]) -> *mut K {
        // SAFETY: ktn(4, n) has room for n bytes behind its head.
        unsafe {
            let vector = (self.ktn)(4, bytes.len() as c_longlong);
            let items = vector.cast::<u8>().add(size_of::<K>());
            copy_nonoverlapping(bytes.as_ptr(), items, bytes.len());
            vector
        }
    }

    /// Decodes a message.
    pub(crate) fn value_of(&self, message: &[u8]) -> Option<Object> {
        let message = self.owned(self.bytes_of(message))?;
        self.decode_from(message.object)
    }

    fn decode_from(&self, message: *mut K) -> Option<Object> {
        // SAFETY: d9 takes a byte vector and leaves its reference alone.
        self.owned(unsafe { (self.d9)(message) })
    }

    fn encode_in(&self, mode: c_int, own: &Object) -> Option<Object> {
        // SAFETY: b9 takes an object and leaves its reference alone.
        self.owned(unsafe { (self.b9)(mode, own.object) })
    }

    /// Connects to this host: by TCP, or, as the library takes this host's other address, by a Unix
    /// domain socket.
    pub(crate) fn connect(&self, medium: Medium, port: u16) -> Option<Handle> {
        let host = match medium {
            Medium::Tcp => c"127.0.0.1",
            Medium::Unix => c"0.0.0.0",
        };
        // SAFETY: both are C strings.
        let number = unsafe { (self.khpu)(host.as_ptr(), port.into(), c"u:p".as_ptr()) };
        (number > 0).then(|| Handle {
            libe: *self,
            number,
        })
    }

    fn owned(&self, object: *mut K) -> Option<Object> {
        // SAFETY: looked at only if it is not null; -128 is an error.
        let good = !object.is_null() && unsafe { (*object).t } != -128;
        good.then_some(Object {
            object,
            r0: self.r0,
        })
    }
}

/// An open handle.
pub(crate) struct Handle {
    libe: Libe,
    number: c_int,
}

impl Handle {
    /// Asks a text and waits for the answer.
    pub(crate) fn get(&self, question: &str) -> Option<Object> {
        let question = CString::new(question).ok()?;
        let end = null_mut::<K>();
        // SAFETY: the arguments end with a null.
        let answer = unsafe { (self.libe.k)(self.number, question.as_ptr(), end) };
        self.libe.owned(answer)
    }

    /// Calls a function with a symbol and the last item of a list, and waits for no answer.
    pub(crate) fn set(&self, function: &CStr, symbol: &CStr, list: &Object) -> Option<()> {
        let end = null_mut::<K>();
        // SAFETY: the items are those of a list. Arguments are taken over: the symbol is new, and
        // of the item a reference is made. They end with a null.
        let sent = unsafe {
            if (*list.object).t != 0 {
                return None;
            }
            let last = *items::<*mut K>(list.object).last()?;
            let (symbol, last) = ((self.libe.ks)(symbol.as_ptr()), (self.libe.r1)(last));
            (self.libe.k)(-self.number, function.as_ptr(), symbol, last, end)
        };
        (!sent.is_null()).then_some(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is open.
        unsafe { (self.libe.kclose)(self.number) }
    }
}

pub struct Subject {
    libe: Libe,
    message: *mut K,
    compressed: *mut K,
}

impl Subject {
    pub fn open() -> Result<Self, String> {
        Ok(Self {
            libe: Libe::open()?,
            message: null_mut(),
            compressed: null_mut(),
        })
    }
}

impl subject::Subject for Subject {
    type Value = Object;
    type Own = Object;
    type Output = Object;

    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&mut self, workload: &Workload) {
        for old in [self.message, self.compressed] {
            if !old.is_null() {
                // SAFETY: the reference is ours.
                unsafe { (self.libe.r0)(old) }
            }
        }
        self.message = self.libe.bytes_of(&workload.message);
        self.compressed = match &workload.compressed {
            Some(message) => self.libe.bytes_of(message),
            None => null_mut(),
        };
    }

    fn decode(&self) -> Option<Object> {
        self.libe.decode_from(self.message)
    }

    fn visit(&self, value: &Object) -> Option<u64> {
        Some(value.visit())
    }

    fn own(&self) -> Option<Object> {
        self.decode()
    }

    fn encode(&self, own: &Object) -> Option<Object> {
        self.libe.encode_in(PLAIN, own)
    }

    fn encode_compressed(&self, own: &Object) -> Option<Object> {
        self.libe.encode_in(COMPRESSED, own)
    }

    fn bytes(&self, output: &Object) -> Vec<u8> {
        // SAFETY: b9 returns a byte vector.
        unsafe { items::<u8>(output.object) }.to_vec()
    }

    fn decode_compressed(&self) -> Option<Object> {
        if self.compressed.is_null() {
            None
        } else {
            self.libe.decode_from(self.compressed)
        }
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

impl Object {
    /// Reads every element and adds them up.
    pub(crate) fn visit(&self) -> u64 {
        // SAFETY: the object is alive.
        unsafe { visit(self.object) }
    }
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

/// The mode of `b9` that KX documents for peers of version 3.
const PLAIN: c_int = 2;

/// The same with bit 3: found by trial to compress, where the documented mode 3 does not.
const COMPRESSED: c_int = 10;
