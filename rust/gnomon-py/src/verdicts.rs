//! Verdicts as the columns in which they are stored: texts as indices into the different ones, in the order in which
//! these first appear.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use ring::digest::{Context, SHA256};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::hash::BuildHasher;
use std::ops::Range;

use crate::evidence::{fault, Buffer};
use crate::known::HASHER;
use crate::outcomes::Judged;

/// By the address of an object that is alive: mostly the same few come again and again.
type Known<T> = FxHashMap<usize, T>;
/// Where each word begins and the last one ends (int32), then the words.
type Octets<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);
/// Indices (int32), words.
type Texts<'py> = (Bound<'py, PyBytes>, Octets<'py>);
/// Where each row's texts begin and the last one's end (int32), then these texts.
type Lists<'py> = (Bound<'py, PyBytes>, Texts<'py>);
/// `_core.pyi` has the names of these columns.
type Columns<'py> = (Vec<Texts<'py>>, Bound<'py, PyBytes>, [Lists<'py>; 2]);

/// Different texts in the order in which they first appear.
#[derive(Default)]
struct Words {
    /// By a number made of the text, or the next free one.
    places: FxHashMap<u64, u32>,
    ends: Vec<u32>,
    octets: String,
}

impl Words {
    fn place(&mut self, text: &str) -> u32 {
        let mut number = HASHER.hash_one(text);
        while let Some(place) = self.places.get(&number) {
            if self.word(*place) == Some(text) {
                return *place;
            }
            number = number.wrapping_add(1);
        }
        let place = self.ends.len() as u32;
        self.places.insert(number, place);
        self.octets.push_str(text);
        self.ends.push(self.octets.len() as u32);
        place
    }

    fn place_of(&mut self, text: Borrowed<'_, '_, PyAny>) -> PyResult<u32> {
        Ok(self.place(text.cast::<PyString>()?.to_str()?))
    }

    fn word(&self, place: u32) -> Option<&str> {
        let place = place as usize;
        let start = place
            .checked_sub(1)
            .map_or(Some(&0), |at| self.ends.get(at))?;
        let end = self.ends.get(place)?;
        self.octets.get(*start as usize..*end as usize)
    }

    fn give<'py>(&self, py: Python<'py>) -> PyResult<Octets<'py>> {
        let octets = PyBytes::new(py, self.octets.as_bytes());
        Ok((offsets(py, &self.ends, self.octets.len())?, octets))
    }
}

fn int32<'py>(py: Python<'py>, numbers: &[u32]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, 4 * numbers.len(), |out| {
        for (place, number) in out.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        Ok(())
    })
}

/// Where each of some things begins and the last one ends, which is at `size`.
fn offsets<'py>(py: Python<'py>, ends: &[u32], size: usize) -> PyResult<Bound<'py, PyBytes>> {
    if i32::try_from(size).is_err() {
        let what = "more than 2^31 references or octets of text in one table of verdicts";
        return Err(PyOverflowError::new_err(what));
    }
    int32(py, &[&[0], ends].concat())
}

/// A column with one text in each row.
#[derive(Default)]
struct Column {
    words: Words,
    indices: Vec<u32>,
}

impl Column {
    fn push(&mut self, text: &str) {
        let place = self.words.place(text);
        self.indices.push(place);
    }

    fn give<'py>(&self, py: Python<'py>) -> PyResult<Texts<'py>> {
        Ok((int32(py, &self.indices)?, self.words.give(py)?))
    }
}

/// A column with a list of texts in each row.
#[derive(Default)]
struct ListColumn {
    texts: Column,
    ends: Vec<u32>,
}

impl ListColumn {
    fn end_row(&mut self) {
        self.ends.push(self.texts.indices.len() as u32);
    }

    /// The texts of a row that came before, once more.
    fn repeat(&mut self, row: &Range<usize>) {
        self.texts.indices.extend_from_within(row.clone());
        self.end_row();
    }

