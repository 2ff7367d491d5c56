//! Messages.

use crate::edns::Edns;
use crate::known::{Known, HASHER};
use crate::name::{kept, Name};
use crate::records::{Question, RRset, Record, RCODES, RRSIG, TYPES};
use gnomon_core::wire::{self, Reason, RecordView};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyTuple, PyType};
use rustc_hash::FxHashMap;
use std::collections::HashSet;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, OnceLock, PoisonError};

const CLASS_IN: u16 = 1;

/// Octets of the ID, which the messages kept at hand have as 0.
const ID_OCTETS: usize = 2;
/// Most messages kept at hand; all are forgotten when there are more.
const MAX_KNOWN: usize = 4096;

/// The first part of a message that cannot be read.
#[pyclass(frozen, eq, hash, get_all, module = "gnomon.wire.message")]
#[derive(PartialEq, Eq, Hash)]
pub struct Malformed {
    /// Octets from the start of the message to the label, pointer, fixed part or rdata at fault.
    offset: usize,
    /// One of the words in `_core.pyi`.
    reason: String,
    /// 0 header and question, 1 answer, 2 authority, 3 additional.
    section: u8,
}

#[pymethods]
impl Malformed {
    #[new]
    const fn new(offset: usize, reason: String, section: u8) -> Self {
        Self {
            offset,
            reason,
            section,
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "Malformed(offset={}, reason='{}', section={})",
            self.offset, self.reason, self.section
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (usize, &str, u8)) {
        let fields = (self.offset, self.reason.as_str(), self.section);
        (PyType::new::<Self>(py), fields)
    }
}

/// By section, type and hash of the owner: the owner, and what was found.
type RRsets = FxHashMap<(usize, u16, isize), (Py<Name>, Option<Py<RRset>>)>;

/// A DNS message as far as it can be read; the octets are read once, its values made on first use and kept.
#[pyclass(frozen, module = "gnomon.wire.message")]
pub struct Message {
    #[pyo3(get)]
    wire: Py<PyBytes>,
    #[pyo3(get)]
    id: Py<PyInt>,
    /// The 16 bits after the ID, as they came.
    #[pyo3(get)]
    flags: Py<PyInt>,
    #[pyo3(get)]
    opcode: Py<PyInt>,
    /// It is a response.
    #[pyo3(get)]
    qr: Py<PyBool>,
    /// Authoritative answer.
    #[pyo3(get)]
    aa: Py<PyBool>,
    /// Truncated.
    #[pyo3(get)]
    tc: Py<PyBool>,
    /// Recursion desired.
    #[pyo3(get)]
    rd: Py<PyBool>,
    /// Recursion available.
    #[pyo3(get)]
    ra: Py<PyBool>,
    /// The last reserved bit.
    #[pyo3(get)]
    z: Py<PyBool>,
    /// Authentic data.
    #[pyo3(get)]
    ad: Py<PyBool>,
    /// Checking disabled.
    #[pyo3(get)]
    cd: Py<PyBool>,
    /// The response code with the upper 8 bits of the first OPT record.
    #[pyo3(get)]
    rcode: Py<PyAny>,
    /// The OPT records in all sections.
    #[pyo3(get)]
    opt_count: Py<PyInt>,
    /// What could not be read, or None.
    #[pyo3(get)]
    malformed: Py<PyAny>,
    /// Octets after the last record that the header counts.
    #[pyo3(get)]
    trailing_octets: Py<PyInt>,
    inner: wire::Message,
    questions: OnceLock<Py<PyTuple>>,
    sections: [OnceLock<Py<PyTuple>>; 3],
    edns: OnceLock<Option<Py<Edns>>>,
    rrsets: Mutex<RRsets>,
}

impl Message {
    pub fn octets<'py>(&'py self, py: Python<'py>) -> &'py [u8] {
        self.wire.as_bytes(py)
    }

    /// Truncated.
    pub fn tc(&self) -> bool {
        self.inner.flags() & 0x0200 != 0
    }

