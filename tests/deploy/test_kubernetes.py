"""deploy/kubernetes/: valid by Kubernetes' own schemas, complete, without rights, and without a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from ipaddress import ip_network
from typing import Any

import pytest
import yaml

from cds_service import __version__, cli
from cds_service.answer import answer, load_tools
from cds_service.beside import Beside
from cds_service.pages.book import book
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.deploy.files import DEPLOY, KUBERNETES, NAMES, ROOT, document, with_store

BASE = document(KUBERNETES / "kustomization.yaml")
FILES = {path.name: document(path) for path in sorted(KUBERNETES.glob("*.yaml")) if path.name != "kustomization.yaml"}
DEPLOYMENT, MIGRATION = FILES["deployment.yaml"], FILES["migration.yaml"]
PODS = {"deployment": DEPLOYMENT["spec"]["template"], "migration": MIGRATION["spec"]["template"]}
SETTINGS = FILES["settings.yaml"]["data"]
SITE = DEPLOY / "kubernetes_site"
KUBECTL = shutil.which("kubectl")
each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def hold_against_the_schemas(made: dict[str, Any]) -> None:
    """Raises where Kubernetes would refuse it."""
    import kubernetes_validate  # takes seconds, which only those who ask it wait for

    kubernetes_validate.validate(made, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", FILES)
def test_the_schemas_of_kubernetes_accept_it(name):
    hold_against_the_schemas(FILES[name])


def test_the_base_lists_each_file_but_the_shape_of_the_secret():
    assert sorted(BASE["resources"]) == sorted(set(FILES) - {"secret.shape.yaml"})


def test_a_changed_setting_leaves_the_job_as_it_is_and_the_docs_say_how_pods_come_to_it():
    """A generated ConfigMap has a hash in its name, and a Job that names it could not be applied again."""
    assert "configMapGenerator" not in BASE and "configMapGenerator" not in document(SITE / "kustomization.yaml")
    told = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert "kubectl -n aml-cds rollout restart deployment/aml-cds" in told
    assert not any("newTag" in each for each in document(SITE / "kustomization.yaml")["images"])


def test_the_image_is_that_of_this_version():
    assert [(each["name"], each["newTag"]) for each in BASE["images"]] == [("aml-cds", __version__)]
    assert {container(pod)["image"] for pod in PODS.values()} == {"aml-cds"}
    assert MIGRATION["metadata"]["name"] == f"aml-cds-migration-{__version__.replace('.', '-')}"


@each_pod
def test_a_pod_has_no_rights(pod):
    spec, inside = pod["spec"], container(pod)["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
    assert inside["readOnlyRootFilesystem"] is True and inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert container(pod)["resources"]["limits"]["memory"] and container(pod)["resources"]["requests"]["cpu"]


@each_pod
def test_what_is_mounted_is_there_and_nothing_is_kept_on_a_disk(pod):
    volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
    assert {each["name"] for each in container(pod)["volumeMounts"]} == set(volumes)
    assert volumes["tmp"]["emptyDir"]["medium"] == "Memory"
    assert volumes["tenants"]["configMap"]["name"] == FILES["tenants.yaml"]["metadata"]["name"]
    assert volumes["secrets"]["secret"]["secretName"] == FILES["secret.shape.yaml"]["metadata"]["name"]
    places = {each["mountPath"] for each in container(pod)["volumeMounts"]}
    for value in (value for value in SETTINGS.values() if value.startswith("/")):
        assert f"/{value.split('/')[1]}" in places


@with_store
def test_every_setting_exists_and_is_accepted(tmp_path):
    given = [each["name"] for pod in PODS.values() for each in container(pod).get("env", ())]
    assert {*SETTINGS, *document(SITE / "settings.yaml")["data"], *given} - NAMES == set()
    held = {"/tenants/tenants.toml": FILES["tenants.yaml"]["data"]["tenants.toml"]}
    held |= {f"/secrets/{name}": "x" for name in FILES["secret.shape.yaml"]["stringData"]}
    env = {name: str(tmp_path / value.lstrip("/")) if value in held else value for name, value in SETTINGS.items()}
    for place, content in held.items():
        (tmp_path / place.lstrip("/")).parent.mkdir(exist_ok=True)
        (tmp_path / place.lstrip("/")).write_text(content, encoding="utf-8")
    assert Settings.load(env).mode == "hospital"


def test_no_secret_is_in_it():
    assert set(FILES["secret.shape.yaml"]["stringData"].values()) == {""}
    assert not [name for name in SETTINGS if re.search(r"PASSWORD$|KEY$|TOKEN", name)]


def test_the_tenants_are_those_of_the_example():
    told = tomllib.loads(FILES["tenants.yaml"]["data"]["tenants.toml"])["tenant"]
    example = tomllib.loads((ROOT / "docs" / "tenants_example.toml").read_text(encoding="utf-8"))["tenant"]
    assert all(each in example for each in told)


def test_probes_ask_what_the_service_answers_at_the_address_of_the_pod():
    asked = container(PODS["deployment"])
    probes = {kind: asked[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")}
    assert probes == {"liveness": "/healthz", "readiness": "/readyz/calls"}
    settings = Settings.load({"HOST": "0.0.0.0", "DEMO_ON_NETWORK": "1", "ALLOWED_HOSTS": "10.1.2.3"})
    client = create_app(settings, load_tools(settings), answer).test_client()
    for path in probes.values():
        assert client.get(path, headers={"Host": "10.1.2.3:8080"}).status_code == 200
        assert client.get(path, headers={"Host": "10.9.9.9:8080"}).status_code == 400
    assert container(PODS["deployment"])["env"] == [
        {"name": "ALLOWED_HOSTS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    ]


def test_a_pod_that_goes_has_time_to_finish():
    spec = PODS["deployment"]["spec"]
    conf = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    graceful = int(re.search(r"^graceful_timeout = (\d+)", conf, re.MULTILINE)[1])  # type: ignore[index]
    waits = container(PODS["deployment"])["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits + graceful < spec["terminationGracePeriodSeconds"]


def test_three_replicas_of_which_two_always_answer():
    scaling, disruption = FILES["scaling.yaml"]["spec"], FILES["disruption.yaml"]["spec"]
    assert (DEPLOYMENT["spec"]["replicas"], scaling["minReplicas"], disruption["minAvailable"]) == (3, 3, 2)
    labels = PODS["deployment"]["metadata"]["labels"]
    for selector in (DEPLOYMENT["spec"]["selector"], disruption["selector"]):
        assert selector["matchLabels"] == labels
    assert FILES["service.yaml"]["spec"]["selector"] == labels
    assert labels.items() >= FILES["network.yaml"]["spec"]["podSelector"]["matchLabels"].items()


def test_the_network_is_closed_but_for_what_is_named():
    spec = FILES["network.yaml"]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule.get("from") and rule["ports"] for rule in spec["ingress"])
    assert all(rule.get("to") and rule["ports"] for rule in spec["egress"])
    given = [ip_network(peer["ipBlock"]["cidr"]) for rule in spec["egress"] for peer in rule["to"] if "ipBlock" in peer]
    documentation = [ip_network(each) for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    assert given and all(any(each.subnet_of(whole) for whole in documentation) for each in given)


CLOSED = {"/metrics", "/healthz", "/readyz", "/readyz/calls", "/governance"}


def test_every_address_is_routed_or_closed_on_purpose(tmp_path):
    (rule,) = FILES["ingress.yaml"]["spec"]["rules"]
    paths = {each["path"]: each["pathType"] for each in rule["http"]["paths"]}

    def routed(path: str) -> bool:
        prefixes = (each for each, kind in paths.items() if kind == "Prefix")
        return paths.get(path) == "Exact" or any(path == each or path.startswith(f"{each}/") for each in prefixes)

    settings = Settings.load({"DATA": str(tmp_path), "PLAYGROUND": "off"})
    tools, beside = load_tools(settings), Beside()
    app = create_app(settings, tools, answer, beside=beside, book=book(settings, tools, beside))
    every = {each.rule.partition("<")[0].rstrip("/") or "/" for each in app.url_map.iter_rules()}
    assert {path for path in every if not routed(path)} == CLOSED & every and CLOSED - every <= {"/metrics"}
    used = {path for path in paths if any(each == path or each.startswith(f"{path}/") for each in every)}
    assert used == set(paths)
    assert f"https://{rule['host']}" == SETTINGS["PUBLIC_URL"]


@with_store
def test_the_migration_is_a_command_of_ours():
    cli.parser().parse_args(container(PODS["migration"])["command"][1:])


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_a_site_puts_its_own_in_the_place_of_every_example(tmp_path):
    made = subprocess.run([str(KUBECTL), "kustomize", SITE], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    objects = {each["kind"]: each for each in yaml.safe_load_all(made.stdout)}
    assert not re.findall(r"example\.org|north\.example|192\.0\.2\.|198\.51\.100\.", made.stdout)
    for each in objects.values():
        hold_against_the_schemas(each)
    assert len(objects) == len(BASE["resources"]) - 1  # two config maps
