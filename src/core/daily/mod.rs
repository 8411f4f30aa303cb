//! What the commands of a running lab know before they ask it anything: what a pattern means, which tools are needed, what a good
//! answer looks like.

pub mod doctor;
pub mod selection;
pub mod status;
pub mod sync;
