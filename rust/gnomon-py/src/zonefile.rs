//! Zone files: octets in, whole zones and what is found in them out.

use crate::message::guarded;
use gnomon_core::zonefile::{self, DiffCursor, Parser, ZoneBuilder};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[pyclass(module = "gnomon._core")]
struct ZoneReader {
    origin: Option<Vec<u8>>,
    open: Option<(Parser, ZoneBuilder)>,
}

impl ZoneReader {
    fn closed() -> PyErr {
        PyValueError::new_err("the reader is finished")
    }
}

#[pymethods]
impl ZoneReader {
    #[new]
    fn new(origin: Option<Vec<u8>>, follows_includes: bool) -> Self {
        Self {
            open: Some((
                Parser::new(origin.as_deref(), follows_includes),
                ZoneBuilder::default(),
            )),
            origin,
        }
    }

    fn feed(&mut self, py: Python<'_>, octets: &Bound<'_, PyBytes>) -> PyResult<bool> {
        let (parser, zone) = self.open.as_mut().ok_or_else(Self::closed)?;
        let octets = octets.as_bytes();
        py.detach(|| {
            guarded(|| {
                parser.feed(octets, &mut |record| zone.push(record));
                !parser.is_stopped()
            })
        })
    }

    fn end_file(&mut self, py: Python<'_>) -> PyResult<()> {
        let (parser, zone) = self.open.as_mut().ok_or_else(Self::closed)?;
        py.detach(|| guarded(|| parser.end(&mut |record| zone.push(record))))
    }

    #[getter]
    fn line(&self) -> PyResult<u32> {
        let (parser, _) = self.open.as_ref().ok_or_else(Self::closed)?;
        Ok(parser.line())
    }

    #[getter]
    fn include<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let (parser, _) = self.open.as_ref().ok_or_else(Self::closed)?;
        Ok(parser.include().map(|file| PyBytes::new(py, file)))
    }

    fn enter_include(&mut self) -> PyResult<()> {
        let (parser, _) = self.open.as_mut().ok_or_else(Self::closed)?;
        parser.enter();
        Ok(())
    }

    fn refuse_include(&mut self, reason: String) -> PyResult<()> {
        let (parser, _) = self.open.as_mut().ok_or_else(Self::closed)?;
        parser.refuse(reason);
        Ok(())
    }

    fn finish(&mut self, py: Python<'_>) -> PyResult<Zone> {
        let (parser, zone) = self.open.take().ok_or_else(Self::closed)?;
        let origin = self.origin.as_deref();
        py.detach(|| {
            guarded(move || Zone {
                zone: zone.finish(origin),
                faults: parser.faults().to_vec(),
            })
        })
    }
}

#[pyclass(frozen, module = "gnomon._core")]
struct Zone {
    zone: zonefile::Zone,
    faults: Vec<zonefile::Fault>,
}

#[pymethods]
impl Zone {
    #[getter]
    fn apex<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.zone.apex_name().map(|name| PyBytes::new(py, &name))
    }

    #[getter]
    fn records(&self) -> usize {
        self.zone.records()
    }

    #[getter]
    fn faults(&self) -> Vec<(u32, &'static str, &str)> {
        self.faults
            .iter()
            .map(|fault| (fault.line, fault.kind.code(), fault.reason.as_ref()))
            .collect()
    }

    fn audit(&self, py: Python<'_>, at: i64, threads: usize) -> PyResult<ZoneAudit> {
        let audit = py.detach(|| guarded(|| zonefile::audit(&self.zone, at, threads)))?;
        let findings = audit.findings.iter().map(|(code, finding)| {
            let examples = finding
                .examples
                .iter()
                .map(|example| (example.line, example.owner.clone(), example.detail.clone()));
            (code, finding.count, examples.collect())
        });
        Ok(ZoneAudit {
            findings: findings.collect(),
            records: audit.records,
            names: audit.names,
            delegations: audit.delegations,
            signed_delegations: audit.signed_delegations,
            serial: audit.serial,
            algorithms: audit.algorithms.into_iter().map(u16::from).collect(),
            ds_kinds: audit
                .ds_kinds
                .into_iter()
                .map(|((algorithm, digest), (count, line, owner))| {
                    (algorithm, digest, count, line, owner)
                })
                .collect(),
            rrsets_valid: audit.signatures.rrsets_valid,
            signatures_valid: audit.signatures.valid.into_iter().collect(),
            first_expiration: audit.signatures.first_expiration,
            last_inception: audit.signatures.last_inception,
        })
    }
}

type Place = (u32, String, String);

#[pyclass(frozen, get_all, module = "gnomon._core")]
struct ZoneAudit {
    findings: Vec<(&'static str, u64, Vec<Place>)>,
    records: u64,
    names: u64,
    delegations: u64,
    signed_delegations: u64,
    serial: Option<u32>,
    algorithms: Vec<u16>,
    ds_kinds: Vec<(u8, u8, u64, u32, String)>,
    rrsets_valid: u64,
    signatures_valid: Vec<(u8, u64)>,
    first_expiration: Option<i64>,
    last_inception: Option<i64>,
}

#[pyclass(module = "gnomon._core")]
struct ZoneDiff {
    old: Py<Zone>,
    new: Py<Zone>,
    cursor: DiffCursor,
}

type Difference = (bool, u32, String, u32, String, String);

#[pymethods]
impl ZoneDiff {
    #[new]
    fn new(old: Py<Zone>, new: Py<Zone>) -> Self {
        Self {
            old,
            new,
            cursor: DiffCursor::default(),
        }
    }

    fn take(&mut self, py: Python<'_>, max: usize) -> PyResult<Vec<Difference>> {
        let (old, new) = (&self.old.get().zone, &self.new.get().zone);
        let cursor = &mut self.cursor;
        let found = py.detach(|| guarded(|| cursor.take(old, new, max)))?;
        Ok(found
            .into_iter()
            .map(|d| {
                let rtype = zonefile::type_name(d.rtype);
                (d.added, d.line, d.owner, d.ttl_s, rtype, d.rdata)
            })
            .collect())
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<ZoneReader>()?;
    m.add_class::<Zone>()?;
    m.add_class::<ZoneAudit>()?;
    m.add_class::<ZoneDiff>()
}
