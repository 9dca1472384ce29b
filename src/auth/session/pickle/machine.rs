//! Runs a pickle's instructions: a stack, a memo, and nodes that stand for values. Nothing is called or imported.

use std::collections::HashMap;

use super::PickleError;
use super::cursor::{Cursor, integer, long, raw_unicode, text};

/// A node's place.
pub(super) type Id = usize;

/// A value, or a place where one would be that is not plain data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    /// Decimal digits, of any number.
    Integer(String),
    Float(f64),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dictionary(Vec<(Id, Id)>),
    /// Bytes, sets, dates, whatever needs more than plain data.
    Opaque,
}

enum Item {
    Value(Id),
    Mark,
}

struct Machine<'a> {
    input: Cursor<'a>,
    stack: Vec<Item>,
    memo: HashMap<u64, Id>,
    /// Each instruction makes one at most, so that there are no more than bytes.
    nodes: Vec<Node>,
}

/// Runs to the `STOP`; gives all nodes and the one that the pickle stands for.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Node>, Id), PickleError> {
    let mut machine =
        Machine { input: Cursor::new(bytes), stack: Vec::new(), memo: HashMap::new(), nodes: Vec::new() };
    loop {
        let at = machine.input.at;
        let instruction = machine.input.byte()?;
        if instruction == b'.' {
            let root = machine.pop()?;
            return Ok((machine.nodes, root));
        }
        if !(machine.scalar(instruction)?
            || machine.container(instruction)?
            || machine.memo(instruction)?
            || machine.object(instruction)?)
        {
            return Err(PickleError::Instruction { at, found: instruction });
        }
    }
}

