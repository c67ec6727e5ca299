//! The text that is bundled: who made what is in the bundle, under which licence, and each licence text once.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Component;

const RULE: &str = "────────────────────────────────────────────────────────────────────────────────";

const HEAD: &str = "\
etcd Metrics Lab contains the work of others, listed here with their licences.

Its programs etcd and etcdctl, benchmark and bridge are built from etcd's own sources; one failpoint
(walBeforeFdatasync) was added to the write-ahead log.
";

/// Writes the notices. `apache` is the text of Apache-2.0, for packages under it that carry no file of their own.
pub fn write(components: &[Component], apache: &str) -> String {
    // Same words, same text: packages wrap and indent the same licence differently.
    let mut by_words: BTreeMap<String, (&str, Vec<String>)> = BTreeMap::new();
    let mut without_text = Vec::new();
    for component in components {
        let title = title(component);
        let mut texts: Vec<&str> = component.texts.iter().map(String::as_str).collect();
        if texts.is_empty() && component.licence.contains("Apache-2.0") {
            texts.push(apache);
        }
        if texts.is_empty() {
            without_text.push(title.clone());
        }
        for text in texts {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let users = &mut by_words.entry(words).or_insert((text, Vec::new())).1;
            if !users.contains(&title) {
                users.push(title.clone());
            }
        }
    }
    let mut groups: Vec<(&str, Vec<String>)> = by_words.into_values().collect();
    for (_, users) in &mut groups {
        users.sort();
    }
    groups.sort_by(|(_, a), (_, b)| (b.len(), a).cmp(&(a.len(), b)));

    let mut out = HEAD.to_owned();
    if !without_text.is_empty() {
        without_text.sort();
        let _ = writeln!(
            out,
            "\n{RULE}\nUnder the licence named, without a text of their own:\n\n{}",
            list(&without_text)
        );
    }
    for (text, users) in groups {
        let _ = writeln!(out, "\n{RULE}\n{}\n\n{}", list(&users), text.trim_matches(['\n', '\r']));
    }
    out
}

fn title(component: &Component) -> String {
    let Component { kind, name, version, licence, .. } = component;
    let named = if version.is_empty() { name.clone() } else { format!("{name} {version}") };
    format!("{named} ({kind}; {licence})")
}

fn list(titles: &[String]) -> String {
    titles.iter().map(|title| format!("  {title}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, licence: &str, texts: &[&str]) -> Component {
        Component {
            kind: "crate",
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.into(),
            bundled: true,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn a_text_is_printed_once_for_all_that_share_it() {
        let components = [
            component("b", "MIT", &["Permission is\nhereby granted"]),
            component("a", "MIT", &["Permission  is hereby granted"]),
            component("c", "ISC", &["Permission to use"]),
        ];
        let notices = write(&components, "Apache");
        assert_eq!(notices.matches("hereby granted").count(), 1, "{notices}");
        assert!(
            notices.contains("  a 1.0.0 (crate; MIT)\n  b 1.0.0 (crate; MIT)\n\nPermission"),
            "{notices}"
        );
        assert!(notices.contains("  c 1.0.0 (crate; ISC)\n\nPermission to use"), "{notices}");
    }

    #[test]
    fn a_component_without_a_text_is_named_all_the_same() {
        let components = [component("dual", "MIT OR Apache-2.0", &[]), component("bare", "MIT", &[])];
        let notices = write(&components, "the text of Apache");
        assert!(notices.contains("without a text of their own:\n\n  bare 1.0.0 (crate; MIT)\n"), "{notices}");
        assert!(
            notices.contains("  dual 1.0.0 (crate; MIT OR Apache-2.0)\n\nthe text of Apache"),
            "{notices}"
        );
    }
}
