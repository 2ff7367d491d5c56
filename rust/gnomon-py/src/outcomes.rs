//! What checks found: the references of what shows it, and the verdicts that it becomes.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::json;

/// The references that the exchanges keep, if these are `Shown`.
fn put_together<'py>(item: Borrowed<'_, 'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    if !item.is_instance_of::<PyTuple>() || item.is_exact_instance_of::<PyTuple>() {
        return Ok(None);
    }
    let refs = item.getattr(intern!(item.py(), "refs"))?;
    Ok(Some(refs.cast_into()?))
}

fn put_all<'py>(found: &Bound<'py, PyDict>, item: Borrowed<'_, 'py, PyAny>) -> PyResult<()> {
    let py = item.py();
    let put = |reference: Bound<'py, PyAny>| -> PyResult<()> {
        if reference.is_none() {
            return Ok(()); // of an exchange that is in no segment
        }
        found.set_item(reference, py.None())
    };
    if let Ok(exchanges) = item.cast_exact::<PyTuple>() {
        for exchange in exchanges.iter_borrowed() {
            put(exchange.getattr(intern!(py, "ref"))?)?;
        }
    } else if let Some(refs) = put_together(item)? {
        for reference in refs.iter_borrowed() {
            put(reference.to_owned())?;
        }
    } else if let Some(reference) = item.getattr_opt(intern!(py, "ref"))? {
        put(reference)?;
    } else {
        for exchange in item.try_iter()? {
            put(exchange?.getattr(intern!(py, "ref"))?)?;
        }
    }
    Ok(())
}

#[pyfunction]
fn references<'py>(evidence: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
    let py = evidence.py();
    if evidence.len() == 1 {
        let only = evidence.get_borrowed_item(0)?;
        if let Some(refs) = put_together(only)? {
            return Ok(refs);
        }
    }
    let found = PyDict::new(py);
    for item in evidence.iter_borrowed() {
        put_all(&found, item)?;
    }
    Ok(found.keys().to_tuple())
}

/// A verdict in the forms in which it is stored.
#[pyclass(frozen, module = "gnomon._core")]
pub struct Judged {
    #[pyo3(get)]
    zone: Py<PyString>,
    #[pyo3(get)]
    kind: Py<PyTuple>,
    #[pyo3(get)]
    outcome: Py<PyTuple>,
    #[pyo3(get)]
    explanation: Py<PyTuple>,
    /// The row before its references, which are by far the most of it and stay apart.
    pub start: Box<str>,
    /// Where in it the args begin.
    args_at: usize,
    /// The explanation in the row; None for one without notes.
    notes: Option<Box<str>>,
}

#[pymethods]
impl Judged {
    #[new]
    fn new<'py>(
        zone: &Bound<'py, PyString>,
        kind: &Bound<'py, PyTuple>,
        outcome: &Bound<'py, PyTuple>,
        explanation: &Bound<'py, PyTuple>,
    ) -> PyResult<Self> {
        Self::made(zone, kind, outcome, explanation, &mut String::new())
    }

    #[getter]
    pub fn row(&self, py: Python<'_>) -> PyResult<String> {
        let mut row = String::new();
        self.put_row(py, &mut row)?;
        Ok(row)
    }

    #[getter]
    pub fn args_json(&self) -> &str {
        self.start.get(self.args_at..).unwrap_or_default()
    }
}

