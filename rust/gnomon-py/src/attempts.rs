//! `Attempts`: what the engine heard, handed over as one object; nothing of it becomes an object of the interpreter
//! unless somebody looks at it.

use std::sync::Arc;

use gnomon_core::engine;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// One attempt as a batch and then a recording hold it.
pub struct Heard {
    pub tag: i64,
    pub attempt: u16,
    pub transport: u8,
    pub sent_at_ns: i64,
    pub rtt_us: Option<u32>,
    pub local_port: u16,
    pub status: u8,
    pub os_error: i32,
    pub query: Vec<u8>,
    pub response: Option<Vec<u8>>,
    pub last: bool,
}

impl From<engine::Attempt> for Heard {
    fn from(attempt: engine::Attempt) -> Self {
        Self {
            tag: attempt.tag,
            attempt: u16::try_from(attempt.attempt).unwrap_or(u16::MAX),
            transport: attempt.transport as u8,
            sent_at_ns: attempt.sent_at_ns,
            rtt_us: attempt.rtt_us,
            local_port: attempt.local_port,
            status: attempt.status as u8,
            os_error: attempt.code,
            query: attempt.query,
            response: attempt.response,
            last: attempt.last,
        }
    }
}

/// The fields of `gnomon.engine.Attempt` in their order.
type Fields<'a> = (
    i64,
    u16,
    u8,
    i64,
    Option<u32>,
    u16,
    u8,
    i32,
    &'a [u8],
    Option<&'a [u8]>,
    bool,
);

/// Tag, attempt, status, last, response.
type Head<'py> = (i64, u16, u8, bool, Option<Bound<'py, PyBytes>>);

#[pyclass(frozen, module = "gnomon._core")]
pub struct Attempts(Vec<Arc<Heard>>);

impl Attempts {
    pub fn new(taken: Vec<engine::Attempt>) -> Self {
        Self(
            taken
                .into_iter()
                .map(|attempt| Arc::new(attempt.into()))
                .collect(),
        )
    }

    pub fn all(&self) -> &[Arc<Heard>] {
        &self.0
    }

    pub fn get(&self, row: usize) -> PyResult<Arc<Heard>> {
        let heard = self.0.get(row).cloned();
        heard.ok_or_else(|| PyIndexError::new_err("no such attempt in this batch"))
    }
}

#[pymethods]
impl Attempts {
    #[new]
    fn of(attempts: &Bound<'_, PyAny>) -> PyResult<Self> {
        let heard = |fields: Bound<'_, PyAny>| -> PyResult<Arc<Heard>> {
            let (
                tag,
                attempt,
                transport,
                sent_at_ns,
                rtt_us,
                local_port,
                status,
                os_error,
                query,
                response,
                last,
            ): Fields<'_> = fields.extract()?;
            Ok(Arc::new(Heard {
                tag,
                attempt,
                transport,
                sent_at_ns,
                rtt_us,
                local_port,
                status,
                os_error,
                query: query.to_vec(),
                response: response.map(<[u8]>::to_vec),
                last,
            }))
        };
        let all = attempts.try_iter()?.map(|attempt| heard(attempt?));
        Ok(Self(all.collect::<PyResult<_>>()?))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn statuses<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let statuses: Vec<u8> = self.0.iter().map(|heard| heard.status).collect();
        PyBytes::new(py, &statuses)
    }

    fn heads<'py>(&self, py: Python<'py>) -> Vec<Head<'py>> {
        let head = |heard: &Arc<Heard>| {
            let response = heard.response.as_ref();
            (
                heard.tag,
                heard.attempt,
                heard.status,
                heard.last,
                response.map(|octets| PyBytes::new(py, octets)),
            )
        };
        self.0.iter().map(head).collect()
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Attempts>()
}
