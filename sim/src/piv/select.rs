//! SELECT, SP 800-73-4 part 2 section 3.1.1: the application property template.
//!
//! ```text
//! 61 { 4F application identifier, 79 { 4F RID }, [50 label], [AC { 80 cipher suite, 80 algorithm, .., 06 00 }] }
//! ```
//!
//! AC (table 5) names the one cipher suite of a card that offers secure messaging, and the algorithms of keys where a card
//! lists them: programs take them for all that it has.

use super::{AID, RID, messaging};
use crate::nvm::Nvm;
use crate::profile::{Profile, TemplateAid};
use cardlab_protocol::tlv::Writer;

pub(super) fn property_template(nvm: &Nvm, profile: &Profile, out: &mut Vec<u8>) {
    let aid: &[u8] = match profile.piv().template_aid {
        TemplateAid::Full => &AID,
        TemplateAid::Pix => &AID[RID.len()..],
    };
    Writer::new(out).nested(0x61, |template| {
        template.value(0x4F, aid).nested(0x79, |authority| {
            authority.value(0x4F, &RID);
        });
        if !profile.piv().label.is_empty() {
            template.value(0x50, profile.piv().label.as_bytes());
        }
        let suite = messaging::suite(nvm).map(|suite| suite.id());
        let mut listed = suite.into_iter().chain(profile.piv().lists.iter().map(|algorithm| algorithm.id())).peekable();
        if listed.peek().is_some() {
            template.nested(0xAC, |algorithms| {
                for id in listed {
                    algorithms.value(0x80, &[id]);
                }
                algorithms.value(0x06, &[0x00]);
            });
        }
    });
}
