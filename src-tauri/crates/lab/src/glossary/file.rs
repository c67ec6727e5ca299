//! The file format of the glossary, and its rules.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::api::LinkTo;
use crate::mistake::{Mistake, Mistakes};
use crate::release_line::ReleaseLine;
use crate::scenario::check_links;

/// All terms, and where they and the lab come from.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    /// By term, without regard to capitals.
    pub terms: Vec<Term>,
    /// What the lab builds on.
    pub references: Vec<LinkTo>,
}

impl Glossary {
    /// Ids of all terms.
    pub fn ids(&self) -> BTreeSet<String> {
        self.terms.iter().map(|term| term.id.clone()).collect()
    }
}

/// A term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Id, by which texts name it: `[fsync](term:fsync)`.
    pub id: String,
    /// The term.
    pub term: String,
    /// Other spellings.
    pub also: Vec<String>,
    /// What it means, Markdown.
    pub text: String,
    /// Metrics that tell of it.
    pub metrics: Vec<NameByLine>,
    /// Where to read on.
    pub links: Vec<LinkTo>,
}

/// What a metric is called on each release line; absent where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameByLine {
    /// On 3.5.
    pub on_3_5: Option<String>,
    /// On 3.7.
    pub on_3_7: Option<String>,
}

impl NameByLine {
    /// What it is called on `line`.
    pub fn on(&self, line: ReleaseLine) -> Option<&str> {
        match line {
            ReleaseLine::V3_5 => self.on_3_5.as_deref(),
            ReleaseLine::V3_7 => self.on_3_7.as_deref(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GlossaryFile {
    terms: Vec<Spanned<TermFile>>,
    #[serde(default)]
    references: Vec<Spanned<LinkTo>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermFile {
    id: Spanned<String>,
    term: String,
    #[serde(default)]
    also: Vec<String>,
    text: Spanned<String>,
    #[serde(default)]
    metrics: Vec<Spanned<MetricFile>>,
    #[serde(default)]
    links: Vec<Spanned<LinkTo>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MetricFile {
    Same(String),
    Differs(Names),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    #[serde(rename = "3.5")]
    on_3_5: Option<String>,
    #[serde(rename = "3.7")]
    on_3_7: Option<String>,
}

/// Reads a glossary: what could be read, and every mistake found.
pub fn read(file: &str, text: &str) -> (Glossary, Vec<Mistake>) {
    let mut mistakes = Mistakes::of(file);
    let Some(raw) = mistakes.yaml::<GlossaryFile>(text) else {
        return (Glossary::default(), mistakes.into_list());
    };
    let ids: BTreeSet<String> = raw.terms.iter().map(|term| term.value.id.value.clone()).collect();
    let mut seen = BTreeSet::new();
    let mut terms = Vec::new();
    for term in raw.terms {
        let TermFile { id, term, also, text, metrics, links } = term.value;
        if id.value.is_empty() || id.value.contains(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            mistakes.add(&id, "an id is made of small letters, digits and -");
        }
        if !seen.insert(id.value.clone()) {
            mistakes.add(&id, format!("another term has the id {} too", id.value));
        }
        if term.trim().is_empty() || text.value.trim().is_empty() {
            mistakes.add(&id, "a term has a name and says what it means");
        }
        check_links(&text.value, text.referenced.line(), &ids, &mut mistakes);
        let metrics = metrics.into_iter().filter_map(|metric| names(&metric, &mut mistakes)).collect();
        let links = links.into_iter().map(|link| checked(link, &mut mistakes)).collect();
        terms.push(Term { id: id.value, term, also, text: text.value.trim().to_owned(), metrics, links });
    }
    terms.sort_by_key(|term| term.term.to_lowercase());
    let references = raw.references.into_iter().map(|link| checked(link, &mut mistakes)).collect();
    (Glossary { terms, references }, mistakes.into_list())
}

fn names(raw: &Spanned<MetricFile>, mistakes: &mut Mistakes) -> Option<NameByLine> {
    let names = match &raw.value {
        MetricFile::Same(name) => NameByLine { on_3_5: Some(name.clone()), on_3_7: Some(name.clone()) },
        MetricFile::Differs(names) => {
            NameByLine { on_3_5: names.on_3_5.clone(), on_3_7: names.on_3_7.clone() }
        }
    };
    if names.on_3_5.is_none() && names.on_3_7.is_none() {
        mistakes.add(raw, "a metric has a name on one release line at least");
        return None;
    }
    for name in names.on_3_5.iter().chain(&names.on_3_7) {
        if name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            mistakes.add(raw, format!("{name:?} is no metric's name"));
        }
    }
    Some(names)
}

fn checked(link: Spanned<LinkTo>, mistakes: &mut Mistakes) -> LinkTo {
    let LinkTo { text, url } = &link.value;
    if text.trim().is_empty() || !url.starts_with("https://") {
        mistakes.add(&link, "a link has a text and an address, https://…");
    }
    link.value
}
