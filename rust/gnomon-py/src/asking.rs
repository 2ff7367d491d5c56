//! Questions under way: who asked them, who pays for them, what came of each, and where all of that is recorded.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gnomon_core::engine::{Status, Submission, Transport};
use pyo3::exceptions::PyIndexError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use rustc_hash::FxHashMap;

use crate::attempts::Attempts;
use crate::engine::ip;
use crate::evidence::{Entry, Recording};
use crate::message::Message;
use crate::name::Name;
use crate::queries::{transport_of, Queries};

const ANSWERED: u8 = Status::Answered as u8;
/// Policy or this machine kept the attempt from being sent: trying another way is pointless.
const KEPT_BACK: [Status; 3] = [
    Status::NotSentSpecial,
    Status::NotSentOptOut,
    Status::LocalError,
];
const UNSENT: [Status; 3] = [
    Status::NotSentSpecial,
    Status::NotSentBreaker,
    Status::NotSentOptOut,
];

fn is_one_of(status: u8, of: &[Status]) -> bool {
    of.iter().any(|one| *one as u8 == status)
}

/// Messages and response octets that may still be spent.
#[pyclass(get_all, set_all, module = "gnomon._core")]
pub struct Budget {
    queries: i64,
    octets: i64,
    set_aside: i64,
    until_s: f64,
}

#[pymethods]
impl Budget {
    #[new]
    const fn new(queries: i64, octets: i64, until_s: f64) -> Self {
        Self {
            queries,
            octets,
            set_aside: 0,
            until_s,
        }
    }
}

impl Budget {
    fn room(&self, now_s: f64) -> i64 {
        if self.octets > 0 && now_s < self.until_s {
            self.queries - self.set_aside
        } else {
            0
        }
    }
}

/// What came of one `Ask`.
#[pyclass(module = "gnomon.survey.steps")]
pub struct Reply {
    #[pyo3(get)]
    ask: Py<PyTuple>,
    #[pyo3(get)]
    response: Option<Py<PyBytes>>,
    statuses: Vec<u8>,
    message: OnceLock<Py<Message>>,
}

impl Reply {
    fn head<'py>(&'py self, py: Python<'py>) -> Option<&'py [u8; 4]> {
        self.response.as_ref()?.as_bytes(py).first_chunk()
    }
}

#[pymethods]
impl Reply {
    #[new]
    const fn new(ask: Py<PyTuple>) -> Self {
        Self {
            ask,
            response: None,
            statuses: Vec::new(),
            message: OnceLock::new(),
        }
    }

    #[pyo3(signature = (status, response))]
    fn add(&mut self, status: u8, response: Option<Py<PyBytes>>) {
        self.statuses.push(status);
        if status == ANSWERED {
            self.response = response;
        }
    }

    #[getter]
    fn statuses<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.statuses)
    }

    #[getter]
    fn message(&self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        let Some(response) = &self.response else {
            return Ok(None);
        };
        if let Some(message) = self.message.get() {
            return Ok(Some(message.clone_ref(py)));
        }
        let message = Py::new(py, Message::new(response.bind(py).clone())?)?;
        let kept = self.message.get_or_init(|| message);
        Ok(Some(kept.clone_ref(py)))
    }

    #[getter]
    fn was_kept_back(&self) -> bool {
        self.statuses
            .iter()
            .all(|status| is_one_of(*status, &KEPT_BACK))
    }

    #[getter]
    fn was_truncated(&self) -> bool {
        self.statuses
            .iter()
            .filter(|status| **status == ANSWERED)
            .count()
            > 1
    }

    #[getter]
    fn header_rcode(&self, py: Python<'_>) -> Option<u8> {
        self.head(py).map(|head| head[3] & 0x0F)
    }

    #[getter]
    fn is_authoritative(&self, py: Python<'_>) -> bool {
        self.head(py)
            .is_some_and(|head| head[3] & 0x0F == 0 && head[2] & 0x04 != 0)
    }
}

/// Whoever asks wave by wave.
#[pyclass(subclass, module = "gnomon._core")]
pub struct Asker {
    #[pyo3(get)]
    recording: Py<Recording>,
    /// All of them pay for what is sent.
    budgets: Vec<Py<Budget>>,
    replies: Vec<Py<Reply>>,
    /// Of these, how many questions are sent, or need not be any more.
    passed: usize,
    open: usize,
}

#[pymethods]
impl Asker {
    #[new]
    #[pyo3(signature = (recording, *_more))]
    fn new(recording: Py<Recording>, _more: &Bound<'_, PyTuple>) -> Self {
        Self {
            recording,
            budgets: Vec::new(),
            replies: Vec::new(),
            passed: 0,
            open: 0,
        }
    }

