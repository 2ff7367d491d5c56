//! `Index`: the exchanges of a zone by subject, question and address, and the answers that were accepted.

use crate::known::HASHER;
use crate::message::{asked_in, parsed, Message};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyTuple};
use rustc_hash::FxHashMap;
use std::collections::HashMap;

/// The number of the status "answered".
const ANSWERED: i64 = 0;
const BADCOOKIE: u16 = 23;
/// Where the question of a query begins.
const QUESTION: usize = 12;

/// An accepted response.
#[pyclass(frozen, get_all, module = "gnomon.checks.observed")]
pub struct Answer {
    exchange: Py<PyAny>,
    message: Py<Message>,
    address: Py<PyAny>,
    qname: Py<PyAny>,
    qtype: Py<PyAny>,
}

#[pymethods]
impl Answer {
    #[new]
    fn new(exchange: &Bound<'_, PyAny>, message: Py<Message>) -> PyResult<Self> {
        let py = exchange.py();
        let query = exchange.getattr(intern!(py, "query"))?;
        let (qname, qtype) = match asked_in(py, query.cast::<PyBytes>()?.as_bytes())? {
            Some((name, qtype)) => (name.into_any(), qtype),
            None => (py.None(), py.None()),
        };
        Ok(Self {
            address: exchange.getattr(intern!(py, "address"))?.unbind(),
            exchange: exchange.clone().unbind(),
            message,
            qname,
            qtype,
        })
    }
}

/// One exchange, and what it is put in order by.
struct Attempt<'py> {
    exchange: Bound<'py, PyAny>,
    sent: (i64, i64),
    subject: PyBackedStr,
    ask: PyBackedStr,
    address: Bound<'py, PyAny>,
}

impl<'py> Attempt<'py> {
    fn new(exchange: Bound<'py, PyAny>) -> PyResult<Self> {
        let py = exchange.py();
        Ok(Self {
            sent: (
                exchange.getattr(intern!(py, "sent_at_ns"))?.extract()?,
                exchange.getattr(intern!(py, "seq"))?.extract()?,
            ),
            subject: exchange.getattr(intern!(py, "subject"))?.extract()?,
            ask: exchange.getattr(intern!(py, "ask"))?.extract()?,
            address: exchange.getattr(intern!(py, "address"))?,
            exchange,
        })
    }

    /// In the order they were sent.
    fn all(exchanges: &Bound<'py, PyAny>) -> PyResult<Vec<Self>> {
        let attempts = exchanges.try_iter()?.map(|exchange| Self::new(exchange?));
        let mut attempts = attempts.collect::<PyResult<Vec<_>>>()?;
        attempts.sort_by_key(|attempt| attempt.sent);
        Ok(attempts)
    }

    fn response(&self) -> PyResult<Option<Response<'_, 'py>>> {
        let py = self.exchange.py();
        let status = self.exchange.getattr(intern!(py, "status"))?;
        let octets = self.exchange.getattr(intern!(py, "response"))?;
        match octets.cast::<PyBytes>() {
            Ok(octets) if status.extract::<i64>()? == ANSWERED => Ok(Some(Response {
                attempt: self,
                query: self.exchange.getattr(intern!(py, "query"))?.cast_into()?,
                message: parsed(py, octets.as_bytes())?,
            })),
            _ => Ok(None),
        }
    }
}

/// What came back to an attempt.
struct Response<'a, 'py> {
    attempt: &'a Attempt<'py>,
    query: Bound<'py, PyBytes>,
    message: Py<Message>,
}

impl<'py> Response<'_, 'py> {
    /// All of the query but ID, flags and counts.
    fn question(&self) -> &[u8] {
        self.query.as_bytes().get(QUESTION..).unwrap_or_default()
    }

    fn answer(self) -> PyResult<Bound<'py, Answer>> {
        let exchange = &self.attempt.exchange;
        Bound::new(exchange.py(), Answer::new(exchange, self.message)?)
    }
}

