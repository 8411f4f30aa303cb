"""A real CoreDNS loads what k3s would give it, with our ConfigMap imported, or the file that we write for kind, and answers.

Changed for a run: where it listens, where the API server is, and stand-ins for the resolver of the machine, Docker's and k8s-gateway.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import apiserver, charts, dns, kube, tools
from .lab import Document, Lab, Object
from .verdict import Judge, Verdict

MACHINE = "192.0.2.53"  # what the stand-in says of every name of the domain
PATIENCE = 20.0


def judge(lab: Lab, verdict: Verdict) -> None:
    """One API server for all clusters: each brings its gateways' Services before its CoreDNS starts."""
    maps = [d for d in lab.documents if d.kind == "ConfigMap" and d.name == "coredns-custom"]
    if not maps:
        return
    verdict.leave("the resolver on the link-local address: a stand-in answers for it")
    with kube.server() as api:
        for document in maps:
            answers(lab, document, api, verdict)


def answers(lab: Lab, document: Document, api: kube.Api, verdict: Verdict) -> None:
    verdict.examined += 1
    cluster = str(document.cluster)
    for domain, text in files(document):
        for refusal in resolver_refusals(lab, cluster, text):
            verdict.refuse(document.file, refusal)
        addresses = {host: clusterip(api, service) for host, service in published(lab, cluster, domain).items()}
        expected = {**addresses, f"{cluster}.{domain}": MACHINE}
        with dns.resolver(domain, MACHINE) as upstream, coredns(lab, document, api, upstream) as (process, port, log):
            for name, address in sorted(expected.items()):
                verdict.examined += 1
                if refusal := dissent(process, port, name, address):
                    verdict.refuse(document.file, f"{name}: {refusal}\n{tail(log)}")
                    return


def files(document: Document) -> list[tuple[str, str]]:
    """The domain of each imported server block, and the text."""
    return [(text.split(":", 1)[0].strip(), text) for name, text in document.object["data"].items() if name.endswith(".server")]


def resolver_refusals(lab: Lab, cluster: str, text: str) -> Iterator[str]:
    """The address that queries are forwarded to is one that the machine's resolver is told to listen on."""
    machine = lab.path(f"clusters/{cluster}/cloud-init.yaml")
    for address in re.findall(r"forward \. (\S+)", text):
        if machine.exists() and f"DNSStubListenerExtra={address}\n" not in machine.read_text():
            yield f"no resolver of the machine listens on {address}"


def published(lab: Lab, cluster: str, domain: str) -> dict[str, Object]:
    """Hosts of VirtualServices to the Service of the gateway that serves them, as the Gateway's selector says it."""
    objects = [object_ for _, object_ in apiserver.objects_of(lab, cluster)]
    gateways = {g["metadata"]["name"]: g["spec"]["selector"] for g in objects if g["kind"] == "Gateway" and "selector" in g["spec"]}
    services = [s for s in objects if s["kind"] == "Service" and s["spec"].get("selector")]
    found = {}
    for route in (o for o in objects if o["kind"] == "VirtualService"):
        for gateway in route["spec"].get("gateways") or []:
            selector = gateways.get(gateway.rpartition("/")[2], {})
            service = next((s for s in services if selector and selector.items() <= s["spec"]["selector"].items()), None)
            # What passes through as TLS is for machines outside of Kubernetes: no pod asks for its name.
            if service and "http" in route["spec"]:
                found.update({host: service for host in route["spec"]["hosts"] if host.endswith(f".{domain}")})
    return found


def clusterip(api: kube.Api, service: Object) -> str:
    """The address that the API server gives to a Service."""
    if refusal := api.apply(service):
        raise RuntimeError(f"Service {service['metadata']['name']}: {refusal}")
    path = api.path("v1", "Service", service["metadata"]["namespace"])
    return str(api.ask("GET", f"{path}/{service['metadata']['name']}")[1]["spec"]["clusterIP"])


