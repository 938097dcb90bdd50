//! What a checked body says, piece by piece, without an allocation or a reference count.

use super::items::{FromWire, Items, Symbols};
use super::nul;
use super::walk::{self, Order, skip};

/// A value inside a message. `Copy`; as cheap to pass on as two slices.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    Atom(Atom<'a>),
    Vector(Vector<'a>),
    List(List<'a>),
    Dict(Dict<'a>),
    Table(Table<'a>),
    #[expect(dead_code, reason = "no workload reads it")]
    Function(Function<'a>),
}

const _: () = assert!(size_of::<ValueRef<'_>>() <= 32);

impl<'a> ValueRef<'a> {
    /// The value that `bytes` begin with.
    pub fn first(bytes: &'a [u8], order: Order) -> Self {
        let mut cursor = Cursor::new(bytes, order);
        cursor.next()
    }

    /// The value that `bytes` begin with and all values inside it, depth first. Nothing is
    /// stepped over, so that each byte is read once however deep the value is.
    pub const fn walk(bytes: &'a [u8], order: Order) -> Walk<'a> {
        Walk {
            cursor: Cursor::new(bytes, order),
            pending: 1,
        }
    }
}

#[derive(Clone, Copy)]
pub struct List<'a> {
    /// Attribute, count and items, and whatever follows them in the message.
    rest: &'a [u8],
    order: Order,
}

impl<'a> List<'a> {
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        let mut cursor = Cursor::new(self.rest, self.order);
        let left = cursor.count();
        Iter { cursor, left }
    }
}

pub struct Iter<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.cursor.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl Iter<'_> {
    /// Steps over the value handed out last at once and not when the next one is asked for.
    #[inline(always)]
    pub fn settle(&mut self) {
        self.cursor.settle();
    }
}

pub struct Walk<'a> {
    cursor: Cursor<'a>,
    pending: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        self.pending = self.pending.checked_sub(1)?;
        let value = self.cursor.next();
        self.pending += std::mem::take(&mut self.cursor.owed);
        Some(value)
    }
}

#[derive(Clone, Copy)]
pub struct Dict<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Dict<'a> {
    pub fn parts(&self) -> (ValueRef<'a>, ValueRef<'a>) {
        let mut cursor = Cursor::new(self.rest, self.order);
        (cursor.next(), cursor.next())
    }
}

#[derive(Clone, Copy)]
pub struct Table<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Table<'a> {
    pub const fn dict(&self) -> Dict<'a> {
        Dict {
            rest: self.rest,
            order: self.order,
        }
    }
}

#[derive(Clone, Copy)]
#[expect(dead_code, reason = "no workload reads it")]
pub struct Function<'a>(&'a [u8]);

/// A place in a message from which values are read one after the other. The slice stays as it is
/// and an index moves: a slice that is cut anew for each value is stored as two words and loaded
/// as one vector, which stalls.
struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
    /// Objects from `at` on that belong to the value handed out last. They are stepped over when
    /// the next value is asked for: never for the last item of a list.
    owed: usize,
    order: Order,
}

macro_rules! kinds {
    ($($name:ident $code:literal $type:ty: $width:literal),* $(,)?) => {
        #[derive(Clone, Copy)]
        #[expect(dead_code, reason = "the workloads read few of the types")]
        pub enum Atom<'a> { $($name($type),)* Symbol(&'a [u8]) }

        #[derive(Clone, Copy)]
        #[expect(dead_code, reason = "the workloads read few of the types")]
        pub enum Vector<'a> { $($name(Items<'a, $type, $width>),)* Symbol(Symbols<'a>) }

        impl<'a> Cursor<'a> {
            #[inline(always)]
            fn atom(&mut self, kind: u8) -> Atom<'a> {
                match kind.wrapping_neg() {
                    $($code => {
                        let bytes = self.body[self.at..].first_chunk::<$width>().expect(CHECKED);
                        self.at += $width;
                        Atom::$name(<$type>::from_wire(bytes, self.order))
                    })*
                    _ => {
                        let rest = &self.body[self.at..];
                        let length = nul::first(rest).expect(CHECKED);
                        self.at += length + 1;
                        Atom::Symbol(&rest[..length])
                    }
                }
            }

            #[inline(always)]
            fn vector(&mut self, kind: u8, count: usize) -> Vector<'a> {
                let order = self.order;
                match kind {
                    $($code => Vector::$name(Items::new(self.take(count * $width), order)),)*
                    _ => {
                        let size = nul::nth_end(&self.body[self.at..], count).expect(CHECKED);
                        Vector::Symbol(Symbols::new(self.take(size)))
                    }
                }
            }
        }
    };
}

kinds! {
    Bool 1 bool: 1, Guid 2 [u8; 16]: 16, Byte 4 u8: 1, Short 5 i16: 2, Int 6 i32: 4, Long 7 i64: 8,
    Real 8 f32: 4, Float 9 f64: 8, Char 10 u8: 1, Timestamp 12 i64: 8, Month 13 i32: 4,
    Date 14 i32: 4, Datetime 15 f64: 8, Timespan 16 i64: 8, Minute 17 i32: 4, Second 18 i32: 4,
    Time 19 i32: 4,
}

const CHECKED: &str = "the message has been checked";

impl<'a> Cursor<'a> {
    const fn new(body: &'a [u8], order: Order) -> Self {
        Self {
            body,
            at: 0,
            owed: 0,
            order,
        }
    }

    #[inline(always)]
    fn next(&mut self) -> ValueRef<'a> {
        self.settle();
        let kind = self.body[self.at];
        self.at += 1;
        if kind >= 0x80 {
            ValueRef::Atom(self.atom(kind))
        } else {
            self.compound(kind)
        }
    }

    #[inline(always)]
    fn settle(&mut self) {
        if self.owed != 0 {
            self.at += skip(&self.body[self.at..], self.owed as u64, self.order);
            self.owed = 0;
        }
    }

    /// Inline, and never behind a `&mut`: the fields of the cursor belong in registers.
    #[inline(always)]
    fn compound(&mut self, kind: u8) -> ValueRef<'a> {
        let order = self.order;
        match kind {
            0 => {
                let rest = &self.body[self.at..];
                self.owed = self.count();
                ValueRef::List(List { rest, order })
            }
            1..=19 => {
                let count = self.count();
                ValueRef::Vector(self.vector(kind, count))
            }
            98 => {
                self.at += 2; // attribute, 99
                self.owed = 2;
                ValueRef::Table(Table {
                    rest: &self.body[self.at..],
                    order,
                })
            }
            99 | 127 => {
                self.owed = 2;
                ValueRef::Dict(Dict {
                    rest: &self.body[self.at..],
                    order,
                })
            }
            _ => {
                self.at -= 1;
                self.owed = 1;
                ValueRef::Function(Function(&self.body[self.at..]))
            }
        }
    }

    /// Reads attribute and count.
    #[inline(always)]
    fn count(&mut self) -> usize {
        let counted = match self.order {
            Order::Little => walk::count::<false, false>(self.body, self.at),
            Order::Big => walk::count::<true, false>(self.body, self.at),
        };
        let (count, items) = counted.expect(CHECKED);
        self.at = items;
        count as usize
    }

    #[inline(always)]
    fn take(&mut self, size: usize) -> &'a [u8] {
        let taken = &self.body[self.at..][..size];
        self.at += size;
        taken
    }
}
