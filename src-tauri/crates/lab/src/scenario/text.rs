//! A step's Markdown: its heading is the claim, what follows the text; then sections of known names. Names each
//! mistake with its line. Refuses to know how Markdown is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::model::StepText;
use super::names;
use crate::mistake::Mistakes;
use crate::release_line::ReleaseLine;

/// What a text may speak of.
pub struct Surroundings<'a> {
    /// Ids of the glossary's terms.
    pub terms: &'a BTreeSet<String>,
    /// How many arrows the step's diagram has; `None` where the step has no diagram.
    pub arrows: Option<usize>,
    /// Names known before the step's actions.
    pub before: &'a BTreeSet<String>,
    /// Names known once its check was judged.
    pub after: &'a BTreeSet<String>,
}

struct Section {
    title: String,
    heading: Range<usize>,
    text: Range<usize>,
}

/// Reads a step's text as it is on one release line.
pub fn read(text: &str, on: ReleaseLine, around: &Surroundings<'_>, mistakes: &mut Mistakes) -> StepText {
    let mut claim: Option<Section> = None;
    let mut sections: Vec<Section> = Vec::new();
    let mut heading: Option<(HeadingLevel, Range<usize>, String)> = None;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: level @ (HeadingLevel::H1 | HeadingLevel::H2), .. }) => {
                heading = Some((level, range, String::new()));
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, _, title)) = &mut heading {
                    title.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let Some((level, range, title)) = heading.take() else { continue };
                let at = line_at(text, range.start);
                let before = sections.last_mut().or(claim.as_mut());
                if let Some(before) = before {
                    before.text.end = range.start;
                }
                let section = Section { title, text: range.end..text.len(), heading: range };
                match (level, &claim) {
                    (HeadingLevel::H1, None) if sections.is_empty() => claim = Some(section),
                    (HeadingLevel::H1, _) => mistakes
                        .add_at(at, "the claim, `# …`, is the first heading and the only one of its kind"),
                    _ => sections.push(section),
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                link(&dest_url, line_at(text, range.start), around, mistakes);
            }
            Event::Start(Tag::Image { .. }) => {
                mistakes.add_at(line_at(text, range.start), "pictures are not shown");
            }
            Event::Html(_) | Event::InlineHtml(_) => {
                let html = text[range.clone()].trim();
                mistakes.add_at(
                    line_at(text, range.start),
                    format!("HTML such as {html} is not shown; write `{html}`"),
                );
            }
            _ => {}
        }
    }
    let Some(claim) = claim else {
        mistakes.add_at(1, "the text begins with its claim, `# …`");
        return StepText::default();
    };
    if !text[..claim.heading.start].trim().is_empty() {
        mistakes.add_at(1, "the text begins with its claim, `# …`");
    }
    let mut read = StepText { title: claim.title.trim().to_owned(), ..StepText::default() };
    if read.title.is_empty() {
        mistakes.add_at(line_at(text, claim.heading.start), "the heading says nothing");
    }
    if names::find(&read.title).next().is_some() {
        mistakes.add_at(
            line_at(text, claim.heading.start),
            "a heading is shown in lists, where no @name is known",
        );
    }
    let body_line = line_at(text, claim.heading.start);
    read.body = part(text, &claim.text, around.before, mistakes);
    if read.body.is_empty() {
        mistakes.add_at(body_line, "nothing stands under the heading");
    }
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for section in &sections {
        let at = line_at(text, section.heading.start);
        let title = section.title.trim();
        if !seen.insert(title) {
            mistakes.add_at(at, format!("there is another section {title:?} already"));
            continue;
        }
        let known = if title == "Hint" { around.before } else { around.after };
        let written = part(text, &section.text, known, mistakes);
        if written.is_empty() {
            mistakes.add_at(at, format!("nothing stands under {title:?}"));
        }
        match title {
            "Hint" => read.hint = Some(written),
            "Why" => read.why = written,
            _ => match title
                .strip_prefix("On ")
                .filter(|line| ReleaseLine::ALL.iter().any(|known| known.name() == *line))
            {
                Some(line) => drop(lines.insert(line, written)),
                None => mistakes
                    .add_at(at, format!("a section is called Hint, Why, On 3.5 or On 3.7, not {title:?}")),
            },
        }
    }
    if !seen.contains("Why") {
        mistakes.add_at(body_line, "there is no section `## Why`");
    }
    if let Some(line) = lines.get(on.name()) {
        read.why = format!("{}\n\n{line}", read.why);
    }
    read
}

/// Checks the links of a text that has no sections of its own, such as a term's: `at` is the line it begins at.
pub fn check_links(text: &str, at: u64, terms: &BTreeSet<String>, mistakes: &mut Mistakes) {
    let nothing = BTreeSet::new();
    let around = Surroundings { terms, arrows: None, before: &nothing, after: &nothing };
    for event in Parser::new(text) {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            link(&dest_url, at, &around, mistakes);
        }
    }
}

/// A part of the text, whose names must be known.
fn part(text: &str, range: &Range<usize>, known: &BTreeSet<String>, mistakes: &mut Mistakes) -> String {
    for (at, name) in names::find(&text[range.clone()]) {
        if !known.contains(name) {
            let line = line_at(text, range.start + at);
            mistakes.add_at(
                line,
                format!("@{name} is not known when this is shown: no role, and no value that the step has remembered"),
            );
        }
    }
    text[range.clone()].trim().to_owned()
}

fn link(url: &str, line: u64, around: &Surroundings<'_>, mistakes: &mut Mistakes) {
    if let Some(term) = url.strip_prefix("term:") {
        if !around.terms.contains(term) {
            mistakes.add_at(line, format!("the glossary has no term {term:?}"));
        }
    } else if let Some(arrow) = url.strip_prefix("arrow:") {
        match around.arrows {
            None => mistakes.add_at(line, "there is no diagram here whose arrow this could be"),
            Some(arrows) => {
                if !arrow.parse().is_ok_and(|number: usize| (1..=arrows).contains(&number)) {
                    mistakes.add_at(line, format!("the diagram has arrows 1 to {arrows}, not {arrow:?}"));
                }
            }
        }
    } else if !url.starts_with("https://") {
        mistakes.add_at(line, format!("a link leads to https://…, term:… or arrow:…, not to {url:?}"));
    }
}

/// The line, from 1, of a byte.
fn line_at(text: &str, byte: usize) -> u64 {
    1 + text.as_bytes()[..byte].iter().filter(|letter| **letter == b'\n').count() as u64
}
