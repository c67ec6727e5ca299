//! How a prediction turned out. Pure.

use lab_dashboards::{Unit, format_value};

use super::names::Names;
use crate::api::{Guess, PredictionView, VerdictView};
use crate::scenario::model::{Answers, Prediction};

/// What was said, in words; `None` for who passed.
pub fn in_words(prediction: &Prediction, guess: &Guess, names: &Names) -> Option<String> {
    match (&prediction.answers, guess) {
        (Answers::Choices(choices), Guess::Choice { choice }) => {
            choices.get(*choice as usize).map(|choice| names.text(&choice.text))
        }
        (Answers::Level { level, .. }, Guess::Level { level: drawn }) => {
            Some(format_value(&Unit::from_grafana(&level.unit), *drawn, None))
        }
        _ => None,
    }
}

/// Compares a guess with what happened; `actual` is what was measured where a level was asked for.
pub fn verdict(prediction: &Prediction, guess: &Guess, actual: Option<f64>, names: &Names) -> VerdictView {
    match &prediction.answers {
        Answers::Choices(choices) => {
            let right_choice = choices.iter().position(|choice| choice.right);
            let chosen = match guess {
                Guess::Choice { choice } => choices.get(*choice as usize),
                _ => None,
            };
            let replies = chosen.or_else(|| right_choice.map(|at| &choices[at]));
            VerdictView {
                right: chosen.map(|choice| choice.right),
                right_choice: right_choice.and_then(|at| u32::try_from(at).ok()),
                measured: None,
                says: replies.map(|choice| names.text(&choice.reply)).unwrap_or_default(),
            }
        }
        Answers::Level { level, factor, .. } => {
            let text = |value: f64| format_value(&Unit::from_grafana(&level.unit), value, None);
            let (right, says) = match (guess, actual) {
                (_, None) => (None, "It could not be measured.".to_owned()),
                (Guess::Level { level: drawn }, Some(actual)) => {
                    let right = off_by(*drawn, actual) <= *factor;
                    let off = if right { "within" } else { "more than" };
                    let says = format!(
                        "You drew {}; it was {}, which is {off} a factor of {factor} of it.",
                        text(*drawn),
                        text(actual),
                    );
                    (Some(right), says)
                }
                (_, Some(actual)) => (None, format!("It was {}.", text(actual))),
            };
            VerdictView { right, right_choice: None, measured: actual, says }
        }
    }
}

/// How many times too large or too small a guess is.
fn off_by(guess: f64, actual: f64) -> f64 {
    if guess == actual {
        return 1.0;
    }
    let ratio = guess / actual;
    // Of opposite signs, or one of them 0: no factor leads from one to the other.
    if ratio > 0.0 && ratio.is_finite() { ratio.max(1.0 / ratio) } else { f64::INFINITY }
}

/// The question as it is asked, with what was answered so far.
pub fn view(
    prediction: &Prediction,
    guess: Option<&Guess>,
    verdict: Option<&VerdictView>,
    names: &Names,
) -> PredictionView {
    let (choices, level) = match &prediction.answers {
        Answers::Choices(choices) => (choices.iter().map(|choice| names.text(&choice.text)).collect(), None),
        Answers::Level { level, .. } => (Vec::new(), Some(level.clone())),
    };
    PredictionView {
        question: names.text(&prediction.question),
        choices,
        level,
        guess: guess.cloned(),
        verdict: verdict.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{LevelView, PanelRef};
    use crate::scenario::model::{Choice, Measure};

    #[test]
    fn a_choice_is_answered_by_its_own_reply() {
        let choice = |text: &str, right| Choice { text: text.into(), right, reply: format!("{text} @slow") };
        let answers = Answers::Choices(vec![choice("They stop", false), choice("They slow down", true)]);
        let prediction = Prediction { question: "What?".into(), answers };
        let mut names = Names::default();
        names.bind("slow", "etcd-2");
        let cases = [
            (Guess::Choice { choice: 0 }, Some(false), "They stop etcd-2"),
            (Guess::Choice { choice: 1 }, Some(true), "They slow down etcd-2"),
            (Guess::Pass, None, "They slow down etcd-2"),
        ];
        for (guess, right, says) in cases {
            let verdict = verdict(&prediction, &guess, None, &names);
            assert_eq!((verdict.right, verdict.right_choice), (right, Some(1)), "{guess:?}");
            assert_eq!(verdict.says, says);
        }
        assert_eq!(in_words(&prediction, &Guess::Pass, &names), None);
        assert_eq!(in_words(&prediction, &Guess::Choice { choice: 0 }, &names).unwrap(), "They stop");
    }

    #[test]
    fn a_level_is_right_within_its_factor() {
        let panel = PanelRef { dashboard: "puts".into(), panel: 1 };
        let level = LevelView { panel, min: 0.001, max: 10.0, logarithmic: true, unit: "s".into() };
        let answers = Answers::Level { level, factor: 2.0, actual: Measure::Cut };
        let prediction = Prediction { question: "How long?".into(), answers };
        let judged =
            |drawn, actual| verdict(&prediction, &Guess::Level { level: drawn }, actual, &Names::default());
        let cases = [
            (0.3, Some(0.5), Some(true)),
            (1.0, Some(0.5), Some(true)),
            (1.01, Some(0.5), Some(false)),
            (0.2, Some(0.5), Some(false)),
            (0.2, Some(0.0), Some(false)),
            (0.2, None, None),
        ];
        for (drawn, actual, right) in cases {
            assert_eq!(judged(drawn, actual).right, right, "{drawn} {actual:?}");
        }
        let says = "You drew 200 ms; it was 500 ms, which is more than a factor of 2 of it.";
        assert_eq!(judged(0.2, Some(0.5)).says, says);
        assert_eq!(verdict(&prediction, &Guess::Pass, Some(0.5), &Names::default()).says, "It was 500 ms.");
    }
}
