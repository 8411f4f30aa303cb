//! The X.509 name constraints extension (RFC 5280 section 4.2.1.10), which rcgen writes without URIs.

use rcgen::CustomExtension;
use yasna::{DERWriterSeq, Tag};

const NAME_CONSTRAINTS: [u64; 4] = [2, 5, 29, 30];

/// A name form of which only some names are permitted. Number: its tag in `GeneralName`.
#[derive(Clone, Copy)]
pub(super) enum Permitted<'a> {
    /// The domain and everything below it.
    Dns(&'a str),
    /// URIs with exactly this host.
    Uri(&'a str),
}

/// The critical extension that permits only these names of their forms. Other forms stay free.
pub(super) fn name_constraints(permitted: &[Permitted<'_>]) -> CustomExtension {
    let der = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                writer.write_sequence(|writer| permitted.iter().for_each(|name| write_subtree(writer, *name)));
            });
        });
    });
    let mut extension = CustomExtension::from_oid_content(&NAME_CONSTRAINTS, der);
    extension.set_criticality(true);
    extension
}

fn write_subtree(writer: &mut DERWriterSeq<'_>, name: Permitted<'_>) {
    let (tag, text) = match name {
        Permitted::Dns(text) => (2, text),
        Permitted::Uri(text) => (6, text),
    };
    writer.next().write_sequence(|writer| {
        writer
            .next()
            .write_tagged_implicit(Tag::context(tag), |writer| writer.write_ia5_string(text));
    });
}
