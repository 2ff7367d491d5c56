//! Verdicts as the columns in which they are stored: texts as indices into the different ones, in the order in which
//! these first appear.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::ops::Range;

use pyo3::exceptions::PyOverflowError;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use rustc_hash::FxHashMap;

use crate::evidence::{fault, joined, Buffer};
use crate::json;

/// Mostly the same few objects come again and again: each is looked into once. Whoever asks keeps them alive.
type Known<T> = FxHashMap<*mut PyObject, T>;
/// Indices (int32), words.
type Texts<'py> = (Bound<'py, PyBytes>, Vec<String>);
/// Offsets (int32) of each row's texts and the end, then these texts.
type Lists<'py> = (Bound<'py, PyBytes>, Texts<'py>);
/// `_core.pyi` has the names of these columns.
type Columns<'py> = (Vec<Texts<'py>>, Bound<'py, PyBytes>, Lists<'py>, Lists<'py>);

/// Different texts in the order in which they first appear.
#[derive(Default)]
struct Words {
    places: HashMap<String, u32>,
    known: Known<u32>,
}

impl Words {
    fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.places.len() as u32;
        self.places.insert(text.to_owned(), place);
        place
    }

    fn place_of(&mut self, text: Borrowed<'_, '_, PyAny>) -> PyResult<u32> {
        if let Some(place) = self.known.get(&text.as_ptr()) {
            return Ok(*place);
        }
        let place = self.place(text.cast::<PyString>()?.to_str()?);
        self.known.insert(text.as_ptr(), place);
        Ok(place)
    }

    /// The place of the JSON of a value.
    fn place_as_json(&mut self, value: Borrowed<'_, '_, PyAny>) -> PyResult<u32> {
        if let Some(place) = self.known.get(&value.as_ptr()) {
            return Ok(*place);
        }
        let place = self.place(&json::text(&value)?);
        self.known.insert(value.as_ptr(), place);
        Ok(place)
    }

    fn in_order(self) -> Vec<String> {
        let mut words: Vec<_> = self.places.into_iter().collect();
        words.sort_unstable_by_key(|(_, place)| *place);
        words.into_iter().map(|(word, _)| word).collect()
    }
}

/// A column with one text in each row.
#[derive(Default)]
struct Column {
    words: Words,
    indices: Vec<u32>,
}

impl Column {
    fn push(&mut self, place: impl FnOnce(&mut Words) -> PyResult<u32>) -> PyResult<()> {
        let index = place(&mut self.words)?;
        self.indices.push(index);
        Ok(())
    }

    fn give<'py>(self, py: Python<'py>) -> Texts<'py> {
        let octets = joined(self.indices.iter().map(|index| index.to_le_bytes()));
        (PyBytes::new(py, &octets), self.words.in_order())
    }
}

/// A column with a list of texts in each row.
#[derive(Default)]
struct ListColumn {
    texts: Column,
    ends: Vec<usize>,
    /// Where the texts of a list stand that came before: many verdicts rest on the same exchanges.
    known: Known<Range<usize>>,
}

impl ListColumn {
    fn push(&mut self, list: Borrowed<'_, '_, PyAny>) -> PyResult<()> {
        let indices = &mut self.texts.indices;
        match self.known.entry(list.as_ptr()) {
            Entry::Occupied(known) => indices.extend_from_within(known.get().clone()),
            Entry::Vacant(new) => {
                let start = indices.len();
                for text in list.cast::<PyTuple>()?.iter_borrowed() {
                    indices.push(self.texts.words.place_of(text)?);
                }
                new.insert(start..indices.len());
            }
        }
        self.ends.push(indices.len());
        Ok(())
    }

    fn give<'py>(self, py: Python<'py>) -> PyResult<Lists<'py>> {
        if i32::try_from(self.texts.indices.len()).is_err() {
            let what = "more than 2^31 references in the verdicts of one batch";
            return Err(PyOverflowError::new_err(what));
        }
        let ends = joined(
            [0].iter()
                .chain(&self.ends)
                .map(|end| (*end as u32).to_le_bytes()),
        );
        Ok((PyBytes::new(py, &ends), self.texts.give(py)))
    }
}

