//! `Recording`, `Rows` and `MerkleTree`: exchanges as they come, their columns, their hashes.

use std::sync::Arc;

use gnomon_core::evidence::{self, Octets, Recorded, Text, LEAF_OCTETS};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::attempts::{Attempts, Heard};

/// One exchange and whom it was recorded for. The texts are Python's own: mostly the same few objects.
pub struct Entry {
    pub seq: i64,
    pub ask: Py<PyString>,
    pub server_name: Option<Py<PyString>>,
    pub address: Py<PyString>,
    pub port: u16,
    pub vantage: Py<PyString>,
    pub heard: Arc<Heard>,
}

/// The exchanges of one subject, kept outside the interpreter until they are stored.
#[pyclass(module = "gnomon._core")]
pub struct Recording {
    subject: Py<PyString>,
    entries: Vec<Entry>,
}

#[pymethods]
impl Recording {
    #[new]
    fn new(subject: Py<PyString>) -> Self {
        Self {
            subject,
            entries: Vec::new(),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        seq: i64,
        ask: Py<PyString>,
        server_name: Option<Py<PyString>>,
        address: Py<PyString>,
        port: u16,
        transport: u8,
        attempt: u16,
        sent_at_ns: i64,
        rtt_us: Option<u32>,
        local_port: u16,
        status: u8,
        os_error: i32,
        query: &[u8],
        response: Option<&[u8]>,
        vantage: Py<PyString>,
    ) {
        self.entries.push(Entry {
            seq,
            ask,
            server_name,
            address,
            port,
            vantage,
            heard: Arc::new(Heard {
                tag: 0,
                attempt,
                transport,
                sent_at_ns,
                rtt_us,
                local_port,
                status,
                os_error,
                query: query.to_vec(),
                response: response.map(<[u8]>::to_vec),
                last: true,
            }),
        });
    }

    /// One attempt of a batch.
    #[allow(clippy::too_many_arguments)]
    fn take(
        &mut self,
        attempts: &Attempts,
        row: usize,
        seq: i64,
        ask: Py<PyString>,
        server_name: Option<Py<PyString>>,
        address: Py<PyString>,
        port: u16,
        vantage: Py<PyString>,
    ) -> PyResult<()> {
        self.entries.push(Entry {
            seq,
            ask,
            server_name,
            address,
            port,
            vantage,
            heard: attempts.get(row)?,
        });
        Ok(())
    }

    #[getter]
    fn last_sent_at_ns(&self) -> Option<i64> {
        self.entries.last().map(|entry| entry.heard.sent_at_ns)
    }

    #[getter]
    fn subject(&self, py: Python<'_>) -> Py<PyString> {
        self.subject.clone_ref(py)
    }

    fn __len__(&self) -> usize {
        self.entries.len()
    }
}

impl Recording {
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    fn recorded<'a>(&'a self, py: Python<'a>) -> PyResult<Vec<Recorded<'a>>> {
        let subject = self.subject.to_str(py)?;
        self.entries
            .iter()
            .map(|entry| {
                Ok(Recorded {
                    subject,
                    address: entry.address.to_str(py)?,
                    ask: entry.ask.to_str(py)?,
                    server_name: entry
                        .server_name
                        .as_ref()
                        .map(|name| name.to_str(py))
                        .transpose()?,
                    vantage: entry.vantage.to_str(py)?,
                    attempt: entry.heard.attempt,
                    seq: entry.seq,
                    port: entry.port,
                    transport: entry.heard.transport,
                    sent_at_ns: entry.heard.sent_at_ns,
                    rtt_us: entry.heard.rtt_us,
                    local_port: entry.heard.local_port,
                    status: entry.heard.status,
                    os_error: entry.heard.os_error,
                    query: &entry.heard.query,
                    response: entry.heard.response.as_deref(),
                })
            })
            .collect()
    }
}

/// Rows of a segment, column by column.
#[pyclass(frozen, module = "gnomon._core")]
pub struct Rows(evidence::Rows);

#[pymethods]
impl Rows {
    /// The exchanges of some recordings in the order of a segment.
    #[staticmethod]
    fn of(py: Python<'_>, recordings: Vec<PyRef<'_, Recording>>) -> PyResult<Self> {
        let mut exchanges = Vec::new();
        for recording in &recordings {
            exchanges.extend(recording.recorded(py)?);
        }
        evidence::Rows::in_order(&exchanges)
            .map(Self)
            .map_err(fault)
    }

