//! `Queries`: what the engine is to send, handed over as one object.

use std::net::SocketAddr;
use std::time::Duration;

use gnomon_core::engine::{Submission, Transport};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::engine::ip;

const HEADER_OCTETS: usize = 12;

/// The fields of `gnomon.engine.Query` in their order, names and addresses in wire form and as text.
type Row<'py> = (
    i64,
    String,
    Bound<'py, PyBytes>,
    u8,
    u16,
    u32,
    u32,
    bool,
    bool,
    Option<Bound<'py, PyBytes>>,
);

#[pyclass(module = "gnomon._core")]
#[derive(Default)]
pub struct Queries(Vec<Submission>);

impl Queries {
    /// Take out the first ones, at most `most`.
    pub fn take_first(&mut self, most: usize) -> Vec<Submission> {
        if self.0.len() <= most {
            std::mem::take(&mut self.0)
        } else {
            self.0.drain(..most).collect()
        }
    }

    pub fn add(&mut self, submission: Submission) -> PyResult<()> {
        let length = submission.wire.len();
        if !(HEADER_OCTETS..=usize::from(u16::MAX)).contains(&length) {
            return Err(PyValueError::new_err(format!(
                "a query has 12 to 65535 octets, not {length}"
            )));
        }
        if submission.attempts == 0 || submission.timeout.is_zero() {
            return Err(PyValueError::new_err(
                "attempts and timeout_ms must be at least 1",
            ));
        }
        self.0.push(submission);
        Ok(())
    }
}

/// The transport of that number.
pub fn transport_of(number: u8) -> PyResult<Transport> {
    match number {
        0 => Ok(Transport::Udp),
        1 => Ok(Transport::Tcp),
        2 => Ok(Transport::Dot),
        other => Err(PyValueError::new_err(format!("no such transport: {other}"))),
    }
}

#[pymethods]
impl Queries {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[pyo3(signature = (
        tag, address, wire, transport=0, port=53, attempts=2, timeout_ms=2000, mix_case=false,
        tcp_after_truncation=true, server_name=None
    ))]
    #[allow(clippy::too_many_arguments)]
    fn append(
        &mut self,
        tag: i64,
        address: &str,
        wire: &[u8],
        transport: u8,
        port: u16,
        attempts: u32,
        timeout_ms: u32,
        mix_case: bool,
        tcp_after_truncation: bool,
        server_name: Option<&[u8]>,
    ) -> PyResult<()> {
        self.add(Submission {
            tag,
            address: SocketAddr::new(ip(address)?, port),
            server_name: server_name.map(<[u8]>::to_vec),
            transport: transport_of(transport)?,
            wire: wire.to_vec(),
            attempts,
            timeout: Duration::from_millis(u64::from(timeout_ms)),
            mix_case,
            tcp_after_truncation,
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Take out all of them.
    fn take<'py>(&mut self, py: Python<'py>) -> Vec<Row<'py>> {
        let row = |it: Submission| {
            (
                it.tag,
                it.address.ip().to_string(),
                PyBytes::new(py, &it.wire),
                it.transport as u8,
                it.address.port(),
                it.attempts,
                u32::try_from(it.timeout.as_millis()).unwrap_or(u32::MAX),
                it.mix_case,
                it.tcp_after_truncation,
                it.server_name.map(|name| PyBytes::new(py, &name)),
            )
        };
        std::mem::take(&mut self.0).into_iter().map(row).collect()
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Queries>()
}
