//! From tokens to steps, and their evaluation.
//!
//! q evaluates from right to left, so the text is parsed from right to left as well, and what comes
//! out is what a machine with a stack does one after the other:
//!
//! ```text
//! text     2 + count (a; 7)
//! steps    push 7, name a, list of 2, push #:, call with 1, push 2, push +, call with 2
//! ```
//!
//! Only brackets within brackets take stack while parsing, and nothing takes any while evaluating.
//! A text that cannot be parsed is not evaluated in part.

use hopen_codec::value::{List, Symbol, Value};

use super::functions;
use super::list;
use super::names::Names;
use super::signal::Signal;
use super::tokens::{Token, TokenKind, tokens};
use super::work::Work;

/// A text that was parsed.
pub(super) struct Program {
    steps: Vec<Step>,
}

impl Program {
    /// Parses a text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Signal> {
        if text.len() > LONGEST_TEXT {
            return Err(Signal::Limit);
        }
        let tokens = tokens(text)?;
        check_pairs(&tokens)?;
        let assigns = matches!(
            tokens[..],
            [
                Token {
                    kind: TokenKind::Name(_),
                    ..
                },
                Token {
                    kind: TokenKind::Colon,
                    ..
                },
                ..
            ]
        );
        let mut parser = Parser {
            tokens,
            steps: Vec::new(),
            depth: 0,
        };
        let found = parser.expression()?;
        if let Some(rest) = parser.tokens.pop() {
            return Err(if matches!(rest.kind, TokenKind::Semicolon) {
                Signal::missing(";")
            } else {
                Signal::Parse { at: rest.at }
            });
        }
        if assigns || !found {
            parser.steps.push(Step::Push(Value::IDENTITY));
        }
        Ok(Self {
            steps: parser.steps,
        })
    }

    /// Evaluates the text.
    pub(super) fn run(self, names: &mut Names, work: &mut Work) -> Result<Value, Signal> {
        let mut stack = Stack(Vec::new());
        for step in self.steps {
            let value = match step {
                Step::Push(value) => value,
                Step::Name(name) => names.get(name.as_ref())?,
                Step::Assign(name) => {
                    let value = stack.pop();
                    names.assign(name, &value, work)?;
                    value
                }
                Step::List(count) => list::of(&stack.take(count), work)?,
                Step::Call(count) => {
                    let function = stack.pop();
                    functions::apply(&function, &stack.take(count), work)?
                }
            };
            stack.0.push(value);
        }
        Ok(stack.pop())
    }
}

/// What is done next.
enum Step {
    /// A value comes on the stack.
    Push(Value),
    /// The value of a name comes on the stack.
    Name(Symbol),
    /// The value on the stack gets a name, and stays.
    Assign(Symbol),
    /// So many values on the stack, the first of them last, become a list.
    List(usize),
    /// The function on the stack is applied to so many values below it, the first of them last.
    Call(usize),
}

/// The values that are still to be used.
struct Stack(Vec<Value>);

impl Stack {
    fn pop(&mut self) -> Value {
        self.0.pop().expect(ONE_VALUE_EACH)
    }

    /// Takes values in the order in which they stand in the text.
    fn take(&mut self, count: usize) -> Vec<Value> {
        let rest = self.0.len().checked_sub(count).expect(ONE_VALUE_EACH);
        let mut values = self.0.split_off(rest);
        values.reverse();
        values
    }
}

/// Parses from the last token to the first.
struct Parser {
    tokens: Vec<Token>,
    steps: Vec<Step>,
    /// How many brackets are open.
    depth: usize,
}

impl Parser {
    /// Parses what ends at the last token and begins behind a bracket, a semicolon, or at the start
    /// of the text. Returns whether there was anything.
    fn expression(&mut self) -> Result<bool, Signal> {
        let mut right = false;
        while let Some(token) = self.tokens.last() {
            match &token.kind {
                TokenKind::OpenParenthesis | TokenKind::OpenBracket | TokenKind::Semicolon => break,
                TokenKind::Verb(verb) => {
                    let verb = *verb;
                    self.tokens.pop();
                    let left = self.operand_is_next();
                    match (left, right) {
                        (true, true) => {
                            self.operand()?;
                            self.steps.push(Step::Push(verb.into()));
                            self.steps.push(Step::Call(2));
                        }
                        // By itself: `(+)`.
                        (false, false) => self.steps.push(Step::Push(verb.into())),
                        (true, false) => return Err(Signal::missing("projection")),
                        // k has verbs of one argument, q has not.
                        (false, true) => return Err(Signal::missing(verb.name())),
                    }
                }
                TokenKind::Colon => {
                    let at = token.at;
                    self.tokens.pop();
                    self.assignment(at, right)?;
                }
                TokenKind::Noun(_)
                | TokenKind::Name(_)
                | TokenKind::Identity
                | TokenKind::CloseParenthesis
                | TokenKind::CloseBracket => {
                    self.operand()?;
                    if right {
                        self.steps.push(Step::Call(1));
                    }
                }
            }
            right = true;
        }
        Ok(right)
    }