/// The attempts of one question at one address, in the order they were sent.
struct Group<'a, 'py> {
    ask: &'a str,
    address: &'a Bound<'py, PyAny>,
    attempts: Vec<&'a Attempt<'py>>,
}

impl<'a, 'py> Group<'a, 'py> {
    /// By question in order of their codes, then by address in order of `key`.
    fn all(attempts: &'a [Attempt<'py>], key: &Bound<'py, PyAny>) -> PyResult<Vec<Self>> {
        let places = Places::of(attempts.iter().map(|attempt| &attempt.address), key)?;
        let of = |attempt: &&'a Attempt<'py>| (&*attempt.ask, places.get(&attempt.address));
        let mut attempts: Vec<_> = attempts.iter().collect();
        attempts.sort_by_cached_key(of);
        let groups = attempts.chunk_by(|one, two| of(one) == of(two));
        let groups = groups.filter_map(|attempts| {
            let first = attempts.first()?;
            Some(Self {
                ask: &first.ask,
                address: &first.address,
                attempts: attempts.to_vec(),
            })
        });
        Ok(groups.collect())
    }

    /// One for each question, in order of the first attempt: the last that came, the one over TCP if the one over UDP
    /// was truncated.
    fn accepted(&self) -> PyResult<Vec<Response<'a, 'py>>> {
        let mut best: Vec<Response<'_, '_>> = Vec::with_capacity(1);
        for attempt in &self.attempts {
            let Some(response) = attempt.response()? else {
                continue;
            };
            // The case of names is mixed anew in every attempt.
            let asks_the_same = |other: &&mut Response<'_, '_>| {
                other.question().eq_ignore_ascii_case(response.question())
            };
            match best.iter_mut().find(asks_the_same) {
                None => best.push(response),
                Some(before) => {
                    if before.message.get().tc() || !response.message.get().tc() {
                        *before = response;
                    }
                }
            }
        }
        // A server that wants its cookie first is asked again with it (RFC 7873 section 5.3): the second answer counts.
        let wants_cookie = |response: &Response<'_, '_>| response.message.get().code() == BADCOOKIE;
        if !best.iter().all(wants_cookie) {
            best.retain(|response| !wants_cookie(response));
        }
        Ok(best)
    }
}

/// The place of each address in an order. Equal addresses are mostly the same object, which is quicker to see.
struct Places(FxHashMap<*mut pyo3::ffi::PyObject, usize>);

impl Places {
    fn of<'a, 'py: 'a>(
        addresses: impl Iterator<Item = &'a Bound<'py, PyAny>>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let different: FxHashMap<_, _> = addresses
            .map(|address| (address.as_ptr(), address))
            .collect();
        let known = PyDict::new(key.py());
        for address in different.values() {
            known.set_item(address, ())?;
        }
        let sorted = known.keys();
        sorted.call_method("sort", (), Some(&[("key", key)].into_py_dict(key.py())?))?;
        for (place, address) in sorted.iter().enumerate() {
            known.set_item(address, place)?;
        }
        let places = different
            .into_iter()
            .map(|(object, address)| Ok((object, known.as_any().get_item(address)?.extract()?)));
        places.collect::<PyResult<_>>().map(Self)
    }

    fn get(&self, address: &Bound<'_, PyAny>) -> Option<usize> {
        self.0.get(&address.as_ptr()).copied()
    }
}

/// The exchanges of a zone and the answers accepted, by subject, question and address.
#[pyclass(frozen, get_all, module = "gnomon.checks.observed")]
pub struct Index {
    exchanges: Py<PyTuple>,
    by_subject: Py<PyDict>,
    by_ask: Py<PyDict>,
    answers: Py<PyDict>,
    answers_at: Py<PyDict>,
    first_answers: Py<PyDict>,
}

