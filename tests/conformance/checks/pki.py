"""Chains and identities: Istio's CA bundle loader, Go's verifier and OpenSSL; forged identities must be refused."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import sealed, tools
from .lab import Document, Lab
from .verdict import Judge, Verdict

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Authority:
    """An intermediate with its key, as it comes out of a SealedSecret."""

    certificate: str
    key: str
    chain: str
    roots: str


def chains(lab: Lab, verdict: Verdict) -> None:
    roots = lab.path("pki/root-cert.pem")
    if requested(lab):
        verdict.leave("the chains of the meshes: cert-manager asks another system for them when the lab runs")
        return
    if not roots.exists():
        verdict.refuse("pki/root-cert.pem", "missing")
        return
    for file in lab.files("clusters/*/pki/*.pem"):
        verdict.examined += 1
        for refusal in refusals(roots, lab.path(file)):
            verdict.refuse(file, refusal)


def authorities(lab: Lab, verdict: Verdict) -> None:
    """`cacerts` as istiod loads it: it signs its own cell's identities and, in sidecar cells, nobody else's."""
    ambient = {cluster for cell in cells(lab).values() if any(is_ambient(lab, c) for c in cell) for cluster in cell}
    for document in sealed.sealed(lab):
        data = {name: value.decode("latin-1") for name, value in sealed.opened(lab, document).items()}
        if "ca-key.pem" not in data:
            continue
        verdict.examined += 1
        own = trust_domain(lab, str(document.cluster))
        authority = Authority(data["ca-cert.pem"], data["ca-key.pem"], data["cert-chain.pem"], data["root-cert.pem"])
        expect(verdict, document, authority, f"spiffe://{own}/ns/default/sa/default", accepted=True)
        expect(verdict, document, authority, "istiod.istio-system.svc", accepted=True)
        for foreign in foreign_domains(lab, own):
            if document.cluster in ambient:
                verdict.leave("identities of another cell from an ambient cell's intermediate: rustls takes no URI constraint")
            else:
                expect(verdict, document, authority, f"spiffe://{foreign}/ns/default/sa/default", accepted=False)


    for document in requested(lab):
        verdict.examined += 1
        authority = issued(document)
        expect(verdict, document, authority, f"spiffe://{trust_domain(lab, str(document.cluster))}/ns/default/sa/default", accepted=True)
        expect(verdict, document, authority, "istiod.istio-system.svc", accepted=True)


def requested(lab: Lab) -> list[Document]:
    """Certificates that cert-manager is to put into `cacerts`."""
    certificates = (d for d in lab.documents if d.group == "cert-manager.io" and d.object["kind"] == "Certificate")
    return [d for d in certificates if d.object["spec"]["secretName"] == "cacerts"]


KEYS = {"ECDSA": "ec_paramgen_curve:P-{}", "RSA": "rsa_keygen_bits:{}"}
ROOT = "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
INTERMEDIATE = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"


def issued(document: Document) -> Authority:
    """What a Certificate asks for, made by OpenSSL in the place of Vault, in the form in which istiod puts together `tls.crt` and `ca.crt`."""
    spec = document.object["spec"]
    key = spec["privateKey"]
    days = str(max(1, int(spec["duration"].removesuffix("h")) // 24))
    kind = "ec" if key["algorithm"] == "ECDSA" else "rsa"
    request = ("req", "-newkey", kind, "-pkeyopt", KEYS[key["algorithm"]].format(key["size"]), "-nodes")
    with files(**{"root.ext": ROOT, "ca.ext": INTERMEDIATE}) as folder:
        at = lambda name: folder / name  # noqa: E731
        tools.answer("openssl", *request, "-subj", "/CN=Root CA", "-keyout", at("root.key"), "-out", at("root.csr"))
        tools.answer("openssl", *request, "-subj", f"/CN={spec['commonName']}", "-keyout", at("tls.key"), "-out", at("tls.csr"))
        sign = ("x509", "-req", "-days", days)
        tools.answer("openssl", *sign, "-in", at("root.csr"), "-signkey", at("root.key"), "-extfile", at("root.ext"), "-out", at("ca.crt"))
        issuer = ("-CA", at("ca.crt"), "-CAkey", at("root.key"), "-CAcreateserial")
        tools.answer("openssl", *sign, "-in", at("tls.csr"), *issuer, "-extfile", at("ca.ext"), "-out", at("tls.crt"))
        certificate, roots = at("tls.crt").read_text(), at("ca.crt").read_text()
        return Authority(certificate, at("tls.key").read_text(), certificate + roots, roots)


def ingress(lab: Lab, verdict: Verdict) -> None:
    """CA certificates for servers issue no identity of the mesh; server certificates reach the root."""
    if requested(lab):
        verdict.leave("authorities of server certificates: they never leave Vault")
        return
    roots = lab.path("pki/root-cert.pem").read_text()
    for document in sealed.sealed(lab):
        data = {name: value.decode("latin-1") for name, value in sealed.opened(lab, document).items()}
        if "tls.crt" not in data:
            continue
        verdict.examined += 1
        certificates = CERTIFICATE.findall(data["tls.crt"])
        if not is_authority(certificates[0]):
            with files(roots=roots, chain=data["tls.crt"]) as folder:
                for refusal in refusals(folder / "roots", folder / "chain"):
                    verdict.refuse(document.file, f"server certificate: {refusal}")
            continue
        authority = Authority(certificates[0], data["tls.key"], data["tls.crt"], roots)
        expect(verdict, document, authority, f"conformance.{domain(certificates[0])}", accepted=True)
        expect(verdict, document, authority, f"spiffe://{trust_domain(lab, str(document.cluster))}/ns/default/sa/default", accepted=False)


def expect(verdict: Verdict, document: Document, authority: Authority, identity: str, accepted: bool) -> None:
    """Let Istio sign for an identity with this authority, and see what the verifiers say of the certificate."""
    names = {"ca-cert.pem": authority.certificate, "ca-key.pem": authority.key, "cert-chain.pem": authority.chain, "root-cert.pem": authority.roots}
    with files(**names) as folder:
        signed = tools.run("judge-istio", "sign", folder, identity)
        if signed.returncode != 0:
            verdict.refuse(document.file, f"Istio's CA: {tools.said(signed)}")
            return
        (folder / "leaf").write_text(signed.stdout)
        found = refusals(folder / "root-cert.pem", folder / "leaf")
    if accepted:
        for refusal in found:
            verdict.refuse(document.file, f"{identity}: {refusal}")
    elif len(found) < len(VERIFIERS):
        verdict.refuse(document.file, f"{identity} should be refused, but of {', '.join(VERIFIERS)} only these do: {found}")


VERIFIERS = ("OpenSSL", "Go")


def refusals(roots: Path, chain: Path) -> list[str]:
    """What OpenSSL and Go's verifier object to in the first certificate of a chain."""
    openssl = tools.run("openssl", "verify", "-x509_strict", "-CAfile", roots, "-untrusted", chain, chain)
    go = tools.run("judge-istio", "verify", roots, chain)
    return [f"{by}: {tools.said(result, 3)}" for by, result in zip(VERIFIERS, (openssl, go), strict=True) if result.returncode != 0]


