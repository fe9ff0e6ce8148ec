//! What is inside the objects of a personalised card, part 1 sections 3 and 4, SP 800-85B.

use super::PART1;
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::test::Need;
use cardlab_protocol::tlv::{find, objects};

/// The fields inside an object that must be there.
fn fields(b: &mut Bench<'_>, tag: u32) -> Checked<Vec<(u32, Vec<u8>)>> {
    b.start()?;
    let reply = b.get(tag)?;
    if reply.is_absent() {
        return Err(Stop::NotApplicable(format!("the card has no object {tag:X}")));
    }
    let data = reply.ok("GET DATA")?;
    Ok(objects(find(&data, 0x53).unwrap_or_default()).map(|o| (o.tag, o.value.to_vec())).collect())
}

fn field(fields: &[(u32, Vec<u8>)], tag: u32) -> Checked<Vec<u8>> {
    let found = fields.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.clone());
    found.ok_or_else(|| Stop::Failed(format!("field {tag:02X} is missing")))
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book.section("piv/800-73-4-1/3.1.2", &format!("{PART1} section 3.1.2, CHUID"), &[Need::Piv]);
    s.must("chuid-fields-in-order", "The CHUID's fields come in the order of the standard", |b| {
        let tags: Vec<u32> = fields(b, 0x5FC102)?.into_iter().map(|(tag, _)| tag).filter(|t| *t != 0xEE).collect();
        let order = [0x30, 0x32, 0x33, 0x34, 0x35, 0x36, 0x3E, 0xFE];
        let places: Vec<Option<usize>> = tags.iter().map(|t| order.iter().position(|o| o == t)).collect();
        holds(places.iter().all(Option::is_some) && places.is_sorted(), format!("fields {tags:02X?}"))
    });
    s.must("fasc-n-has-25-bytes", "The FASC-N has 25 bytes", |b| {
        let length = field(&fields(b, 0x5FC102)?, 0x30)?.len();
        holds(length == 25, format!("{length} bytes"))
    });
    s.must("fasc-n-parity", "Each digit of the FASC-N has odd parity, and the longitudinal check is right", |b| {
        let number = field(&fields(b, 0x5FC102)?, 0x30)?;
        let bits: Vec<u8> = number.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
        let mut check = [0u8; 4];
        let groups: Vec<&[u8]> = bits.chunks(5).collect();
        holds(groups.len() == 40, "40 groups of five bits")?;
        for (n, group) in groups.iter().enumerate() {
            holds(group.iter().sum::<u8>() % 2 == 1, format!("digit {n} has even parity"))?;
            for (sum, bit) in check.iter_mut().zip(*group) {
                *sum ^= bit;
            }
        }
        // The last group is the check itself, so everything together is zero.
        holds(check == [0; 4], "the longitudinal check is wrong")
    })
    .needs(&[Need::PlainPiv]);
    s.must("guid-is-a-uuid", "The GUID is a UUID of RFC 4122", |b| {
        let guid = field(&fields(b, 0x5FC102)?, 0x34)?;
        holds(guid.len() == 16 && guid[8] & 0xC0 == 0x80 && (1..=5).contains(&(guid[6] >> 4)), hex::encode_upper(guid))
    });
    s.must("expiry-is-a-date", "The expiration date is YYYYMMDD", |b| {
        let date = field(&fields(b, 0x5FC102)?, 0x35)?;
        let text = String::from_utf8_lossy(&date).into_owned();
        let number = |at: std::ops::Range<usize>| text.get(at).and_then(|t| t.parse::<u32>().ok()).unwrap_or(0);
        holds(
            text.len() == 8 && number(0..4) >= 2000 && (1..=12).contains(&number(4..6)) && (1..=31).contains(&number(6..8)),
            text.clone(),
        )
    });
    s.must("chuid-ends-with-an-empty-fe", "The error detection code is there and empty", |b| {
        let all = fields(b, 0x5FC102)?;
        holds(all.last().is_some_and(|(tag, value)| *tag == 0xFE && value.is_empty()), "the last field is FE 00")
    });
    let mut s = book.section("piv/800-73-4-1/3.1.1", &format!("{PART1} section 3.1.1, CCC"), &[Need::Piv]);
    s.must("card-identifier-has-21-bytes", "F0 of the CCC has 21 bytes", |b| {
        let length = field(&fields(b, 0x5FC107)?, 0xF0)?.len();
        holds(length == 21 || length == 0, format!("{length} bytes"))
    });
    s.must("data-model-is-piv", "F5 of the CCC names the data model 10", |b| {
        let model = field(&fields(b, 0x5FC107)?, 0xF5)?;
        holds(model == [0x10] || model == [0x04], hex::encode_upper(model))
    });
    s.must("ccc-versions", "F1 and F2 of the CCC name version 2.1", |b| {
        let all = fields(b, 0x5FC107)?;
        same(&[field(&all, 0xF1)?, field(&all, 0xF2)?].concat(), &[0x21, 0x21], "the versions")
    });
    for tag in [0xF3u32, 0xF4, 0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE] {
        s.must(&format!("field-{tag:02x}"), &format!("Field {tag:02X} of the CCC is there"), move |b| {
            field(&fields(b, 0x5FC107)?, tag).map(drop)
        });
    }
    let mut s = book.section("piv/800-73-4-1/3.3.2-discovery", &format!("{PART1} section 3.3.2, discovery object"), &[Need::Piv]);
    let discovery = |b: &mut Bench<'_>| -> Checked<Vec<u8>> {
        b.start()?;
        let reply = b.get(0x7E)?;
        if reply.is_absent() {
            return Err(Stop::NotApplicable("the card has no discovery object".into()));
        }
        let data = reply.ok("GET DATA 7E")?;
        find(&data, 0x7E).map(<[u8]>::to_vec).ok_or_else(|| Stop::Failed("the answer must be 7E".into()))
    };
    s.must("aid", "4F of the discovery object is the full AID", move |b| {
        same(find(&discovery(b)?, 0x4F).unwrap_or_default(), &[0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0], "4F")
    });
    s.must("usage-policy", "5F2F of the discovery object says that there is a PIV PIN", move |b| {
        let data = discovery(b)?;
        let policy = find(&data, 0x5F2F).unwrap_or_default();
        holds(policy.len() == 2 && policy[0] & 0x40 != 0, hex::encode_upper(policy))
    });
    s.must("usage-policy-of-the-global-pin", "With a Global PIN the policy says which PIN comes first", move |b| {
        let data = discovery(b)?;
        let policy = find(&data, 0x5F2F).unwrap_or_default();
        holds(policy.len() == 2 && policy[0] & 0x60 == 0x60 && matches!(policy[1], 0x10 | 0x20), hex::encode_upper(policy))
    })
    .with("global-pin", "24681357");
    s.must("only-these-two", "The discovery object holds 4F and 5F2F, and nothing else", move |b| {
        let tags: Vec<u32> = objects(&discovery(b)?).map(|o| o.tag).collect();
        holds(tags == [0x4F, 0x5F2F], format!("{tags:02X?}"))
    });
}
