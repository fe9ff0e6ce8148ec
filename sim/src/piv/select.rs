//! SELECT, SP 800-73-4 part 2 section 3.1.1: the application property template.
//!
//! ```text
//! 61 { 4F application identifier, 79 { 4F RID }, [50 label] }
//! ```

use super::{AID, RID};
use crate::profile::{Profile, TemplateAid};
use cardlab_protocol::tlv::Writer;

pub(super) fn property_template(profile: &Profile, out: &mut Vec<u8>) {
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
    });
}
