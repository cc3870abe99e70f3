"""YAML whose words stay words: the loader of every file of knowledge."""

from __future__ import annotations

import yaml


class SafeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as of 1.2 for booleans: "on", "off", "yes" and "no" stay words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [resolver for resolver in resolvers if first in "tTfF" or not resolver[0].endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
