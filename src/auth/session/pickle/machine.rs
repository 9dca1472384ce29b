//! Runs a pickle's instructions: a stack, a memo, and nodes that stand for values. Nothing is called or imported.

use std::collections::HashMap;

use super::PickleError;

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
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Item>,
    memo: HashMap<u64, Id>,
    /// Each instruction makes one at most, so that there are no more than bytes.
    nodes: Vec<Node>,
}

/// Runs to the `STOP`; gives all nodes and the one that the pickle stands for.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Node>, Id), PickleError> {
    let mut machine = Machine { bytes, at: 0, stack: Vec::new(), memo: HashMap::new(), nodes: Vec::new() };
    loop {
        let at = machine.at;
        let instruction = machine.byte()?;
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

impl<'a> Machine<'a> {
    // ---- numbers, texts, constants

    fn scalar(&mut self, instruction: u8) -> Result<bool, PickleError> {
        let node = match instruction {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'I' => self.integer_line()?,
            b'L' => integer(self.line()?.strip_suffix(b"L").unwrap_or_default()),
            b'J' => Node::Integer(i32::from_le_bytes(self.array()?).to_string()),
            b'K' => Node::Integer(self.byte()?.to_string()),
            b'M' => Node::Integer(u16::from_le_bytes(self.array()?).to_string()),
            0x8a => {
                let length = self.byte()?.into();
                long(self.take(length)?)
            }
            0x8b => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                long(self.take(length)?)
            }
            b'G' => Node::Float(f64::from_be_bytes(self.array()?)),
            b'F' => std::str::from_utf8(self.line()?)
                .ok()
                .and_then(|line| line.parse().ok())
                .map_or(Node::Opaque, Node::Float),
            b'V' => raw_unicode(self.line()?),
            0x8c => {
                let length = self.byte()?.into();
                text(self.take(length)?)
            }
            b'X' => {
                let length = u32::from_le_bytes(self.array()?).into();
                text(self.take_long(length)?)
            }
            0x8d => {
                let length = u64::from_le_bytes(self.array()?);
                text(self.take_long(length)?)
            }
            _ => return Ok(false),
        };
        self.push(node);
        Ok(true)
    }

    /// `I01` and `I00` are the oldest protocols' truth values.
    fn integer_line(&mut self) -> Result<Node, PickleError> {
        Ok(match self.line()? {
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
            b'l' => Node::List(self.to_mark()?),
            b't' => Node::Tuple(self.to_mark()?),
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
                let items = self.to_mark()?;
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
            _ => return Err(self.malformed("a list to append to")),
        }
        Ok(true)
    }

    fn set(&mut self, pairs: Vec<(Id, Id)>) -> Result<bool, PickleError> {
        let dictionary = self.top()?;
        match &mut self.nodes[dictionary] {
            Node::Dictionary(known) => known.extend(pairs),
            Node::Opaque => {}
            _ => return Err(self.malformed("a dictionary to set items of")),
        }
        Ok(true)
    }

    fn pairs(&mut self) -> Result<Vec<(Id, Id)>, PickleError> {
        let items = self.to_mark()?;
        if items.len() % 2 != 0 {
            return Err(self.malformed("a value for each key"));
        }
        Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    // ---- the memo, the stack, and what says nothing

    fn memo(&mut self, instruction: u8) -> Result<bool, PickleError> {
        match instruction {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            0x94 => self.remember(self.memo.len() as u64)?,
            b'q' => {
                let place = self.byte()?.into();
                self.remember(place)?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.array()?).into();
                self.remember(place)?;
            }
            b'p' => {
                let place = self.place()?;
                self.remember(place)?;
            }
            b'h' => {
                let place = self.byte()?.into();
                self.recall(place)?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.array()?).into();
                self.recall(place)?;
            }
            b'g' => {
                let place = self.place()?;
                self.recall(place)?;
            }
            b'0' => drop(self.stack.pop()),
            b'1' => drop(self.to_mark()?),
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
        let id = known.ok_or_else(|| self.malformed("a place of the memo that was filled before"))?;
        self.stack.push(Item::Value(id));
        Ok(())
    }

    // ---- what is more than plain data

    /// Takes what such an instruction takes, and leaves one opaque place where it leaves a value.
    fn object(&mut self, instruction: u8) -> Result<bool, PickleError> {
        match instruction {
            // GLOBAL; PERSID; STRING.
            b'c' => drop((self.line()?, self.line()?)),
            b'P' | b'S' => drop(self.line()?),
            // BINBYTES, BINSTRING, BYTEARRAY8 and the like: a length and so many bytes.
            b'C' | b'U' => {
                let length = self.byte()?.into();
                self.take(length)?;
            }
            b'B' | b'T' => {
                let length = u32::from_le_bytes(self.array()?).into();
                self.take_long(length)?;
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.array()?);
                self.take_long(length)?;
            }
            // EXT1, EXT2, EXT4: a number in a registry.
            0x82 => drop(self.take(1)?),
            0x83 => drop(self.take(2)?),
            0x84 => drop(self.take(4)?),
            // STACK_GLOBAL, REDUCE, NEWOBJ; NEWOBJ_EX; BINPERSID.
            0x93 | b'R' | 0x81 => drop((self.pop()?, self.pop()?)),
            0x92 => drop((self.pop()?, self.pop()?, self.pop()?)),
            b'Q' => drop(self.pop()?),
            // OBJ, FROZENSET; INST.
            b'o' | 0x91 => drop(self.to_mark()?),
            b'i' => drop((self.to_mark()?, self.line()?, self.line()?)),
            // EMPTY_SET, NEXT_BUFFER.
            0x8f | 0x97 => {}
            // BUILD and ADDITEMS change what lies below; READONLY_BUFFER says something of it.
            b'b' => {
                self.pop()?;
                return self.spoil();
            }
            0x90 => {
                self.to_mark()?;
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
            _ => Err(self.malformed("a value on the stack")),
        }
    }

    fn top(&self) -> Result<Id, PickleError> {
        match self.stack.last() {
            Some(Item::Value(id)) => Ok(*id),
            _ => Err(self.malformed("a value on the stack")),
        }
    }

    fn to_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.stack.iter().rposition(|item| matches!(item, Item::Mark));
        let mark = mark.ok_or_else(|| self.malformed("a mark on the stack"))?;
        let items = self.stack.split_off(mark);
        Ok(items
            .into_iter()
            .filter_map(|item| if let Item::Value(id) = item { Some(id) } else { None })
            .collect())
    }

    // ---- the bytes

    fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn take_long(&mut self, length: u64) -> Result<&'a [u8], PickleError> {
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(PickleError::End(self.bytes.len()))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// To the end of the line, without it.
    fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let length = self.bytes[self.at..].iter().position(|byte| *byte == b'\n');
        let line = self.take(length.ok_or(PickleError::End(self.bytes.len()))?)?;
        self.at += 1;
        Ok(line)
    }

    fn place(&mut self) -> Result<u64, PickleError> {
        let line = self.line()?;
        let place = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
        place.ok_or_else(|| self.malformed("a place of the memo"))
    }

    fn malformed(&self, expected: &'static str) -> PickleError {
        PickleError::Malformed { at: self.at, expected }
    }
}