    /// The response code with the upper 8 bits of the first OPT record.
    pub fn code(&self) -> u16 {
        code_of(&self.inner)
    }

    fn section(&self, py: Python<'_>, index: usize) -> PyResult<Py<PyTuple>> {
        let Some(place) = self.sections.get(index) else {
            return Ok(PyTuple::empty(py).unbind());
        };
        let made = kept(place, || match self.inner.section(index + 1) {
            Some(views) => Record::all(py, views),
            None => Ok(PyTuple::empty(py).unbind()),
        })?;
        Ok(made.clone_ref(py))
    }

    /// The RRset of that owner and type in the section, found once.
    fn found(
        &self,
        py: Python<'_>,
        index: usize,
        owner: &Bound<'_, Name>,
        rtype: u16,
    ) -> PyResult<Option<Py<RRset>>> {
        let name = owner.get();
        let key = (index, rtype, owner.hash()?);
        let lock = || self.rrsets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, found)) = lock().get(&key) {
            if of.get().lower(py) == name.lower(py) {
                return Ok(found.as_ref().map(|rrset| rrset.clone_ref(py)));
            }
        }
        let found = self.find(py, index, name, rtype)?;
        let kept = found.as_ref().map(|rrset| rrset.clone_ref(py));
        let before = lock().insert(key, (owner.clone().unbind(), kept));
        drop(before);
        Ok(found)
    }

    fn find(
        &self,
        py: Python<'_>,
        index: usize,
        owner: &Name,
        rtype: u16,
    ) -> PyResult<Option<Py<RRset>>> {
        let Some(views) = self.inner.section(index + 1) else {
            return Ok(None);
        };
        let asked = self.inner.questions().next();
        let rclass = asked.map_or(CLASS_IN, |(_, _, qclass)| qclass);
        let found = RRset::find(py, views, owner.lower(py), rtype, rclass)?;
        found.map(|rrset| Py::new(py, rrset)).transpose()
    }
}

#[pymethods]
impl Message {
    #[new]
    pub fn new(wire: Bound<'_, PyBytes>) -> PyResult<Self> {
        let py = wire.py();
        let octets = wire.as_bytes();
        let inner = catch_unwind(AssertUnwindSafe(|| wire::Message::parse(octets)))
            .unwrap_or_else(|_| wire::Message::unreadable(Reason::Internal));
        let flags = inner.flags();
        let bit = |mask: u16| PyBool::new(py, flags & mask != 0).to_owned().unbind();
        let opt_count = inner.opts().len();
        let malformed = match inner.malformed() {
            None => py.None(),
            Some(fault) => {
                let reason = fault.reason.code().to_owned();
                Py::new(py, Malformed::new(fault.offset, reason, fault.section))?.into_any()
            }
        };
        Ok(Self {
            id: inner.id().into_pyobject(py)?.unbind(),
            flags: flags.into_pyobject(py)?.unbind(),
            opcode: (flags >> 11 & 15).into_pyobject(py)?.unbind(),
            qr: bit(0x8000),
            aa: bit(0x0400),
            tc: bit(0x0200),
            rd: bit(0x0100),
            ra: bit(0x0080),
            z: bit(0x0040),
            ad: bit(0x0020),
            cd: bit(0x0010),
            rcode: RCODES.get(py, code_of(&inner))?,
            opt_count: opt_count.into_pyobject(py)?.unbind(),
            malformed,
            trailing_octets: inner.trailing_octets().into_pyobject(py)?.unbind(),
            wire: wire.unbind(),
            inner,
            questions: OnceLock::new(),
            sections: [const { OnceLock::new() }; 3],
            edns: OnceLock::new(),
            rrsets: Mutex::default(),
        })
    }

    #[getter]
    fn counts(&self) -> (u16, u16, u16, u16) {
        self.inner.counts().into()
    }

