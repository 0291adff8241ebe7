"""The jobs that a config asks for, without Snakemake's own graph, which takes minutes where there are many."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cost.expected import Work
from settings import RefusedError, check, layered
from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

SNAKEFILE = Path(__file__).parents[2] / "Snakefile"


class Job(NamedTuple):
    """One job of the graph.

    Attributes:
        rule: its name.
        outputs: the files that it makes.
        benchmark: where Snakemake notes what it took.
        work: what it has to do, if its rule says so.
    """

    rule: str
    outputs: tuple[Path, ...]
    benchmark: Path
    work: Work | None


def jobs(configfiles: list[str]) -> list[Job]:
    """All of config files laid over one another and over config/default.yaml; ends the program if these are refused."""
    try:
        check(layered(configfiles))
    except RefusedError as refused:
        sys.exit(str(refused))
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[Path(path) for path in configfiles]),
            snakefile=SNAKEFILE,
        )._workflow
        works = workflow.globals["WORK"]
        return [
            Job(
                rule.name,
                tuple(map(Path, outputs)),
                Path(rule.expand_benchmark(wildcards)),
                works[rule.name](wildcards) if rule.name in works else None,
            )
            for rule, wildcards, outputs in traced(workflow)
        ]


def traced(workflow: Any) -> Iterator[tuple[Any, Wildcards, Sequence[str]]]:
    """Rule, wildcards and outputs of every job, from the targets back to what needs no input.

    An input that no rule makes is one of the user's own files.
    """
    rules = [rule for rule in workflow.rules if rule.output]
    waiting, made = deque([(workflow.get_rule(workflow.default_target), Wildcards(), ())]), set()
    while waiting:
        rule, wildcards, outputs = waiting.popleft()
        if outputs:
            yield rule, wildcards, outputs
        for path in rule.expand_input(wildcards)[0]:
            maker = None if path in made else next((each for each in rules if each.is_producer(path)), None)
            if maker:
                found = Wildcards(fromdict=maker.get_wildcards(path))
                outputs = maker.expand_output(found)[0]
                made.update(outputs)
                waiting.append((maker, found, outputs))
