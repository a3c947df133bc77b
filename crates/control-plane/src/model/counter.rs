//! How many tokens an answer took, as the provider says while the answer passes.

use serde::Deserialize;

/// The longest event that is looked into, and the longest answer that comes in one piece.
const LONGEST: usize = 4 << 20;

/// What a provider counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Tokens {
    #[serde(rename = "prompt_tokens")]
    pub(super) input: u64,
    #[serde(rename = "completion_tokens")]
    pub(super) output: u64,
}

#[derive(Deserialize)]
struct Counted {
    usage: Option<Tokens>,
}

/// Listens to an answer. Remembers no more of it than one line.
pub(super) struct Counter {
    streams: bool,
    line: Vec<u8>,
    /// Whether the rest of a line that is too long is still to come.
    skips: bool,
    last: Option<Tokens>,
}

impl Counter {
    pub(super) fn new(streams: bool) -> Self {
        Self { streams, line: Vec::new(), skips: false, last: None }
    }

    /// A piece of the answer passes.
    pub(super) fn hear(&mut self, piece: &[u8]) {
        if !self.streams {
            return self.keep(piece);
        }
        let mut lines = piece.split(|byte| *byte == b'\n');
        self.keep(lines.next().unwrap_or_default());
        for line in lines {
            self.end_of_line();
            self.keep(line);
        }
    }

    /// What was counted, if the provider said so.
    pub(super) fn told(mut self) -> Option<Tokens> {
        self.end_of_line();
        self.last
    }

    fn keep(&mut self, part: &[u8]) {
        if self.line.len() + part.len() > LONGEST {
            self.skips = true;
            self.line = Vec::new();
        }
        if !self.skips {
            self.line.extend_from_slice(part);
        }
    }

    fn end_of_line(&mut self) {
        let data = if self.streams { self.line.strip_prefix(b"data:") } else { Some(self.line.as_slice()) };
        if let Some(data) = data
            && !self.skips
            // Most pieces of an answer hold words alone.
            && data.windows(7).any(|window| window == b"\"usage\"")
            && let Ok(Counted { usage: Some(tokens) }) = serde_json::from_slice(data)
        {
            self.last = Some(tokens);
        }
        self.line.clear();
        self.skips = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a \\\"usage\\\" of\"}}],\"usage\":null}\r\n\r\n\
        : a comment\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,\"total_tokens\":12}}\n\n\
        data: [DONE]\n\n";

    fn heard(streams: bool, text: &str, size: usize) -> Option<Tokens> {
        let mut counter = Counter::new(streams);
        text.as_bytes().chunks(size).for_each(|piece| counter.hear(piece));
        counter.told()
    }

    #[test]
    fn the_count_is_heard_however_the_answer_is_cut() {
        for size in [1, 2, 3, 50, 1_000] {
            assert_eq!(heard(true, STREAM, size), Some(Tokens { input: 7, output: 5 }), "{size}");
            let whole = "{\n \"choices\": [],\n \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 4}\n}";
            assert_eq!(heard(false, whole, size), Some(Tokens { input: 3, output: 4 }), "{size}");
        }
    }

    #[test]
    fn what_a_model_says_is_no_count_and_neither_is_half_of_one() {
        let words = "data: {\"choices\":[{\"delta\":{\"content\":\"data: {\\\"usage\\\": {}}\"}}]}\n\n";
        for text in [words, "data: {\"usage\":{\"prompt_tokens\":7}}\n", "data: {\"usage\":{\"prompt_tok", "", "usage"]
        {
            assert_eq!(heard(true, text, 10), None, "{text}");
        }
    }

    #[test]
    fn a_line_without_end_is_forgotten_and_the_next_one_heard() {
        let mut counter = Counter::new(true);
        for _ in 0..5 {
            counter.hear(&vec![b'x'; 1 << 20]);
            assert!(counter.line.len() <= LONGEST);
        }
        counter.hear(b"\ndata: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n");
        assert_eq!(counter.told(), Some(Tokens { input: 1, output: 2 }));
    }
}
