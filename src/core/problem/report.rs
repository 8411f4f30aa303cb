//! Problems as people read them: a frame around each, with the line and what is marked in it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::Problem;
use crate::core::source::{Place, Source, Spot};
use crate::core::yaml::Node;

/// The frames of all problems, sorted by file, position and message, without repeats.
pub(super) fn render(problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut documents = Documents::default();
    let mut located: Vec<Located<'_>> = problems
        .iter()
        .map(|problem| Located::new(problem, &mut documents))
        .collect();
    located.sort_by(Located::order);
    located.dedup_by(|a, b| a.order(b) == Ordering::Equal);
    let same_place = |a: &Located<'_>, b: &Located<'_>| a.at.is_some() && a.key().0 == b.key().0;
    let frames: Vec<String> = located
        .chunk_by(same_place)
        .flat_map(|of_place| frames(&renderer, of_place))
        .collect();
    frames.join("\n\n")
}

/// How many problems of one place are shown: a mistake in a line that declares many clusters is wrong in each of them.
const SHOWN: usize = 8;

fn frames(renderer: &Renderer, of_place: &[Located<'_>]) -> Vec<String> {
    let shown = of_place.len().min(SHOWN);
    let mut frames: Vec<String> = of_place[..shown]
        .iter()
        .map(|problem| renderer.render(&[problem.group()]))
        .collect();
    if shown < of_place.len() {
        frames.push(format!("… and {} more in the same place", of_place.len() - shown));
    }
    frames
}

/// The files that places point into by path, each parsed once.
#[derive(Default)]
struct Documents<'a>(BTreeMap<&'a Source, Option<Node>>);

impl<'a> Documents<'a> {
    /// The mark of a place: none for a file as a whole.
    fn mark(&mut self, place: &'a Place, label: Option<&'a str>) -> Mark<'a> {
        let source = &*place.source;
        let bytes = match &place.spot {
            Spot::File => None,
            Spot::Bytes(start, end) => Some(*start..*end),
            Spot::Value(path) => self.node(place).map(|node| node.locate(path).value),
            Spot::Key(path) => self.node(place).map(|node| node.locate(path).key),
        };
        let bytes = bytes
            .filter(|_| !source.text.trim().is_empty())
            .map(|bytes| first_line(&source.text, &bytes));
        Mark { source, bytes, label }
    }

    fn node(&mut self, place: &'a Place) -> Option<&Node> {
        self.0
            .entry(&place.source)
            .or_insert_with(|| Node::parse(&place.source).ok())
            .as_ref()
    }
}

/// What a frame marks: some bytes of a file, or the file as a whole.
struct Mark<'a> {
    source: &'a Source,
    bytes: Option<Range<usize>>,
    label: Option<&'a str>,
}

impl<'a> Mark<'a> {
    fn annotation(&self, kind: AnnotationKind) -> Option<Annotation<'a>> {
        self.bytes.clone().map(|bytes| kind.span(bytes).label(self.label))
    }
}

/// A problem whose places have become marks.
struct Located<'a> {
    problem: &'a Problem,
    at: Option<Mark<'a>>,
    related: Vec<Mark<'a>>,
}

impl<'a> Located<'a> {
    fn new(problem: &'a Problem, documents: &mut Documents<'a>) -> Self {
        let label = problem.label.as_deref();
        let at = problem.place.as_ref().map(|place| documents.mark(place, label));
        let related = problem
            .related
            .iter()
            .map(|(place, label)| documents.mark(place, Some(label)))
            .collect();
        Self { problem, at, related }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    fn key(&self) -> (Option<(&str, usize)>, &str) {
        let start = |mark: &Mark<'_>| mark.bytes.as_ref().map_or(0, |bytes| bytes.start);
        let at = self.at.as_ref().map(|mark| (mark.source.name.as_str(), start(mark)));
        (at, &self.problem.message)
    }

    fn group(&self) -> Group<'a> {
        let title = Level::ERROR.primary_title(self.problem.message.as_str());
        let help = self
            .problem
            .help
            .as_deref()
            .map(|help| Level::HELP.message(help).into());
        Group::with_title(title).elements(self.elements().into_iter().chain(help))
    }

    /// One snippet for each file, the primary one first.
    fn elements(&self) -> Vec<Element<'a>> {
        let mut files: Vec<(&'a Source, Vec<Annotation<'a>>)> = Vec::new();
        let primary = self.at.iter().map(|mark| (mark, AnnotationKind::Primary));
        let context = self.related.iter().map(|mark| (mark, AnnotationKind::Context));
        for (mark, kind) in primary.chain(context) {
            let annotation = mark.annotation(kind);
            match files.iter_mut().find(|(source, _)| *source == mark.source) {
                Some((_, annotations)) => annotations.extend(annotation),
                None => files.push((mark.source, annotation.into_iter().collect())),
            }
        }
        files
            .into_iter()
            .map(|(source, annotations)| element(source, annotations))
            .collect()
    }
}

fn element<'a>(source: &'a Source, annotations: Vec<Annotation<'a>>) -> Element<'a> {
    let name = source.name.as_str();
    if annotations.is_empty() {
        return Origin::path(name).into();
    }
    Snippet::source(source.text.as_str())
        .path(name)
        .annotations(annotations)
        .into()
}

/// The bytes of a range on its first line, so that a frame stays small; cut to whole characters.
fn first_line(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(bytes.start.min(text.len()));
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let end = text.ceil_char_boundary(bytes.end.clamp(start, start + line.len()));
    start..end
}
