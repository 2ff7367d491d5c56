//! What is computed once for an object: functions of it, and its properties.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use std::sync::OnceLock;

/// A function that keeps what it gave in the `_memo` of its first argument, by the others.
#[pyclass(frozen, dict, module = "gnomon.base.once")]
struct Once {
    make: Py<PyAny>,
}

#[pymethods]
impl Once {
    #[new]
    const fn new(make: Py<PyAny>) -> Self {
        Self { make }
    }

    #[pyo3(signature = (*args))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let memo = args.get_item(0)?.getattr(intern!(py, "_memo"))?;
        let memo = memo.cast_into::<PyDict>()?;
        if args.len() == 1 {
            return slf.get().made(&memo, slf, args);
        }
        // By the function itself: what it gives without further arguments is kept by this object.
        let make = slf.get().make.bind(py);
        let by_rest = match memo.get_item(make)? {
            Some(by_rest) => by_rest.cast_into()?,
            None => {
                let by_rest = PyDict::new(py);
                memo.set_item(make, &by_rest)?;
                by_rest
            }
        };
        let rest = args.get_slice(1, args.len());
        slf.get().made(&by_rest, &rest, args)
    }
}

impl Once {
    fn made<'py>(
        &self,
        kept: &Bound<'py, PyDict>,
        key: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(made) = kept.get_item(key)? {
            return Ok(made);
        }
        let made = self.make.bind(kept.py()).call1(args)?;
        kept.set_item(key, &made)?;
        Ok(made)
    }
}

/// As `functools.cached_property`, which takes a lock for it and steps of the interpreter.
#[pyclass(frozen, dict, module = "gnomon.base.once", name = "cached_property")]
struct CachedProperty {
    make: Py<PyAny>,
    name: OnceLock<Py<PyString>>,
}

#[pymethods]
impl CachedProperty {
    #[new]
    fn new(make: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            make: make.clone().unbind(),
            name: OnceLock::new(),
        })
    }

    fn __set_name__(&self, _owner: &Bound<'_, PyAny>, name: Py<PyString>) {
        let _ = self.name.set(name);
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        of: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if of.is_none() {
            return Ok(slf.clone().into_any());
        }
        let made = slf.get().make.bind(py).call1((of,))?;
        let values = of.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        values.set_item(slf.get().name.get().map(|name| name.bind(py)), &made)?;
        Ok(made)
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Once>()?;
    m.add_class::<CachedProperty>()
}