    /// Begin a wave.
    fn begin(
        &mut self,
        py: Python<'_>,
        asks: Vec<Py<PyTuple>>,
        budgets: Vec<Py<Budget>>,
    ) -> PyResult<()> {
        let replies = asks.into_iter().map(|ask| Py::new(py, Reply::new(ask)));
        self.replies = replies.collect::<PyResult<_>>()?;
        self.budgets = budgets;
        self.passed = 0;
        Ok(())
    }

    /// Pass over the next question: it will not be sent.
    fn skip(&mut self, py: Python<'_>) -> PyResult<Py<Reply>> {
        let reply = self.replies.get(self.passed).map(|it| it.clone_ref(py));
        self.passed += 1;
        reply.ok_or_else(|| PyIndexError::new_err("no question is left"))
    }

    #[getter]
    fn open(&self) -> usize {
        self.open
    }

    #[getter]
    fn replies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.replies.iter().map(|reply| reply.bind(py)))
    }
}

impl Asker {
    fn pay(&self, py: Python<'_>, mut pay: impl FnMut(&mut Budget)) -> PyResult<()> {
        for budget in &self.budgets {
            pay(&mut *budget.try_borrow_mut(py)?);
        }
        Ok(())
    }
}

/// How a question of the plan is sent.
struct Form {
    /// Keeps its address from becoming another's.
    _question: Py<PyAny>,
    code: Py<PyString>,
    transport: Transport,
    port: u16,
    attempts: u32,
    timeout: Duration,
    mix_case: bool,
    follow_truncation: bool,
    most_sent: i64,
}

impl Form {
    fn of(question: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = question.py();
        let timeout_ms = question.getattr(intern!(py, "timeout_ms"))?.extract()?;
        Ok(Self {
            code: question.getattr(intern!(py, "code"))?.extract()?,
            transport: transport_of(question.getattr(intern!(py, "transport"))?.extract()?)?,
            port: question.getattr(intern!(py, "port"))?.extract()?,
            attempts: question.getattr(intern!(py, "attempts"))?.extract()?,
            timeout: Duration::from_millis(timeout_ms),
            mix_case: question.getattr(intern!(py, "mix_case"))?.extract()?,
            follow_truncation: question
                .getattr(intern!(py, "follow_truncation"))?
                .extract()?,
            most_sent: question.getattr(intern!(py, "most_sent"))?.extract()?,
            _question: question.clone().unbind(),
        })
    }
}

/// A question under way.
struct Flying {
    asker: Py<Asker>,
    reply: Py<Reply>,
    form: Arc<Form>,
    server_name: Option<Py<PyString>>,
    address: Py<PyString>,
}

/// The questions under way.
#[pyclass(module = "gnomon._core")]
pub struct UnderWay {
    queries: Py<Queries>,
    silent: Py<PyDict>,
    vantage: Py<PyString>,
    flying: FxHashMap<i64, Flying>,
    /// By the address of the plan's question, which is one object.
    forms: FxHashMap<usize, Arc<Form>>,
    next_tag: i64,
    #[pyo3(get)]
    next_seq: i64,
    #[pyo3(get)]
    answered: u64,
}

#[pymethods]
impl UnderWay {
    #[new]
    fn new(
        queries: Py<Queries>,
        silent: Py<PyDict>,
        vantage: Py<PyString>,
        first_seq: i64,
    ) -> Self {
        Self {
            queries,
            silent,
            vantage,
            flying: FxHashMap::default(),
            forms: FxHashMap::default(),
            next_tag: 0,
            next_seq: first_seq,
            answered: 0,
        }
    }

    fn __len__(&self) -> usize {
        self.flying.len()
    }

    fn take_seq(&mut self) -> i64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// Queue the questions of a wave as far as its budgets allow; true if they keep some back.
    fn send(&mut self, asker: &Bound<'_, Asker>, now_s: f64) -> PyResult<bool> {
        let py = asker.py();
        let mut state = asker.try_borrow_mut()?;
        let mut room = i64::MAX;
        state.pay(py, |budget| room = room.min(budget.room(now_s)))?;
        let queries = self.queries.clone_ref(py);
        let mut queries = queries.try_borrow_mut(py)?;
        let (mut spent, mut is_short) = (0, false);
        while let Some(reply) = state.replies.get(state.passed).map(|it| it.clone_ref(py)) {
            if reply.try_borrow(py)?.statuses.is_empty() {
                let ask = reply.try_borrow(py)?.ask.clone_ref(py).into_bound(py);
                let form = self.form(&ask.get_item(0)?)?;
                if spent + form.most_sent > room {
                    is_short = true;
                    break;
                }
                spent += form.most_sent;
                let flying = self.queue(&mut queries, asker, reply, &ask, form)?;
                self.flying.insert(self.next_tag, flying);
                self.next_tag += 1;
                state.open += 1;
            }
            state.passed += 1;
        }
        state.pay(py, |budget| budget.set_aside += spent)?;
        Ok(is_short)
    }

