//! Values in short form: what stands around and between the objects of a value.

use core::fmt;

use super::super::types::Attribute;
use super::super::{BasicType, Node, Nodes, UnaryPrimitive, ValueRef, Vector};
use super::item::{write_atom, write_vector};
use super::text::{Escaped, pieces};

/// Writes a value.
pub(super) fn write_value(value: ValueRef<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut printer = Printer {
        f,
        open: Vec::new(),
    };
    let mut nodes = Nodes::of(value);
    while let Some(node) = nodes.next() {
        printer.print(node, &mut nodes)?;
    }
    Ok(())
}

/// Writes the objects of a value as they come, each before those inside it.
struct Printer<'f, 'b, 'a> {
    f: &'f mut fmt::Formatter<'b>,
    /// The objects of which parts are still to come, the innermost last: [`DEPTH`] at most.
    open: Vec<Open<'a>>,
}

impl<'a> Printer<'_, '_, 'a> {
    /// Writes what stands in front of an object, the object up to its first part, and what ends
    /// with it.
    fn print(&mut self, node: Node<'a>, nodes: &mut Nodes<'a>) -> fmt::Result {
        let place = match self.open.last_mut() {
            Some(outer) => {
                self.f.write_str(outer.separator())?;
                let place = outer.place_of_next();
                outer.begun += 1;
                place
            }
            None => Place::Free,
        };
        if node.parts() > 0 && self.open.len() >= DEPTH {
            self.f.write_str("..")?;
            skip(node.parts(), nodes);
            return self.close();
        }
        let marks = Marks::of(&node, place);
        let (before, behind) = if place.needs_parentheses(&node) {
            ("(", ")")
        } else {
            ("", "")
        };
        self.f.write_str(before)?;
        if let Some(letter) = place.shown(node.attribute()).letter() {
            write!(self.f, "`{letter}#")?;
        }
        self.f.write_str(marks.start)?;
        if let Node::Atom(atom) = &node {
            write_atom(atom, self.f)?;
        }
        if let Node::Vector(vector) = &node {
            write_vector(vector, self.f)?;
        }
        if let Node::Lambda { .. } = &node
            && let Some(Node::Vector(Vector::Char(text))) = nodes.next()
        {
            self.print_source(text.as_bytes())?;
        }
        if node.parts() > 0 {
            self.open.push(Open {
                node,
                place,
                marks,
                behind,
                begun: 0,
            });
            return Ok(());
        }
        self.f.write_str(marks.end)?;
        self.f.write_str(behind)?;
        self.close()
    }

    /// Writes the text of a lambda: on one line, or on its own ones in the alternate form.
    fn print_source(&mut self, text: &[u8]) -> fmt::Result {
        if !self.f.alternate() {
            return fmt::Display::fmt(&Escaped(text), self.f);
        }
        let lines = pieces(text).flat_map(|piece| piece.split_inclusive(|byte| *byte == b'\n'));
        for line in lines {
            match line.strip_suffix(b"\n") {
                Some(line) => writeln!(self.f, "{}", Escaped(line))?,
                None => fmt::Display::fmt(&Escaped(line), self.f)?,
            }
        }
        Ok(())
    }

    /// Ends the objects of which no part is to come any more.
    fn close(&mut self) -> fmt::Result {
        while let Some(open) = self.open.pop_if(|open| open.begun == open.node.parts()) {
            self.f.write_str(open.marks.end)?;
            self.f.write_str(open.behind)?;
        }
        Ok(())
    }
}

/// An object of which parts are still to come.
struct Open<'a> {
    node: Node<'a>,
    place: Place,
    marks: Marks,
    /// The closing parenthesis, if there is one around the object.
    behind: &'static str,
    /// How many parts have been begun.
    begun: usize,
}

impl Open<'_> {
    /// Returns what stands in front of the next part.
    fn separator(&self) -> &'static str {
        match self.begun {
            0 => "",
            1 => self.marks.behind_first,
            _ => self.marks.between,
        }
    }

    /// Returns where the next part stands.
    fn place_of_next(&self) -> Place {
        match (&self.node, self.begun) {
            (Node::Dict { .. }, 0) => Place::Keys,
            (Node::Table { .. }, 0) => Place::Names,
            (Node::Table { .. }, _) => Place::Columns,
            (Node::List { .. }, _) if self.place == Place::Columns => Place::Column,
            (Node::Projection { .. } | Node::Derived { .. }, 0) => Place::Applied,
            (Node::Composition { count }, begun) if begun + 1 < *count => Place::Composed,
            (Node::Composition { .. }, _) => Place::Applied,
            _ => Place::Free,
        }
    }
}

/// What is written of an object around and between its parts.
#[derive(Clone, Copy, Default)]
struct Marks {
    start: &'static str,
    behind_first: &'static str,
    between: &'static str,
    end: &'static str,
}