    /// Parses what stands to the left of a colon.
    fn assignment(&mut self, at: usize, right: bool) -> Result<(), Signal> {
        let name = self.tokens.pop().map(|token| token.kind);
        match name {
            Some(TokenKind::Name(name)) if right => {
                self.steps.push(Step::Assign(name));
                Ok(())
            }
            // `x[0]:1`.
            Some(TokenKind::CloseBracket) => Err(Signal::missing(":")),
            _ => Err(Signal::Parse { at }),
        }
    }

    /// Parses a noun, a name, or what is between brackets, with what is before them.
    fn operand(&mut self) -> Result<(), Signal> {
        let Some(Token { kind, at }) = self.tokens.pop() else {
            return Err(Signal::Parse { at: 0 });
        };
        match kind {
            TokenKind::Noun(value) => self.steps.push(Step::Push(value)),
            TokenKind::Name(name) => self.steps.push(Step::Name(name)),
            TokenKind::Identity => self.steps.push(Step::Push(Value::IDENTITY)),
            TokenKind::CloseParenthesis => {
                self.enter()?;
                match self.items()? {
                    0 => self.steps.push(Step::Push(List::from(Vec::new()).into())),
                    1 => {}
                    count => self.steps.push(Step::List(count)),
                }
                self.depth -= 1;
            }
            TokenKind::CloseBracket => {
                self.enter()?;
                let mut count = self.items()?;
                if count == 0 {
                    // `f[]` is `f[::]`.
                    self.steps.push(Step::Push(Value::IDENTITY));
                    count = 1;
                }
                self.function()?;
                self.steps.push(Step::Call(count));
                self.depth -= 1;
            }
            TokenKind::Verb(_)
            | TokenKind::Colon
            | TokenKind::OpenParenthesis
            | TokenKind::OpenBracket
            | TokenKind::Semicolon => return Err(Signal::Parse { at }),
        }
        Ok(())
    }

    /// Parses what stands to the left of brackets.
    fn function(&mut self) -> Result<(), Signal> {
        if let Some(TokenKind::Verb(verb)) = self.tokens.last().map(|token| &token.kind) {
            self.steps.push(Step::Push((*verb).into()));
            self.tokens.pop();
            Ok(())
        } else if self.operand_is_next() {
            self.operand()
        } else {
            // `([]a:1 2)`.
            Err(Signal::missing("["))
        }
    }

    /// Parses what is between brackets, the opening one included. Returns how many expressions
    /// there are.
    fn items(&mut self) -> Result<usize, Signal> {
        let mut count = 0;
        loop {
            let found = self.expression()?;
            count += usize::from(found);
            let end = self.tokens.pop().map(|token| token.kind);
            let more = matches!(end, Some(TokenKind::Semicolon));
            if !found && (more || count > 0) {
                return Err(Signal::missing("projection"));
            }
            if !more {
                return Ok(count);
            }
        }
    }

    fn enter(&mut self) -> Result<(), Signal> {
        if self.depth == DEEPEST {
            return Err(Signal::Limit);
        }
        self.depth += 1;
        Ok(())
    }

    fn operand_is_next(&self) -> bool {
        self.tokens
            .last()
            .is_some_and(|token| token.kind.ends_operand())
    }
}

/// Checks that every bracket has its other one. q signals the bracket itself.
fn check_pairs(tokens: &[Token]) -> Result<(), Signal> {
    let mut open = Vec::new();
    for token in tokens {
        let (opening, closing) = match token.kind {
            TokenKind::OpenParenthesis => {
                open.push(b'(');
                continue;
            }
            TokenKind::OpenBracket => {
                open.push(b'[');
                continue;
            }
            TokenKind::CloseParenthesis => (b'(', b')'),
            TokenKind::CloseBracket => (b'[', b']'),
            TokenKind::Noun(_)
            | TokenKind::Name(_)
            | TokenKind::Verb(_)
            | TokenKind::Colon
            | TokenKind::Identity
            | TokenKind::Semicolon => continue,
        };
        if open.pop() != Some(opening) {
            return Err(Signal::Unpaired(closing));
        }
    }
    open.pop()
        .map_or(Ok(()), |bracket| Err(Signal::Unpaired(bracket)))
}

/// How long a text may be, in bytes.
const LONGEST_TEXT: usize = 1024 * 1024;

/// How many brackets may be open at a time.
const DEEPEST: usize = 100;

/// Why a stack is never short of values.
const ONE_VALUE_EACH: &str =
    "each expression leaves one value, and each step takes what it counted";
