//! Signatures and keys of any octets, with the algorithm and tag made to agree so that the arithmetic is reached.
#![no_main]

use gnomon_core::dnssec::{key_tag, verify_rrsig, Arithmetic, Rrset, Rrsig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&[algorithm, key_octets, more, rtype], rest)) = octets.split_first_chunk() else {
        return;
    };
    let key_octets = usize::from(key_octets) + usize::from(more) * 3;
    let (key, rest) = rest.split_at(key_octets.min(rest.len()));
    let (rdata, signature) = rest.split_at(rest.len().min(usize::from(rtype)));
    let key = [&[1, 1, 3, algorithm], key].concat();
    let rtype = u16::from(rtype);
    let mut rrsig = rtype.to_be_bytes().to_vec();
    rrsig.extend_from_slice(&[algorithm, 0, 0, 0, 14, 16, 0, 0, 0, 2, 0, 0, 0, 1]);
    rrsig.extend_from_slice(&key_tag(&key).to_be_bytes());
    rrsig.push(0);
    rrsig.extend_from_slice(signature);
    assert_eq!(
        Rrsig::parse(&rrsig).map(|read| read.signature),
        Some(signature)
    );
    let rdatas = [rdata];
    let of = |owner| Rrset {
        owner,
        rtype,
        rclass: 1,
        rdatas: &rdatas,
    };
    verify_rrsig(&Arithmetic, &of(b"\x01A\x00"), &rrsig, &key);
    verify_rrsig(&Arithmetic, &of(key.as_slice()), rdata, signature);
});
