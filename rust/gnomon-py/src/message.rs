//! Messages, options and queries.

use gnomon_core::wire::{self, Reason};
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use std::panic::{catch_unwind, AssertUnwindSafe};

type Options<'py> = Vec<(u16, Bound<'py, PyBytes>)>;
type EdnsArgument<'py> = (u8, u16, u16, Options<'py>);

/// A DNS message; the octets are read once, when it is made.
#[pyclass(frozen, module = "gnomon._core")]
pub struct Message {
    wire: Py<PyBytes>,
    inner: wire::Message,
}

#[pymethods]
impl Message {
    #[new]
    fn new(wire: Bound<'_, PyBytes>) -> Self {
        let octets = wire.as_bytes();
        let inner = catch_unwind(AssertUnwindSafe(|| wire::Message::parse(octets)))
            .unwrap_or_else(|_| wire::Message::unreadable(Reason::Internal));
        Self {
            wire: wire.unbind(),
            inner,
        }
    }

    #[getter]
    fn wire(&self, py: Python<'_>) -> Py<PyBytes> {
        self.wire.clone_ref(py)
    }

    #[getter]
    fn id(&self) -> u16 {
        self.inner.id()
    }

    #[getter]
    fn flags(&self) -> u16 {
        self.inner.flags()
    }

    #[getter]
    fn counts(&self) -> (u16, u16, u16, u16) {
        self.inner.counts().into()
    }

    #[getter]
    fn questions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(
            py,
            self.inner
                .questions()
                .map(|(name, qtype, qclass)| (PyBytes::new(py, name), qtype, qclass)),
        )
    }

    fn section<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyList>> {
        let records = self.inner.section(index);
        let records = records
            .ok_or_else(|| PyIndexError::new_err("a message has the sections 1, 2 and 3"))?;
        PyList::new(
            py,
            records.map(|r| {
                (
                    PyBytes::new(py, r.owner),
                    r.rtype,
                    r.rclass,
                    r.ttl,
                    PyBytes::new(py, r.rdata),
                )
            }),
        )
    }

    #[getter]
    fn opts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(
            py,
            self.inner.opts().map(|r| {
                (
                    r.rclass,
                    r.ttl,
                    PyBytes::new(py, r.rdata),
                    PyBytes::new(py, r.owner),
                )
            }),
        )
    }

    #[getter]
    fn malformed(&self) -> Option<(usize, &'static str, u8)> {
        self.inner
            .malformed()
            .map(|m| (m.offset, m.reason.code(), m.section))
    }

    #[getter]
    fn compressed_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.inner.compressed_types())
    }

    #[getter]
    fn trailing_octets(&self) -> usize {
        self.inner.trailing_octets()
    }
}

#[pyfunction]
fn parse_options<'py>(py: Python<'py>, rdata: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    let (options, complete) = wire::parse_options(rdata);
    let options = PyList::new(
        py,
        options
            .into_iter()
            .map(|(code, data)| (code, PyBytes::new(py, data))),
    )?;
    (options, complete).into_pyobject(py)
}

#[pyfunction]
#[pyo3(signature = (qname, qtype, qclass, flags, edns))]
fn compose_query<'py>(
    py: Python<'py>,
    qname: &[u8],
    qtype: u16,
    qclass: u16,
    flags: u16,
    edns: Option<EdnsArgument<'py>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let edns = edns
        .as_ref()
        .map(|(version, udp_size, flags, options)| wire::Edns {
            version: *version,
            udp_size: *udp_size,
            flags: *flags,
            options: options
                .iter()
                .map(|(code, data)| (*code, data.as_bytes()))
                .collect(),
        });
    let composed = guarded(|| wire::compose_query(qname, qtype, qclass, flags, edns.as_ref()))?;
    composed
        .map(|query| PyBytes::new(py, &query))
        .map_err(|error| PyValueError::new_err(error.sentence()))
}

/// Run core code; a panic in it becomes an ordinary RuntimeError.
pub fn guarded<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| PyRuntimeError::new_err("internal error in the native core"))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Message>()?;
    m.add_function(wrap_pyfunction!(parse_options, m)?)?;
    m.add_function(wrap_pyfunction!(compose_query, m)?)
}