    /// Rows from the buffers of Arrow columns; see the stub.
    #[staticmethod]
    fn read(count: usize, columns: &Bound<'_, PyDict>) -> PyResult<Self> {
        let read = Columns { count, columns };
        let rows = evidence::Rows {
            subject: read.text("subject")?,
            address: read.text("address")?,
            ask: read.text("ask")?,
            server_name: read.text("server_name")?,
            vantage: read.text("vantage")?,
            attempt: read.fixed("attempt", u16::from_le_bytes)?,
            seq: read.fixed("seq", i64::from_le_bytes)?,
            port: read.fixed("port", u16::from_le_bytes)?,
            transport: read.fixed("transport", u8::from_le_bytes)?,
            sent_at_ns: read.fixed("sent_at_ns", i64::from_le_bytes)?,
            rtt_us: read.optional("rtt_us", u32::from_le_bytes)?,
            local_port: read.fixed("local_port", u16::from_le_bytes)?,
            status: read.fixed("status", u8::from_le_bytes)?,
            os_error: read.fixed("os_error", i32::from_le_bytes)?,
            query: read.octets("query")?,
            response: read.octets("response")?,
        };
        if rows.len() != count {
            return Err(fault("a column has too few rows"));
        }
        rows.check().map_err(fault)?;
        Ok(Self(rows))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The first and the last time of sending; None without rows.
    #[getter]
    fn sent_at_ns(&self) -> (Option<i64>, Option<i64>) {
        let times = self.0.sent_at_ns.iter().copied();
        (times.clone().min(), times.max())
    }

    fn leaves<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let leaves = py.detach(|| joined(self.0.leaves()));
        PyBytes::new(py, &leaves)
    }

    fn subjects(&self) -> Vec<(&str, usize)> {
        self.0.subjects()
    }

    #[pyo3(signature = (above=None))]
    fn out_of_order(&self, above: Option<&Self>) -> Vec<usize> {
        self.0.out_of_order(above.map(|above| &above.0))
    }

    /// The buffers of Arrow columns of the rows from `first` on: what `read` takes.
    fn columns<'py>(
        &self,
        py: Python<'py>,
        first: usize,
        count: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let rows = &self.0.slice(first, count);
        let out = PyDict::new(py);
        for (name, text) in [
            ("subject", &rows.subject),
            ("address", &rows.address),
            ("ask", &rows.ask),
            ("server_name", &rows.server_name),
            ("vantage", &rows.vantage),
        ] {
            let indices = text.indices.iter().map(|index| index.unwrap_or_default());
            let present = bitmap(text.indices.iter().map(Option::is_some));
            out.set_item(
                name,
                (
                    0,
                    present.map(|bits| PyBytes::new(py, &bits)),
                    octets_of(py, indices.map(u32::to_le_bytes)),
                    &text.words,
                ),
            )?;
        }
        let rtt = rows.rtt_us.iter().map(|rtt| rtt.unwrap_or_default());
        let present = bitmap(rows.rtt_us.iter().map(Option::is_some));
        let fixed = [
            (
                "attempt",
                None,
                octets_of(py, rows.attempt.iter().map(|it| it.to_le_bytes())),
            ),
            (
                "seq",
                None,
                octets_of(py, rows.seq.iter().map(|it| it.to_le_bytes())),
            ),
            (
                "port",
                None,
                octets_of(py, rows.port.iter().map(|it| it.to_le_bytes())),
            ),
            ("transport", None, PyBytes::new(py, &rows.transport)),
            (
                "sent_at_ns",
                None,
                octets_of(py, rows.sent_at_ns.iter().map(|it| it.to_le_bytes())),
            ),
            ("rtt_us", present, octets_of(py, rtt.map(u32::to_le_bytes))),
            (
                "local_port",
                None,
                octets_of(py, rows.local_port.iter().map(|it| it.to_le_bytes())),
            ),
            ("status", None, PyBytes::new(py, &rows.status)),
            (
                "os_error",
                None,
                octets_of(py, rows.os_error.iter().map(|it| it.to_le_bytes())),
            ),
        ];
        for (name, present, values) in fixed {
            out.set_item(
                name,
                (0, present.map(|bits| PyBytes::new(py, &bits)), values),
            )?;
        }
        for (name, octets) in [("query", &rows.query), ("response", &rows.response)] {
            let present = bitmap(octets.present.iter().copied());
            out.set_item(
                name,
                (
                    0,
                    present.map(|bits| PyBytes::new(py, &bits)),
                    octets_of(py, octets.ends.iter().map(|it| it.to_le_bytes())),
                    PyBytes::new(py, &octets.data),
                ),
            )?;
        }
        Ok(out)
    }
}

fn octets_of<const N: usize>(
    py: Python<'_>,
    values: impl Iterator<Item = [u8; N]>,
) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &joined(values))
}

/// As `flatten` and `collect`, which go octet by octet.
pub fn joined<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.size_hint().0 * N);
    values.for_each(|value| out.extend_from_slice(&value));
    out
}

/// One bit per value, the first one lowest; none needed where all are set.
fn bitmap(bits: impl Iterator<Item = bool>) -> Option<Vec<u8>> {
    let bits: Vec<bool> = bits.collect();
    if bits.iter().all(|bit| *bit) {
        return None;
    }
    let octet = |eight: &[bool]| {
        eight
            .iter()
            .rev()
            .fold(0, |octet, bit| octet << 1 | u8::from(*bit))
    };
    Some(bits.chunks(8).map(octet).collect())
}

