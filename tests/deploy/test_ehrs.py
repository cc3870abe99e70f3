"""docs/ehrs.md: what an analyst types in is what we would be called with, and what we would accept."""

from __future__ import annotations

import re
from textwrap import dedent

from cards.profile import shipped
from cds_service.answer import load_tools
from cds_service.security.outbound import Way
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from tests.deploy.files import ROOT

PAGE = (ROOT / "docs" / "ehrs.md").read_text(encoding="utf-8")
SERVICES = load_tools(Settings.load({})).services


def test_every_service_and_every_query_is_there_word_for_word():
    for service in SERVICES:
        assert f"| {service.hook} | `https://cds.example.org/cds-services/{service.id}` |" in PAGE
        for query in service.queries:
            assert f"`{query.key}`\n\n```text\n{query.template}\n```" in PAGE


def test_the_table_is_the_same_for_each_hook_as_the_page_says():
    assert len({service.queries for service in SERVICES}) == 1


def test_the_tenant_and_the_profiles_of_the_page_are_accepted(tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "tenants.toml"
    file.write_text(dedent(f"   {block}"), encoding="utf-8")
    (tenant,) = read_tenants(file, JURISDICTIONS, Way())
    pairs = re.findall(r"`(https://\S+?=(?:epic|oracle))`", PAGE)
    chosen = Settings.load({"CLIENT_PROFILES": ",".join(pairs)}).client_profiles
    assert {each.profile for each in chosen} == {"epic", "oracle"} <= set(shipped())
    assert tenant.issuer in {each.issuer for each in chosen}


def test_long_queries_are_named():
    longest = max(SERVICES[0].queries, key=lambda query: len(query.template))
    assert len(longest.template) > 2048 and f"`{longest.key}` is long" in PAGE
    assert [query.key for query in SERVICES[0].queries if len(query.template) > 2048] == [longest.key]
