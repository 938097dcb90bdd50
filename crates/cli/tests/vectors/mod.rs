//! The messages of `crates/codec/tests/vectors`, whose README tells what they are.

/// Messages that KX's own code was seen to emit.
pub(crate) fn public() -> Vec<Row> {
    rows(include_str!("../../../codec/tests/vectors/public.jsonl"))
}

/// Messages before and after compression.
pub(crate) fn compressed() -> Vec<Row> {
    rows(include_str!(
        "../../../codec/tests/vectors/compressed_public.jsonl"
    ))
}

/// A line of a file of vectors.
pub(crate) struct Row(serde_json::Value);

impl Row {
    /// A text that each row has.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.get(field).expect("a text")
    }

    /// A text that some rows have.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.0[field].as_str()
    }
}

/// One of these texts of each row as a line.
pub(crate) fn lines<'a>(rows: impl IntoIterator<Item = &'a Row>, field: &str) -> String {
    rows.into_iter()
        .flat_map(|row| [row.text(field), "\n"])
        .collect()
}

fn rows(lines: &str) -> Vec<Row> {
    let rows = lines.lines().map(serde_json::from_str);
    rows.map(|row| Row(row.expect("JSON"))).collect()
}
