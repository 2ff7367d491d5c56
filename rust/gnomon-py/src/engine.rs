//! `Engine` and `Attempt`: queries in, frozen rows out. The I/O threads never touch the interpreter.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use gnomon_core::engine::{self, Config, Expected, Limits, Policy, Prefix, Refusal, CAPACITY};
use gnomon_core::special;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::attempts::Attempts;
use crate::queries::Queries;

/// How long a wait goes without looking for signals.
const SLICE: Duration = Duration::from_millis(250);

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
        self.0.code
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

/// `gnomon.engine.Limits`.
#[derive(FromPyObject)]
struct PyLimits {
    rate_qps: f64,
    burst: u32,
    in_flight_per_address: u32,
    prefix_rate_qps: f64,
    prefix_burst: u32,
    in_flight_per_prefix: u32,
    in_flight_total: u32,
    breaker_silent: u32,
    total_qps: f64,
}

impl PyLimits {
    fn checked(self) -> PyResult<Limits> {
        let rates = [self.rate_qps, self.prefix_rate_qps];
        let counts = [
            self.burst,
            self.in_flight_per_address,
            self.prefix_burst,
            self.in_flight_per_prefix,
            self.in_flight_total,
        ];
        let positive = rates.iter().all(|rate| rate.is_finite() && *rate > 0.0)
            && counts.iter().all(|count| *count > 0);
        if !positive || !self.total_qps.is_finite() || self.total_qps < 0.0 {
            return Err(PyValueError::new_err(
                "all but breaker_silent and total_qps must be above 0, and these not below",
            ));
        }
        Ok(Limits {
            rate_qps: self.rate_qps,
            burst: self.burst,
            in_flight_per_address: self.in_flight_per_address,
            prefix_rate_qps: self.prefix_rate_qps,
            prefix_burst: self.prefix_burst,
            in_flight_per_prefix: self.in_flight_per_prefix,
            in_flight_total: self.in_flight_total,
            breaker_silent: self.breaker_silent,
            total_qps: self.total_qps,
        })
    }
}

#[pyclass(frozen, module = "gnomon._core")]
struct Engine(engine::Engine);

pub(crate) fn ip(text: &str) -> PyResult<IpAddr> {
    text.parse()
        .map_err(|_| PyValueError::new_err(format!("not an IP address: {text:?}")))
}

fn prefixes(texts: Vec<(String, u8)>) -> PyResult<Vec<Prefix>> {
    let prefix = |(text, length): (String, u8)| {
        Prefix::new(ip(&text)?, length)
            .ok_or_else(|| PyValueError::new_err(format!("not a prefix: {text}/{length}")))
    };
    texts.into_iter().map(prefix).collect()
}

fn gone(why: Refusal) -> PyErr {
    match why {
        Refusal::Closed => PyValueError::new_err("the engine is closed"),
        Refusal::Broken => {
            PyRuntimeError::new_err("an I/O thread of the engine has stopped; this is a bug")
        }
        Refusal::Full => PyValueError::new_err(format!(
            "at most {CAPACITY} queries may be pending; submit no more than `credit`"
        )),
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, limits, allow, opt_out_prefixes, opt_out_servers, opt_out_zones, address_map, local, shards, turn_ms))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        limits: PyLimits,
        allow: Vec<(String, u8)>,
        opt_out_prefixes: Vec<(String, u8)>,
        opt_out_servers: Vec<Vec<u8>>,
        opt_out_zones: Vec<Vec<u8>>,
        address_map: Option<Vec<(String, String, u16)>>,
        local: Vec<String>,
        shards: usize,
        turn_ms: u32,
    ) -> PyResult<Self> {
        let map = |rows: Vec<(String, String, u16)>| {
            rows.into_iter()
                .map(|(real, target, port)| Ok((ip(&real)?, SocketAddr::new(ip(&target)?, port))))
                .collect::<PyResult<HashMap<_, _>>>()
        };
        let policy = Policy::new(
            prefixes(allow)?,
            prefixes(opt_out_prefixes)?,
            opt_out_servers,
            opt_out_zones,
            address_map.map(map).transpose()?,
        );
        let local = local
            .iter()
            .map(|text| ip(text))
            .collect::<PyResult<Vec<_>>>()?;
        let of_family = |v4| {
            local
                .iter()
                .copied()
                .find(|address| address.is_ipv4() == v4)
        };
        Ok(Self(engine::Engine::start(Config {
            limits: limits.checked()?,
            policy,
            shards,
            local: [of_family(true), of_family(false)],
            turn: Duration::from_millis(u64::from(turn_ms)),
        })?))
    }

    fn submit(&self, mut queries: PyRefMut<'_, Queries>) -> PyResult<usize> {
        let taken = queries.take_first(self.0.credit());
        let count = taken.len();
        self.0.submit(taken).map_err(gone)?;
        Ok(count)
    }

    fn take(&self, py: Python<'_>, max_rows: usize, timeout_ms: u32) -> PyResult<Vec<Attempt>> {
        let taken = self.wait(py, max_rows, timeout_ms)?;
        Ok(taken.into_iter().map(Attempt).collect())
    }

    fn take_batch(&self, py: Python<'_>, max_rows: usize, timeout_ms: u32) -> PyResult<Attempts> {
        Ok(Attempts::new(self.wait(py, max_rows, timeout_ms)?))
    }

    #[getter]
    fn pending(&self) -> usize {
        self.0.pending()
    }

    #[getter]
    fn credit(&self) -> usize {
        self.0.credit()
    }

    #[getter]
    fn mismatches(&self) -> Vec<u64> {
        self.0.mismatches().to_vec()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

impl Engine {
    fn wait(
        &self,
        py: Python<'_>,
        max_rows: usize,
        timeout_ms: u32,
    ) -> PyResult<Vec<engine::Attempt>> {
        let deadline = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let taken = match py.detach(|| self.0.take(max_rows, left.min(SLICE))) {
                Err(Refusal::Closed) => return Ok(Vec::new()),
                other => other.map_err(gone)?,
            };
            if !taken.is_empty() || left <= SLICE {
                return Ok(taken);
            }
            py.check_signals()?;
        }
    }
}

#[pyfunction]
fn mismatch(query: &[u8], response: &[u8], exact_case: bool, on_path: bool) -> u8 {
    Expected::new(query, exact_case)
        .mismatch(query, response, on_path)
        .map_or(0, |kind| kind as u8)
}

#[pyfunction]
fn special_purpose(address: &str) -> PyResult<Option<String>> {
    let reason = special::special_purpose(ip(address)?);
    Ok(reason.map(|reason| match reason.carrier {
        Some(carrier) => format!("{carrier} of {}", reason.block),
        None => reason.block.to_owned(),
    }))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Attempt>()?;
    m.add_class::<Engine>()?;
    m.add_function(wrap_pyfunction!(mismatch, m)?)?;
    m.add_function(wrap_pyfunction!(special_purpose, m)?)
}
