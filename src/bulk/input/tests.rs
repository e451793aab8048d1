#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{Cursor, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::bulk::rows::RowFormat;
use crate::operation::catalogue::Catalogue;
use crate::script::bundle::Bundle;
use crate::script::host::Host;
use crate::value::Value;

fn script() -> Script {
    let text = "/// @param pin secret  a secret\nfn main(n, pin) { n }\n";
    let source = ("main.rhai".to_owned(), text.to_owned());
    let bundle = Bundle::from_parts([source], []).unwrap();
    Script::compile(&Host::new(&Catalogue::new([])), bundle).unwrap()
}

fn rows(text: &str, format: RowFormat) -> Rows {
    Rows::open(Box::new(Cursor::new(text.as_bytes().to_vec())), format).unwrap()
}

/// A source that returns what is sent to it, waiting for it if needed.
struct Fed(Receiver<&'static [u8]>);

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.recv().unwrap_or_default();
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

fn fed(first: &'static [u8]) -> (Sender<&'static [u8]>, Input) {
    let (sender, source) = channel();
    sender.send(first).unwrap();
    let rows = Rows::detect(Box::new(Fed(source))).unwrap();
    (sender, Input::stream(rows).unwrap())
}

/// Takes batches until one has a row or is the last.
fn batch(input: &mut Input) -> Batch {
    loop {
        let batch = input.batch(9, &script());
        if !batch.rows.is_empty() || batch.then != AfterBatch::More {
            return batch;
        }
    }
}

#[test]
fn the_rows_before_a_broken_line_are_given_first() {
    let mut input = Input::rows(rows("n\n1\n2\n\"3\n4\n", RowFormat::Csv));
    let batch = input.batch(9, &script());
    assert_eq!(batch.rows.len(), 2);
    assert!(
        matches!(&batch.then, AfterBatch::ReadFailed(reason) if reason.contains("line 4")),
        "{:?}",
        batch.then
    );
    assert_eq!(input.taken(), 2);
}

#[test]
fn a_batch_respects_its_size_limit_and_the_last_is_marked() {
    let mut input = Input::rows(rows("n\n1\n2\n3\n", RowFormat::Csv));
    let first = input.batch(2, &script());
    assert_eq!((first.rows.len(), first.then), (2, AfterBatch::More));
    let second = input.batch(2, &script());
    assert_eq!((second.rows.len(), second.then), (1, AfterBatch::End));
    assert_eq!(second.rows[0].position, 2);
}

#[test]
fn a_slow_source_returns_the_rows_available_so_far() {
    let (more, mut input) = fed(b"n\n1\n");
    assert_eq!(batch(&mut input).rows.len(), 1);
    let nothing = input.batch(9, &script());
    assert_eq!((nothing.rows.len(), nothing.then), (0, AfterBatch::More));
    more.send(b"2\n").unwrap();
    assert_eq!(batch(&mut input).rows.len(), 1);
    drop(more);
    assert_eq!(batch(&mut input).then, AfterBatch::End);
}

#[test]
fn blank_csv_parameters_are_null_and_secret_parameters_are_sealed() {
    let cells = |input: &mut Input| cells_of(&input.batch(1, &script()).rows[0].input);
    let csv = cells(&mut Input::rows(rows("n,pin,o\n ,,\n", RowFormat::Csv)));
    let named = |name: &str, value: Value| (name.to_owned(), value);
    let expected = [
        named("n", Value::Null),
        named("pin", Value::Null),
        named("o", "".into()),
    ];
    assert_eq!(csv, expected);
    let mut json = Input::rows(rows("{\"n\": \"\", \"pin\": 4711}\n", RowFormat::JsonLines));
    let secret = crate::value::secret::Secret::new("4711");
    assert_eq!(
        cells(&mut json),
        [named("n", "".into()), named("pin", Value::Secret(secret))]
    );
}
