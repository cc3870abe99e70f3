"""For whoever types a lot: `completion` writes what a shell needs to complete commands, options, stories and rules.

The words are those of this version: after an upgrade the script is written again.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence

from cds_service.cli.grammar import Shelf, command
from cds_service.cli.speaking import GOOD, say
from cds_service.console import samples
from cds_service.errors import SampleError

SHELLS = ("bash", "zsh", "fish")
_SAFE = re.compile(r"[A-Za-z0-9_./:-]+\Z")  # what needs no quotes in any of them

Words = Mapping[str, Sequence[str]]  # after which words ("", "store", "store purge") which may follow


def add(shelf: Shelf) -> None:
    """The command of this module."""
    made = command(shelf, "completion", "write what a shell needs to complete our commands", completion, (
        ("completion bash > ~/.local/share/bash-completion/completions/aml-cds", "for every new bash"),
        ("completion zsh > ~/.zfunc/_aml-cds", "for every new zsh whose fpath has that folder"),
        ("completion fish > ~/.config/fish/completions/aml-cds.fish", "for every new fish"),
    ))  # fmt: skip
    made.add_argument("shell", choices=SHELLS, help="which shell")


def completion(given: argparse.Namespace) -> int:
    """Write the script."""
    from cds_service.rules.catalogue import RULES

    words, rules = words_of(given.whole), [each.id for each in RULES]
    write = {"bash": _bash, "zsh": _zsh, "fish": _fish}[given.shell]
    say("\n".join(write(words, _stories(), rules)))
    return GOOD


def words_of(parser: argparse.ArgumentParser, before: str = "") -> dict[str, list[str]]:
    """What may follow after each command: its commands, its choices, its options."""
    found: list[str] = []
    below: dict[str, list[str]] = {}
    for action in parser._actions:  # argparse has no other way to ask what it was told
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                found.append(name)
                below |= words_of(each, f"{before} {name}".strip())
        elif action.option_strings:
            found += [each for each in action.option_strings if each.startswith("--")]
        else:
            found += list(action.choices or ())
    return {before: found, **below}


def _stories() -> dict[str, list[str]]:
    """Each story with its requests; none where there are no samples."""
    try:
        found = {story.name: [each.name for each in story.samples] for story in samples.stories()}
    except SampleError:
        return {}
    return {story: names for story, names in found.items() if all(map(_SAFE.match, (story, *names)))}


_OF_STORIES = ("try", "explain")


def _bash(words: Words, stories: Mapping[str, Sequence[str]], rules: Sequence[str]) -> Iterator[str]:
    yield "# aml-cds: completion for bash, written by `aml-cds completion bash`"
    yield "_aml_cds() {"
    yield '  local here="${COMP_WORDS[COMP_CWORD]}" last="${COMP_WORDS[COMP_CWORD-1]}"'
    yield '  local command="${COMP_WORDS[1]}" words=""'
    yield f'  if [ "$last" = --rule ]; then COMPREPLY=($(compgen -W "{" ".join(rules)}" -- "$here")); return; fi'
    yield f'  if [ "$last" = --story ]; then COMPREPLY=($(compgen -W "{" ".join(stories)}" -- "$here")); return; fi'
    yield '  case "$last" in --token-file) COMPREPLY=($(compgen -f -- "$here")); return ;; esac'
    yield '  if [ "$COMP_CWORD" -eq 1 ]; then command=""; fi'
    yield '  if [ "$command" = store ] && [ "$COMP_CWORD" -gt 2 ]; then command="store ${COMP_WORDS[2]}"; fi'
    yield '  case "$command" in'
    for before, follow in words.items():
        yield f'    "{before}") words="{" ".join(follow)}" ;;'
    yield "  esac"
    yield '  case "$command:$COMP_CWORD" in'
    yield f'    {_placed(2)}) words="$words {" ".join(stories)}" ;;'
    yield f"    {_placed(3)})"
    yield '      case "${COMP_WORDS[2]}" in'
    for story, names in stories.items():
        yield f'        {story}) words="$words {" ".join(names)}" ;;'
    yield "      esac ;;"
    yield "    diff:2) compopt -o dirnames 2>/dev/null ;;"
    yield "  esac"
    yield '  COMPREPLY=($(compgen -W "$words" -- "$here"))'
    yield "}"
    yield "complete -F _aml_cds aml-cds"


def _placed(place: int) -> str:
    return "|".join(f"{each}:{place}" for each in _OF_STORIES)


def _zsh(words: Words, stories: Mapping[str, Sequence[str]], rules: Sequence[str]) -> Iterator[str]:
    yield "#compdef aml-cds"
    yield "# aml-cds: completion for zsh, which reads that of bash"
    yield "autoload -U +X bashcompinit && bashcompinit"
    yield from _bash(words, stories, rules)


def _fish(words: Words, stories: Mapping[str, Sequence[str]], rules: Sequence[str]) -> Iterator[str]:
    yield "# aml-cds: completion for fish, written by `aml-cds completion fish`"
    yield "complete -c aml-cds -f"
    for before, follow in words.items():
        if not before:
            names = " ".join(each for each in follow if not each.startswith("-"))
            yield f"complete -c aml-cds -n __fish_use_subcommand -a '{names}' -l help -l version"
            continue
        here = " ".join(f"; and __fish_seen_subcommand_from {each}" for each in before.split()).removeprefix("; and ")
        plain = [each for each in follow if not each.startswith("-")]
        if plain:
            yield f"complete -c aml-cds -n '{here}' -a '{' '.join(plain)}'"
        for option in follow:
            if option.startswith("--"):
                more = f" -x -a '{' '.join(rules)}'" if option == "--rule" else ""
                more = f" -x -a '{' '.join(stories)}'" if option == "--story" else more
                more = " -r -F" if option == "--token-file" else more
                yield f"complete -c aml-cds -n '{here}' -l {option[2:]}{more}"
    if stories:
        seen = f"__fish_seen_subcommand_from {' '.join(_OF_STORIES)}"
        told = " ".join(stories)
        yield f"complete -c aml-cds -n '{seen}; and not __fish_seen_subcommand_from {told}' -a '{told}'"
        for story, requests in stories.items():
            yield f"complete -c aml-cds -n '{seen}; and __fish_seen_subcommand_from {story}' -a '{' '.join(requests)}'"
