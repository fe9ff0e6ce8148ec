//! Files, data objects, access rules, selection.

use super::GIDS;
use crate::bench::{Bench, Checked, holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::test::{Danger, Need};
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::{encode, find, find_path};
use hex_literal::hex;

fn get(b: &mut Bench<'_>, file: u16, tag: u16) -> Checked<crate::bench::Reply> {
    let [f1, f2] = file.to_be_bytes();
    let [t1, t2] = tag.to_be_bytes();
    b.full(&short([0x00, 0xCB, f1, f2], &[0x5C, 0x02, t1, t2], Some(0)))
}

fn put(b: &mut Bench<'_>, file: u16, tag: u16, value: &[u8]) -> Checked<crate::bench::Reply> {
    let [f1, f2] = file.to_be_bytes();
    b.long([0x00, 0xDB, f1, f2], &encode(u32::from(tag), value))
}

pub(super) fn fill(book: &mut Book) {
    selection(book);
    objects(book);
    rules(book);
    life(book);
}

fn selection(book: &mut Book) {
    let mut s = book.section("gids/2.0/select", &format!("{GIDS}, SELECT"), &[Need::Gids]);
    s.must("by-name", "SELECT by name answers 61 with the AID", |b| {
        b.reset()?;
        let data = b.send(&hex!("00A404000BA00000039742544659020100"))?.ok("SELECT")?;
        let aid = find_path(&data, &[0x61, 0x4F]).unwrap_or_default();
        holds(aid.starts_with(&[0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59]), hex::encode_upper(aid))
    });
    s.must("nine-bytes-count", "Nine bytes of the AID are enough", |b| {
        b.reset()?;
        b.send(&hex!("00A4040009A0000003974254465900"))?.ok("SELECT")?;
        b.tries().map(drop)
    });
    s.must("control-parameters", "SELECT with P2=04 answers 62", |b| {
        b.reset()?;
        let data = b.send(&hex!("00A404040BA00000039742544659020100"))?.ok("SELECT")?;
        holds(find(&data, 0x62).is_some(), "the answer is 62")
    });
    s.must("nothing-told", "SELECT with P2=0C answers nothing", |b| {
        b.reset()?;
        let data = b.send(&hex!("00A4040C0BA000000397425446590201"))?.ok("SELECT")?;
        holds(data.is_empty(), "no data")
    });
    s.must("no-plug-and-play-applet", "The plug-and-play application is not there, or answers 7F68", |b| {
        b.reset()?;
        let reply = b.send(&hex!("00A404000BA0000003974349445F010000"))?;
        if reply.sw == 0x9000 { Ok(()) } else { reply.refused("SELECT") }
    });
    s.must("file", "A file is selected by its identifier", |b| {
        b.start()?;
        b.send(&hex!("00A4000C02A012"))?.ok("SELECT A012").map(drop)
    });
    s.must("unknown-file", "A file that is not there: 6A82", |b| {
        b.start()?;
        b.send(&hex!("00A4000C02A099"))?.is(0x6A82, "SELECT A099").map(drop)
    });
    s.must("selection-keeps-the-pin", "Selecting a file keeps the PIN verified", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00A4000C02A012"))?.ok("SELECT A012")?;
        b.is_verified("after SELECT of a file")
    })
    .needs(&[Need::Pin]);
    s.must("selection-of-the-application-ends-a-challenge", "Selecting the application ends a pending challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.select()?.ok("SELECT")?;
        b.name_admin_key()?;
        b.respond(&response)?.refused("the response after SELECT")
    })
    .needs(&[Need::AdminKey])
    .spends();
}

