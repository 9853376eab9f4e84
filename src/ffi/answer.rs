//! Answers to the bridge's questions.

use super::text::Text;

/// The answer to a question of the bridge.
#[repr(C)]
pub struct Answer {
    pub kind: i32,
    pub text: Text,
}

impl Answer {
    /// Nothing to say.
    pub const NONE: Answer = Answer { kind: 0, text: Text::NONE };
}