    #[getter]
    fn questions(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let made = kept(&self.questions, || {
            let questions = self.inner.questions().map(|(name, qtype, qclass)| {
                Py::new(py, Question::new(py, Name::of(py, name)?, qtype, qclass)?)
            });
            let questions = questions.collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, questions).map(Bound::unbind)
        })?;
        Ok(made.clone_ref(py))
    }

    #[getter]
    fn question<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self
            .questions(py)?
            .bind(py)
            .iter_borrowed()
            .next()
            .map(|question| question.to_owned()))
    }

    #[getter]
    fn answer(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        self.section(py, 0)
    }

    #[getter]
    fn authority(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        self.section(py, 1)
    }

    #[getter]
    fn additional(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        self.section(py, 2)
    }

    fn records(&self, py: Python<'_>, section: &str) -> PyResult<Py<PyTuple>> {
        self.section(py, index_of(section)?)
    }

    fn rrset(
        &self,
        py: Python<'_>,
        section: &str,
        owner: &Bound<'_, Name>,
        rtype: u16,
    ) -> PyResult<Option<Py<RRset>>> {
        self.found(py, index_of(section)?, owner, rtype)
    }

    fn rrsets(
        &self,
        py: Python<'_>,
        section: &str,
        below: &Bound<'_, Name>,
    ) -> PyResult<Vec<Py<RRset>>> {
        let index = index_of(section)?;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for record in self.inner.section(index + 1).into_iter().flatten() {
            if record.rtype == RRSIG || record.rclass != CLASS_IN {
                continue;
            }
            let owner = Name::of(py, record.owner)?;
            let lower = owner.get().lower(py);
            if wire::is_at_or_below(lower, below.get().lower(py))
                && seen.insert((lower.to_vec(), record.rtype))
            {
                found.extend(self.found(py, index, owner.bind(py), record.rtype)?);
            }
        }
        Ok(found)
    }

    #[getter]
    fn edns(&self, py: Python<'_>) -> PyResult<Option<Py<Edns>>> {
        let made = kept(&self.edns, || {
            let first = self.inner.opts().next();
            first
                .map(|opt| Py::new(py, Edns::of(py, &opt)?))
                .transpose()
        })?;
        Ok(made.as_ref().map(|edns| edns.clone_ref(py)))
    }

    #[getter]
    fn opt_owners<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let owners = self.inner.opts().map(|opt| Name::of(py, opt.owner));
        PyTuple::new(py, owners.collect::<PyResult<Vec<_>>>()?)
    }

    fn opt_records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let fields = |opt: RecordView<'_>| {
            let (rdata, owner) = (PyBytes::new(py, opt.rdata), PyBytes::new(py, opt.owner));
            (opt.rclass, opt.ttl, rdata, owner)
        };
        PyTuple::new(py, self.inner.opts().map(fields).collect::<Vec<_>>())
    }

    #[getter]
    fn compressed_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.inner.compressed_types())
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.wire.as_bytes(py) == other.wire.as_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.wire.bind(py).hash()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let [qd, an, ns, ar] = self.inner.counts();
        let size = self.wire.as_bytes(py).len();
        let fault = self.inner.malformed().map_or("", |_| " malformed");
        format!(
            "<Message {} {qd}/{an}/{ns}/{ar} {size} octets{fault}>",
            self.rcode
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Py<PyBytes>,)) {
        (PyType::new::<Self>(py), (self.wire.clone_ref(py),))
    }
}

fn code_of(message: &wire::Message) -> u16 {
    let opt = message.opts().next();
    let [upper, ..] = opt.map_or([0; 4], |opt| opt.ttl.to_be_bytes());
    u16::from(upper) << 4 | message.flags() & 15
}

fn index_of(section: &str) -> PyResult<usize> {
    match section {
        "answer" => Ok(0),
        "authority" => Ok(1),
        "additional" => Ok(2),
        _ => Err(PyValueError::new_err(
            "the sections with records are answer, authority and additional",
        )),
    }
}

/// The same ones come back from many servers.
static KNOWN: Known<Message> = Known::new(MAX_KNOWN);

