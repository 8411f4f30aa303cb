//! Chains, judged by OpenSSL and by rustls-webpki.

use std::fs;
use std::process::Command;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{certificate, found, key, openssl};
use crate::core::pki::fixture::{cluster, id, secret, wants};
use crate::core::pki::{Certificate, KeyAlgorithm, ServerNames, Subject, Wants};
use crate::edge::secret::Secret;

/// What a thief of an intermediate's key could sign.
fn leaf(issuer: &Certificate, key: &Secret, names: Vec<SanType>) -> Certificate {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.not_before = OffsetDateTime::now_utc() - Duration::minutes(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let issuer = Issuer::from_ca_cert_pem(issuer.pem(), KeyPair::from_pem(key.reveal()).unwrap()).unwrap();
    let own = KeyPair::generate().unwrap();
    Certificate::from_der(params.signed_by(&own, &issuer).unwrap().der()).unwrap()
}

fn uri(text: &str) -> Vec<SanType> {
    vec![SanType::URI(text.try_into().unwrap())]
}

fn dns(text: &str) -> Vec<SanType> {
    vec![SanType::DnsName(text.try_into().unwrap())]
}

/// What `openssl verify` says of a chain: nothing, or its complaint.
fn openssl_verify(root: &Certificate, chain: &[&Certificate], leaf: &Certificate) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let root = file("root.pem", root.pem().to_owned());
    let chain = file("chain.pem", chain.iter().map(|one| one.pem()).collect());
    let leaf = file("leaf.pem", leaf.pem().to_owned());
    let mut command = Command::new("openssl");
    command
        .args(["verify", "-x509_strict", "-CAfile"])
        .arg(root)
        .arg("-untrusted")
        .arg(chain)
        .arg(leaf);
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn der(certificate: &Certificate) -> CertificateDer<'static> {
    pem::parse(certificate.pem()).unwrap().into_contents().into()
}

/// What rustls says of a chain.
fn webpki_verify(
    root: &Certificate,
    chain: &[&Certificate],
    leaf: &Certificate,
    name: Option<&str>,
) -> Result<(), webpki::Error> {
    let (root, leaf) = (der(root), der(leaf));
    let chain: Vec<_> = chain.iter().map(|one| der(one)).collect();
    let anchor = webpki::anchor_from_trusted_cert(&root)?;
    let leaf = webpki::EndEntityCert::try_from(&leaf)?;
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        &chain,
        UnixTime::now(),
        webpki::KeyUsage::server_auth(),
        None,
        None,
    )?;
    name.map_or(Ok(()), |name| {
        leaf.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap())
    })
}

fn one_cluster(key: KeyAlgorithm) -> Wants {
    let mut wants = wants(&["pasta-1"]);
    wants.pki.key = key;
    wants
}

#[test]
fn openssl_accepts_each_chain_of_each_algorithm() {
    if !openssl() {
        return;
    }
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa2048] {
        let (lock, keys) = found(&one_cluster(algorithm));
        let root = &lock.roots[0];
        let mesh = certificate(&lock, "pasta-1", &Subject::Mesh);
        let workload = leaf(
            &mesh,
            &key(&keys, "pasta-1", Subject::Mesh),
            uri("spiffe://pasta.local/ns/a/sa/b"),
        );
        assert_eq!(openssl_verify(root, &[&mesh], &workload), Ok(()), "{algorithm:?}");
        let ingress = certificate(&lock, "pasta-1", &Subject::Ingress);
        let server = leaf(
            &ingress,
            &key(&keys, "pasta-1", Subject::Ingress),
            dns("grafana.demo.lab"),
        );
        assert_eq!(openssl_verify(root, &[&ingress], &server), Ok(()), "{algorithm:?}");
        for anchor in [Subject::Cell, Subject::Sealing] {
            let own = certificate(&lock, "pasta-1", &anchor);
            assert_eq!(openssl_verify(&own, &[&own], &own), Ok(()), "{algorithm:?} {anchor}");
        }
    }
}

#[test]
fn a_stolen_sidecar_intermediate_is_of_no_use_in_another_cell() {
    if !openssl() {
        return;
    }
    let mut wants = one_cluster(KeyAlgorithm::EcdsaP256);
    for constrained in [true, false] {
        wants
            .clusters
            .get_mut("pasta-1")
            .unwrap()
            .mesh
            .as_mut()
            .unwrap()
            .constrain_uri = constrained;
        let (lock, keys) = found(&wants);
        let mesh = certificate(&lock, "pasta-1", &Subject::Mesh);
        let sign = |names| leaf(&mesh, &key(&keys, "pasta-1", Subject::Mesh), names);
        let verify = |leaf| openssl_verify(&lock.roots[0], &[&mesh], &leaf);
        assert_eq!(verify(sign(uri("spiffe://pasta.local/ns/a/sa/b"))), Ok(()));
        assert_eq!(verify(sign(dns("istiod.istio-system.svc"))), Ok(()));
        let forged = verify(sign(uri("spiffe://pizza.local/ns/a/sa/b")));
        if constrained {
            assert!(forged.unwrap_err().contains("permitted subtree violation"));
        } else {
            assert_eq!(forged, Ok(()));
        }
    }
}

