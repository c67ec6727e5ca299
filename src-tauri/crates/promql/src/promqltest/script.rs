//! Scripts into commands.

use std::ops::Range;

use lab_metrics::Labels;

use super::series::{Slot, parse_duration_ms, parse_number, parse_quoted, parse_series};

/// A command and the line it starts at, counted from 1.
pub(super) struct Command {
    pub line: usize,
    pub action: Action,
}

pub(super) enum Action {
    Clear,
    Load {
        step_ms: i64,
        series: Vec<(Labels, Vec<Slot>)>,
        /// Whether classic histograms become native ones as well, under their name without `_bucket`.
        with_native: bool,
    },
    Eval(Box<Eval>),
}

pub(super) struct Eval {
    pub expr: String,
    pub when: When,
    pub fails: bool,
    pub ordered: bool,
    pub expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    At(i64),
    Range { start_ms: i64, end_ms: i64, step_ms: i64 },
}

pub(super) enum Expected {
    Number(f64),
    Text(String),
    /// In the order of the script; each with one value, or with one a step.
    Series(Vec<(Labels, Vec<Slot>)>),
    /// A range vector, whose samples lie on a grid of its own.
    Matrix {
        start_ms: i64,
        step_ms: i64,
        series: Vec<(Labels, Vec<Slot>)>,
    },
}

/// A command, or the line that could not be understood and why.
pub(super) type Parsed = Result<Command, (usize, String, String)>;

pub(super) fn parse(text: &str) -> Vec<Parsed> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let end = block_end(&lines, at);
        let body = at + 1..end;
        let word = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let action = match word.as_str() {
            "" => {
                at += 1;
                continue;
            }
            "clear" => {
                commands.push(Ok(Command { line: at + 1, action: Action::Clear }));
                at += 1;
                continue;
            }
            "load" => parse_load(line, &lines[body], false),
            "load_with_nhcb" => parse_load(line, &lines[body], true),
            word if word.starts_with("eval") => parse_eval(line, &lines, body),
            _ => Err(format!("{line:?} is no command")),
        };
        commands.push(match action {
            Ok(action) => Ok(Command { line: at + 1, action }),
            Err(reason) => Err((at + 1, line.to_owned(), reason)),
        });
        at = end;
    }
    commands
}

/// A command goes on until an empty line.
fn block_end(lines: &[&str], start: usize) -> usize {
    lines[start..].iter().position(|line| line.is_empty()).map_or(lines.len(), |length| start + length)
}

fn parse_load(line: &str, body: &[&str], with_native: bool) -> Result<Action, String> {
    let step = line.split_whitespace().nth(1).ok_or("load wants a step")?;
    let step_ms =
        parse_duration_ms(step).filter(|ms| *ms > 0).ok_or_else(|| format!("{step:?} is no step"))?;
    let series = body.iter().map(|line| parse_series(line)).collect::<Result<_, _>>()?;
    Ok(Action::Load { step_ms, series, with_native })
}

fn parse_eval(line: &str, lines: &[&str], body: Range<usize>) -> Result<Action, String> {
    let (command, rest) = line.split_once(char::is_whitespace).ok_or("eval wants an expression")?;
    let rest = rest.trim_start();
    let (when, expr) = if let Some(rest) = rest.strip_prefix("instant") {
        parse_instant(rest.trim_start())?
    } else if let Some(rest) = rest.strip_prefix("range") {
        parse_range(rest.trim_start())?
    } else {
        return Err("eval wants 'instant' or 'range'".into());
    };
    let mut eval = Eval {
        expr: expr.to_owned(),
        when,
        fails: command.eq_ignore_ascii_case("eval_fail"),
        ordered: command.eq_ignore_ascii_case("eval_ordered"),
        expected: Expected::Series(Vec::new()),
    };
    let mut series = Vec::new();
    let mut matrix = None;
    for line in &lines[body] {
        if let Some(expectation) = line.strip_prefix("expect ") {
            parse_expectation(expectation.trim(), &mut eval, &mut matrix)?;
        } else if line.starts_with("expected_fail_") {
            continue;
        } else if let Some(number) = parse_number(line) {
            eval.expected = Expected::Number(number);
        } else {
            series.push(parse_series(line)?);
        }
    }
    if let Some((start_ms, step_ms)) = matrix {
        eval.expected = Expected::Matrix { start_ms, step_ms, series };
    } else if !series.is_empty() {
        eval.expected = Expected::Series(series);
    }
    Ok(Action::Eval(Box::new(eval)))
}

fn parse_instant(rest: &str) -> Result<(When, &str), String> {
    match rest.strip_prefix("at ") {
        None => Ok((When::At(0), rest)),
        Some(rest) => {
            let (time, expr) =
                rest.trim_start().split_once(char::is_whitespace).ok_or("eval wants an expression")?;
            let t_ms = parse_duration_ms(time).ok_or_else(|| format!("{time:?} is no time"))?;
            Ok((When::At(t_ms), expr.trim_start()))
        }
    }
}

/// `from A to B step C expression`
fn parse_range(rest: &str) -> Result<(When, &str), String> {
    let mut rest = rest;
    let mut times = [0; 3];
    for (keyword, time) in ["from", "to", "step"].into_iter().zip(&mut times) {
        let after = rest.strip_prefix(keyword).ok_or_else(|| format!("expected {keyword:?} at {rest:?}"))?;
        let (word, after) = after.trim_start().split_once(char::is_whitespace).unwrap_or((after.trim(), ""));
        *time = parse_duration_ms(word).ok_or_else(|| format!("{word:?} is no time"))?;
        rest = after.trim_start();
    }
    let [start_ms, end_ms, step_ms] = times;
    Ok((When::Range { start_ms, end_ms, step_ms }, rest))
}

/// What follows `expect`. Warnings and infos are Prometheus' texts about its own limits; they are not compared.
fn parse_expectation(text: &str, eval: &mut Eval, matrix: &mut Option<(i64, i64)>) -> Result<(), String> {
    if let Some(grid) = text.strip_prefix("range vector ") {
        if let (When::Range { start_ms, step_ms, .. }, _) = parse_range(grid.trim_start())? {
            *matrix = Some((start_ms, step_ms));
        }
        return Ok(());
    }
    if let Some(quoted) = text.strip_prefix("string ") {
        eval.expected = Expected::Text(parse_quoted(quoted.trim_start())?.0);
        return Ok(());
    }
    match text.split_whitespace().next() {
        Some("fail") => eval.fails = true,
        Some("ordered") => eval.ordered = true,
        Some("warn" | "no_warn" | "info" | "no_info") => {}
        _ => return Err(format!("cannot expect {text:?}")),
    }
    Ok(())
}
