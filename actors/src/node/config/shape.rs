//! Which settings a configuration type has, and what each of them is: read off the type itself, so that no list of them can
//! be forgotten when a field is added, not even one that is absent by default.
//!
//! serde's derived code tells a deserializer what it wants: "a struct with these fields", "a list", "a u64". A [`Probe`] is a
//! deserializer that walks to one place in the type and returns what is wanted there, as an error.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Visitor};

/// How deep a type is looked into; only one that contains itself is deeper.
const DEEPEST: usize = 12;

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A struct: its fields.
    Section(BTreeMap<&'static str, Shape>),
    /// A map: the names that are known, unless any will do, and what each leads to.
    Map { names: Option<Names>, of: Box<Shape> },
    /// A list of such things.
    List(Box<Shape>),
    /// A value.
    Leaf(Leaf),
}

/// The names of fields or variants.
pub(super) type Names = &'static [&'static str];

/// A value that has no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) kind: Kind,
    /// What it should be, in the words of its type.
    pub(super) expected: String,
}

/// What a value is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// The path of a file or folder.
    Path,
    /// One of these names.
    Choice(Names),
    /// A number, a truth value, or anything else.
    Other,
}

impl Shape {
    /// The shape of a type.
    pub(super) fn of<T: DeserializeOwned>() -> Self {
        explore::<T>(&mut Vec::new())
    }

    /// What a name within this leads to.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Section(fields) => fields.get(name),
            Self::Map { names, of } => names.is_none_or(|known| known.contains(&name)).then_some(of),
            Self::List(of) => name.parse::<usize>().ok().map(|_| of.as_ref()),
            Self::Leaf(_) => None,
        }
    }

    /// The names that are known within this.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Section(fields) => fields.keys().copied().collect(),
            Self::Map { names, .. } => names.unwrap_or_default().to_vec(),
            Self::List(_) | Self::Leaf(_) => Vec::new(),
        }
    }
}

/// A way into a type.
#[derive(Debug, Clone, Copy)]
enum Step {
    Field(&'static str),
    Item,
    Key,
    Entry(&'static str),
}

/// What is wanted at a place.
#[derive(Debug)]
enum Wanted {
    Section(Names),
    Map,
    List,
    Leaf(Leaf),
}

/// Carries the finding out of serde's code; nothing where that made an error of its own.
#[derive(Debug)]
struct Finding(Option<Wanted>);

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a finding about a type")
    }
}

impl std::error::Error for Finding {}

impl serde::de::Error for Finding {
    fn custom<T: Display>(_: T) -> Self {
        Self(None)
    }
}

fn explore<T: DeserializeOwned>(path: &mut Vec<Step>) -> Shape {
    match wanted::<T>(path) {
        Wanted::Section(fields) => {
            let field = |name: &&'static str| (*name, within::<T>(path, Step::Field(name)));
            Shape::Section(fields.iter().map(field).collect())
        }
        Wanted::List => Shape::List(Box::new(within::<T>(path, Step::Item))),
        Wanted::Map => {
            let names = match within::<T>(path, Step::Key) {
                Shape::Leaf(Leaf { kind: Kind::Choice(names), .. }) => Some(names),
                _ => None,
            };
            let any = names.and_then(|names| names.first()).copied().unwrap_or("any");
            Shape::Map { names, of: Box::new(within::<T>(path, Step::Entry(any))) }
        }
        Wanted::Leaf(leaf) => Shape::Leaf(leaf),
    }
}

fn within<T: DeserializeOwned>(path: &mut Vec<Step>, step: Step) -> Shape {
    path.push(step);
    let shape = explore::<T>(path);
    path.pop();
    shape
}

fn wanted<T: DeserializeOwned>(path: &[Step]) -> Wanted {
    let unknown = Leaf { kind: Kind::Other, expected: "a value".into() };
    if path.len() > DEEPEST {
        return Wanted::Leaf(unknown);
    }
    match T::deserialize(Probe { path }) {
        Err(Finding(Some(wanted))) => wanted,
        Ok(_) | Err(Finding(None)) => Wanted::Leaf(unknown),
    }
}

/// A deserializer that has no data.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [Step],
}

impl Probe<'_> {
    fn leaf<'de, V: Visitor<'de>>(self, visitor: &V, kind: Kind) -> Result<V::Value, Finding> {
        let expected = (visitor as &dyn Expected).to_string();
        Err(Finding(Some(Wanted::Leaf(Leaf { kind, expected }))))
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: &V) -> Result<V::Value, Finding> {
        // The one thing that tells a path from another text is how its visitor calls it.
        let is_path = (visitor as &dyn Expected).to_string() == "path string";
        self.leaf(visitor, if is_path { Kind::Path } else { Kind::Text })
    }
}

macro_rules! leaves {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
            self.leaf(&visitor, Kind::Other)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Finding;

    leaves! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_ignored_any
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        self.text(&visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        self.text(&visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        self.text(&visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Finding> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Finding> {
        self.leaf(&visitor, Kind::Other)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Finding> {
        self.leaf(&visitor, Kind::Other)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Finding> {
        self.leaf(&visitor, Kind::Other)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: Names,
        visitor: V,
    ) -> Result<V::Value, Finding> {
        self.leaf(&visitor, Kind::Choice(variants))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        match self.path.split_first() {
            Some((Step::Item, path)) => visitor.visit_seq(Inside { step: Step::Item, probe: Probe { path } }),
            _ => Err(Finding(Some(Wanted::List))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Finding> {
        match self.path.split_first() {
            Some((step, path)) => visitor.visit_map(Inside { step: *step, probe: Probe { path } }),
            None => Err(Finding(Some(Wanted::Map))),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, Finding> {
        match self.path.split_first() {
            Some((step, path)) => visitor.visit_map(Inside { step: *step, probe: Probe { path } }),
            None => Err(Finding(Some(Wanted::Section(fields)))),
        }
    }
}

/// One step into a struct, a map or a list.
struct Inside<'p> {
    step: Step,
    probe: Probe<'p>,
}

impl<'de> MapAccess<'de> for Inside<'_> {
    type Error = Finding;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Finding> {
        match self.step {
            Step::Field(name) | Step::Entry(name) => {
                seed.deserialize(StrDeserializer::<Finding>::new(name)).map(Some)
            }
            Step::Key | Step::Item => seed.deserialize(self.probe).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Finding> {
        seed.deserialize(self.probe)
    }
}

impl<'de> SeqAccess<'de> for Inside<'_> {
    type Error = Finding;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Finding> {
        seed.deserialize(self.probe).map(Some)
    }
}