fn objects(book: &mut Book) {
    let mut s = book
        .section("gids/2.0/data-objects", &format!("{GIDS}, GET DATA and PUT DATA"), &[Need::Gids, Need::Pin])
        .at_least(Danger::ChangesKeys)
        .writes([Place::InFile(0xA010, 0xDF30), Place::InFile(0xA010, 0xDF31), Place::InFile(0xA013, 0xDF30)]);
    for (slug, file, tag, title) in [
        ("master-file", 0xA000u16, 0xDF1Fu16, "The master file lists files in records of 28 bytes"),
        ("cardid", 0xA012, 0xDF20, "cardid has 16 bytes"),
        ("cardapps", 0xA010, 0xDF21, "cardapps names the application mscp"),
        ("cardcf", 0xA010, 0xDF22, "cardcf has 6 bytes"),
        ("cmapfile", 0xA010, 0xDF23, "The container map has records of 86 bytes"),
    ] {
        s.must(slug, title, move |b| {
            b.start()?;
            let data = get(b, file, tag)?.ok("GET DATA")?;
            let value = find(&data, tag.into()).unwrap_or_default();
            let right = match slug {
                "master-file" => value.first() == Some(&1) && value.len() % 28 == 1,
                "cardid" => value.len() == 16,
                "cardapps" => value.starts_with(b"mscp"),
                "cardcf" => value.len() == 6,
                _ => value.len().is_multiple_of(86),
            };
            holds(right, hex::encode_upper(value))
        });
    }
    for length in [0usize, 1, 127, 128, 255, 256, 1000, 3000] {
        s.must(
            &format!("object-of-{length}-bytes"),
            &format!("An object of {length} bytes is read as it was written"),
            move |b| {
                b.start()?;
                b.verify()?;
                let value: Vec<u8> = (0..length).map(|n| (n % 249) as u8).collect();
                put(b, 0xA010, 0xDF30, &value)?.ok("PUT DATA")?;
                let data = get(b, 0xA010, 0xDF30)?.ok("GET DATA")?;
                same(&data, &encode(0xDF30, &value), "the object")
            },
        )
        .changes();
    }
    s.must("shorter-value", "A shorter value leaves no tail of the longer one", |b| {
        b.start()?;
        b.verify()?;
        put(b, 0xA010, 0xDF30, &[0x11; 300])?.ok("PUT DATA")?;
        put(b, 0xA010, 0xDF30, &[0x22; 3])?.ok("PUT DATA")?;
        same(&get(b, 0xA010, 0xDF30)?.ok("GET DATA")?, &[0xDF, 0x30, 0x03, 0x22, 0x22, 0x22], "the object")
    })
    .changes();
    s.must("objects-are-apart", "Objects of different files do not mix", |b| {
        b.start()?;
        b.verify()?;
        put(b, 0xA010, 0xDF30, &[0x01])?.ok("PUT DATA")?;
        put(b, 0xA013, 0xDF30, &[0x02])?.ok("PUT DATA")?;
        same(&get(b, 0xA010, 0xDF30)?.ok("GET DATA")?, &[0xDF, 0x30, 0x01, 0x01], "the object of A010")
    })
    .changes();
    s.must("absent-object", "An object that is not there: 6A88 or 6A82", |b| {
        b.start()?;
        get(b, 0xA010, 0xDF7E)?.any_of(&[0x6A88, 0x6A82], "GET DATA").map(drop)
    });
    s.must("absent-file", "A file that is not there: 6A82", |b| {
        b.start()?;
        get(b, 0xA099, 0xDF20)?.any_of(&[0x6A82, 0x6A88], "GET DATA").map(drop)
    });
    s.must("survives-power-off", "What was written is there after power off and on", |b| {
        b.start()?;
        b.verify()?;
        put(b, 0xA010, 0xDF30, &[0x77])?.ok("PUT DATA")?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        same(&get(b, 0xA010, 0xDF30)?.ok("GET DATA")?, &[0xDF, 0x30, 0x01, 0x77], "the object")
    })
    .changes();
    for (slug, data) in [
        ("cut", &hex!("DF3005AA")[..]),
        ("two-objects", &hex!("DF3001AADF3101BB")[..]),
        ("no-length", &hex!("DF30")[..]),
        ("nothing", &hex!("")[..]),
    ] {
        s.must(&format!("malformed-{slug}"), "A malformed PUT DATA writes nothing", move |b| {
            b.start()?;
            b.verify()?;
            b.send(&short([0x00, 0xDB, 0xA0, 0x10], data, None))?.refused("PUT DATA")
        })
        .changes();
    }
    s.must("key-file-holds-no-objects", "A key file holds no data objects", |b| {
        b.start()?;
        b.admin()?;
        put(b, 0xB080, 0xDF30, &[0x01])?.refused("PUT DATA")
    })
    .writes(&[Place::InFile(0xB080, 0xDF30)])
    .needs(&[Need::AdminKey]);
}