impl Marks {
    fn of(node: &Node<'_>, place: Place) -> Self {
        let (start, behind_first, between, end) = match node {
            Node::List { count: 0, .. } => ("()", "", "", ""),
            Node::List { count: 1, .. } => (",", "", "", ""),
            Node::List { .. } => ("(", ";", ";", ")"),
            Node::Dict { sorted: false } => ("", "!", "", ""),
            Node::Dict { sorted: true } => ("`s#", "!", "", ""),
            Node::Table { .. } => ("+", "!", "", ""),
            Node::Projection { count: 0 | 1 } => ("", "", "", "[]"),
            Node::Projection { .. } => ("", "[", ";", "]"),
            Node::Derived { iterator } => ("", "", "", iterator.name()),
            Node::Unary(primitive) => (place.name(*primitive), "", "", ""),
            Node::Binary(primitive) => (primitive.name(), "", "", ""),
            Node::Iterator(primitive) => (primitive.name(), "", "", ""),
            Node::Composition { .. } | Node::Atom(_) | Node::Vector(_) | Node::Lambda { .. } => {
                ("", "", "", "")
            }
        };
        Self {
            start,
            behind_first,
            between,
            end,
        }
    }
}

/// Where an object stands in what surrounds it, as far as that changes how it looks.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Where nothing changes.
    Free,
    /// In front of a dictionary's `!`.
    Keys,
    /// In front of a table's `!`.
    Names,
    /// Behind a table's `!`.
    Columns,
    /// In the list behind a table's `!`.
    Column,
    /// In front of the brackets of a projection or of an iterator, or last in a composition.
    Applied,
    /// In a composition, in front of another function.
    Composed,
}

impl Place {
    /// Returns what is shown of an object's attribute.
    fn shown(self, attribute: Attribute) -> Attribute {
        match self {
            Self::Names | Self::Columns | Self::Column => Attribute::None,
            Self::Free | Self::Keys | Self::Applied | Self::Composed => attribute,
        }
    }

    /// Returns the name of a primitive. q writes the colon, which tells `-:` from `-`, only of the
    /// last one in a composition: `-_-:` is a ceiling.
    fn name(self, primitive: UnaryPrimitive) -> &'static str {
        let name = primitive.name();
        if self == Self::Composed && primitive != UnaryPrimitive::IDENTITY {
            name.strip_suffix(':').unwrap_or(name)
        } else {
            name
        }
    }

    /// Returns whether an object stands in parentheses.
    fn needs_parentheses(self, node: &Node<'_>) -> bool {
        match self {
            Self::Free | Self::Columns | Self::Column => false,
            Self::Applied | Self::Composed => node.has_operator(),
            Self::Keys | Self::Names => node.has_operator() || node.is_operator(),
        }
    }
}

impl Node<'_> {
    /// Returns how many objects follow inside this one and are written by themselves, as the text
    /// of a lambda is not.
    const fn parts(&self) -> usize {
        match self {
            Self::List { count, .. } | Self::Projection { count } | Self::Composition { count } => {
                *count
            }
            Self::Dict { .. } | Self::Table { .. } => 2,
            Self::Derived { .. } => 1,
            Self::Atom(_)
            | Self::Vector(_)
            | Self::Lambda { .. }
            | Self::Unary(_)
            | Self::Binary(_)
            | Self::Iterator(_) => 0,
        }
    }

    fn attribute(&self) -> Attribute {
        if let Self::Vector(vector) = self {
            return vector.attribute();
        }
        if let Self::List { attribute, .. } | Self::Table { attribute } = self {
            return *attribute;
        }
        Attribute::None
    }

    /// Returns whether the text is an expression with an operator, which would reach over what
    /// stands behind it: `,1`, `` `long$() ``, `+…`, `…!…`. That of an attribute does not count.
    fn has_operator(&self) -> bool {
        if let Self::Vector(vector) = self {
            let is_text = vector.basic_type() == BasicType::Char;
            return vector.len() == 1 || vector.is_empty() && !is_text;
        }
        matches!(
            self,
            Self::List { count: 1, .. } | Self::Dict { .. } | Self::Table { .. }
        )
    }

    /// Returns whether q would take the text, left of `!`, for an operator and not for an operand.
    fn is_operator(&self) -> bool {
        if let Self::Unary(primitive) = self {
            return *primitive != UnaryPrimitive::ELIDED;
        }
        matches!(
            self,
            Self::Binary(_)
                | Self::Iterator(_)
                | Self::Projection { .. }
                | Self::Composition { .. }
                | Self::Derived { .. }
        )
    }
}

/// Steps over so many objects and what is inside them.
fn skip(count: usize, nodes: &mut Nodes<'_>) {
    let mut pending = count;
    while pending > 0 {
        let Some(node) = nodes.next() else { return };
        let text = usize::from(matches!(node, Node::Lambda { .. }));
        pending = (pending - 1).saturating_add(node.parts() + text);
    }
}

/// How deep a value is printed. What has parts and stands inside so many others prints as `..`:
/// nobody reads further, and no peer makes us remember more than so many open objects.
const DEPTH: usize = 1_000;
