//! SELECT, SP 800-73-4 part 2 section 3.1.1: the application property template.
//!
//! ```text
//! 61 { 4F application identifier, 79 { 4F RID }, [50 label], [AC { 80 cipher suite, 06 00 }] }
//! ```
//!
//! AC names the one cipher suite of a card that offers secure messaging.

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
        if let Some(suite) = messaging::suite(nvm) {
            template.nested(0xAC, |algorithms| {
                algorithms.value(0x80, &[suite.id()]).value(0x06, &[0x00]);
            });
        }
    });
}
