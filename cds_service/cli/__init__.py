"""The command line, `aml-cds`: commands by whom they are for, each with examples that work.

Exit codes: 0 all is well, 1 a problem was found, 2 the command was used wrongly; of `diff`: 0 no difference,
1 differences, 2 the overlay is wrong. What only accompanies the answer (progress, errors) goes to stderr, so that
stdout can be piped. What reads FHIR and knowledge is imported where it is needed: --help is answered at once.
"""

from __future__ import annotations

import argparse
import os
import sys

from cds_service import __version__, env_file
from cds_service.cli import completing, connecting, governing, running, stories
from cds_service.cli.grammar import Shelf, told
from cds_service.cli.speaking import GOOD, PROBLEM, WRONG_USAGE, tell_beside, tell_error
from cds_service.errors import CdsError, UsageError

# Whom the commands are for, in the order in which one comes to need them.
GROUPS = (
    ("see what it does", stories),
    ("run it", running),
    ("connect an EHR", connecting),
    ("answer for it", governing),
    ("at the prompt", completing),
)
EXAMPLES = (
    ("", "start the service, the same as aml-cds serve"),
    ("try gilteritinib-qtc-512 sign", "send a sample order, see the cards"),
    ("explain gilteritinib-qtc-512 sign --rule qtc-hold", "see what one check read and cited"),
    ("check", "is everything sound, and what is not confirmed yet"),
    ("diff docs/overlay_example", "what a hospital's own folder changes, in words"),
)
LAST = """aml-cds COMMAND --help tells the options of a command, with examples.
exit codes: 0 all is well, 1 a problem was found, 2 wrong usage
            of diff: 0 no difference, 1 differences, 2 the overlay is wrong
Answers go to stdout, errors and progress to stderr. Colours are off where nobody looks, and with NO_COLOR.
Settings are environment variables, or lines of .env in a checkout: see docs/settings.md.
"""


def main(arguments: list[str] | None = None) -> int:
    """The console script."""
    given, unknown = parser().parse_known_args(sys.argv[1:] if arguments is None else arguments)
    if unknown:  # told by the command that does not know it, with its own usage
        given.grammar.error(f"not known: {' '.join(unknown)}; {given.grammar.prog} --help lists what is")
    try:
        tell_beside(env_file.add_to(os.environ))
        return int(given.run(given))
    except UsageError as error:
        return tell_error(error, WRONG_USAGE)
    except CdsError as error:
        return tell_error(error, PROBLEM)
    except KeyboardInterrupt:
        return PROBLEM
    except BrokenPipeError:  # the reader had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    top = argparse.ArgumentParser(
        prog="aml-cds",
        usage="aml-cds [-h] [--version] [COMMAND ...]",
        description="Decision support for relapsed or refractory acute myeloid leukaemia, through CDS Hooks.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"aml-cds {__version__}")
    top.set_defaults(run=running.serve, grammar=top, whole=top)  # the whole grammar, for whoever completes it
    commands = top.add_subparsers(metavar="COMMAND", help=argparse.SUPPRESS, prog="aml-cds")
    listed = []
    for title, group in GROUPS:
        shelf = Shelf(commands)
        group.add(shelf)
        listed += [f"{title}:", *(f"  {name:<10}  {words}" for name, words in shelf.listed)]
    top.epilog = "\n".join([*listed, "", told(EXAMPLES), "", LAST])
    return top

