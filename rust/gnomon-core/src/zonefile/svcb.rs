//! Service parameters of SVCB and HTTPS (RFC 9460 sections 2.1 and 2.2, RFC 9461, RFC 9540).

use super::lexer::Bad;
use super::rdata::Words;
use super::text::{self, Digits, Why};
use crate::wire::u16_at;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const KEYS: &[(&str, u16)] = &[
    ("mandatory", 0),
    ("alpn", 1),
    ("no-default-alpn", 2),
    ("port", 3),
    ("ipv4hint", 4),
    ("ech", 5),
    ("ipv6hint", 6),
    ("dohpath", 7),
    ("ohttp", 8),
];

fn key_number(word: &[u8]) -> Option<u16> {
    let known = KEYS.iter().find(|(name, _)| name.as_bytes() == word);
    match known {
        Some(&(_, number)) => Some(number),
        None => u16::try_from(text::number(word.strip_prefix(b"key")?, 65534)?).ok(),
    }
}

fn key_name(number: u16) -> String {
    let known = KEYS.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| format!("key{number}"), |(name, _)| (*name).to_owned())
}

/// Append the parameters that the rest of the words give, in the order of their keys.
pub(super) fn read(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
    let mut found: Vec<(u16, Vec<u8>)> = Vec::new();
    while let Some(word) = words.next() {
        let at = word.iter().position(|&octet| octet == b'=');
        let (key, value) = match at {
            Some(at) => (word.get(..at), word.get(at + 1..)),
            None => (Some(word), None),
        };
        let key = key
            .and_then(key_number)
            .ok_or_else(|| words.blame("no service parameter of this name"))?;
        let octets = read_value(key, value).map_err(|why| words.blame(why))?;
        found.push((key, octets));
    }
    found.sort();
    if found
        .windows(2)
        .any(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
    {
        return Err(words.blame("a service parameter is given twice"));
    }
    for (key, value) in found {
        let length = u16::try_from(value.len())
            .map_err(|_| words.blame("a service parameter of over 65,535 octets"))?;
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&value);
    }
    Ok(())
}

fn read_value(key: u16, value: Option<&[u8]>) -> Result<Vec<u8>, Why> {
    let mut octets = Vec::new();
    if let Some(value) = value {
        let bare = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        text::string(bare.unwrap_or(value), &mut octets)?;
    }
    let out = match key {
        0 => {
            let keys: Option<Vec<u16>> = octets
                .split(|&octet| octet == b',')
                .map(key_number)
                .collect();
            let mut keys = keys.ok_or("mandatory names an unknown service parameter")?;
            keys.sort_unstable();
            keys.iter().flat_map(|key| key.to_be_bytes()).collect()
        }
        1 => alpn_octets(&octets)?,
        2 | 8 if octets.is_empty() => octets,
        2 | 8 => return Err("this service parameter has no value"),
        3 => {
            let port = text::number(&octets, 65535).and_then(|port| u16::try_from(port).ok());
            port.ok_or("no port number")?.to_be_bytes().to_vec()
        }
        4 => addresses(&octets, |a: Ipv4Addr| a.octets().to_vec())?,
        5 => {
            let (mut digits, mut out) = (Digits::new(6), Vec::new());
            digits.push(&octets, &mut out)?;
            digits.end()?;
            out
        }
        6 => addresses(&octets, |a: Ipv6Addr| a.octets().to_vec())?,
        _ => octets,
    };
    check(key, &out).ok_or("no value that this service parameter can have")?;
    Ok(out)
}

/// The protocol names; a comma or backslash within one is escaped once more (RFC 9460 appendix A.1).
fn alpn_octets(octets: &[u8]) -> Result<Vec<u8>, Why> {
    let mut names = vec![Vec::new()];
    let mut rest = octets.iter();
    while let Some(&octet) = rest.next() {
        let octet = match octet {
            b',' => {
                names.push(Vec::new());
                continue;
            }
            b'\\' => *rest.next().ok_or("a backslash at the end of alpn")?,
            _ => octet,
        };
        if let Some(name) = names.last_mut() {
            name.push(octet);
        }
    }
    let mut out = Vec::new();
    for name in names {
        out.push(u8::try_from(name.len()).map_err(|_| "a protocol name of over 255 octets")?);
        out.extend_from_slice(&name);
    }
    Ok(out)
}

