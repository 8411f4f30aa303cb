//! From the parser's events to a [`Node`].

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};

use super::MAX_DEPTH;
use super::fault;
use super::node::{Entry, Kind, Node, Style};
use super::scalar;
use crate::core::problem::Problem;
use crate::core::source::{Place, Source};

/// How many nodes aliases may add in all: the limit against alias bombs.
const MAX_ALIASED: usize = 100_000;

/// Reads the one document of `source`.
pub(super) fn document(source: &Arc<Source>) -> Result<Node, Problem> {
    let parser = Parser::new_from_str(&source.text);
    let mut composer = Composer {
        source,
        parser,
        anchors: HashMap::new(),
        depth: 0,
        composed: 0,
        aliased: 0,
    };
    let mut root = None;
    while let Some((event, span)) = composer.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamEnd => {}
            _ if root.is_some() => return Err(fault::second_document(source, composer.range(&span))),
            event => root = Some(composer.node(event, &span)?),
        }
    }
    Ok(root.unwrap_or(Node {
        kind: Kind::Null,
        bytes: 0..0,
    }))
}

struct Composer<'a> {
    source: &'a Arc<Source>,
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Anchor>,
    depth: usize,
    composed: usize,
    aliased: usize,
}

/// A node that aliases may repeat, with how many nodes it has.
struct Anchor {
    node: Node,
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Problem> {
        self.parser
            .next_event()
            .transpose()
            .map_err(|error| fault::scan(self.source, &error))
    }

    /// The next event of a collection that is not closed yet.
    fn inner(&mut self) -> Result<(Event<'a>, Span), Problem> {
        self.next()?
            .ok_or_else(|| Problem::at(Place::file(self.source), "the file ends in the middle of a value"))
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let end = self.source.text.len();
        let range = span.byte_range().unwrap_or(0..0);
        range.start.min(end)..range.end.min(end)
    }

    fn problem(&self, range: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::at(Place::bytes(self.source, range), message)
    }

