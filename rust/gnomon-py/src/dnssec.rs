//! DNSSEC primitives.

use crate::message::guarded;
use gnomon_core::dnssec::{self, Arithmetic, Rrset};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

#[pyfunction]
fn key_tag(dnskey_rdata: &[u8]) -> u16 {
    dnssec::key_tag(dnskey_rdata)
}

#[pyfunction]
fn ds_digest<'py>(
    py: Python<'py>,
    owner: &[u8],
    dnskey_rdata: &[u8],
    digest_type: u8,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let digest = guarded(|| dnssec::ds_digest(owner, dnskey_rdata, digest_type))?;
    Ok(digest.map(|octets| PyBytes::new(py, &octets)))
}

#[pyfunction]
fn canonical_rdatas<'py>(
    py: Python<'py>,
    rtype: u16,
    rdatas: Vec<Bound<'py, PyBytes>>,
) -> PyResult<Bound<'py, PyList>> {
    let octets: Vec<&[u8]> = rdatas.iter().map(|rdata| rdata.as_bytes()).collect();
    let canonical = guarded(|| dnssec::canonical_rdatas(rtype, &octets))?;
    PyList::new(py, canonical.iter().map(|rdata| PyBytes::new(py, rdata)))
}

#[pyfunction]
fn verify_rrsig(
    py: Python<'_>,
    owner: &[u8],
    rtype: u16,
    rclass: u16,
    rdatas: Vec<Bound<'_, PyBytes>>,
    rrsig_rdata: &[u8],
    dnskey_rdata: &[u8],
) -> &'static str {
    let rdatas: Vec<&[u8]> = rdatas.iter().map(|rdata| rdata.as_bytes()).collect();
    let rrset = Rrset {
        owner,
        rtype,
        rclass,
        rdatas: &rdatas,
    };
    py.detach(|| {
        guarded(|| dnssec::verify_rrsig(&Arithmetic, &rrset, rrsig_rdata, dnskey_rdata).code())
    })
    .unwrap_or("not-checkable:internal")
}

#[pyfunction]
fn nsec3_hash<'py>(
    py: Python<'py>,
    name: &[u8],
    algorithm: u8,
    iterations: u16,
    salt: &[u8],
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let hash = guarded(|| dnssec::nsec3_hash(name, algorithm, iterations, salt))?;
    Ok(hash.map(|octets| PyBytes::new(py, &octets)))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(key_tag, m)?)?;
    m.add_function(wrap_pyfunction!(ds_digest, m)?)?;
    m.add_function(wrap_pyfunction!(canonical_rdatas, m)?)?;
    m.add_function(wrap_pyfunction!(verify_rrsig, m)?)?;
    m.add_function(wrap_pyfunction!(nsec3_hash, m)?)
}