@contextmanager
def coredns(lab: Lab, document: Document, api: kube.Api, upstream: int) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """CoreDNS with k3s's file, which imports the blocks of our ConfigMap."""
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as text:
        folder, port = Path(text), kube.free_port()
        (folder / "custom").mkdir()
        (folder / "hosts").touch()
        (folder / "kubeconfig").write_text(json.dumps(api.kubeconfig(api.token)))
        for name, block in document.object["data"].items():
            (folder / "custom" / name).write_text(moved(block, port, folder, upstream))
        base = (tools.HERE / "data" / "k3s-Corefile").read_text()
        for word, value in {"CUSTOM": folder / "custom", "NODE_HOSTS": folder / "hosts", "CLUSTER_DOMAIN": domain_of(lab, str(document.cluster))}.items():
            base = base.replace(word, str(value))
        base = re.sub("HEALTH|READY|METRICS", lambda _: str(kube.free_port()), base)
        (folder / "Corefile").write_text(moved(base, port, folder, upstream))
        log = folder / "log"
        with kube.process([tools.find("coredns"), "-conf", f"{folder}/Corefile"], log, cwd=folder) as process:
            yield process, port, log


def moved(text: str, port: int, folder: Path, upstream: int) -> str:
    """The same server blocks on the loopback, with the API server and the stand-in for every other resolver."""
    text = re.sub(r"^(\S+):53 \{$", rf"\1:{port} {{\n    bind 127.0.0.1", text, flags=re.MULTILINE)
    return re.sub(r"forward \. \S+", f"forward . 127.0.0.1:{upstream}", with_kubeconfig(text, folder))


def with_kubeconfig(text: str, folder: Path) -> str:
    """CoreDNS is no pod here: it is told where the API server is."""
    text = re.sub(r"^( +kubernetes [^{\n]+)\{$", rf"\1{{\n      kubeconfig {folder}/kubeconfig", text, flags=re.MULTILINE)
    return re.sub(r"^( +kubernetes [^{\n]+)$", rf"\1 {{\n      kubeconfig {folder}/kubeconfig\n    }}", text, flags=re.MULTILINE)


def domain_of(lab: Lab, cluster: str) -> str:
    """The cluster domain that k3s is told."""
    machine = lab.path(f"clusters/{cluster}/cloud-init.yaml")
    found = re.search(r"cluster-domain: (\S+)", machine.read_text()) if machine.exists() else None
    return found.group(1) if found else "cluster.local"


def dissent(process: subprocess.Popen[bytes], port: int, name: str, address: str) -> str | None:
    """How CoreDNS answers otherwise, over UDP or over TCP. It may take a moment until it knows the Services."""
    said: dict[str, list[str] | None] = {}

    def agrees() -> bool:
        said.update(UDP=dns.ask(port, name), TCP=dns.ask(port, name, tcp=True))
        return process.poll() is not None or all(answer == [address] for answer in said.values())

    try:
        kube.until(agrees, name, PATIENCE)
    except TimeoutError:
        return f"{address} expected, answered: {said}"
    return None if process.poll() is None else "CoreDNS does not start"


def tail(log: Path) -> str:
    return "\n".join(log.read_text().strip().splitlines()[-3:])


GATEWAY = "192.0.2.35"  # what the stand-in of k8s-gateway says of every name of the domain


def judge_kind(lab: Lab, verdict: Verdict) -> None:
    """Names of load balancers lead to their containers, all other names of the domain to k8s-gateway."""
    maps = [d for d in lab.documents if (d.kind, d.name) == ("ConfigMap", "coredns")]
    if not maps:
        return
    verdict.leave("Docker's resolver and k8s-gateway: stand-ins answer for them")
    containers = dict(load_balancers(lab, verdict))
    with kube.server() as api:
        for document in maps:
            answers_on_kind(lab, document, api, containers, verdict)