/// The buffers of Arrow columns by name, each with its offset in rows.
struct Columns<'a, 'py> {
    count: usize,
    columns: &'a Bound<'py, PyDict>,
}

/// What an object with the buffer protocol holds, copied once.
pub struct Buffer(pub Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Buffer {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        PyBuffer::get(&object)?.to_vec(object.py()).map(Self)
    }
}

impl Buffer {
    /// Little-endian numbers from row `offset` on: fewer than `count` if the octets end.
    pub fn rows<T, const N: usize>(
        &self,
        offset: usize,
        count: usize,
        from: fn([u8; N]) -> T,
    ) -> Vec<T> {
        let rows = self.0.chunks_exact(N).skip(offset).take(count);
        rows.map(|octets| from(octets.try_into().unwrap_or([0; N])))
            .collect()
    }
}

impl Columns<'_, '_> {
    fn get<T>(&self, name: &str) -> PyResult<T>
    where
        T: for<'a, 'py> FromPyObject<'a, 'py, Error: Into<PyErr>>,
    {
        let column = self.columns.get_item(name)?;
        let column = column.ok_or_else(|| fault("a column is missing"))?;
        column.extract().map_err(Into::into)
    }

    fn fixed<T, const N: usize>(&self, name: &str, from: fn([u8; N]) -> T) -> PyResult<Vec<T>> {
        let (offset, _, values): (usize, Option<Buffer>, Buffer) = self.get(name)?;
        Ok(values.rows(offset, self.count, from))
    }

    fn optional<T, const N: usize>(
        &self,
        name: &str,
        from: fn([u8; N]) -> T,
    ) -> PyResult<Vec<Option<T>>> {
        let (offset, present, values): (usize, Option<Buffer>, Buffer) = self.get(name)?;
        let values = values.rows(offset, self.count, from);
        Ok(self.where_present(values, present, offset))
    }

    fn text(&self, name: &str) -> PyResult<Text> {
        type Column = (usize, Option<Buffer>, Buffer, Vec<String>);
        let (offset, present, indices, words): Column = self.get(name)?;
        let indices = indices.rows(offset, self.count, u32::from_le_bytes);
        let indices = self.where_present(indices, present, offset);
        Ok(Text { indices, words })
    }

    fn octets(&self, name: &str) -> PyResult<Octets> {
        let (offset, present, ends, data): (usize, Option<Buffer>, Buffer, Buffer) =
            self.get(name)?;
        Ok(Octets {
            ends: ends.rows(offset, self.count + 1, i32::from_le_bytes),
            data: data.0,
            present: self.present(present, offset),
        })
    }

    fn where_present<T>(
        &self,
        values: Vec<T>,
        present: Option<Buffer>,
        offset: usize,
    ) -> Vec<Option<T>> {
        if present.is_none() {
            return values.into_iter().map(Some).collect();
        }
        let pairs = values.into_iter().zip(self.present(present, offset));
        pairs
            .map(|(value, present)| present.then_some(value))
            .collect()
    }

    fn present(&self, bits: Option<Buffer>, offset: usize) -> Vec<bool> {
        let Some(Buffer(bits)) = bits else {
            return vec![true; self.count];
        };
        let bit = |at: usize| bits.get(at / 8).map(|octet| octet >> (at % 8) & 1 == 1);
        (offset..offset + self.count).map_while(bit).collect()
    }
}

pub fn fault(what: &'static str) -> PyErr {
    PyValueError::new_err(what)
}

/// The short check of each row: the first 4 octets of its leaf hash, as the numbers of an Arrow column.
#[pyfunction]
fn leaf_checks<'py>(py: Python<'py>, leaves: &[u8]) -> Bound<'py, PyBytes> {
    let checks = leaves
        .chunks_exact(LEAF_OCTETS)
        .filter_map(<[u8]>::first_chunk::<4>);
    octets_of(
        py,
        checks.map(|check| u32::from_be_bytes(*check).to_le_bytes()),
    )
}

/// The tree over the rows of a segment.
#[pyclass(module = "gnomon._core")]
#[derive(Default)]
pub struct MerkleTree(evidence::MerkleTree);

#[pymethods]
impl MerkleTree {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn extend(&mut self, leaves: &[u8]) -> PyResult<()> {
        if !leaves.chunks_exact(LEAF_OCTETS).remainder().is_empty() {
            return Err(fault("leaf hashes have 32 octets each"));
        }
        for leaf in leaves.chunks_exact(LEAF_OCTETS) {
            self.0.push(leaf.try_into().unwrap_or_default());
        }
        Ok(())
    }

    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(leaf_checks, m)?)?;
    m.add_class::<Recording>()?;
    m.add_class::<Rows>()?;
    m.add_class::<MerkleTree>()
}
