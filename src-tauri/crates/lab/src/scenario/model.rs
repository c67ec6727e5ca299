//! What a scenario consists of, read and checked: for one profile and one release line of etcd, with the numbers of
//! that profile filled in. What is known only while it is played stands in texts and queries as `@name`: a role, such
//! as `@slow`, becomes the member's name, a remembered value becomes its number.

use lab_dashboards::Unit;
use serde::Deserialize;

use crate::api::{Guess, LevelView, LinkShape, LoadSpec, PanelRef, Profile, TopologyName};

/// A scenario, for one profile and one release line.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Id, such as `slow-disk`.
    pub id: String,
    /// Its number, as in the folder's name.
    pub number: u32,
    /// Title.
    pub title: String,
    /// What it is about, a sentence or two.
    pub about: String,
    /// Minutes it takes, about.
    pub minutes: u32,
    /// The profile it was made for.
    pub profile: Profile,
    /// How members speak with each other.
    pub topology: TopologyName,
    /// Backend quota in bytes; etcd's default when absent.
    pub quota_bytes: Option<u64>,
    /// In the order they are played.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Id, unique in the scenario; its text is `steps/<id>.md`.
    pub id: String,
    /// What it is about, in a few words that don't give the claim away; the claim itself when absent.
    pub topic: Option<String>,
    /// Its texts.
    pub text: StepText,
    /// Actions that bring the cluster into the state the step needs; each is left out when it is so already.
    pub stage: Vec<Action>,
    /// Roles given to members once the stage is set; they last to the scenario's end or until given anew.
    pub bind: Vec<Binding>,
    /// What must hold before the step begins.
    pub requires: Vec<Condition>,
    /// What is asked first.
    pub predict: Option<Prediction>,
    /// What is done, by "Do it" or by the person.
    pub actions: Vec<Action>,
    /// Whether the person is to find the actions.
    pub to_be_found: bool,
    /// Panels to look at.
    pub panels: Vec<Watched>,
    /// Diagram to look at.
    pub diagram: Option<String>,
    /// Its arrows that the text speaks of, from 1.
    pub arrows: Vec<u32>,
    /// What must hold in the end.
    pub check: Check,
    /// Values kept for later steps, taken in the moment the check is met.
    pub remember: Vec<Remember>,
    /// Actions when the step is left.
    pub cleanup: Vec<Action>,
}

/// A step's texts, from its Markdown file. Markdown throughout, except for the title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepText {
    /// The claim: the file's heading.
    pub title: String,
    /// What stands before the first section.
    pub body: String,
    /// Section "Hint".
    pub hint: Option<String>,
    /// Section "Why", followed by "On 3.5" or "On 3.7" where there is one for the release line.
    pub why: String,
}

/// A panel to look at.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which.
    pub panel: PanelRef,
    /// Its title.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
}

/// Gives a member a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The role, without `@`.
    pub role: String,
    /// Who gets it.
    pub who: Who,
}

/// Members, told by what they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Every member.
    All,
    /// The leader.
    Leader,
    /// The first member that isn't the leader, in the order of the topology.
    Follower,
    /// The second one.
    OtherFollower,
    /// Who has this role, without `@`.
    Role(String),
    /// The member of this name.
    Member(String),
}

/// A question before the step.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The question.
    pub question: String,
    /// What can be answered.
    pub answers: Answers,
}

/// How a prediction is given.
#[derive(Clone, Debug)]
pub enum Answers {
    /// One of these.
    Choices(Vec<Choice>),
    /// A level drawn on a chart.
    Level {
        /// Where.
        level: LevelView,
        /// It is right when it is at most so many times too large or too small.
        factor: f64,
        /// What really happened: one value.
        actual: Measure,
    },
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it says.
    pub text: String,
    /// Whether it is right; exactly one is.
    pub right: bool,
    /// What to say to who chose it.
    pub reply: String,
}

