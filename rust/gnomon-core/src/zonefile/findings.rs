//! What an audit finds: how often, and where first.

use super::store::Zone;
use crate::wire::put_name;
use std::collections::BTreeMap;

/// Most examples of one code.
pub const MAX_EXAMPLES: usize = 5;

/// One place where a code was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// The line of the (first) record, from 1; 0 where no record is meant.
    pub line: u32,
    /// The owner in presentation form.
    pub owner: String,
    /// The type, or what else tells the case from others; may be empty.
    pub detail: String,
}

/// All places of one code.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// How many.
    pub count: u64,
    /// The first ones in the file.
    pub examples: Vec<Example>,
}

/// Codes (check and condition, `records/duplicate`) with what was found.
#[derive(Clone, Debug, Default)]
pub struct Findings(BTreeMap<&'static str, Finding>);

impl Findings {
    /// The codes in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        self.0.iter().map(|(code, finding)| (*code, finding))
    }

    /// One more case at a name.
    pub(super) fn add(
        &mut self,
        code: &'static str,
        zone: &Zone,
        rank: u32,
        line: u32,
        detail: impl FnOnce() -> String,
    ) {
        self.put(code, line, || (name_text(&zone.name(rank)), detail()));
    }

    /// One more case.
    pub(super) fn put(
        &mut self,
        code: &'static str,
        line: u32,
        place: impl FnOnce() -> (String, String),
    ) {
        let finding = self.0.entry(code).or_default();
        finding.count += 1;
        let worst = finding.examples.last().map_or(0, |example| example.line);
        if finding.examples.len() < MAX_EXAMPLES || line < worst {
            let (owner, detail) = place();
            let example = Example {
                line,
                owner,
                detail,
            };
            let at = finding.examples.partition_point(|known| *known < example);
            finding.examples.insert(at, example);
            finding.examples.truncate(MAX_EXAMPLES);
        }
    }

    /// So many cases that need no example.
    pub(super) fn count(&mut self, code: &'static str, count: u64) {
        self.0.entry(code).or_default().count += count;
    }

    /// The cases of another audit of the same zone.
    pub(super) fn merge(&mut self, other: Self) {
        for (code, finding) in other.0 {
            let mine = self.0.entry(code).or_default();
            mine.count += finding.count;
            mine.examples.extend(finding.examples);
            mine.examples.sort();
            mine.examples.truncate(MAX_EXAMPLES);
        }
    }
}

/// A name in presentation form.
pub(super) fn name_text(name: &[u8]) -> String {
    let mut out = String::new();
    put_name(name, &mut out);
    out
}
