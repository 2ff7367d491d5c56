//! Questions, records and RRsets: what the sections of a message hold.

use crate::message::guarded;
use crate::name::{kept, Name};
use gnomon_core::dnssec;
use gnomon_core::wire::{self, RecordView};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyFrozenSet, PyInt, PyTuple, PyType};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

pub const RRSIG: u16 = 46;

/// Numbers whose values are kept: all with a name.
const MAX_KEPT: usize = 512;

/// A class of code points, and its values by their number.
pub struct Codes {
    name: &'static str,
    class: PyOnceLock<Py<PyType>>,
    kept: [OnceLock<Py<PyAny>>; MAX_KEPT],
}

/// Record types.
pub static TYPES: Codes = Codes::new("RRType");
/// Response codes.
pub static RCODES: Codes = Codes::new("Rcode");

impl Codes {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            class: PyOnceLock::new(),
            kept: [const { OnceLock::new() }; MAX_KEPT],
        }
    }

    /// The value with that number.
    pub fn get(&self, py: Python<'_>, number: u16) -> PyResult<Py<PyAny>> {
        let make = || {
            let class = self.class.import(py, "gnomon.base.codes", self.name)?;
            class.call1((number,)).map(Bound::unbind)
        };
        match self.kept.get(usize::from(number)) {
            Some(place) => Ok(kept(place, make)?.clone_ref(py)),
            None => make(),
        }
    }
}

#[pyfunction]
fn type_of(py: Python<'_>, number: u16) -> PyResult<Py<PyAny>> {
    TYPES.get(py, number)
}

#[pyfunction]
fn type_bitmap<'py>(py: Python<'py>, octets: &[u8]) -> PyResult<Option<Bound<'py, PyFrozenSet>>> {
    let types = wire::type_bitmap(octets);
    types.map(|types| PyFrozenSet::new(py, types)).transpose()
}

/// What is asked (RFC 1035 section 4.1.2).
#[pyclass(frozen, module = "gnomon.wire.records")]
pub struct Question {
    #[pyo3(get)]
    name: Py<Name>,
    #[pyo3(get)]
    qtype: Py<PyAny>,
    #[pyo3(get)]
    qclass: Py<PyInt>,
    numbers: (u16, u16),
}

