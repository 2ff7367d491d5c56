//! JSON in one fixed form.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};
use std::fmt::Write;

/// What is nested deeper is left to Python, which knows where to stop.
const MAX_DEPTH: usize = 8;

/// Whether nothing in the text has to be escaped.
fn is_plain(text: &str) -> bool {
    let is_plain = |octet: u8| matches!(octet, b' '..=b'~') && octet != b'"' && octet != b'\\';
    text.bytes().all(is_plain)
}

fn put_quoted(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// What is rare: by Python's own encoder.
fn put_other(value: &Bound<'_, PyAny>, out: &mut String) -> PyResult<()> {
    static ENCODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let encode = ENCODE.get_or_try_init(py, || {
        let settings = PyDict::new(py);
        settings.set_item("sort_keys", true)?;
        settings.set_item("separators", (",", ":"))?;
        let encoder = py.import("json")?.getattr("JSONEncoder")?;
        let encode = encoder.call((), Some(&settings))?.getattr("encode")?;
        PyResult::Ok(encode.unbind())
    })?;
    out.push_str(
        encode
            .bind(py)
            .call1((value,))?
            .cast::<PyString>()?
            .to_str()?,
    );
    Ok(())
}

fn put_all<'py>(
    values: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
    out: &mut String,
) -> PyResult<()> {
    out.push('[');
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push(',');
        }
        put_at(&value, depth, out)?;
    }
    out.push(']');
    Ok(())
}

/// The members in the order of their names; false if a name has to be escaped or is none.
fn put_dict(dict: &Bound<'_, PyDict>, depth: usize, out: &mut String) -> PyResult<bool> {
    let mut members = Vec::with_capacity(dict.len());
    for (name, value) in dict {
        match name.extract::<PyBackedStr>() {
            Ok(name) if is_plain(&name) => members.push((name, value)),
            _ => return Ok(false),
        }
    }
    members.sort_by(|(one, _), (two, _)| one.cmp(two));
    out.push('{');
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        put_quoted(name, out);
        out.push(':');
        put_at(value, depth, out)?;
    }
    out.push('}');
    Ok(true)
}

fn put_at(value: &Bound<'_, PyAny>, depth: usize, out: &mut String) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        if let Some(text) = text.to_str().ok().filter(|text| is_plain(text)) {
            put_quoted(text, out);
            return Ok(());
        }
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.push_str(if flag.is_true() { "true" } else { "false" });
        return Ok(());
    } else if let Ok(number) = value.cast::<PyInt>() {
        if let Ok(number) = number.extract::<i64>() {
            let _ = write!(out, "{number}");
            return Ok(());
        }
    } else if value.is_none() {
        out.push_str("null");
        return Ok(());
    } else if depth < MAX_DEPTH {
        if let Ok(tuple) = value.cast::<PyTuple>() {
            return put_all(tuple.iter(), depth + 1, out);
        }
        if let Ok(list) = value.cast::<PyList>() {
            return put_all(list.iter(), depth + 1, out);
        }
        if let Ok(dict) = value.cast::<PyDict>() {
            if put_dict(dict, depth + 1, out)? {
                return Ok(());
            }
        }
    }
    put_other(value, out)
}

/// The value as JSON, after what is there.
pub fn put(value: &Bound<'_, PyAny>, out: &mut String) -> PyResult<()> {
    put_at(value, 0, out)
}

/// The value as JSON.
pub fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut out = String::new();
    put(value, &mut out)?;
    Ok(out)
}

#[pyfunction]
fn canonical(value: &Bound<'_, PyAny>) -> PyResult<String> {
    text(value)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(canonical, m)?)
}
