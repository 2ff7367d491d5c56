//! Objects kept at hand by the octets they are made of: the same ones come back again and again.

use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::PyClass;
use rustc_hash::{FxBuildHasher, FxHashMap, FxSeededState};
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Seeds the quick hash of what comes from anyone, so that nobody can know which octets share a place.
pub static HASHER: LazyLock<FxSeededState> = LazyLock::new(|| {
    let seed = RandomState::new().hash_one(0);
    FxSeededState::with_seed(seed as usize)
});

/// At most `most` objects by the hash of their octets; all are forgotten when there are more.
pub struct Known<T> {
    most: usize,
    objects: Mutex<FxHashMap<u64, Py<T>>>,
}

impl<T: PyClass<Frozen = True> + Sync> Known<T> {
    pub const fn new(most: usize) -> Self {
        let objects = Mutex::new(FxHashMap::with_hasher(FxBuildHasher));
        Self { most, objects }
    }

    /// The object of these octets, made if it is not at hand; `fits` tells whether one is of them.
    pub fn get(
        &self,
        py: Python<'_>,
        octets: &[u8],
        fits: impl Fn(&T) -> bool,
        make: impl FnOnce() -> PyResult<Py<T>>,
    ) -> PyResult<Py<T>> {
        let number = HASHER.hash_one(octets);
        if let Some(object) = self.lock().get(&number) {
            if fits(object.get()) {
                return Ok(object.clone_ref(py));
            }
        }
        let object = make()?;
        let mut objects = self.lock();
        let forgotten = if objects.len() < self.most {
            FxHashMap::default()
        } else {
            std::mem::take(&mut *objects)
        };
        let other = objects.insert(number, object.clone_ref(py));
        // What is dropped may run anything: not while the lock is held.
        drop(objects);
        drop((forgotten, other));
        Ok(object)
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<u64, Py<T>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
