//! Secure messaging with simulated PIV cards.

use cardlab_client::messaging::{Host, MessagingError, Secured, verify};
use cardlab_client::transport::{InProcess, Transport};
use cardlab_protocol::channel::piv::{Refused, Suite};
use cardlab_protocol::tlv::encode;
use cardlab_sim::conditions::Interface;
use cardlab_sim::{Card, Profile, World};
use zeroize::Zeroizing;

const CODE: &[u8; 8] = b"65135275";
const PIN: &[u8; 8] = b"123456\xFF\xFF";

fn card(suite: &str) -> Card {
    let mut profile = Profile::builtin("nist-piv").unwrap();
    for (setting, value) in [("sm", suite), ("pairing", "65135275")] {
        profile.set(setting, value).unwrap();
    }
    let mut card = Card::new(profile, World::seeded(1)).unwrap();
    card.power_on();
    card
}

fn reached(card: &mut Card) -> InProcess<impl FnMut(&[u8]) -> Option<Vec<u8>> + '_> {
    InProcess(|command: &[u8]| card.transmit(command).ok())
}

#[test]
fn without_contacts_a_card_is_paired_with_and_used() {
    for suite in ["cs2", "cs7"] {
        let mut card = card(suite);
        card.set_interface(Interface::Contactless);
        let mut way = reached(&mut card);
        let mut secured = Secured::open(&mut way).unwrap();
        assert_eq!(secured.get(0x5F_C107).unwrap().1.0, 0x6982);
        assert_eq!(secured.verify(0x98, CODE).unwrap().0, 0x9000);
        assert_eq!(secured.verify(0x80, b"000000\xFF\xFF").unwrap().0, 0x63C2, "no end of the session");
        assert_eq!(secured.verify(0x80, PIN).unwrap().0, 0x9000);
        let (object, sw) = secured.get(0x5F_C123).unwrap();
        assert_eq!((&object[..], sw.0), (&[&[0x53, 0x0C, 0x99, 0x08][..], CODE, &[0xFE, 0x00]].concat()[..], 0x9000));
        let template = encode(0x7C, &[encode(0x82, &[]), encode(0x81, &[1; 300])].concat());
        assert_eq!(secured.command([0x87, 0x07, 0x9E], &template, true).unwrap().1.0, 0x6A86, "long, and no such key");
    }
}

#[test]
fn a_card_without_it_says_so() {
    let mut card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
    card.power_on();
    let error = Secured::open(&mut reached(&mut card)).err().unwrap();
    assert_eq!(error.to_string(), "the card offers no secure messaging; a simulated one does with sm=cs2 or sm=cs7");
}

/// A card whose answers somebody changes.
fn changed(mut card: Card, change: impl Fn(&[u8], &mut Vec<u8>)) -> InProcess<impl FnMut(&[u8]) -> Option<Vec<u8>>> {
    InProcess(move |command: &[u8]| {
        let mut answer = card.transmit(command).ok()?;
        change(command, &mut answer);
        Some(answer)
    })
}

#[test]
fn a_card_that_cannot_prove_itself_is_refused() {
    let establishment = |command: &[u8]| command[1] == 0x87;
    let at = |place: usize| {
        let mut way = changed(card("cs2"), move |command, answer| {
            if establishment(command) {
                answer[place] ^= 1;
            }
        });
        Secured::open(&mut way).err().unwrap()
    };
    // 7C 81 F9 82 81 F6 | 00 | nonce 16 | cryptogram 16 | certificate
    assert_eq!(at(6), MessagingError::Answer, "its control byte");
    assert_eq!((at(7), at(30)), (MessagingError::Cryptogram, MessagingError::Cryptogram));
    // The certificate of another card: the signer is not the one that is shown.
    let mut ours = card("cs2");
    let mut stranger = Profile::builtin("nist-piv").unwrap();
    stranger.set("sm", "cs2").unwrap();
    let mut stranger = Card::new(stranger, World::seeded(2)).unwrap();
    stranger.power_on();
    let mut reading = false;
    let mut way = InProcess(|command: &[u8]| {
        // GET RESPONSE goes where the command went.
        reading = command[1] == 0xCB || (reading && command[1] == 0xC0);
        if reading { &mut ours } else { &mut stranger }.transmit(command).ok()
    });
    assert_eq!(Secured::open(&mut way).err(), Some(MessagingError::Certificate));
    assert_eq!(verify(&[], &[]), Err(MessagingError::Certificate));
}

#[test]
fn a_response_that_was_changed_ends_the_session() {
    let mut way = changed(card("cs7"), |command, answer| {
        if command[0] == 0x0C {
            let last = answer.len() - 3;
            answer[last] ^= 1;
        }
    });
    let mut secured = Secured::open(&mut way).unwrap();
    assert_eq!(secured.get(0x7E).err(), Some(MessagingError::Refused(Refused::Mac)));
}

#[test]
fn a_card_that_was_reset_says_so_and_a_new_session_opens() {
    let mut card = card("cs2");
    let resets = std::cell::Cell::new(false);
    let mut way = InProcess(|command: &[u8]| {
        if resets.replace(false) {
            card.reset();
        }
        card.transmit(command).ok()
    });
    let way: &mut dyn Transport = &mut way;
    let mut secured = Secured::open(way).unwrap();
    secured.get(0x7E).unwrap();
    resets.set(true);
    let error = secured.get(0x7E).err().unwrap();
    assert_eq!(error.to_string(), "the card answered 6982 where secure messaging goes on; open a new session");
    drop(secured);
    assert!(Secured::open(way).unwrap().get(0x7E).is_ok());
}

/// The key establishment of an independent program: what a host with these keys sends.
#[test]
fn a_hosts_request_is_as_known() {
    let known = "7c4e814a0010111213141516170451a7580833898ea1b183cbd7350a4099078c6ef1c1e18e970cd7683035f25e7d0110522712b0b5a7cff081685486984a94e6831edac46e7360fa9d834a7a81a18200";
    let identifier = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17];
    let host = Host::with_key(Suite::Cs2, identifier, Zeroizing::new(vec![0x33; 32])).unwrap();
    assert_eq!(hex::encode(host.request(Suite::Cs2).unwrap()), known);
    assert!(Host::with_key(Suite::Cs2, identifier, Zeroizing::new(vec![0; 32])).is_none());
    // Its whole answer, and the session that it opens.
    let answer = hex::decode(
        "7C81F98281F600707172737475767778797A7B7C7D7E7F5730A27A598B57946971EB90663BCC1A7F2181D15F290180420801020304050607085F2010A0A1A2A3A4A5A6A7A8A9AAABACADAEAF7F494D06082A8648CE3D030107864104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E473FDDB6755F05BD507C3C533FCE9C912855F4C01005F37593057300A06082A8648CE3D04030203490030460221009E06A6BAFB751F7D1A1B995665DB2F4C5D7C0C5CC5062D63E6B16FED9BC0301D0221009B926EF7DA821CE756388BC7AAA07B8577FD6089617D38814AF6E8010B3389ED",
    )
    .unwrap();
    let mut established = host.accept(Suite::Cs2, &answer).unwrap();
    let field = established.session.seal_command([0x20, 0x00, 0x98], CODE, false).unwrap();
    assert_eq!(hex::encode(field), "8711010aa008b6e8716000c758e914b7d448618e08b245c7546cd9184c");
    assert!(host.accept(Suite::Cs7, &answer).is_err());
}