#[pyfunction]
pub fn parsed(py: Python<'_>, wire: &[u8]) -> PyResult<Py<Message>> {
    let rest = wire.get(ID_OCTETS..).unwrap_or_default();
    let make = || {
        let octets = [&[0; ID_OCTETS], rest].concat();
        Py::new(py, Message::new(PyBytes::new(py, &octets))?)
    };
    let fits = |message: &Message| message.wire.as_bytes(py).get(ID_OCTETS..) == Some(rest);
    KNOWN.get(py, rest, fits, make)
}

/// The octets of the only question's name in lower case, and its type; None for anything but a plain question.
fn plain_question(query: &[u8]) -> Option<(Vec<u8>, u16)> {
    if query.get(4..6)? != [0, 1] {
        return None;
    }
    let body = query.get(wire::HEADER_OCTETS..)?;
    let mut end = 0;
    loop {
        match body.get(end)? {
            0 => break,
            &length @ 1..=63 => end += 1 + usize::from(length),
            _ => return None,
        }
    }
    let name = body.get(..=end)?;
    let &[high, low, _, _] = body.get(end + 1..end + 5)? else {
        return None;
    };
    let whole = name.len() <= wire::MAX_NAME_OCTETS;
    whole.then(|| (name.to_ascii_lowercase(), u16::from_be_bytes([high, low])))
}

#[pyfunction]
pub fn asked_in(py: Python<'_>, query: &[u8]) -> PyResult<Option<(Py<Name>, Py<PyAny>)>> {
    // A query's case is mixed anew in every attempt: reading it as a message would read each of them.
    let (name, qtype) = match plain_question(query) {
        Some(plain) => plain,
        None => {
            let message = parsed(py, query)?;
            let Some((name, qtype, _)) = message.get().inner.questions().next() else {
                return Ok(None);
            };
            (name.to_ascii_lowercase(), qtype)
        }
    };
    Ok(Some((Name::of(py, &name)?, TYPES.get(py, qtype)?)))
}

/// What makes a record one, as octets: the owner in lower case (its end shows), type, class, TTL and data.
fn identify(view: RecordView<'_>, octets: &mut Vec<u8>) {
    octets.clear();
    octets.extend_from_slice(view.owner);
    octets.make_ascii_lowercase();
    octets.extend_from_slice(&view.rtype.to_be_bytes());
    octets.extend_from_slice(&view.rclass.to_be_bytes());
    octets.extend_from_slice(&view.ttl.to_be_bytes());
    octets.extend_from_slice(view.rdata);
}

#[pyfunction]
fn different_records(
    py: Python<'_>,
    messages: Vec<Bound<'_, Message>>,
    section: &str,
) -> PyResult<Vec<(Py<Record>, usize)>> {
    let index = index_of(section)?;
    let (mut seen, mut octets) = (HashSet::with_hasher(HASHER.clone()), Vec::new());
    let mut found = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        for view in message.get().inner.section(index + 1).into_iter().flatten() {
            identify(view, &mut octets);
            if !seen.contains(octets.as_slice()) {
                seen.insert(octets.clone());
                found.push((Record::of(py, view)?, place));
            }
        }
    }
    Ok(found)
}

#[pyfunction]
fn rrsets_in(
    py: Python<'_>,
    messages: Vec<Bound<'_, Message>>,
    section: &str,
    owner: &Bound<'_, Name>,
    rtype: u16,
) -> PyResult<Vec<Option<Py<RRset>>>> {
    let index = index_of(section)?;
    let found = messages
        .iter()
        .map(|message| message.get().found(py, index, owner, rtype));
    found.collect()
}

/// Run core code; a panic in it becomes an ordinary RuntimeError.
pub fn guarded<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| PyRuntimeError::new_err("internal error in the native core"))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Malformed>()?;
    m.add_class::<Message>()?;
    m.add_function(wrap_pyfunction!(parsed, m)?)?;
    m.add_function(wrap_pyfunction!(asked_in, m)?)?;
    m.add_function(wrap_pyfunction!(different_records, m)?)?;
    m.add_function(wrap_pyfunction!(rrsets_in, m)?)
}
