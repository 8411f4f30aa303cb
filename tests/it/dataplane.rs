//! What ztunnel would make of the certificates of a lab: it verifies by rustls.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::support::Scratch;

const LAB: &str = "\
apiVersion: meshlab.dev/v1alpha1
kind: Blueprint
metadata: {name: lab}
spec:
  domain: demo.lab
  git: {repoURL: https://example.org/lab.git}
  secrets: {key: rsa-2048}
  registries: {}
  manager: {name: hub}
  cells:
  - {name: quiet, count: 1}
  - {name: loud, count: 1}
  - {name: both, count: 2}
  overrides:
  - {for: [quiet, both-2], istio: {dataplane: ambient}}
";

/// A workload's certificate, signed by what istiod of a cluster signs with.
fn workload(intermediate: &str, key: &str, identity: &str) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(identity.try_into().unwrap())];
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let issuer = Issuer::from_ca_cert_pem(intermediate, KeyPair::from_pem(key).unwrap()).unwrap();
    let own = KeyPair::generate().unwrap();
    params.signed_by(&own, &issuer).unwrap().der().clone()
}

fn verify(root: &str, intermediate: &str, leaf: &CertificateDer<'_>) -> Result<(), webpki::Error> {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let root = der(root);
    webpki::EndEntityCert::try_from(leaf)?.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[webpki::anchor_from_trusted_cert(&root)?],
        &[der(intermediate)],
        UnixTime::now(),
        webpki::KeyUsage::client_auth(),
        None,
        None,
    )?;
    Ok(())
}

#[test]
fn rustls_accepts_what_cells_with_ambient_clusters_get() {
    let scratch = Scratch::of("lab", LAB);
    scratch.run("render").succeeds();
    let root = scratch.read("out/lab/pki/root-cert.pem");
    let refused = Err(webpki::Error::NameConstraintViolation);
    for (cluster, cell, verdict) in [
        ("quiet-1", "quiet", Ok(())),
        ("both-1", "both", Ok(())),
        ("both-2", "both", Ok(())),
        // Sidecars verify by BoringSSL, which reads the constraint.
        ("loud-1", "loud", refused),
    ] {
        let intermediate = scratch.read(&format!("out/lab/clusters/{cluster}/pki/ca-cert.pem"));
        let key = scratch.read(&format!(".meshlab/lab/clusters/{cluster}/mesh-ca.key.pem"));
        let leaf = workload(&intermediate, &key, &format!("spiffe://{cell}.local/ns/shop/sa/web"));
        assert_eq!(verify(&root, &intermediate, &leaf), verdict, "{cluster}");
    }
}