    /// The texts of a row, each found by `place`; returns where they stand.
    fn push<'py>(
        &mut self,
        row: &Bound<'py, PyTuple>,
        mut place: impl FnMut(&mut Words, Borrowed<'_, 'py, PyAny>) -> PyResult<u32>,
    ) -> PyResult<Range<usize>> {
        let start = self.texts.indices.len();
        for text in row.iter_borrowed() {
            let index = place(&mut self.texts.words, text)?;
            self.texts.indices.push(index);
        }
        self.end_row();
        Ok(start..self.texts.indices.len())
    }

    fn give<'py>(&self, py: Python<'py>) -> PyResult<Lists<'py>> {
        let ends = offsets(py, &self.ends, self.texts.indices.len())?;
        Ok((ends, self.texts.give(py)?))
    }
}

/// What all verdicts of one kind have in common: an index in each of the columns of kinds, properties, the version.
struct OfKind {
    kind: Py<PyTuple>,
    indices: [u32; 5],
    properties: Range<usize>,
    version: u32,
    count: usize,
}

/// The verdicts of one zone after another as columns.
#[pyclass(module = "gnomon._core")]
#[derive(Default)]
struct VerdictColumns {
    kinds: Known<OfKind>,
    of_kinds: [Column; 5],
    properties: ListColumn,
    versions: Vec<u32>,
    zones: Column,
    subjects: Column,
    args: Column,
    evidence: ListColumn,
    explanations: Column,
}

#[pymethods]
impl VerdictColumns {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn add(
        &mut self,
        py: Python<'_>,
        zone: &str,
        verdicts: Vec<Bound<'_, Judged>>,
    ) -> PyResult<String> {
        let (mut digest, mut row) = (Context::new(&SHA256), String::new());
        let (mut refs, mut lists) = (Known::<u32>::default(), Known::<Range<usize>>::default());
        for (place, verdict) in verdicts.iter().map(Bound::get).enumerate() {
            row.clear();
            if place > 0 {
                row.push('\n');
            }
            verdict.put_row(py, &mut row)?;
            digest.update(row.as_bytes());
            self.add_kind(verdict.kind(py))?;
            self.zones.push(zone);
            self.subjects.push(verdict.subject(py)?.to_str()?);
            self.args.push(verdict.args_json());
            self.explanations.push(verdict.explanation_json());
            let evidence = verdict.evidence(py)?;
            match lists.entry(evidence.as_ptr() as usize) {
                Entry::Occupied(known) => self.evidence.repeat(known.get()),
                Entry::Vacant(new) => {
                    new.insert(self.evidence.push(&evidence, |words, text| {
                        Ok(match refs.entry(text.as_ptr() as usize) {
                            Entry::Occupied(known) => *known.get(),
                            Entry::Vacant(new) => *new.insert(words.place_of(text)?),
                        })
                    })?);
                }
            }
        }
        let mut out = String::new();
        for octet in digest.finish().as_ref() {
            let _ = write!(out, "{octet:02x}");
        }
        Ok(out)
    }

    /// Each kind with the number of its verdicts.
    #[getter]
    fn kinds(&self, py: Python<'_>) -> Vec<(Py<PyTuple>, usize)> {
        let kinds = self.kinds.values();
        kinds.map(|of| (of.kind.clone_ref(py), of.count)).collect()
    }

    fn columns<'py>(&self, py: Python<'py>, profile: &str) -> PyResult<Columns<'py>> {
        let mut profiles = Column::default();
        profiles.words.place(profile);
        profiles.indices.resize(self.versions.len(), 0);
        let others = [
            &self.zones,
            &self.subjects,
            &self.args,
            &self.explanations,
            &profiles,
        ];
        let texts = self.of_kinds.iter().chain(others);
        Ok((
            texts
                .map(|column| column.give(py))
                .collect::<PyResult<_>>()?,
            int32(py, &self.versions)?,
            [self.properties.give(py)?, self.evidence.give(py)?],
        ))
    }
}