/// Something done to the cluster.
#[derive(Clone, Debug)]
pub enum Action {
    /// Start a load under a name. Nothing happens when a load of that name and spec runs already; one of that name
    /// and another spec is stopped first.
    Load {
        /// Its name in the scenario.
        name: String,
        /// Which.
        spec: LoadSpec,
    },
    /// Stop a load.
    StopLoad(String),
    /// Wait until a load has ended by itself.
    WaitLoad {
        /// Its name.
        name: String,
        /// Seconds to wait at most.
        within_s: u32,
    },
    /// Set a failpoint.
    Failpoint {
        /// Where.
        members: Vec<Who>,
        /// Which.
        name: String,
        /// Term.
        term: String,
    },
    /// Clear a failpoint, or all.
    ClearFailpoint {
        /// Where.
        members: Vec<Who>,
        /// Which; all when absent.
        name: Option<String>,
    },
    /// Shape links.
    Link {
        /// Who sends.
        from: Vec<Who>,
        /// Who receives.
        to: Vec<Who>,
        /// Whether the other direction is shaped too.
        both: bool,
        /// How.
        shape: LinkShape,
    },
    /// Heal all links.
    HealLinks,
    /// Compact at the present revision.
    Compact,
    /// Delete all keys that begin with a prefix.
    Delete {
        /// The prefix; every key when empty.
        prefix: String,
    },
    /// Defragment.
    Defragment {
        /// Which, one after the other.
        members: Vec<Who>,
        /// Whether what follows doesn't wait for it.
        background: bool,
    },
    /// Disarm all alarms.
    Disarm,
    /// Wait until conditions hold.
    Until(Check),
    /// Keep a value for later, the mean over some seconds. Nothing happens in a stage when it is kept already.
    Remember {
        /// What.
        remember: Remember,
        /// Seconds over which the mean is taken.
        over_s: u32,
    },
}

/// A value kept for later.
#[derive(Clone, Debug)]
pub struct Remember {
    /// Its name, without `@`.
    pub name: String,
    /// What is measured: one value.
    pub measure: Measure,
    /// Its unit.
    pub unit: Unit,
}

/// Conditions that must all hold, for a while, in time.
#[derive(Clone, Debug)]
pub struct Check {
    /// Seconds after the actions within which it is to be met.
    pub within_s: u32,
    /// Seconds for which all conditions must hold without a break.
    pub hold_s: u32,
    /// What must hold.
    pub all: Vec<Condition>,
}

/// One condition on what is measured.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What is looked at, in words.
    pub that: String,
    /// What is measured.
    pub measure: Measure,
    /// Its unit.
    pub unit: Unit,
    /// Which of the values must fulfil it.
    pub quantifier: Quantifier,
    /// Comparison.
    pub compare: Compare,
    /// With what.
    pub with: Bound,
    /// Why it follows, said when it holds.
    pub met: String,
    /// What it means that it does not.
    pub missed: String,
}

/// Which of several values a condition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// Each; of a measure with one value a member there must be as many as members, unless the number is given.
    Each {
        /// Values there must be at least; as many as members when absent.
        count: Option<u32>,
    },
    /// At least one.
    Some,
    /// Their sum; 0 when there are none.
    Sum,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a value is compared with: a number, or a multiple of a remembered value.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The number, in the condition's unit, or the factor.
    pub number: f64,
    /// Name of the remembered value, without `@`.
    pub times: Option<String>,
}

/// What is measured.
#[derive(Clone, Debug)]
pub enum Measure {
    /// PromQL at the last round of scrapes; a value a series, told apart by `instance` where they have one.
    Query(String),
    /// A figure of a load in its last second, or since it began for `Done` and `Errors`.
    Load {
        /// Name of the load.
        name: String,
        /// Which figure.
        of: LoadFigure,
    },
    /// Errors of a load since the step's actions began.
    Errors {
        /// Name of the load.
        name: String,
        /// gRPC code; any when absent.
        code: Option<String>,
        /// A part of the message; any when absent.
        message: Option<String>,
    },
    /// 1 for each member that has raised this alarm, 0 for the others.
    Alarm(String),
    /// 1 when the leader is who has this role or name, 0 otherwise, also when none is known.
    LeaderIs(Who),
    /// How often the leader's place changed hands since the step's actions began, or since the step did.
    LeaderChanges,
    /// Hits of a failpoint since it was set, a value a member at which it is set.
    Hits(String),
    /// How long the proxy held the bytes of links in the last second, mean, seconds; a value a link that carried any.
    Held,
    /// Links that are cut.
    Cut,
}

/// A figure of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoadFigure {
    /// Answers a second.
    Rate,
    /// Errors a second.
    ErrorRate,
    /// Median latency, seconds.
    P50,
    /// 90th percentile, seconds.
    P90,
    /// 99th percentile, seconds.
    P99,
    /// Answers since it began.
    Done,
    /// Errors since it began.
    Errors,
}

impl Step {
    /// What stands above it: the claim once it was `shown`, until then what it is about. A heading that gives the
    /// answer would leave nothing to predict.
    pub fn heading(&self, shown: bool) -> &str {
        self.topic.as_deref().filter(|_| !shown).unwrap_or(&self.text.title)
    }
}

impl Prediction {
    /// Whether `guess` is an answer to this question.
    pub fn takes(&self, guess: &Guess) -> bool {
        match (&self.answers, guess) {
            (_, Guess::Pass) => true,
            (Answers::Choices(choices), Guess::Choice { choice }) => (*choice as usize) < choices.len(),
            (Answers::Level { level, .. }, Guess::Level { level: drawn }) => {
                (level.min..=level.max).contains(drawn)
            }
            _ => false,
        }
    }
}
