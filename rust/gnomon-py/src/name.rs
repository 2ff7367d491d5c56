//! Domain names.

use crate::known::Known;
use gnomon_core::wire::{self, NameError, TextError};
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};
use std::sync::OnceLock;

pyo3::import_exception!(gnomon.base.errors, InputError);

/// Most names kept at hand; all are forgotten when there are more.
const MAX_KNOWN: usize = 16_384;

/// An absolute domain name; `wire` keeps its case, equality, hash and order ignore it.
#[pyclass(frozen, module = "gnomon.base.names")]
pub struct Name {
    /// The uncompressed wire octets (RFC 1035 section 3.1).
    #[pyo3(get)]
    wire: Py<PyBytes>,
    /// The wire octets in lower case: the form to use as a dictionary key or to compare bytes.
    #[pyo3(get)]
    key: Py<PyBytes>,
    text: OnceLock<Py<PyString>>,
    labels: OnceLock<Py<PyTuple>>,
    parent: OnceLock<Py<Name>>,
}

/// The same ones come back in every message of a zone.
static KNOWN: Known<Name> = Known::new(MAX_KNOWN);

/// The value that is kept there, made when it is first asked for. It must not need itself.
pub fn kept<T>(place: &OnceLock<T>, make: impl FnOnce() -> PyResult<T>) -> PyResult<&T> {
    // Not get_or_init: that would hold a lock while the interpreter may let another thread run.
    match place.get() {
        Some(value) => Ok(value),
        None => {
            let made = make()?;
            Ok(place.get_or_init(|| made))
        }
    }
}

impl Name {
    /// The name of these octets, which are not checked; mostly the same object for the same octets.
    pub fn of(py: Python<'_>, wire: &[u8]) -> PyResult<Py<Self>> {
        let make = || Py::new(py, Self::new_of(py, wire));
        KNOWN.get(py, wire, |name| name.octets(py) == wire, make)
    }

    fn new_of(py: Python<'_>, octets: &[u8]) -> Self {
        let wire = PyBytes::new(py, octets).unbind();
        let key = if octets.iter().any(u8::is_ascii_uppercase) {
            PyBytes::new(py, &octets.to_ascii_lowercase()).unbind()
        } else {
            wire.clone_ref(py)
        };
        Self {
            wire,
            key,
            text: OnceLock::new(),
            labels: OnceLock::new(),
            parent: OnceLock::new(),
        }
    }

    /// The wire octets, their case kept.
    pub fn octets<'py>(&'py self, py: Python<'py>) -> &'py [u8] {
        self.wire.as_bytes(py)
    }

    /// The wire octets in lower case.
    pub fn lower<'py>(&'py self, py: Python<'py>) -> &'py [u8] {
        self.key.as_bytes(py)
    }

    /// Presentation form.
    pub fn text(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        let text = kept(&self.text, || {
            let mut text = String::new();
            wire::put_name(self.octets(py), &mut text);
            Ok(PyString::new(py, &text).unbind())
        })?;
        Ok(text.clone_ref(py))
    }

    fn checked(py: Python<'_>, wire: &[u8]) -> PyResult<Py<Self>> {
        wire::check_name(wire).map_err(|fault| {
            InputError::new_err(match fault {
                NameError::LabelLength(at, length) => format!(
                    "octet {at} of the name is no label length: {length} (labels have 1 to 63)"
                ),
                NameError::NotOne => format!(
                    "the {} octets are not one domain name of at most 255 octets",
                    wire.len()
                ),
            })
        })?;
        Self::of(py, wire)
    }
}

#[pymethods]
impl Name {
    #[new]
    fn new(wire: &Bound<'_, PyBytes>) -> PyResult<Py<Self>> {
        Self::of(wire.py(), wire.as_bytes())
    }

    #[classmethod]
    fn from_wire(class: &Bound<'_, PyType>, wire: &[u8]) -> PyResult<Py<Self>> {
        Self::checked(class.py(), wire)
    }