def load_balancers(lab: Lab, verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Container to cluster, as cloud-provider-kind (v0.6 to v0.11, `loadBalancerName`) names what it starts for the Services of all clusters."""
    for chart in {chart.name for chart in lab.charts if not charts.has(chart.name)}:
        verdict.leave(f"Services of chart {chart}: not here")
    for cluster in {str(d.cluster) for d in lab.documents if d.cluster}:
        for _, object_ in apiserver.objects_of(lab, cluster):
            if object_["kind"] == "Service" and object_["spec"].get("type") == "LoadBalancer":
                yield container(cluster, object_["metadata"]), cluster


def container(cluster: str, service: Object) -> str:
    path = f"{cluster}/{service['namespace']}/{service['name']}"
    return f"kindccm-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def answers_on_kind(lab: Lab, document: Document, api: kube.Api, containers: dict[str, str], verdict: Verdict) -> None:
    verdict.examined += 1
    cluster, text = str(document.cluster), document.object["data"]["Corefile"]
    rewrites = dict(re.findall(r"rewrite name exact (\S+) (\S+) answer auto", text))
    name_server = name_server_of(lab, cluster)
    *zones, domain = re.findall(r"^([a-z]\S+):53 \{$", text, flags=re.MULTILINE)
    for name, owner in containers.items():
        if name_server and f"{owner}.{domain}" in zones and name not in rewrites.values():
            verdict.refuse(document.file, f"no name leads to the load balancer {name} of {owner}")
    if name_server and f"forward . {name_server}\n" not in text:
        verdict.refuse(document.file, f"k8s-gateway is at {name_server}, where nobody asks it")
    addresses = {name: f"198.51.100.{i}" for i, name in enumerate(sorted(containers), start=1)}
    expected = {name: addresses[target] for name, target in rewrites.items() if target in addresses}
    expected |= {name: address for address, name in re.findall(r"hosts \{\n +(\S+) (\S+)\n", text)}
    hosts = published(lab, cluster, domain)
    expected |= dict.fromkeys(hosts, GATEWAY) if name_server else {host: clusterip(api, service) for host, service in hosts.items()}
    with dns.knowing(addresses.get) as docker, dns.resolver(domain, GATEWAY) as gateway:
        with coredns_of_kind(text, api, docker, gateway, name_server) as (process, port, log):
            for name, address in sorted(expected.items()):
                verdict.examined += 1
                if refusal := dissent(process, port, name, address):
                    verdict.refuse(document.file, f"{name}: {refusal}\n{tail(log)}")
                    return


def name_server_of(lab: Lab, cluster: str) -> str | None:
    """Where k8s-gateway is told to answer."""
    file = f"clusters/{cluster}/values/k8s-gateway.yaml"
    return str(lab.load(file)["service"]["clusterIP"]) if lab.path(file).exists() else None


@contextmanager
def coredns_of_kind(text: str, api: kube.Api, docker: int, gateway: int, name_server: str | None) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """CoreDNS with the file that we write."""
    with tempfile.TemporaryDirectory(prefix="meshlab-conformance-") as temporary:
        folder, port = Path(temporary), kube.free_port()
        (folder / "kubeconfig").write_text(json.dumps(api.kubeconfig(api.token)))
        text = text.replace("forward . /etc/resolv.conf", f"forward . 127.0.0.1:{docker}").replace(f"forward . {name_server}", f"forward . 127.0.0.1:{gateway}")
        text = re.sub(r"^(\S+):53 \{$", rf"\1:{port} {{\n    bind 127.0.0.1", text, flags=re.MULTILINE)
        text = with_kubeconfig(text, folder)
        for plugin in (r"health(?= \{)", r"ready(?=$)", r"prometheus(?: :9153)"):
            text = re.sub(rf"^( +{plugin})", lambda found: f"{found[1].replace(' :9153', '')} 127.0.0.1:{kube.free_port()}", text, flags=re.MULTILINE)
        (folder / "Corefile").write_text(text)
        log = folder / "log"
        with kube.process([tools.find("coredns"), "-conf", f"{folder}/Corefile"], log, cwd=folder) as process:
            yield process, port, log


JUDGES = [
    Judge("coredns-kind", "CoreDNS files", "CoreDNS v1.12.3, against kube-apiserver v1.33.4", judge_kind, tier="full"),
    Judge("coredns", "CoreDNS files", "CoreDNS v1.12.3 with k3s's Corefile, against kube-apiserver v1.33.4", judge, tier="full"),
]
