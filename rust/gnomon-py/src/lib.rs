//! Binding of `gnomon-core` as the Python module `gnomon._core`. One file per concept; no logic here.

use pyo3::prelude::*;

mod asking;
mod attempts;
mod dnssec;
mod edns;
mod engine;
mod evidence;
mod index;
mod json;
mod known;
mod message;
mod name;
mod once;
mod outcomes;
mod queries;
mod records;
mod verdicts;
mod zonefile;

#[pymodule(gil_used = true)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    asking::register(m)?;
    attempts::register(m)?;
    name::register(m)?;
    records::register(m)?;
    edns::register(m)?;
    message::register(m)?;
    index::register(m)?;
    once::register(m)?;
    dnssec::register(m)?;
    engine::register(m)?;
    queries::register(m)?;
    evidence::register(m)?;
    json::register(m)?;
    outcomes::register(m)?;
    verdicts::register(m)?;
    zonefile::register(m)?;
    Ok(())
}