#[pymethods]
impl Question {
    #[new]
    pub fn new(py: Python<'_>, name: Py<Name>, qtype: u16, qclass: u16) -> PyResult<Self> {
        Ok(Self {
            name,
            qtype: TYPES.get(py, qtype)?,
            qclass: qclass.into_pyobject(py)?.unbind(),
            numbers: (qtype, qclass),
        })
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.numbers == other.numbers && self.name.get().lower(py) == other.name.get().lower(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        Ok(mixed((self.name.bind(py).hash()?, self.numbers)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Question(name={}, qtype={}, qclass={})",
            self.name.bind(py).repr()?,
            self.qtype,
            self.qclass
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Py<Name>, u16, u16)) {
        let (qtype, qclass) = self.numbers;
        let fields = (self.name.clone_ref(py), qtype, qclass);
        (PyType::new::<Self>(py), fields)
    }
}

/// One record as it came (RFC 1035 section 4.1.3); owner and rdata without compression, case kept.
#[pyclass(frozen, module = "gnomon.wire.records")]
pub struct Record {
    #[pyo3(get)]
    owner: Py<Name>,
    #[pyo3(get)]
    rtype: Py<PyAny>,
    #[pyo3(get)]
    rclass: Py<PyInt>,
    #[pyo3(get)]
    ttl_s: Py<PyInt>,
    #[pyo3(get)]
    rdata: Py<PyBytes>,
    numbers: (u16, u16, u32),
}

type RecordFields = (Py<Name>, u16, u16, u32, Py<PyBytes>);

impl Record {
    /// The records of a section; what a record shares with the one before is not made again.
    pub fn all<'a>(
        py: Python<'_>,
        views: impl ExactSizeIterator<Item = RecordView<'a>>,
    ) -> PyResult<Py<PyTuple>> {
        let mut records: Vec<Py<Self>> = Vec::with_capacity(views.len());
        for view in views {
            let before = records.last().map(Py::get);
            let owner = match before {
                Some(one) if one.owner.get().octets(py) == view.owner => one.owner.clone_ref(py),
                _ => Name::of(py, view.owner)?,
            };
            let rdata = PyBytes::new(py, view.rdata).unbind();
            let numbers = (view.rtype, view.rclass, view.ttl);
            let record = match before {
                Some(one) if one.numbers == numbers => Self {
                    owner,
                    rtype: one.rtype.clone_ref(py),
                    rclass: one.rclass.clone_ref(py),
                    ttl_s: one.ttl_s.clone_ref(py),
                    rdata,
                    numbers,
                },
                _ => Self::new(py, owner, view.rtype, view.rclass, view.ttl, rdata)?,
            };
            records.push(Py::new(py, record)?);
        }
        PyTuple::new(py, records).map(Bound::unbind)
    }

    /// One record.
    pub fn of(py: Python<'_>, view: RecordView<'_>) -> PyResult<Py<Self>> {
        let (owner, rdata) = (Name::of(py, view.owner)?, PyBytes::new(py, view.rdata));
        let record = Self::new(py, owner, view.rtype, view.rclass, view.ttl, rdata.unbind())?;
        Py::new(py, record)
    }

    fn is_one_of(&self, py: Python<'_>, first: &Self) -> bool {
        (self.numbers.0, self.numbers.1) == (first.numbers.0, first.numbers.1)
            && self.owner.get().lower(py) == first.owner.get().lower(py)
    }
}

#[pymethods]
impl Record {
    #[new]
    fn new(
        py: Python<'_>,
        owner: Py<Name>,
        rtype: u16,
        rclass: u16,
        ttl_s: u32,
        rdata: Py<PyBytes>,
    ) -> PyResult<Self> {
        Ok(Self {
            owner,
            rtype: TYPES.get(py, rtype)?,
            rclass: rclass.into_pyobject(py)?.unbind(),
            ttl_s: ttl_s.into_pyobject(py)?.unbind(),
            rdata,
            numbers: (rtype, rclass, ttl_s),
        })
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.numbers == other.numbers
            && self.rdata.as_bytes(py) == other.rdata.as_bytes(py)
            && self.owner.get().lower(py) == other.owner.get().lower(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let (owner, rdata) = (self.owner.bind(py).hash()?, self.rdata.bind(py).hash()?);
        Ok(mixed((owner, rdata, self.numbers)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Record(owner={}, rtype={}, rclass={}, ttl_s={}, rdata={})",
            self.owner.bind(py).repr()?,
            self.rtype,
            self.rclass,
            self.ttl_s,
            self.rdata.bind(py).repr()?
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, RecordFields) {
        let (rtype, rclass, ttl_s) = self.numbers;
        let (owner, rdata) = (self.owner.clone_ref(py), self.rdata.clone_ref(py));
        (
            PyType::new::<Self>(py),
            (owner, rtype, rclass, ttl_s, rdata),
        )
    }
}

/// The records of one owner, type and class, with the signatures that cover them.
#[pyclass(frozen, module = "gnomon.wire.records")]
pub struct RRset {
    #[pyo3(get)]
    owner: Py<Name>,
    #[pyo3(get)]
    rtype: Py<PyAny>,
    #[pyo3(get)]
    rclass: Py<PyInt>,
    /// The smallest TTL in seconds.
    #[pyo3(get)]
    ttl_s: Py<PyInt>,
    /// In canonical form, sorted, without duplicates.
    #[pyo3(get)]
    rdatas: Py<PyTuple>,
    /// The rdata of the RRSIG records that cover the type, in message order.
    #[pyo3(get)]
    signatures: Py<PyTuple>,
    numbers: (u16, u16, u32),
    hash: OnceLock<isize>,
}

type RRsetFields = (Py<Name>, u16, u16, u32, Py<PyTuple>, Py<PyTuple>);

impl RRset {
    /// The RRset of that owner, type and class among the records of a section, with its signatures.
    pub fn find<'a>(
        py: Python<'_>,
        views: impl Iterator<Item = RecordView<'a>>,
        owner: &[u8],
        rtype: u16,
        rclass: u16,
    ) -> PyResult<Option<Self>> {
        let (mut first, mut ttl_s) = (None, u32::MAX);
        let (mut rdatas, mut signatures) = (Vec::new(), Vec::new());
        let covered = rtype.to_be_bytes();
        for view in views {
            let is_member = view.rtype == rtype;
            let is_signature = view.rtype == RRSIG && view.rdata.starts_with(&covered);
            if !(is_member || is_signature)
                || view.rclass != rclass
                || !view.owner.eq_ignore_ascii_case(owner)
            {
                continue;
            }
            if is_member {
                first.get_or_insert(view.owner);
                ttl_s = ttl_s.min(view.ttl);
                rdatas.push(view.rdata);
            } else {
                signatures.push(PyBytes::new(py, view.rdata));
            }
        }
        let Some(first) = first else { return Ok(None) };
        let (owner, rdatas) = (Name::of(py, first)?, canonical(py, rtype, &rdatas)?);
        let signatures = PyTuple::new(py, signatures)?;
        Self::new(py, owner, rtype, rclass, ttl_s, rdatas, Some(signatures)).map(Some)
    }

    fn fields(&self, py: Python<'_>) -> RRsetFields {
        let (rtype, rclass, ttl_s) = self.numbers;
        (
            self.owner.clone_ref(py),
            rtype,
            rclass,
            ttl_s,
            self.rdatas.clone_ref(py),
            self.signatures.clone_ref(py),
        )
    }
}

#[pymethods]
impl RRset {
    #[new]
    #[pyo3(signature = (owner, rtype, rclass, ttl_s, rdatas, signatures=None))]
    fn new(
        py: Python<'_>,
        owner: Py<Name>,
        rtype: u16,
        rclass: u16,
        ttl_s: u32,
        rdatas: Bound<'_, PyTuple>,
        signatures: Option<Bound<'_, PyTuple>>,
    ) -> PyResult<Self> {
        Ok(Self {
            owner,
            rtype: TYPES.get(py, rtype)?,
            rclass: rclass.into_pyobject(py)?.unbind(),
            ttl_s: ttl_s.into_pyobject(py)?.unbind(),
            rdatas: rdatas.unbind(),
            signatures: signatures.unwrap_or_else(|| PyTuple::empty(py)).unbind(),
            numbers: (rtype, rclass, ttl_s),
            hash: OnceLock::new(),
        })
    }

    /// The RRset of `records`: at least one, all of the same owner, type and class.
    #[classmethod]
    #[pyo3(signature = (records, signatures=None))]
    fn of(
        class: &Bound<'_, PyType>,
        records: &Bound<'_, PyAny>,
        signatures: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = class.py();
        let records = listed(records)?;
        let first = records.first().map(Bound::get);
        let Some(first) =
            first.filter(|first| records.iter().all(|r| r.get().is_one_of(py, first)))
        else {
            return Err(PyValueError::new_err(
                "an RRset has one or more records of one owner, type and class",
            ));
        };
        let rdatas: Vec<&[u8]> = records.iter().map(|r| r.get().rdata.as_bytes(py)).collect();
        let ttl_s = records.iter().map(|r| r.get().numbers.2).min();
        let signatures = match signatures {
            None => None,
            Some(records) => {
                let records = listed(records)?;
                let rdatas = records.iter().map(|r| r.get().rdata.clone_ref(py));
                Some(PyTuple::new(py, rdatas.collect::<Vec<_>>())?)
            }
        };
        let (rtype, rclass, ttl_of_first) = first.numbers;
        Self::new(
            py,
            first.owner.clone_ref(py),
            rtype,
            rclass,
            ttl_s.unwrap_or(ttl_of_first),
            canonical(py, rtype, &rdatas)?,
            signatures,
        )
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        Ok(std::ptr::eq(self, other)
            || (self.numbers == other.numbers
                && self.owner.get().lower(py) == other.owner.get().lower(py)
                && self.rdatas.bind(py).eq(other.rdatas.bind(py))?
                && self.signatures.bind(py).eq(other.signatures.bind(py))?))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let made = kept(&self.hash, || {
            let owner = self.owner.bind(py).hash()?;
            let data = (
                self.rdatas.bind(py).hash()?,
                self.signatures.bind(py).hash()?,
            );
            Ok(mixed((owner, data, self.numbers)))
        })?;
        Ok(*made)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "RRset(owner={}, rtype={}, rclass={}, ttl_s={}, rdatas={}, signatures={})",
            self.owner.bind(py).repr()?,
            self.rtype,
            self.rclass,
            self.ttl_s,
            self.rdatas.bind(py).repr()?,
            self.signatures.bind(py).repr()?
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, RRsetFields) {
        (PyType::new::<Self>(py), self.fields(py))
    }
}

fn listed<'py>(records: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, Record>>> {
    records
        .try_iter()?
        .map(|record| Ok(record?.cast_into()?))
        .collect()
}

fn canonical<'py>(py: Python<'py>, rtype: u16, rdatas: &[&[u8]]) -> PyResult<Bound<'py, PyTuple>> {
    let canonical = guarded(|| dnssec::canonical_rdatas(rtype, rdatas))?;
    let octets = canonical.iter().map(|rdata| PyBytes::new(py, rdata));
    PyTuple::new(py, octets.collect::<Vec<_>>())
}

/// One hash of several parts, those of octets already made by the interpreter.
fn mixed(parts: impl Hash) -> isize {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish() as isize
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Question>()?;
    m.add_class::<Record>()?;
    m.add_class::<RRset>()?;
    m.add_function(wrap_pyfunction!(type_of, m)?)?;
    m.add_function(wrap_pyfunction!(type_bitmap, m)?)
}