#[pymethods]
impl Index {
    #[new]
    fn new<'py>(exchanges: &Bound<'py, PyAny>, key: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = key.py();
        let attempts = Attempt::all(exchanges)?;
        let mut in_order: Vec<_> = attempts.iter().collect();
        let index = Self {
            exchanges: exchanges_of(py, &in_order)?.unbind(),
            by_subject: PyDict::new(py).unbind(),
            by_ask: PyDict::new(py).unbind(),
            answers: PyDict::new(py).unbind(),
            answers_at: PyDict::new(py).unbind(),
            first_answers: PyDict::new(py).unbind(),
        };
        in_order.sort_by_key(|attempt| &*attempt.subject);
        for of in in_order.chunk_by(|one, two| *one.subject == *two.subject) {
            let subject = of.first().map(|attempt| &*attempt.subject);
            index
                .by_subject
                .bind(py)
                .set_item(subject, exchanges_of(py, of)?)?;
        }
        let groups = Group::all(&attempts, key)?;
        for of in groups.chunk_by(|one, two| one.ask == two.ask) {
            index.add(py, of)?;
        }
        Ok(index)
    }
}

impl Index {
    /// All attempts of one question.
    fn add(&self, py: Python<'_>, groups: &[Group<'_, '_>]) -> PyResult<()> {
        let (attempts, at, first) = (PyDict::new(py), PyDict::new(py), PyDict::new(py));
        let mut all = Vec::with_capacity(groups.len());
        for group in groups {
            attempts.set_item(group.address, exchanges_of(py, &group.attempts)?)?;
            let answers = group.accepted()?.into_iter().map(Response::answer);
            let answers = answers.collect::<PyResult<Vec<_>>>()?;
            if let Some(answer) = answers.first() {
                first.set_item(group.address, answer)?;
                at.set_item(group.address, PyTuple::new(py, &answers)?)?;
                all.extend(answers);
            }
        }
        let ask = groups.first().map(|group| group.ask);
        self.by_ask.bind(py).set_item(ask, attempts)?;
        self.answers
            .bind(py)
            .set_item(ask, PyTuple::new(py, all)?)?;
        self.answers_at.bind(py).set_item(ask, at)?;
        self.first_answers.bind(py).set_item(ask, first)
    }
}

fn exchanges_of<'py>(py: Python<'py>, attempts: &[&Attempt<'py>]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, attempts.iter().map(|attempt| &attempt.exchange))
}

#[pyfunction]
fn answers_in<'py>(
    exchanges: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let attempts = Attempt::all(exchanges)?;
    let mut found = Vec::with_capacity(attempts.len());
    for group in Group::all(&attempts, key)? {
        found.extend(group.accepted()?);
    }
    found.sort_by_key(|response| response.attempt.sent);
    let answers = found.into_iter().map(Response::answer);
    PyTuple::new(key.py(), answers.collect::<PyResult<Vec<_>>>()?)
}

#[pyfunction]
fn alike(answers: Vec<Bound<'_, Answer>>) -> PyResult<(Vec<usize>, Vec<usize>)> {
    let mut messages: FxHashMap<_, _> = FxHashMap::default();
    let mut different: HashMap<_, _, _> = HashMap::with_hasher(HASHER.clone());
    let (mut numbers, mut first) = (Vec::with_capacity(answers.len()), Vec::new());
    let mut known: FxHashMap<(PyBackedStr, usize), usize> = FxHashMap::default();
    for (place, answer) in answers.iter().enumerate() {
        let py = answer.py();
        let message = &answer.get().message;
        // Mostly the same object for the same octets: that is quicker to see.
        let message = *messages.entry(message.as_ptr()).or_insert_with(|| {
            let next = different.len();
            *different.entry(message.get().octets(py)).or_insert(next)
        });
        let ask = answer.get().exchange.bind(py).getattr(intern!(py, "ask"))?;
        let number = *known.entry((ask.extract()?, message)).or_insert_with(|| {
            first.push(place);
            first.len() - 1
        });
        numbers.push(number);
    }
    Ok((numbers, first))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Answer>()?;
    m.add_class::<Index>()?;
    m.add_function(wrap_pyfunction!(alike, m)?)?;
    m.add_function(wrap_pyfunction!(answers_in, m)?)
}