fn rules(book: &mut Book) {
    let mut s = book
        .section(
            "gids/2.0/access-rules",
            &format!("{GIDS}, access rules; ISO/IEC 7816-4:2020 section 9.3.3.1"),
            &[Need::Gids, Need::Pin],
        )
        .at_least(Danger::ChangesKeys)
        .writes([
            Place::InFile(0xA000, 0xDF30),
            Place::InFile(0xA010, 0xDF30),
            Place::InFile(0xA011, 0xDF30),
            Place::InFile(0xA013, 0xDF30),
            Place::InFile(0xA012, 0xDF31),
            Place::InFile(0xA014, 0xDF31),
        ]);
    for (slug, file, tag) in
        [("a010", 0xA010u16, 0xDF30u16), ("a011", 0xA011, 0xDF30), ("a013", 0xA013, 0xDF30), ("a000", 0xA000, 0xDF30)]
    {
        s.must(
            &format!("{slug}-is-not-written-by-strangers"),
            "A file of the user is not written without PIN or administrator key",
            move |b| {
                b.start()?;
                put(b, file, tag, &[0x01])?.is(0x6982, "PUT DATA").map(drop)
            },
        );
        s.must(
            &format!("{slug}-is-written-with-the-administration-key"),
            "A file of user or administrator is written with the administrator key",
            move |b| {
                b.start()?;
                b.admin()?;
                put(b, file, tag, &[0x01])?.ok("PUT DATA").map(drop)
            },
        )
        .needs(&[Need::AdminKey])
        .changes();
        s.must(&format!("{slug}-is-written-by-the-user"), "A file of the user is written with the PIN", move |b| {
            b.start()?;
            b.verify()?;
            put(b, file, tag, &[0x01])?.ok("PUT DATA").map(drop)
        })
        .changes();
    }
    for (slug, file) in [("a012", 0xA012u16), ("a014", 0xA014)] {
        s.must(
            &format!("{slug}-is-not-written-by-the-user"),
            "A file of the administrator is not written with the PIN",
            move |b| {
                b.start()?;
                b.verify()?;
                put(b, file, 0xDF31, &[0x01])?.is(0x6982, "PUT DATA").map(drop)
            },
        );
        s.must(
            &format!("{slug}-is-written-by-the-administrator"),
            "A file of the administrator is written with the administrator key",
            move |b| {
                b.start()?;
                b.admin()?;
                put(b, file, 0xDF31, &[0x01])?.ok("PUT DATA").map(drop)
            },
        )
        .needs(&[Need::AdminKey])
        .changes();
    }
    s.must("a013-is-read-with-the-pin", "A file of the user is read with the PIN only", |b| {
        b.start()?;
        b.verify()?;
        put(b, 0xA013, 0xDF30, &[0x05])?.ok("PUT DATA")?;
        get(b, 0xA013, 0xDF30)?.ok("GET DATA with the PIN")?;
        b.start()?;
        get(b, 0xA013, 0xDF30)?.is(0x6982, "GET DATA without the PIN").map(drop)
    })
    .changes();
    s.must("a011-is-never-read", "A file that nobody reads is not read with the PIN", |b| {
        b.start()?;
        b.verify()?;
        put(b, 0xA011, 0xDF30, &[0x05])?.ok("PUT DATA")?;
        get(b, 0xA011, 0xDF30)?.is(0x6982, "GET DATA").map(drop)
    })
    .changes();
    s.must("a011-is-never-read-by-the-administrator", "A file that nobody reads is not read with the administrator key", |b| {
        b.start()?;
        b.admin()?;
        get(b, 0xA011, 0xDF30)?.any_of(&[0x6982, 0x6A88], "GET DATA").map(drop)
    })
    .needs(&[Need::AdminKey]);
    s.must("a014-is-not-read-with-the-pin", "A file of the administrator is not read with the PIN", |b| {
        b.start()?;
        b.verify()?;
        get(b, 0xA014, 0xDF31)?.is(0x6982, "GET DATA").map(drop)
    });
    s.must("a010-is-free-to-read", "cardapps and the container map are read by everybody", |b| {
        b.start()?;
        get(b, 0xA010, 0xDF21)?.ok("GET DATA")?;
        get(b, 0xA010, 0xDF23)?.ok("GET DATA").map(drop)
    });
    s.must("wrong-pin-closes", "A wrong PIN closes what the right one opened", |b| {
        b.start()?;
        b.verify()?;
        b.verify_wrong()?;
        put(b, 0xA010, 0xDF30, &[0x01])?.is(0x6982, "PUT DATA").map(drop)
    })
    .spends();
}

