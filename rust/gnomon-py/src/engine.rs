//! `Engine` and `Attempt`: rows in, frozen rows out. The I/O threads never touch the interpreter.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use gnomon_core::engine::{self, EngineGone, Limits, Submission, Transport};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

const MIX_CASE: u32 = 1;
const TCP_AFTER_TRUNCATION: u32 = 2;
const HEADER_OCTETS: usize = 12;
/// How long a wait goes without looking for signals.
const SLICE: Duration = Duration::from_millis(100);

#[pyclass(frozen, module = "gnomon._core")]
struct Attempt(engine::Attempt);

#[pymethods]
impl Attempt {
    #[getter]
    fn tag(&self) -> i64 {
        self.0.tag
    }
    #[getter]
    fn attempt(&self) -> u32 {
        self.0.attempt
    }
    #[getter]
    fn transport(&self) -> u8 {
        self.0.transport as u8
    }
    #[getter]
    fn sent_at_ns(&self) -> i64 {
        self.0.sent_at_ns
    }
    #[getter]
    fn rtt_us(&self) -> Option<u32> {
        self.0.rtt_us
    }
    #[getter]
    fn local_port(&self) -> u16 {
        self.0.local_port
    }
    #[getter]
    fn status(&self) -> u8 {
        self.0.status as u8
    }
    #[getter]
    fn os_error(&self) -> i32 {
        self.0.os_error
    }
    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.query)
    }
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0
            .response
            .as_ref()
            .map(|octets| PyBytes::new(py, octets))
    }
    #[getter]
    fn response_address(&self) -> Option<String> {
        self.0
            .response_from
            .map(|from| format!("{}#{}", from.ip(), from.port()))
    }
    #[getter]
    fn last(&self) -> bool {
        self.0.last
    }
}

#[pyclass(frozen, module = "gnomon._core")]
struct Engine(engine::Engine);

type Row<'py> = (
    i64,
    Bound<'py, PyString>,
    u16,
    u8,
    Bound<'py, PyBytes>,
    u32,
    u32,
    u32,
);

fn submission(row: &Row<'_>) -> PyResult<Submission> {
    let (tag, address, port, transport, wire, attempts, timeout_ms, options) = row;
    let text = address.to_cow()?;
    let address: IpAddr = text
        .parse()
        .map_err(|_| PyValueError::new_err(format!("not an IP address: {text:?}")))?;
    let transport = match transport {
        0 => Transport::Udp,
        1 => Transport::Tcp,
        other => return Err(PyValueError::new_err(format!("no such transport: {other}"))),
    };
    let wire = wire.as_bytes();
    if wire.len() < HEADER_OCTETS || wire.len() > usize::from(u16::MAX) {
        return Err(PyValueError::new_err(format!(
            "a query has 12 to 65535 octets, not {}",
            wire.len()
        )));
    }
    if *attempts == 0 || *timeout_ms == 0 {
        return Err(PyValueError::new_err(
            "attempts and timeout_ms must be at least 1",
        ));
    }
    Ok(Submission {
        tag: *tag,
        address: SocketAddr::new(address, *port),
        transport,
        wire: wire.to_vec(),
        attempts: *attempts,
        timeout: Duration::from_millis(u64::from(*timeout_ms)),
        mix_case: options & MIX_CASE != 0,
        tcp_after_truncation: options & TCP_AFTER_TRUNCATION != 0,
    })
}

fn gone(why: EngineGone) -> PyErr {
    match why {
        EngineGone::Closed => PyValueError::new_err("the engine is closed"),
        EngineGone::Broken => {
            PyRuntimeError::new_err("an I/O thread of the engine has stopped; this is a bug")
        }
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, rate_qps, burst, in_flight_per_address, in_flight_total, breaker_silent, total_qps))]
    fn new(
        rate_qps: f64,
        burst: u32,
        in_flight_per_address: u32,
        in_flight_total: u32,
        breaker_silent: u32,
        total_qps: f64,
    ) -> PyResult<Self> {
        let positive =
            rate_qps > 0.0 && burst > 0 && in_flight_per_address > 0 && in_flight_total > 0;
        if !positive || !rate_qps.is_finite() || !total_qps.is_finite() || total_qps < 0.0 {
            return Err(PyValueError::new_err(
                "rate_qps, burst, in_flight_per_address and in_flight_total must be above 0, total_qps not below",
            ));
        }
        let limits = Limits {
            rate_qps,
            burst,
            in_flight_per_address,
            in_flight_total,
            breaker_silent,
            total_qps,
        };
        Ok(Self(engine::Engine::start(&limits)?))
    }

    fn submit(&self, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut submissions = Vec::with_capacity(rows.len().unwrap_or(0));
        for row in rows.try_iter()? {
            submissions.push(submission(&row?.extract()?)?);
        }
        self.0.submit(submissions).map_err(gone)
    }

    fn take(&self, py: Python<'_>, max_rows: usize, timeout_ms: u32) -> PyResult<Vec<Attempt>> {
        let deadline = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let taken = match py.detach(|| self.0.take(max_rows, left.min(SLICE))) {
                Err(EngineGone::Closed) => return Ok(Vec::new()),
                other => other.map_err(gone)?,
            };
            if !taken.is_empty() || left <= SLICE {
                return Ok(taken.into_iter().map(Attempt).collect());
            }
            py.check_signals()?;
        }
    }

    #[getter]
    fn pending(&self) -> usize {
        self.0.pending()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Attempt>()?;
    m.add_class::<Engine>()
}
