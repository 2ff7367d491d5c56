//! What cannot be read of a master file.

use std::borrow::Cow;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The text is no record.
    Syntax,
    /// A quote or parenthesis without the other one.
    Unbalanced,
    /// A TTL that is none, or above 2147483647 seconds.
    Ttl,
    /// A type whose data is read in the form of RFC 3597 only.
    UnsupportedPresentation,
    /// An `$INCLUDE` that is not followed.
    IncludeRefused,
    /// A `$GENERATE` that makes no records, or more than [`MAX_GENERATED`](super::MAX_GENERATED).
    GenerateRefused,
    /// Another class than IN.
    Class,
    /// Reading stopped: more than a limit allows.
    Limit,
}

impl FaultKind {
    /// The stable word for this kind.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unbalanced => "unbalanced",
            Self::Ttl => "ttl",
            Self::UnsupportedPresentation => "unsupported-presentation",
            Self::IncludeRefused => "include-refused",
            Self::GenerateRefused => "generate-refused",
            Self::Class => "class",
            Self::Limit => "limit",
        }
    }
}

/// A place that cannot be read; what stands there is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1 (see [`Parser::line`](super::Parser::line)).
    pub line: u32,
    /// What kind of fault.
    pub kind: FaultKind,
    /// The reason, for a person.
    pub reason: Cow<'static, str>,
}