impl VerdictColumns {
    fn add_kind(&mut self, kind: &Bound<'_, PyTuple>) -> PyResult<()> {
        let of = match self.kinds.entry(kind.as_ptr() as usize) {
            Entry::Occupied(known) => {
                let of = known.into_mut();
                self.properties.repeat(&of.properties);
                of
            }
            Entry::Vacant(new) => {
                let properties = kind.get_item(2)?.cast_into::<PyTuple>()?;
                let [check_id, property, code, state, level] = &mut self.of_kinds;
                new.insert(OfKind {
                    kind: kind.clone().unbind(),
                    indices: [
                        check_id.words.place_of(kind.get_borrowed_item(0)?)?,
                        property.words.place_of(properties.get_borrowed_item(0)?)?,
                        code.words.place_of(kind.get_borrowed_item(3)?)?,
                        state.words.place_of(kind.get_borrowed_item(4)?)?,
                        level.words.place_of(kind.get_borrowed_item(5)?)?,
                    ],
                    properties: self.properties.push(&properties, Words::place_of)?,
                    version: kind.get_borrowed_item(1)?.extract()?,
                    count: 0,
                })
            }
        };
        of.count += 1;
        for (column, index) in self.of_kinds.iter_mut().zip(of.indices) {
            column.indices.push(index);
        }
        self.versions.push(of.version);
        Ok(())
    }
}

/// The texts of one table; `places` are those of its words among the words taken.
struct Part {
    indices: Vec<u32>,
    ends: Vec<u32>,
    octets: Buffer,
    places: Vec<Option<u32>>,
}

impl Part {
    fn word(&self, index: u32) -> Option<&str> {
        let ends = self.ends.get(index as usize..)?;
        let (start, end) = (*ends.first()?, *ends.get(1)?);
        std::str::from_utf8(self.octets.0.get(start as usize..end as usize)?).ok()
    }

    /// Append texts to a column.
    fn put(&mut self, texts: Range<usize>, to: &mut Column) -> Option<()> {
        for text in texts {
            let index = *self.indices.get(text)?;
            let place = match *self.places.get(index as usize)? {
                Some(place) => place,
                None => {
                    let place = to.words.place(self.word(index)?);
                    *self.places.get_mut(index as usize)? = Some(place);
                    place
                }
            };
            to.indices.push(place);
        }
        Some(())
    }
}

/// The same column of several tables: texts, or lists of them with where each row's begin and the last one's end.
#[pyclass(module = "gnomon._core")]
struct TextColumn {
    parts: Vec<(Option<Vec<u32>>, Part)>,
}

#[pymethods]
impl TextColumn {
    #[new]
    fn new(parts: Vec<(Option<Buffer>, Buffer, (Buffer, Buffer))>) -> Self {
        let numbers = |octets: Buffer| octets.rows(0, usize::MAX, u32::from_le_bytes);
        let parts = parts.into_iter().map(|(rows, indices, (ends, octets))| {
            let part = Part {
                indices: numbers(indices),
                ends: numbers(ends),
                octets,
                places: Vec::new(),
            };
            (rows.map(numbers), part)
        });
        Self {
            parts: parts.collect(),
        }
    }

    fn take<'py>(
        &mut self,
        py: Python<'py>,
        pieces: Vec<(usize, usize, usize)>,
    ) -> PyResult<(Bound<'py, PyBytes>, Texts<'py>)> {
        for (_, part) in &mut self.parts {
            part.places.clear();
            part.places.resize(part.ends.len().saturating_sub(1), None);
        }
        let mut out = ListColumn::default();
        for (part, first, count) in pieces {
            self.put(part, first..first.saturating_add(count), &mut out)
                .ok_or_else(|| fault("rows or words that the tables do not have"))?;
        }
        out.give(py)
    }
}

impl TextColumn {
    fn put(&mut self, part: usize, rows: Range<usize>, to: &mut ListColumn) -> Option<()> {
        let (ends, part) = self.parts.get_mut(part)?;
        let Some(ends) = ends else {
            return part.put(rows, &mut to.texts);
        };
        for row in rows {
            let (start, end) = (*ends.get(row)?, *ends.get(row + 1)?);
            part.put(start as usize..end as usize, &mut to.texts)?;
            to.end_row();
        }
        Some(())
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<VerdictColumns>()?;
    m.add_class::<TextColumn>()
}