#[test]
fn an_ingress_intermediate_makes_no_identities_and_no_foreign_names() {
    let (lock, keys) = found(&one_cluster(KeyAlgorithm::EcdsaP256));
    let ingress = certificate(&lock, "pasta-1", &Subject::Ingress);
    let sign = |names| leaf(&ingress, &key(&keys, "pasta-1", Subject::Ingress), names);
    let root = &lock.roots[0];
    let (good, identity, foreign) = (
        sign(dns("a.demo.lab")),
        sign(uri("spiffe://pasta.local/ns/a/sa/b")),
        sign(dns("a.evil.lab")),
    );
    assert_eq!(webpki_verify(root, &[&ingress], &good, Some("a.demo.lab")), Ok(()));
    for bad in [&identity, &foreign] {
        assert_eq!(
            webpki_verify(root, &[&ingress], bad, None),
            Err(webpki::Error::NameConstraintViolation)
        );
    }
    if openssl() {
        assert_eq!(openssl_verify(root, &[&ingress], &good), Ok(()));
        for bad in [&identity, &foreign] {
            assert!(
                openssl_verify(root, &[&ingress], bad)
                    .unwrap_err()
                    .contains("permitted subtree violation")
            );
        }
    }
}

/// Why ambient cells go without the constraint: rustls refuses even the rightful identity.
#[test]
fn rustls_takes_mesh_chains_only_without_uri_constraint() {
    let mut wants = one_cluster(KeyAlgorithm::EcdsaP256);
    for (constrained, verdict) in [(true, Err(webpki::Error::NameConstraintViolation)), (false, Ok(()))] {
        wants
            .clusters
            .get_mut("pasta-1")
            .unwrap()
            .mesh
            .as_mut()
            .unwrap()
            .constrain_uri = constrained;
        let (lock, keys) = found(&wants);
        let mesh = certificate(&lock, "pasta-1", &Subject::Mesh);
        let workload = leaf(
            &mesh,
            &key(&keys, "pasta-1", Subject::Mesh),
            uri("spiffe://pasta.local/ns/a/sa/b"),
        );
        assert_eq!(webpki_verify(&lock.roots[0], &[&mesh], &workload, None), verdict);
    }
}

#[test]
fn intermediates_cannot_make_authorities() {
    if !openssl() {
        return;
    }
    let (lock, keys) = found(&one_cluster(KeyAlgorithm::EcdsaP256));
    let mesh = certificate(&lock, "pasta-1", &Subject::Mesh);
    let mut params = CertificateParams::default();
    params.not_before = OffsetDateTime::now_utc() - Duration::minutes(1);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    params.use_authority_key_identifier_extension = true;
    let thief = KeyPair::from_pem(key(&keys, "pasta-1", Subject::Mesh).reveal()).unwrap();
    let own = KeyPair::generate().unwrap();
    let below = params
        .signed_by(&own, &Issuer::from_ca_cert_pem(mesh.pem(), thief).unwrap())
        .unwrap();
    let below = Certificate::from_der(below.der()).unwrap();
    let workload = leaf(
        &below,
        &Secret::from(own.serialize_pem()),
        uri("spiffe://pasta.local/ns/a/sa/b"),
    );
    let verdict = openssl_verify(&lock.roots[0], &[&mesh, &below], &workload);
    assert!(verdict.unwrap_err().contains("path length constraint exceeded"));
}

#[test]
fn server_certificates_serve_their_names() {
    let mut wants = one_cluster(KeyAlgorithm::EcdsaP256);
    let server = |part: &str| json!({"server": {"dns": ["argocd.demo.lab", "*.apps.demo.lab"], "part": part}});
    let tls = secret("argocd", &[("tls.crt", server("chain")), ("tls.key", server("key"))]);
    wants
        .clusters
        .get_mut("pasta-1")
        .unwrap()
        .secrets
        .insert(id("argo-cd/argocd-server-tls"), tls);
    let (lock, _) = found(&wants);
    let names = ServerNames::new(["argocd.demo.lab", "*.apps.demo.lab"]).unwrap();
    let server = certificate(&lock, "pasta-1", &Subject::Server(names));
    let ingress = certificate(&lock, "pasta-1", &Subject::Ingress);
    for name in ["argocd.demo.lab", "x.apps.demo.lab"] {
        assert_eq!(webpki_verify(&lock.roots[0], &[&ingress], &server, Some(name)), Ok(()));
    }
    assert!(webpki_verify(&lock.roots[0], &[&ingress], &server, Some("other.demo.lab")).is_err());
    if openssl() {
        assert_eq!(openssl_verify(&lock.roots[0], &[&ingress], &server), Ok(()));
    }
}

#[test]
fn intermediates_say_what_istio_and_auditors_look_for() {
    if !openssl() {
        return;
    }
    let (lock, _) = found(&one_cluster(KeyAlgorithm::EcdsaP256));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca-cert.pem");
    fs::write(
        &path,
        lock.clusters[&cluster("pasta-1")]
            .certificate(&Subject::Mesh)
            .unwrap()
            .pem(),
    )
    .unwrap();
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-text", "-in"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for says in [
        "Issuer: O = meshlab, CN = meshlab root CA",
        "Subject: O = meshlab, CN = pasta-1 Istio CA",
        "DNS:istiod.istio-system.svc",
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign, CRL Sign",
        "X509v3 Name Constraints: critical\n                Permitted:\n                  URI:pasta.local",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
    ] {
        assert!(text.contains(says), "no {says:?} in\n{text}");
    }
}
