//! Markdown for a terminal: links by their text, emphasis left out, lines of a width one can read.

/// Characters a line has at most.
const WIDTH: usize = 100;

/// `markdown` in lines, each after `indent`.
pub fn lines(markdown: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in markdown.trim().split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        // Lists and code keep their lines, running text doesn't.
        let mut pieces: Vec<String> = Vec::new();
        let mut in_code = false;
        for line in paragraph.lines() {
            let fence = line.trim_start().starts_with("```");
            let begins = line.trim_start().starts_with(['-', '*', '|', '#']) && !line.starts_with("**");
            let numbered =
                line.split_once(". ").is_some_and(|(number, _)| number.trim().parse::<u32>().is_ok());
            match pieces.last_mut() {
                Some(last) if !(begins || numbered || in_code || fence) => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ if fence => {}
                _ => pieces.push(line.trim_end().to_owned()),
            }
            in_code ^= fence;
        }
        for piece in pieces {
            wrap(&inline(&piece), indent, &mut lines);
        }
    }
    lines
}

/// Without the marks of links and emphasis.
fn inline(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        plain.push_str(&rest[..at]);
        let link = rest[at + 1..].split_once("](").and_then(|(text, after)| {
            let (_, after) = after.split_once(')')?;
            (!text.contains(['[', ']'])).then_some((text, after))
        });
        match link {
            Some((text, after)) => {
                plain.push_str(text);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.replace("**", "")
}

fn wrap(text: &str, indent: &str, lines: &mut Vec<String>) {
    let mut line = indent.to_owned();
    for word in text.split(' ') {
        let is_full = line.chars().count() + 1 + word.chars().count() > WIDTH;
        if line != indent && is_full {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        }
        if line != indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_lines_break_where_one_can_read_them() {
        let text =
            "A [put](term:put) is **slow**,\nas [step 7](arrow:7) shows: a[0].\n\n- one\n- two\n  more";
        assert_eq!(
            lines(text, "  "),
            ["  A put is slow, as step 7 shows: a[0].", "", "  - one", "  - two more"]
        );
        let long = lines(&"word ".repeat(50), "");
        assert!(long.len() > 2 && long.iter().all(|line| line.chars().count() <= WIDTH), "{long:?}");
        assert_eq!(lines("```\na  b\nc\n```", ""), ["a  b", "c"]);
    }
}