    fn node(&mut self, event: Event<'a>, span: &Span) -> Result<Node, Problem> {
        let before = self.composed;
        self.composed += 1;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let bytes = self.range(span);
                let kind = self.scalar(&text, style, tag.as_deref(), span)?;
                (Node { kind, bytes }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.no_tag(tag.as_deref(), span)?;
                (self.nested(span, |this| this.list(style, span))?, anchor)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.no_tag(tag.as_deref(), span)?;
                (self.nested(span, |this| this.map(style, span))?, anchor)
            }
            Event::Alias(anchor) => (self.alias(anchor, span)?, 0),
            _ => return Err(self.problem(self.range(span), "a value is expected here")),
        };
        if anchor != 0 {
            self.anchors.insert(
                anchor,
                Anchor {
                    node: node.clone(),
                    nodes: self.composed - before,
                },
            );
        }
        Ok(node)
    }

    fn nested(&mut self, span: &Span, read: impl FnOnce(&mut Self) -> Result<Node, Problem>) -> Result<Node, Problem> {
        if self.depth == MAX_DEPTH {
            return Err(self.problem(
                self.range(span),
                format!("more than {MAX_DEPTH} levels are nested here"),
            ));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Kind, Problem> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        match tag {
            None if style == Style::Plain => scalar::plain(text)
                .map_err(|message| self.problem(self.range(span), message).help("quote it if it is text")),
            Some(tag) if !tag.is_yaml_core_schema_tag("str") => Err(self.tag(tag, span)),
            _ => Ok(Kind::Text(text.to_owned(), style)),
        }
    }

    fn tag(&self, tag: &Tag, span: &Span) -> Problem {
        let bytes = span.tag_span().map_or_else(|| self.range(span), |tag| self.range(&tag));
        self.problem(bytes, format!("the tag `{}` has no meaning here", tag.original()))
            .help("remove the tag")
    }

    fn no_tag(&self, tag: Option<&Tag>, span: &Span) -> Result<(), Problem> {
        tag.map_or(Ok(()), |tag| Err(self.tag(tag, span)))
    }

    fn list(&mut self, style: StructureStyle, start: &Span) -> Result<Node, Problem> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.inner()?;
            if matches!(event, Event::SequenceEnd) {
                let last = items.last().map(|item| item.bytes.end);
                return Ok(Node {
                    kind: Kind::List(items),
                    bytes: self.extent(style, start, last, &span),
                });
            }
            items.push(self.node(event, &span)?);
        }
    }

    fn map(&mut self, style: StructureStyle, start: &Span) -> Result<Node, Problem> {
        let mut keys = Keys::default();
        let mut merged = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut last = None;
        loop {
            let (event, span) = self.inner()?;
            if matches!(event, Event::MappingEnd) {
                merge_absent(&mut entries, merged);
                return Ok(Node {
                    kind: Kind::Map(entries),
                    bytes: self.extent(style, start, last, &span),
                });
            }
            let key_bytes = self.range(&span);
            let is_merge = matches!(&event, Event::Scalar(key, ScalarStyle::Plain, ..) if key == "<<");
            let key = self.key(event, &span)?;
            if !is_merge && !keys.insert(&key, &entries) {
                return Err(self.twice(&key, key_bytes, &entries));
            }
            let (event, span) = self.inner()?;
            let value = self.node(event, &span)?;
            last = Some(value.bytes.end.max(key_bytes.end));
            if is_merge {
                merged.extend(self.mergeable(value)?);
            } else {
                entries.push(Entry { key, key_bytes, value });
            }
        }
    }

    fn key(&self, event: Event<'a>, span: &Span) -> Result<String, Problem> {
        match event {
            Event::Scalar(..) if self.range(span).is_empty() => {
                Err(self.problem(self.range(span), "a key is missing before `:`"))
            }
            Event::Scalar(key, style, ..) if style != ScalarStyle::Plain || !is_null(&key) => Ok(key.into_owned()),
            _ => Err(self
                .problem(self.range(span), "a key must be text")
                .help("quote text that starts with `{`, `[` or `*`")),
        }
    }

    fn twice(&self, key: &str, bytes: Range<usize>, entries: &[Entry]) -> Problem {
        let problem = self
            .problem(bytes, format!("the key `{key}` stands twice in one map"))
            .label("again here");
        match entries.iter().find(|entry| entry.key == key) {
            Some(first) => problem.related(Place::bytes(self.source, first.key_bytes.clone()), "first here"),
            None => problem,
        }
    }

    /// The entries that `<<` adds: those of a map, or of each map of a list.
    fn mergeable(&self, node: Node) -> Result<Vec<Entry>, Problem> {
        let bytes = node.bytes();
        match node.kind {
            Kind::Map(entries) => Ok(entries),
            Kind::List(items) => items
                .into_iter()
                .map(|item| self.mergeable(item))
                .collect::<Result<Vec<_>, _>>()
                .map(|all| all.concat()),
            _ => Err(self.problem(bytes, "`<<` takes a map, or a list of maps")),
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Node, Problem> {
        let bytes = self.range(span);
        let Some(Anchor { node, nodes }) = self.anchors.get(&anchor) else {
            return Err(self.problem(bytes, "an alias cannot stand inside of what it repeats"));
        };
        self.aliased += nodes;
        self.composed += nodes;
        if self.aliased > MAX_ALIASED {
            return Err(self.problem(
                bytes,
                format!("the aliases up to here repeat more than {MAX_ALIASED} values"),
            ));
        }
        Ok(Node {
            kind: node.kind.clone(),
            bytes,
        })
    }

    /// From where a collection starts to where its last child ends: what follows a block (comments, blank lines) is not part of it.
    fn extent(&self, style: StructureStyle, start: &Span, last: Option<usize>, end: &Span) -> Range<usize> {
        let first = self.range(start).start;
        let end = match (style, last) {
            (StructureStyle::Block, Some(last)) => last,
            _ => self.range(end).end,
        };
        first..end.max(first)
    }
}

fn is_null(key: &str) -> bool {
    key.is_empty() || key == "~" || key.eq_ignore_ascii_case("null")
}

/// Adds what `<<` brings, where the map has no such key.
fn merge_absent(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    for entry in merged {
        if !entries.iter().any(|own| own.key == entry.key) {
            entries.push(entry);
        }
    }
}

/// The keys of a map so far. Small maps, nearly all of them, are searched; large ones hashed.
#[derive(Default)]
struct Keys(HashSet<String>);

impl Keys {
    const SMALL: usize = 16;

    /// Whether `key` is new.
    fn insert(&mut self, key: &str, entries: &[Entry]) -> bool {
        if entries.len() < Self::SMALL {
            return entries.iter().all(|entry| entry.key != key);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|entry| entry.key.clone()));
        }
        self.0.insert(key.to_owned())
    }
}