    #[classmethod]
    fn from_text(class: &Bound<'_, PyType>, text: Bound<'_, PyString>) -> PyResult<Py<Self>> {
        let py = class.py();
        // Half of a surrogate pair has no UTF-8: it is not ASCII either.
        let ascii = text.to_str().is_ok_and(str::is_ascii);
        let text = if ascii { text } else { to_a_labels(&text)? };
        match wire::name_of_text(text.to_str()?.as_bytes()) {
            Ok(octets) => Self::of(py, &octets),
            Err(fault) => Err(InputError::new_err(sentence(fault, &text)?)),
        }
    }

    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let made = kept(&self.labels, || {
            let labels = wire::labels(self.octets(py)).map(|label| PyBytes::new(py, label));
            PyTuple::new(py, labels.collect::<Vec<_>>()).map(Bound::unbind)
        })?;
        Ok(made.clone_ref(py))
    }

    #[getter]
    fn is_root(&self, py: Python<'_>) -> bool {
        self.octets(py).len() == 1
    }

    fn parent(slf: &Bound<'_, Self>) -> PyResult<Py<Self>> {
        let (py, name) = (slf.py(), slf.get());
        let octets = name.octets(py);
        let above = octets
            .split_first()
            .and_then(|(&length, rest)| rest.get(usize::from(length)..))
            .unwrap_or_default();
        if above.is_empty() {
            return Ok(slf.clone().unbind());
        }
        let parent = kept(&name.parent, || Self::of(py, above))?;
        Ok(parent.clone_ref(py))
    }

    fn ancestors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let mut names = vec![slf.clone()];
        while let Some(last) = names.last() {
            let parent = Self::parent(last)?.into_bound(py);
            if parent.is(last) {
                break;
            }
            names.push(parent);
        }
        PyTuple::new(py, names)
    }

    fn is_subdomain_of(&self, py: Python<'_>, other: &Self) -> bool {
        wire::is_at_or_below(self.lower(py), other.lower(py))
    }

    fn prepend(&self, py: Python<'_>, label: &[u8]) -> PyResult<Py<Self>> {
        // A length above one octet is as wrong as 255 is.
        let length = u8::try_from(label.len()).unwrap_or(u8::MAX);
        Self::checked(py, &[&[length], label, self.octets(py)].concat())
    }

    fn __richcmp__(&self, py: Python<'_>, other: &Self, op: CompareOp) -> bool {
        let (one, two) = (self.lower(py), other.lower(py));
        match op {
            CompareOp::Eq => std::ptr::eq(self, other) || one == two,
            CompareOp::Ne => !std::ptr::eq(self, other) && one != two,
            _ => op.matches(wire::order(one, two)),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.key.bind(py).hash()
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        self.text(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Name({})", self.__str__(py)?.bind(py).repr()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Py<PyBytes>,)) {
        (PyType::new::<Self>(py), (self.wire.clone_ref(py),))
    }
}

/// A name with U-labels in A-labels (RFC 5891), by the library of that name.
fn to_a_labels<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    let py = text.py();
    let idna = py.import("idna")?;
    let encoded =
        idna.getattr("encode")?
            .call1((text.call_method1("rstrip", (".",))?, false, true));
    match encoded {
        Ok(octets) => Ok(PyString::new(
            py,
            &(octets
                .call_method1("decode", ("ascii",))?
                .extract::<String>()?
                + "."),
        )),
        Err(error) if error.is_instance(py, &idna.getattr("IDNAError")?) => {
            Err(InputError::new_err(format!(
                "{} is not a valid internationalised domain name: {}",
                text.repr()?,
                error.value(py)
            )))
        }
        Err(error) => Err(error),
    }
}

fn sentence(fault: TextError, text: &Bound<'_, PyString>) -> PyResult<String> {
    let shown = text.repr()?;
    Ok(match fault {
        TextError::Empty => {
            "the domain name is empty; the root is written as a single dot".to_owned()
        }
        TextError::Escape(at) => {
            format!(
                "bad escape in the domain name {shown} at character {}: write \\DDD",
                at + 1
            )
        }
        TextError::Space => {
            format!("the domain name {shown} has a space or control character; write it as \\DDD")
        }
        TextError::EmptyLabel => {
            format!("the domain name {shown} has an empty label (two dots in a row)")
        }
        TextError::LongLabel(octets) => {
            format!(
                "a label of the domain name {shown} has {octets} octets; at most 63 are allowed"
            )
        }
        TextError::LongName(octets) => {
            let front: String = text.to_str()?.chars().take(40).collect();
            let front = PyString::new(text.py(), &front).repr()?.to_string();
            format!("the domain name {front}... has {octets} octets; at most 255 are allowed")
        }
    })
}

#[pyfunction]
fn name_at(octets: &Bound<'_, PyBytes>, at: usize) -> PyResult<Option<(Py<Name>, usize)>> {
    let rest = octets.as_bytes().get(at..).unwrap_or_default();
    let length = wire::name_length(rest);
    match length.and_then(|length| rest.get(..length)) {
        Some(name) => Ok(Some((Name::of(octets.py(), name)?, at + name.len()))),
        None => Ok(None),
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Name>()?;
    m.add_function(wrap_pyfunction!(name_at, m)?)
}
