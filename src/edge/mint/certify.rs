//! The certificates: who is in them, what they may do, how long they live.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::constraint::{Permitted, name_constraints};
use super::error::{Refusal, Trouble};
use super::key::PrivateKey;
use crate::core::name::{CellName, ClusterName, LabName};
use crate::core::pki::{Certificate, DnsName, IngressCa, MeshCa, PkiSpec, ServerNames, Slot};

/// What makes certificates of one run alike: when it is, and who issues.
#[derive(Clone, Copy)]
pub(super) struct Office<'a> {
    pub(super) spec: &'a PkiSpec,
    pub(super) now: OffsetDateTime,
}

/// A certificate authority with its key at hand.
pub(super) struct Authority {
    pub(super) slot: Slot,
    pub(super) certificate: Certificate,
    pub(super) key: PrivateKey,
}

/// Attributes of a certificate before it has a key and an issuer.
pub(super) struct Draft {
    params: CertificateParams,
    life: Duration,
}

impl Office<'_> {
    /// The root of the lab: may have intermediates, but no more than one level of them.
    pub(super) fn root(&self, lab: &LabName) -> Result<Draft, Trouble> {
        self.ca(&format!("{lab} root CA"), 1, years(self.spec.root_years.get()))
    }

    /// The CA that the clusters of a cell share (Cilium): self-signed.
    pub(super) fn cell(&self, cell: &CellName) -> Result<Draft, Trouble> {
        self.ca(&format!("{cell} cell CA"), 0, years(self.spec.root_years.get()))
    }

    /// An Istio intermediate, with the name that upstream's Makefile gives it (tools/certs) and, where wanted, only for
    /// SPIFFE identities of its own trust domain.
    pub(super) fn mesh(&self, cluster: &ClusterName, ca: &MeshCa) -> Result<Draft, Trouble> {
        let mut draft = self.ca(
            &format!("{cluster} Istio CA"),
            0,
            years(self.spec.intermediate_years.get()),
        )?;
        draft.params.subject_alt_names = vec![SanType::DnsName("istiod.istio-system.svc".try_into()?)];
        if ca.constrain_uri {
            let permitted = [Permitted::Uri(ca.trust_domain.as_str())];
            draft.params.custom_extensions = vec![name_constraints(&permitted)];
        }
        Ok(draft)
    }

    /// An intermediate for server certificates. `invalid` is nobody's trust domain (RFC 2606): no SPIFFE identity can pass.
    pub(super) fn ingress(&self, cluster: &ClusterName, ca: &IngressCa) -> Result<Draft, Trouble> {
        let mut draft = self.ca(
            &format!("{cluster} ingress CA"),
            0,
            years(self.spec.intermediate_years.get()),
        )?;
        let dns = ca.dns.iter().map(DnsName::as_str).map(Permitted::Dns);
        let permitted: Vec<_> = dns.chain([Permitted::Uri("invalid")]).collect();
        draft.params.custom_extensions = vec![name_constraints(&permitted)];
        Ok(draft)
    }

    /// The certificate of a sealing key: kubeseal only takes the public key from it, and refuses an expired one.
    pub(super) fn sealing(&self, cluster: &ClusterName) -> Result<Draft, Trouble> {
        let usages = vec![KeyUsagePurpose::KeyEncipherment];
        self.end_entity(
            &format!("{cluster} sealing key"),
            usages,
            years(self.spec.root_years.get()),
        )
    }

    /// A server certificate.
    pub(super) fn server(&self, names: &ServerNames) -> Result<Draft, Trouble> {
        let usages = vec![KeyUsagePurpose::DigitalSignature];
        // X.520 allows 64 characters in a common name; nobody but people reads it.
        let name = names.iter().find(|name| name.len() <= 64).unwrap_or("server");
        let mut draft = self.end_entity(name, usages, Duration::days(self.spec.server_days.get().into()))?;
        draft.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        draft.params.subject_alt_names = names
            .iter()
            .map(|name| Ok(SanType::DnsName(name.try_into()?)))
            .collect::<Result<_, rcgen::Error>>()?;
        Ok(draft)
    }

    fn ca(&self, name: &str, path_length: u8, life: Duration) -> Result<Draft, Trouble> {
        let usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
        ];
        let mut draft = self.end_entity(name, usages, life)?;
        draft.params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
        Ok(draft)
    }

    fn end_entity(&self, name: &str, usages: Vec<KeyUsagePurpose>, life: Duration) -> Result<Draft, Trouble> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::OrganizationName, self.spec.organization.as_str());
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(serial()?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = usages;
        params.use_authority_key_identifier_extension = true;
        params.not_before = not_before(self.now);
        Ok(Draft { params, life })
    }
}

impl Draft {
    pub(super) fn self_signed(mut self, key: &PrivateKey) -> Result<Certificate, Trouble> {
        self.params.not_after = self.params.not_before.saturating_add(self.life);
        read_back(&self.params.self_signed(key.pair())?)
    }

    /// Issued by `authority`, which it never outlives.
    pub(super) fn issued_by(
        mut self,
        authority: &Authority,
        key: &PrivateKey,
        now: OffsetDateTime,
    ) -> Result<Certificate, Trouble> {
        let end = OffsetDateTime::from_unix_timestamp(authority.certificate.not_after()).unwrap_or(now);
        if end <= now {
            return Err(Refusal::Expired {
                slot: authority.slot.clone(),
                not_after: end,
            }
            .into());
        }
        self.params.not_after = self.params.not_before.saturating_add(self.life).min(end);
        let issuer = Issuer::from_ca_cert_pem(authority.certificate.pem(), authority.key.pair())?;
        read_back(&self.params.signed_by(key.pair(), &issuer)?)
    }
}

fn read_back(certificate: &rcgen::Certificate) -> Result<Certificate, Trouble> {
    Certificate::from_der(certificate.der()).map_err(|reason| anyhow::anyhow!(reason).into())
}

fn years(years: u16) -> Duration {
    Duration::days(365 * i64::from(years))
}

/// An hour ago, at a full minute: machines whose clocks are slow still find it valid.
fn not_before(now: OffsetDateTime) -> OffsetDateTime {
    let minutes = now.unix_timestamp().div_euclid(60) - 60;
    OffsetDateTime::from_unix_timestamp(minutes * 60).unwrap_or(now)
}

/// A random serial of 16 bytes (RFC 5280: positive, at most 20), always of the same length.
fn serial() -> Result<SerialNumber, Trouble> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
