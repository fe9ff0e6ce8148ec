//! A JSON body, taken as the API's document has it and in no other way: an object is an object. What derives `Deserialize`
//! reads a structure out of a list as well, and the last of two fields of one name, or the first.
//!
//! The body is read into a tree, and values are made of that, so that what is wrong has its place: `answers[0].text`.

use crate::model::refusal::Refusal;
use crate::words::sentence;
use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Number;
use std::fmt;

/// Any JSON.
enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Tree>),
    /// Every name once, in order.
    Object(Vec<(String, Tree)>),
}

/// What is wrong, as serde says it.
type Error = de::value::Error;

/// The value that `bytes` is.
///
/// # Errors
/// [`Code::Malformed`](crate::model::refusal::Code::Malformed) with the place: line and column where it is no JSON, the names
/// down to the value where it is not what is asked for.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let tree: Tree = serde_json::from_slice(bytes).map_err(|error| {
        // What is JSON, and is refused all the same, says why itself.
        let why = error.to_string();
        Refusal::malformed(if error.is_data() {
            sentence!("refused-read", why = why)
        } else {
            sentence!("refused-no-json", why = why)
        })
    })?;
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let (place, why) = (error.path().to_string(), error.into_inner());
        // At its root there is no place to name.
        let place = if place == "." { String::new() } else { format!("{place}: ") };
        Refusal::malformed(sentence!("refused-body", why = format!("{place}{why}")))
    })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Number(value.into()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
                Number::from_f64(value).map(Tree::Number).ok_or_else(|| E::custom("no number"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Tree, E> {
                if text.contains('\0') {
                    return Err(E::custom(super::body::nul()));
                }
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Tree::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut object: Vec<(String, Tree)> = Vec::new();
                while let Some((name, value)) = entries.next_entry::<String, Tree>()? {
                    if name.contains('\0') {
                        return Err(de::Error::custom(super::body::nul()));
                    }
                    if object.iter().any(|(other, _)| *other == name) {
                        return Err(de::Error::custom("a field stands there twice"));
                    }
                    object.push((name, value));
                }
                Ok(Tree::Object(object))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl IntoDeserializer<'_> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(n), ..) => visitor.visit_u64(n),
                (_, Some(n), _) => visitor.visit_i64(n),
                (_, _, n) => visitor.visit_f64(n.unwrap_or_default()),
            },
            Self::Text(text) => visitor.visit_string(text),
            Self::List(list) => {
                let mut items = SeqDeserializer::new(list.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Self::Object(object) => {
                let mut entries = MapDeserializer::new(object.into_iter());
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if matches!(self, Self::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let came = match self {
            Self::Object(_) => return self.deserialize_any(visitor),
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
        };
        Err(de::Error::custom(format!("an object is expected, as in {{\"name\": ...}}, and here is {came}")))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(name) => {
                let name: StringDeserializer<Error> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(de::Error::custom("one of a few texts is expected")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Policy;
    use cardlab_protocol::workstation::{Answers, Open, Outcome, Report};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn said<T: DeserializeOwned>(text: &str) -> String {
        read::<T>(text.as_bytes()).err().map_or_else(|| panic!("{text} is taken"), |refusal| refusal.message())
    }

    #[test]
    fn a_list_is_no_object_at_any_depth() {
        let sentence = "an object is expected, as in {\"name\": ...}, and here is ";
        for (text, came) in [(r#"["00"]"#, "a list"), ("[]", "a list"), ("null", "null"), ("1", "a number"), ("\"00\"", "a text")]
        {
            assert_eq!(said::<Open>(text), format!("the body is not what is asked for here: {sentence}{came}"));
        }
        let nested = said::<Answers>(r#"{"answers":[{"question":"1","text":"x"},["2","y"]]}"#);
        assert_eq!(nested, format!("the body is not what is asked for here: answers[1]: {sentence}a list"));
        assert!(said::<Policy>(r#"{"workflow":[true,true]}"#).contains("workflow: an object is expected"));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        assert!(said::<Open>("{\n\"serial\":}").starts_with("the body is no JSON: expected value at line 2"));
        assert!(said::<Open>(r#"{"serial":"00","serial":"01"}"#).contains("a field stands there twice at line 1"));
        assert!(said::<Open>(r#"{"serial":"00","extra":1}"#).contains("unknown field `extra`"));
        assert!(said::<Open>("{}").contains("missing field `serial`"));
        assert!(said::<Answers>(r#"{"answers":[{"question":1,"text":""}]}"#).contains("answers[0].question: invalid type"));
        assert!(said::<Outcome>(r#"{"outcome":{"unlocked":null}}"#).contains("outcome: one of a few texts is expected"));
        assert!(said::<Outcome>(r#"{"outcome":"lost"}"#).contains("outcome: unknown variant `lost`"));
        assert!(said::<Open>(r#"{"serial":"\u0000"}"#).contains("U+0000"));
        assert!(said::<Open>(r#"{"\u0000":""}"#).contains("U+0000"));
        assert!(read::<Open>(br#"{"serial":"\\u0000"}"#).is_ok());
        assert!(read::<Open>(&[b'{', 0xFF]).is_err());
        assert!(said::<Answers>(&format!("{{\"answers\":{}", "[".repeat(10_000))).contains("recursion limit"));
    }

    /// Values as the document has them are read as serde_json itself reads them.
    #[test]
    fn objects_are_what_they_are() {
        let report = json!({"serial": "00", "kind": "admin-key-blocked", "at": -5, "tries_left": 3, "challenge": null});
        assert_eq!(read::<Report>(report.to_string().as_bytes()).ok(), serde_json::from_value(report).ok());
        let policy = Policy::default();
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            serde_json::to_value(read::<Policy>(text.as_bytes()).unwrap()).unwrap(),
            serde_json::to_value(policy).unwrap()
        );
    }

    proptest! {
        #[test]
        fn any_json_is_read_as_it_is(numbers in prop::collection::vec(any::<i64>(), 0..5), real in -1.0e9..1.0e9_f64, text in "[^\u{0}]{0,20}") {
            let written = json!({"a": numbers, "b": real, "c": [null, true, {"d": text}]}).to_string();
            prop_assert_eq!(read::<Value>(written.as_bytes()).ok(), serde_json::from_str(&written).ok());
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read::<Answers>(&bytes);
            let _ = read::<Report>(&bytes);
        }
    }
}