    /// Take in attempts; the askers of whose questions none is under way any more.
    fn deliver(&mut self, py: Python<'_>, attempts: &Attempts) -> PyResult<Vec<Py<Asker>>> {
        let silent = self.silent.bind(py).clone();
        let mut done = Vec::new();
        for heard in attempts.all() {
            let Some(flying) = self.flying.get(&heard.tag) else {
                continue;
            };
            let seq = self.next_seq;
            self.next_seq += 1;
            let mut asker = flying.asker.try_borrow_mut(py)?;
            asker.recording.try_borrow_mut(py)?.push(Entry {
                seq,
                ask: flying.form.code.clone_ref(py),
                server_name: flying.server_name.as_ref().map(|name| name.clone_ref(py)),
                address: flying.address.clone_ref(py),
                port: flying.form.port,
                vantage: self.vantage.clone_ref(py),
                heard: heard.clone(),
            });
            let mut reply = flying.reply.try_borrow_mut(py)?;
            let octets = heard.response.as_ref().map_or(0, Vec::len) as i64;
            let response = heard.response.as_ref();
            let response = response.map(|octets| PyBytes::new(py, octets).unbind());
            reply.add(heard.status, response);
            let sent = i64::from(heard.attempt) - i64::from(is_one_of(heard.status, &UNSENT));
            asker.pay(py, |budget| {
                budget.octets -= octets;
                if heard.last {
                    // What is shown beside the attempts was not sent.
                    budget.queries -= sent;
                    budget.set_aside -= flying.form.most_sent;
                }
            })?;
            if heard.status == ANSWERED {
                self.answered += 1;
                if !silent.is_empty() {
                    let address = reply.ask.bind(py).get_item(2)?;
                    if silent.contains(&address)? {
                        silent.del_item(address)?;
                    }
                }
            }
            if heard.last {
                if reply.response.is_none() && flying.form.transport == Transport::Udp {
                    let address = reply.ask.bind(py).get_item(2)?;
                    let before = silent.get_item(&address)?;
                    let before: u32 = before.map_or(Ok(0), |count| count.extract())?;
                    silent.set_item(address, before + 1)?;
                }
                asker.open -= 1;
                if asker.open == 0 {
                    done.push(flying.asker.clone_ref(py));
                }
                drop((asker, reply));
                self.flying.remove(&heard.tag);
            }
        }
        Ok(done)
    }
}

impl UnderWay {
    fn form(&mut self, question: &Bound<'_, PyAny>) -> PyResult<Arc<Form>> {
        let key = question.as_ptr() as usize;
        if let Some(form) = self.forms.get(&key) {
            return Ok(form.clone());
        }
        let form = Arc::new(Form::of(question)?);
        self.forms.insert(key, form.clone());
        Ok(form)
    }

    fn queue(
        &self,
        queries: &mut Queries,
        asker: &Bound<'_, Asker>,
        reply: Py<Reply>,
        ask: &Bound<'_, PyTuple>,
        form: Arc<Form>,
    ) -> PyResult<Flying> {
        let py = ask.py();
        let name = ask.get_item(1)?.extract::<Option<Py<Name>>>()?;
        let address = ask.get_item(2)?.str()?;
        queries.add(Submission {
            tag: self.next_tag,
            address: SocketAddr::new(ip(address.to_str()?)?, form.port),
            server_name: name.as_ref().map(|name| name.get().octets(py).to_vec()),
            transport: form.transport,
            wire: ask.get_item(3)?.cast::<PyBytes>()?.as_bytes().to_vec(),
            attempts: form.attempts,
            timeout: form.timeout,
            mix_case: form.mix_case,
            tcp_after_truncation: form.follow_truncation,
        })?;
        Ok(Flying {
            asker: asker.clone().unbind(),
            reply,
            form,
            server_name: name.map(|name| name.get().text(py)).transpose()?,
            address: address.unbind(),
        })
    }
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Budget>()?;
    m.add_class::<Reply>()?;
    m.add_class::<Asker>()?;
    m.add_class::<UnderWay>()
}