/// What all verdicts of one kind have in common: an index in each of the first columns, and the version.
type OfKind = ([u32; 5], [u8; 4]);

#[pyfunction]
fn verdict_columns<'py>(
    py: Python<'py>,
    verdicts: Vec<Bound<'py, PyTuple>>,
    profile: &str,
) -> PyResult<Columns<'py>> {
    let mut of_kinds: [Column; 5] = Default::default();
    let mut kinds: Known<OfKind> = Known::default();
    let (mut subjects, mut args) = (Column::default(), Column::default());
    let (mut explanations, mut profiles) = (Column::default(), Column::default());
    let (mut properties, mut evidence) = (ListColumn::default(), ListColumn::default());
    let mut versions = Vec::with_capacity(verdicts.len());
    for verdict in &verdicts {
        let kind = verdict.get_borrowed_item(3)?.cast::<PyTuple>()?;
        let outcome = verdict.get_borrowed_item(4)?.cast::<PyTuple>()?;
        let (indices, version) = match kinds.entry(kind.as_ptr()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(of_kind(&mut of_kinds, &kind)?),
        };
        for (column, index) in of_kinds.iter_mut().zip(indices) {
            column.indices.push(index);
        }
        versions.push(version);
        properties.push(kind.get_borrowed_item(2)?)?;
        evidence.push(outcome.get_borrowed_item(2)?)?;
        subjects.push(|words| words.place_of(outcome.get_borrowed_item(4)?))?;
        // These are hardly ever the same object.
        let args_json = verdict.get_borrowed_item(1)?.cast::<PyString>()?;
        args.push(|words| Ok(words.place(args_json.to_str()?)))?;
        explanations.push(|words| words.place_as_json(verdict.get_borrowed_item(5)?))?;
    }
    profiles.words.place(profile);
    profiles.indices.resize(verdicts.len(), 0);
    let columns = of_kinds.into_iter();
    let texts = columns.chain([subjects, args, explanations, profiles]);
    Ok((
        texts.map(|column| column.give(py)).collect(),
        PyBytes::new(py, &joined(versions.into_iter())),
        properties.give(py)?,
        evidence.give(py)?,
    ))
}

fn of_kind(columns: &mut [Column; 5], kind: &Bound<'_, PyTuple>) -> PyResult<OfKind> {
    let properties = kind.get_borrowed_item(2)?.cast::<PyTuple>()?;
    let [check_id, property, code, state, level] = columns;
    let indices = [
        check_id.words.place_of(kind.get_borrowed_item(0)?)?,
        property.words.place_of(properties.get_borrowed_item(0)?)?,
        code.words.place_of(kind.get_borrowed_item(3)?)?,
        state.words.place_of(kind.get_borrowed_item(4)?)?,
        level.words.place_of(kind.get_borrowed_item(5)?)?,
    ];
    let version: i32 = kind.get_borrowed_item(1)?.extract()?;
    Ok((indices, version.to_le_bytes()))
}

/// Indices of only those of `count` words that are used, in the order in which these first appear, and the places of
/// these words; None if the indices are so already.
#[pyfunction]
fn renumbered<'py>(
    py: Python<'py>,
    indices: Buffer,
    count: usize,
) -> PyResult<Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
    let mut places: Vec<Option<u32>> = vec![None; count];
    let mut used = Vec::new();
    let mut out = Vec::new();
    let mut same = true;
    for index in indices.rows(0, usize::MAX, u32::from_le_bytes) {
        let Some(place) = places.get_mut(index as usize) else {
            return Err(fault("an index beyond the words"));
        };
        let new = *place.get_or_insert_with(|| {
            used.push(index.to_le_bytes());
            (used.len() - 1) as u32
        });
        same &= new == index;
        out.push(new.to_le_bytes());
    }
    if same && used.len() == count {
        return Ok(None);
    }
    let octets = |values: Vec<[u8; 4]>| PyBytes::new(py, &joined(values.into_iter()));
    Ok(Some((octets(out), octets(used))))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(verdict_columns, m)?)?;
    m.add_function(wrap_pyfunction!(renumbered, m)?)
}