fn addresses<T: std::str::FromStr>(
    octets: &[u8],
    wire: impl Fn(T) -> Vec<u8>,
) -> Result<Vec<u8>, Why> {
    let mut out = Vec::new();
    for part in octets.split(|&octet| octet == b',') {
        let address = std::str::from_utf8(part)
            .ok()
            .and_then(|part| part.parse().ok());
        out.extend(wire(address.ok_or("no IP address")?));
    }
    Ok(out)
}

/// Whether the octets are a value of the key.
fn check(key: u16, value: &[u8]) -> Option<()> {
    let good = match key {
        0 => {
            let pairs: Vec<Option<u16>> = value.chunks(2).map(|pair| u16_at(pair, 0)).collect();
            !pairs.is_empty()
                && pairs.iter().all(Option::is_some)
                && pairs.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
                && pairs.first() != Some(&Some(0))
                && pairs.last() != Some(&Some(u16::MAX))
        }
        1 => {
            let mut rest = value;
            let mut named = !value.is_empty();
            while let Some((&length, after)) = rest.split_first() {
                named &= length > 0;
                rest = after.get(usize::from(length)..)?;
            }
            named
        }
        2 | 8 => value.is_empty(),
        3 => value.len() == 2,
        4 => !value.is_empty() && value.len().is_multiple_of(4),
        6 => !value.is_empty() && value.len().is_multiple_of(16),
        _ => true,
    };
    good.then_some(())
}

/// Append the parameters in presentation form; None if the octets are no parameters in strict order.
pub(super) fn put(mut rest: &[u8], out: &mut String) -> Option<()> {
    let mut last = None;
    let mut first = true;
    while !rest.is_empty() {
        let (key, length) = (u16_at(rest, 0)?, u16_at(rest, 2)?);
        let (value, after) = rest.get(4..)?.split_at_checked(usize::from(length))?;
        if last >= Some(key) || key == u16::MAX {
            return None;
        }
        check(key, value)?;
        if !first {
            out.push(' ');
        }
        out.push_str(&key_name(key));
        put_value(key, value, out)?;
        (last, rest, first) = (Some(key), after, false);
    }
    Some(())
}

fn put_value(key: u16, value: &[u8], out: &mut String) -> Option<()> {
    if value.is_empty() && key != 5 {
        return Some(());
    }
    out.push('=');
    let list = |parts: Vec<String>, out: &mut String| out.push_str(&parts.join(","));
    match key {
        0 => {
            let keys = value.chunks(2).map(|pair| u16_at(pair, 0).map(key_name));
            list(keys.collect::<Option<_>>()?, out);
        }
        1 => {
            let (mut rest, mut text) = (value, Vec::new());
            while let Some((&length, after)) = rest.split_first() {
                let (name, after) = after.split_at_checked(usize::from(length))?;
                if !text.is_empty() {
                    text.push(b',');
                }
                for &octet in name {
                    if matches!(octet, b',' | b'\\') {
                        text.push(b'\\');
                    }
                    text.push(octet);
                }
                rest = after;
            }
            text::put_string(&text, out);
        }
        3 => write!(out, "{}", u16_at(value, 0)?).ok()?,
        4 => {
            let each = value
                .chunks(4)
                .map(|a| Some(Ipv4Addr::from(<[u8; 4]>::try_from(a).ok()?).to_string()));
            list(each.collect::<Option<_>>()?, out);
        }
        5 => text::put_base64(value, out),
        6 => {
            let each = value
                .chunks(16)
                .map(|a| Some(Ipv6Addr::from(<[u8; 16]>::try_from(a).ok()?).to_string()));
            list(each.collect::<Option<_>>()?, out);
        }
        _ => text::put_string(value, out),
    }
    Some(())
}
