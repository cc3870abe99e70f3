"""YAML whose words stay words: the loader of every file of knowledge."""

from __future__ import annotations

import yaml


class SafeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as of 1.2 for booleans: "on", "off", "yes" and "no" stay words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [resolver for resolver in resolvers if first in "tTfF" or not resolver[0].endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> object:
        """The day or moment; one that is in no calendar is told with its line."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError:
            said = f"'{node.value}' is a day or time that does not exist"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from None


SafeLoader.add_constructor("tag:yaml.org,2002:timestamp", SafeLoader.construct_yaml_timestamp)