impl Machine<'_> {
    // ---- numbers, texts, constants

    fn scalar(&mut self, instruction: u8) -> Result<bool, PickleError> {
        let node = match instruction {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'I' => self.integer_line()?,
            b'L' => integer(self.input.line()?.strip_suffix(b"L").unwrap_or_default()),
            b'J' => Node::Integer(i32::from_le_bytes(self.input.array()?).to_string()),
            b'K' => Node::Integer(self.input.byte()?.to_string()),
            b'M' => Node::Integer(u16::from_le_bytes(self.input.array()?).to_string()),
            0x8a => {
                let length = self.input.byte()?.into();
                long(self.input.take(length)?)
            }
            0x8b => {
                let length = u32::from_le_bytes(self.input.array()?) as usize;
                long(self.input.take(length)?)
            }
            b'G' => Node::Float(f64::from_be_bytes(self.input.array()?)),
            b'F' => std::str::from_utf8(self.input.line()?)
                .ok()
                .and_then(|line| line.parse().ok())
                .map_or(Node::Opaque, Node::Float),
            b'V' => raw_unicode(self.input.line()?),
            0x8c => {
                let length = self.input.byte()?.into();
                text(self.input.take(length)?)
            }
            b'X' => {
                let length = u32::from_le_bytes(self.input.array()?).into();
                text(self.input.take_long(length)?)
            }
            0x8d => {
                let length = u64::from_le_bytes(self.input.array()?);
                text(self.input.take_long(length)?)
            }
            _ => return Ok(false),
        };
        self.push(node);
        Ok(true)
    }

    /// `I01` and `I00` are the oldest protocols' truth values.
    fn integer_line(&mut self) -> Result<Node, PickleError> {
        Ok(match self.input.line()? {
            b"01" => Node::Bool(true),
            b"00" => Node::Bool(false),
            line => integer(line),
        })
    }

    // ---- lists, tuples, dictionaries

    fn container(&mut self, instruction: u8) -> Result<bool, PickleError> {
        let node = match instruction {
            b'(' => {
                self.stack.push(Item::Mark);
                return Ok(true);
            }
            b'}' => Node::Dictionary(Vec::new()),
            b']' => Node::List(Vec::new()),
            b')' => Node::Tuple(Vec::new()),
            b'd' => Node::Dictionary(self.pairs()?),
            b'l' => Node::List(self.pop_to_mark()?),
            b't' => Node::Tuple(self.pop_to_mark()?),
            0x85..=0x87 => {
                let mut items = (0..instruction - 0x84).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                Node::Tuple(items)
            }
            b'a' => {
                let item = self.pop()?;
                return self.append(vec![item]);
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                return self.append(items);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.set(vec![(key, value)]);
            }
            b'u' => {
                let pairs = self.pairs()?;
                return self.set(pairs);
            }
            _ => return Ok(false),
        };
        self.push(node);
        Ok(true)
    }

    fn append(&mut self, items: Vec<Id>) -> Result<bool, PickleError> {
        let list = self.top()?;
        match &mut self.nodes[list] {
            Node::List(known) => known.extend(items),
            Node::Opaque => {}
            _ => return Err(self.input.malformed("a list to append to")),
        }
        Ok(true)
    }

    fn set(&mut self, pairs: Vec<(Id, Id)>) -> Result<bool, PickleError> {
        let dictionary = self.top()?;
        match &mut self.nodes[dictionary] {
            Node::Dictionary(known) => known.extend(pairs),
            Node::Opaque => {}
            _ => return Err(self.input.malformed("a dictionary to set items of")),
        }
        Ok(true)
    }

    fn pairs(&mut self) -> Result<Vec<(Id, Id)>, PickleError> {
        let items = self.pop_to_mark()?;
        if items.len() % 2 != 0 {
            return Err(self.input.malformed("a value for each key"));
        }
        Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    // ---- the memo, the stack, and what says nothing

    fn memo(&mut self, instruction: u8) -> Result<bool, PickleError> {
        match instruction {
            0x80 => drop(self.input.byte()?),
            0x95 => drop(self.input.take(8)?),
            0x94 => self.remember(self.memo.len() as u64)?,
            b'q' => {
                let place = self.input.byte()?.into();
                self.remember(place)?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.input.array()?).into();
                self.remember(place)?;
            }
            b'p' => {
                let place = self.input.place()?;
                self.remember(place)?;
            }
            b'h' => {
                let place = self.input.byte()?.into();
                self.recall(place)?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.input.array()?).into();
                self.recall(place)?;
            }
            b'g' => {
                let place = self.input.place()?;
                self.recall(place)?;
            }
            b'0' => drop(self.stack.pop()),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(Item::Value(top));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn remember(&mut self, place: u64) -> Result<(), PickleError> {
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<(), PickleError> {
        let known = self.memo.get(&place).copied();
        let id = known.ok_or_else(|| self.input.malformed("a place of the memo that was filled before"))?;
        self.stack.push(Item::Value(id));
        Ok(())
    }

    // ---- what is more than plain data

    /// Takes what such an instruction takes, and leaves one opaque place where it leaves a value.
    fn object(&mut self, instruction: u8) -> Result<bool, PickleError> {
        match instruction {
            // GLOBAL; PERSID; STRING.
            b'c' => drop((self.input.line()?, self.input.line()?)),
            b'P' | b'S' => drop(self.input.line()?),
            // BINBYTES, BINSTRING, BYTEARRAY8 and the like: a length and so many bytes.
            b'C' | b'U' => {
                let length = self.input.byte()?.into();
                self.input.take(length)?;
            }
            b'B' | b'T' => {
                let length = u32::from_le_bytes(self.input.array()?).into();
                self.input.take_long(length)?;
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.input.array()?);
                self.input.take_long(length)?;
            }
            // EXT1, EXT2, EXT4: a number in a registry.
            0x82 => drop(self.input.take(1)?),
            0x83 => drop(self.input.take(2)?),
            0x84 => drop(self.input.take(4)?),
            // STACK_GLOBAL, REDUCE, NEWOBJ; NEWOBJ_EX; BINPERSID.
            0x93 | b'R' | 0x81 => drop((self.pop()?, self.pop()?)),
            0x92 => drop((self.pop()?, self.pop()?, self.pop()?)),
            b'Q' => drop(self.pop()?),
            // OBJ, FROZENSET; INST.
            b'o' | 0x91 => drop(self.pop_to_mark()?),
            b'i' => drop((self.pop_to_mark()?, self.input.line()?, self.input.line()?)),
            // EMPTY_SET, NEXT_BUFFER.
            0x8f | 0x97 => {}
            // BUILD and ADDITEMS change what lies below; READONLY_BUFFER says something of it.
            b'b' => {
                self.pop()?;
                return self.spoil();
            }
            0x90 => {
                self.pop_to_mark()?;
                return self.spoil();
            }
            0x98 => return self.spoil(),
            _ => return Ok(false),
        }
        self.push(Node::Opaque);
        Ok(true)
    }

    fn spoil(&mut self) -> Result<bool, PickleError> {
        let top = self.top()?;
        self.nodes[top] = Node::Opaque;
        Ok(true)
    }

    // ---- the stack

    fn push(&mut self, node: Node) {
        self.stack.push(Item::Value(self.nodes.len()));
        self.nodes.push(node);
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        match self.stack.pop() {
            Some(Item::Value(id)) => Ok(id),
            _ => Err(self.input.malformed("a value on the stack")),
        }
    }

    fn top(&self) -> Result<Id, PickleError> {
        match self.stack.last() {
            Some(Item::Value(id)) => Ok(*id),
            _ => Err(self.input.malformed("a value on the stack")),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.stack.iter().rposition(|item| matches!(item, Item::Mark));
        let mark = mark.ok_or_else(|| self.input.malformed("a mark on the stack"))?;
        let items = self.stack.split_off(mark);
        Ok(items
            .into_iter()
            .filter_map(|item| if let Item::Value(id) = item { Some(id) } else { None })
            .collect())
    }
}