impl Judged {
    /// `room` is where the start is put together.
    fn made<'py>(
        zone: &Bound<'py, PyString>,
        kind: &Bound<'py, PyTuple>,
        outcome: &Bound<'py, PyTuple>,
        explanation: &Bound<'py, PyTuple>,
        room: &mut String,
    ) -> PyResult<Self> {
        let (before, after) = (kind.get_borrowed_item(6)?, kind.get_borrowed_item(7)?);
        room.clear();
        room.push('[');
        json::put(zone.as_any(), room)?;
        room.push_str(before.cast::<PyString>()?.to_str()?);
        json::put(&*outcome.get_borrowed_item(4)?, room)?;
        room.push_str(after.cast::<PyString>()?.to_str()?);
        let args_at = room.len();
        json::put(&*outcome.get_borrowed_item(1)?, room)?;
        let notes = match explanation.is_empty() {
            true => None,
            false => Some(json::text(explanation.as_any())?.into()),
        };
        Ok(Self {
            zone: zone.clone().unbind(),
            kind: kind.clone().unbind(),
            outcome: outcome.clone().unbind(),
            explanation: explanation.clone().unbind(),
            start: room.as_str().into(),
            args_at,
            notes,
        })
    }

    pub fn put_row(&self, py: Python<'_>, row: &mut String) -> PyResult<()> {
        row.push_str(&self.start);
        row.push_str(",[");
        for (place, reference) in self.evidence(py)?.iter_borrowed().enumerate() {
            row.push_str(if place > 0 { ",\"" } else { "\"" });
            row.push_str(reference.cast::<PyString>()?.to_str()?);
            row.push('"');
        }
        row.push_str("],");
        row.push_str(self.explanation_json());
        row.push(']');
        Ok(())
    }

    pub fn kind<'py>(&self, py: Python<'py>) -> &Bound<'py, PyTuple> {
        self.kind.bind(py)
    }

    /// The references.
    pub fn evidence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        Ok(self.outcome.bind(py).get_item(2)?.cast_into()?)
    }

    pub fn subject<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(self.outcome.bind(py).get_item(4)?.cast_into()?)
    }

    pub fn explanation_json(&self) -> &str {
        self.notes.as_deref().unwrap_or("[]")
    }
}

#[pyfunction]
fn judged<'py>(
    zone: &Bound<'py, PyString>,
    kinds: &Bound<'py, PyAny>,
    outcomes: &Bound<'py, PyAny>,
    lowest: i64,
) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
    let py = zone.py();
    let (plain, weighed) = (PyList::empty(py), PyList::empty(py));
    let (no_notes, mut room) = (PyTuple::empty(py), String::new());
    for outcome in outcomes.try_iter()? {
        let outcome = outcome?.cast_into::<PyTuple>()?;
        let key = PyTuple::new(
            py,
            [outcome.get_borrowed_item(0)?, outcome.get_borrowed_item(3)?],
        )?;
        let of_kind = kinds.get_item(key)?.cast_into::<PyTuple>()?;
        let (level, kind) = (of_kind.get_borrowed_item(0)?, of_kind.get_borrowed_item(1)?);
        if level.extract::<i64>()? < lowest {
            let made = Judged::made(zone, &*kind.cast()?, &outcome, &no_notes, &mut room)?;
            plain.append(made)?;
        } else {
            weighed.append((outcome, level))?;
        }
    }
    Ok((plain, weighed))
}

/// By their rows.
#[pyfunction]
fn in_order(mut verdicts: Vec<Bound<'_, Judged>>) -> PyResult<Vec<Bound<'_, Judged>>> {
    verdicts.sort_by(|one, two| one.get().start.cmp(&two.get().start));
    // Few have the same start: only they need their rows.
    for same in verdicts.chunk_by_mut(|one, two| one.get().start == two.get().start) {
        if same.len() > 1 {
            let row = |one: &Bound<'_, Judged>| one.get().row(one.py());
            let rows = same.iter().map(row).collect::<PyResult<Vec<_>>>()?;
            let mut by_row: Vec<_> = rows.into_iter().zip(same.to_vec()).collect();
            by_row.sort_by(|(one, _), (two, _)| one.cmp(two));
            for (place, (_, verdict)) in same.iter_mut().zip(by_row) {
                *place = verdict;
            }
        }
    }
    Ok(verdicts)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Judged>()?;
    m.add_function(wrap_pyfunction!(references, m)?)?;
    m.add_function(wrap_pyfunction!(judged, m)?)?;
    m.add_function(wrap_pyfunction!(in_order, m)?)
}