fn life(book: &mut Book) {
    let mut s = book
        .section(
            "gids/2.0/files",
            &format!("{GIDS}, CREATE FILE, DELETE FILE, TERMINATE DF; ISO/IEC 7816-9"),
            &[Need::Gids, Need::Pin],
        )
        .at_least(Danger::ChangesKeys)
        .writes([Place::File(0xA020)]);
    let create = &hex!("00E000000E620C8201398302A0208C03033030");
    // On a card that lives on the file may be there since an earlier test.
    let without = |b: &mut Bench<'_>| -> Checked {
        b.start()?;
        b.verify()?;
        if b.send(&hex!("00A4000C02A020"))?.sw != 0x9000 {
            return Ok(());
        }
        b.send(&hex!("00440000"))?;
        b.send(&hex!("00E40000"))?.ok("DELETE FILE of an earlier A020").map(drop)
    };
    s.must("created-by-the-user", "The user creates files and deletes them", move |b| {
        without(b)?;
        b.send(create)?.ok("CREATE FILE")?;
        b.send(&hex!("00440000"))?.ok("ACTIVATE FILE")?;
        b.send(&hex!("00A4000C02A020"))?.ok("SELECT A020")?;
        b.send(&hex!("00E40000"))?.ok("DELETE FILE")?;
        b.send(&hex!("00A4000C02A020"))?.is(0x6A82, "SELECT A020").map(drop)
    })
    .changes();
    s.profile("without-rules", "A file that is created without access rules is open to everybody", move |b| {
        without(b)?;
        b.send(&hex!("00E000000962078201398302A020"))?.ok("CREATE FILE without 8C")?;
        b.send(&hex!("00440000"))?.ok("ACTIVATE FILE")?;
        b.start()?;
        put(b, 0xA020, 0xDF30, &[0x01])?.ok("PUT DATA without the PIN")?;
        same(&get(b, 0xA020, 0xDF30)?.ok("GET DATA without the PIN")?, &hex!("DF300101"), "the object")
    })
    .source("GidsApplet, File")
    .writes(&[Place::InFile(0xA020, 0xDF30)])
    .changes();
    s.must("not-by-strangers", "Nobody creates files without PIN or administrator key", move |b| {
        b.start()?;
        b.send(create)?.is(0x6982, "CREATE FILE").map(drop)
    });
    s.must("not-twice", "A file that is there is not created again", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00E000000E620C8201398302A0108C03033030"))?.refused("CREATE FILE A010")
    });
    s.must("to-be-activated", "A new file is not used before it is activated", move |b| {
        without(b)?;
        b.send(create)?.ok("CREATE FILE")?;
        put(b, 0xA020, 0xDF30, &[0x01])?.refused("PUT DATA before ACTIVATE FILE")?;
        get(b, 0xA020, 0xDF30)?.refused("GET DATA before ACTIVATE FILE")
    })
    .changes();
    for (slug, data) in [
        ("no-template", &hex!("8201398302A0218C03033030")[..]),
        ("no-identifier", &hex!("62088201398C03033030")[..]),
        ("no-type", &hex!("62098302A0218C03033030")[..]),
        ("cut", &hex!("620C820139")[..]),
        ("nothing", &hex!("")[..]),
    ] {
        s.must(&format!("malformed-{slug}"), "A malformed CREATE FILE creates nothing", move |b| {
            b.start()?;
            b.verify()?;
            b.send(&short([0x00, 0xE0, 0x00, 0x00], data, None))?.refused("CREATE FILE")?;
            b.send(&hex!("00A4000C02A021"))?.is(0x6A82, "SELECT A021").map(drop)
        })
        .changes();
    }
    s.must("termination-needs-the-administrator", "The user does not terminate the card", |b| {
        b.start()?;
        b.verify()?;
        b.send(&hex!("00E60000"))?.is(0x6982, "TERMINATE DF")?;
        b.is_verified("afterwards")
    })
    .resets();
    s.must("a-terminated-card-does-nothing", "A terminated card does nothing, also after power off and on", |b| {
        b.start()?;
        b.admin()?;
        b.send(&hex!("00E60000"))?.ok("TERMINATE DF")?;
        b.power_cycle()?;
        b.select()?;
        let pin = b.pin()?;
        holds(b.verify_with(&pin)?.sw != 0x9000, "the PIN must not verify on a terminated card")
    })
    .needs(&[Need::AdminKey, Need::New])
    .resets();
}
