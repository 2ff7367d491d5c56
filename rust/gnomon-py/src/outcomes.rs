//! What checks found: the references of what shows it, and the verdicts that it becomes.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use crate::json::verdict_row;

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

/// A verdict as the named tuple `class`.
fn verdict<'py>(
    class: &Bound<'py, PyAny>,
    zone: &Bound<'py, PyString>,
    kind: &Bound<'py, PyTuple>,
    outcome: &Bound<'py, PyTuple>,
    notes: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = zone.py();
    let new = NEW.get_or_try_init(py, || {
        let new = PyType::new::<PyTuple>(py).getattr("__new__")?;
        PyResult::Ok(new.unbind())
    })?;
    let (before, after) = (kind.get_borrowed_item(6)?, kind.get_borrowed_item(7)?);
    let (row, args) = verdict_row(
        py,
        zone.to_str()?,
        before.cast::<PyString>()?.to_str()?,
        &outcome.get_item(4)?,
        after.cast::<PyString>()?.to_str()?,
        &outcome.get_item(1)?,
        outcome.get_item(2)?.cast::<PyTuple>()?,
        notes.as_any(),
    )?;
    let fields = PyTuple::new(
        py,
        [
            row.as_any(),
            args.as_any(),
            zone.as_any(),
            kind.as_any(),
            outcome.as_any(),
            notes.as_any(),
        ],
    )?;
    new.bind(py).call1((class, fields))
}

#[pyfunction]
fn judged<'py>(
    class: &Bound<'py, PyAny>,
    zone: &Bound<'py, PyString>,
    kinds: &Bound<'py, PyAny>,
    outcomes: &Bound<'py, PyAny>,
    lowest: i64,
) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
    let py = zone.py();
    let (plain, weighed) = (PyList::empty(py), PyList::empty(py));
    let no_notes = PyTuple::empty(py);
    for outcome in outcomes.try_iter()? {
        let outcome = outcome?.cast_into::<PyTuple>()?;
        let key = PyTuple::new(
            py,
            [outcome.get_borrowed_item(0)?, outcome.get_borrowed_item(3)?],
        )?;
        let of_kind = kinds.get_item(key)?.cast_into::<PyTuple>()?;
        let (level, kind) = (of_kind.get_borrowed_item(0)?, of_kind.get_item(1)?);
        if level.extract::<i64>()? < lowest {
            plain.append(verdict(class, zone, kind.cast()?, &outcome, &no_notes)?)?;
        } else {
            weighed.append((outcome, level))?;
        }
    }
    Ok((plain, weighed))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(references, m)?)?;
    m.add_function(wrap_pyfunction!(judged, m)?)
}
