//! The OPT pseudo-record and queries with it.

use crate::message::guarded;
use gnomon_core::wire;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyTuple, PyType};

const DO: u16 = 0x8000;

type Options<'py> = Vec<(u16, Bound<'py, PyBytes>)>;
type EdnsArgument<'py> = (u8, u16, u16, Options<'py>);
type Fields = (Py<PyInt>, Py<PyInt>, Py<PyInt>, Py<PyTuple>, Py<PyBool>);

/// What one OPT record says.
#[pyclass(frozen, module = "gnomon.wire.edns")]
pub struct Edns {
    #[pyo3(get)]
    udp_size_octets: Py<PyInt>,
    #[pyo3(get)]
    version: Py<PyInt>,
    /// All 16 bits; DO is 0x8000.
    #[pyo3(get)]
    flags: Py<PyInt>,
    /// (code, data) in order.
    #[pyo3(get)]
    options: Py<PyTuple>,
    /// False if the octets end inside an option: those before it are there.
    #[pyo3(get)]
    options_complete: Py<PyBool>,
    /// The sender wants, or gives, DNSSEC records (RFC 3225).
    #[pyo3(get, name = "do")]
    wants_dnssec: Py<PyBool>,
}

impl Edns {
    /// The fields of an OPT record; the upper 8 bits of its TTL field belong to the rcode and are left out.
    pub fn of(py: Python<'_>, opt: &wire::RecordView<'_>) -> PyResult<Self> {
        let [_, version, high, low] = opt.ttl.to_be_bytes();
        let (options, complete) = wire::parse_options(opt.rdata);
        let options: Vec<_> = options
            .into_iter()
            .map(|(code, data)| (code, PyBytes::new(py, data)))
            .collect();
        Self::new(
            py,
            opt.rclass,
            version,
            u16::from_be_bytes([high, low]),
            Some(PyTuple::new(py, options)?),
            complete,
        )
    }

    fn fields(&self, py: Python<'_>) -> Fields {
        (
            self.udp_size_octets.clone_ref(py),
            self.version.clone_ref(py),
            self.flags.clone_ref(py),
            self.options.clone_ref(py),
            self.options_complete.clone_ref(py),
        )
    }
}

#[pymethods]
impl Edns {
    #[new]
    #[pyo3(signature = (udp_size_octets=1232, version=0, flags=0, options=None, options_complete=true))]
    fn new(
        py: Python<'_>,
        udp_size_octets: u16,
        version: u8,
        flags: u16,
        options: Option<Bound<'_, PyTuple>>,
        options_complete: bool,
    ) -> PyResult<Self> {
        Ok(Self {
            udp_size_octets: udp_size_octets.into_pyobject(py)?.unbind(),
            version: version.into_pyobject(py)?.unbind(),
            flags: flags.into_pyobject(py)?.unbind(),
            options: options.unwrap_or_else(|| PyTuple::empty(py)).unbind(),
            options_complete: PyBool::new(py, options_complete).to_owned().unbind(),
            wants_dnssec: PyBool::new(py, flags & DO != 0).to_owned().unbind(),
        })
    }

    /// The data of the first option with that code.
    fn option<'py>(&self, py: Python<'py>, code: u32) -> PyResult<Option<Bound<'py, PyAny>>> {
        for option in self.options.bind(py) {
            let option = option.cast_into::<PyTuple>()?;
            if option.get_item(0)?.extract::<u32>()? == code {
                return option.get_item(1).map(Some);
            }
        }
        Ok(None)
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        let one = self.fields(py).into_pyobject(py)?;
        one.eq(other.fields(py))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.fields(py).into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Edns(udp_size_octets={}, version={}, flags={}, options={}, options_complete={})",
            self.udp_size_octets,
            self.version,
            self.flags,
            self.options.bind(py).repr()?,
            self.options_complete
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, Fields) {
        (PyType::new::<Self>(py), self.fields(py))
    }
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

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Edns>()?;
    m.add_function(wrap_pyfunction!(compose_query, m)?)
}
