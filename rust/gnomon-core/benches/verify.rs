//! One ECDSA P-256 signature over one DS record: the bare crypto, and the whole verification around it.
//!
//! `cargo bench -p gnomon-core --bench verify` prints both in microseconds; they run in turn, and the ratio of the
//! medians is what to look at.

#![allow(clippy::unwrap_used)]

use gnomon_core::dnssec::{key_tag, signed_data, verify_rrsig, Arithmetic, Outcome, Rrset, Rrsig};
use ring::rand::SystemRandom;
use ring::signature::{
    EcdsaKeyPair, KeyPair, UnparsedPublicKey, ECDSA_P256_SHA256_FIXED,
    ECDSA_P256_SHA256_FIXED_SIGNING,
};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 41;
const CALLS: u32 = 200;
const OWNER: &[u8] = b"\x0eexample-domain\x04test\x00";

fn round_us(work: &dyn Fn()) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

fn main() {
    let random = SystemRandom::new();
    let seed = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, seed.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let dnskey = [&[1, 0, 3, 13], point.split_first().unwrap().1].concat();
    let ds = [&[0x30, 0x39, 13, 2][..], &[0xab; 32]].concat();
    let rdatas = [ds.as_slice()];
    let rrset = Rrset {
        owner: OWNER,
        rtype: 43,
        rclass: 1,
        rdatas: &rdatas,
    };
    let mut rrsig = vec![0, 43, 13, 2, 0, 0, 14, 16, 0, 0, 0, 2, 0, 0, 0, 1];
    rrsig.extend_from_slice(&key_tag(&dnskey).to_be_bytes());
    rrsig.extend_from_slice(b"\x04test\x00");
    let data = signed_data(&rrset, &Rrsig::parse(&rrsig).unwrap()).unwrap();
    let signature = pair.sign(&random, &data).unwrap();
    rrsig.extend_from_slice(signature.as_ref());

    let bare = || {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        black_box(key.verify(&data, signature.as_ref())).unwrap();
    };
    let whole = || {
        let outcome = verify_rrsig(&Arithmetic, &rrset, black_box(&rrsig), &dnskey);
        assert_eq!(outcome, Outcome::Valid);
    };
    let mut costs: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (round_us(&bare), round_us(&whole)))
        .collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        costs.sort_by(|a, b| of(a).total_cmp(&of(b)));
        costs.get(ROUNDS / 2).map_or(0.0, of)
    };
    println!(
        "bare crypto {:.2} us, whole verification {:.2} us",
        median(|c| c.0),
        median(|c| c.1)
    );
}
