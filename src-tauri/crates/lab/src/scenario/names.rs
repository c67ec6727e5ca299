//! `@name` in texts, queries and terms: a role or a remembered value, known only while a scenario is played.

/// Words that PromQL puts behind its own `@`.
const OF_PROMQL: [&str; 2] = ["start", "end"];

/// Whether a role or a value may be called this.
pub fn may_be(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !OF_PROMQL.contains(&name)
}

/// The names in `text`, without `@`, each with the byte at which its `@` stands. An `@` within a word, as in a mail
/// address, begins none.
pub fn find(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('@').filter_map(|(at, _)| {
        let within_a_word =
            text[..at].chars().next_back().is_some_and(|before| before.is_ascii_alphanumeric());
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        (!within_a_word && may_be(name)).then_some((at, name))
    })
}

/// `text` with each name replaced.
pub fn replace<'a>(text: &str, with: impl Fn(&str) -> &'a str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for (at, name) in find(text) {
        replaced.push_str(&text[from..at]);
        replaced.push_str(with(name));
        from = at + 1 + name.len();
    }
    replaced.push_str(&text[from..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_an_at_that_stands_by_itself() {
        let text = r#"up{instance="@slow"} @ 12 @start() me@example.org (@fast_1), @7"#;
        let names: Vec<(usize, &str)> = find(text).collect();
        assert_eq!(names, [(13, "slow"), (51, "fast_1")]);
        assert_eq!(
            replace("0.5 * @fast of @slow", |name| if name == "fast" { "1" } else { "etcd-1" }),
            "0.5 * 1 of etcd-1"
        );
    }
}