/// The longest whole number that is read: Python's own limit for turning digits into one.
const MAX_DIGITS: usize = 4300;

fn integer(line: &[u8]) -> Node {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let is_number = !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.iter().all(u8::is_ascii_digit);
    match std::str::from_utf8(line) {
        // JSON has no zeros in front.
        Ok(text) if is_number && (digits.len() == 1 || digits[0] != b'0') => Node::Integer(text.to_owned()),
        _ => Node::Opaque,
    }
}

/// Two's complement, the lowest byte first.
fn long(bytes: &[u8]) -> Node {
    if bytes.len() > 16 {
        return Node::Opaque;
    }
    let negative = bytes.last().is_some_and(|high| high & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 16];
    whole[..bytes.len()].copy_from_slice(bytes);
    Node::Integer(i128::from_le_bytes(whole).to_string())
}

/// Python's texts may hold halves of pairs, which nothing else can.
fn text(bytes: &[u8]) -> Node {
    std::str::from_utf8(bytes).map_or(Node::Opaque, |text| Node::Text(text.to_owned()))
}

/// Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
fn raw_unicode(line: &[u8]) -> Node {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = match (first, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        if digits == 0 {
            text.push(char::from(first));
            rest = tail;
            continue;
        }
        let code = tail.get(1..=digits).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(c) = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) else {
            return Node::Opaque;
        };
        text.push(c);
        rest = &tail[1 + digits..];
    }
    Node::Text(text)
}