@contextmanager
def files(**contents: str) -> Iterator[Path]:
    """Files that live as long as a check; private keys among them."""
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as folder:
        for name, content in contents.items():
            (Path(folder) / name).write_text(content)
        yield Path(folder)


def is_authority(certificate: str) -> bool:
    return "CA:TRUE" in described(certificate)


def domain(certificate: str) -> str:
    """The first DNS name that an intermediate may issue."""
    found = re.search(r"Permitted:\s+(?:URI:\S+\s+)*DNS:(\S+)", described(certificate))
    return found.group(1).lstrip(".") if found else "example.invalid"


def described(certificate: str) -> str:
    return tools.answer("openssl", "x509", "-noout", "-text", stdin=certificate)


def cells(lab: Lab) -> dict[str, list[str]]:
    """Cell to its clusters, by the labels of the Applications."""
    found: dict[str, set[str]] = {}
    for application in lab.expansion["applications"]:
        labels = application["metadata"].get("labels") or {}
        found.setdefault(labels.get("cell", ""), set()).add(labels.get("cluster", ""))
    return {cell: sorted(clusters) for cell, clusters in found.items()}


def is_ambient(lab: Lab, cluster: str) -> bool:
    return any(chart.name == "ztunnel" and chart.cluster == cluster for chart in lab.charts)


def trust_domain(lab: Lab, cluster: str) -> str:
    """What the cluster's istiod is told."""
    for chart in lab.charts:
        if chart.name == "istiod" and chart.cluster == cluster:
            return str(lab.load(chart.values[0])["meshConfig"]["trustDomain"])
    return "cluster.local"


def foreign_domains(lab: Lab, own: str) -> list[str]:
    domains = {trust_domain(lab, cluster) for cluster in lab.clusters} | {"cluster.local", "foreign.invalid"}
    return sorted(domains - {own})


JUDGES = [
    Judge("chains", "cacerts and chains", "OpenSSL -x509_strict and Go's crypto/x509", chains),
    Judge("cacerts", "cacerts and chains", "Istio's CA bundle loader and signer (1.31 line, 2026-08-27); OpenSSL; Go", authorities),
    Judge("ingress-authorities", "cacerts and chains", "OpenSSL and Go's crypto/x509", ingress),
]
