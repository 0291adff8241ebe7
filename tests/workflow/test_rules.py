"""What every rule states, and what the profiles say of them."""

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from runs import ROOT

pytestmark = pytest.mark.workflow

# Read in a process of its own: Snakemake changes its process's working directory and logging.
READ = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings
sys.path.append("workflow")
from cost.graph import traced
with SnakemakeApi(OutputSettings()) as api:
    flow = api.workflow(
        resource_settings=ResourceSettings(cores=8),
        config_settings=ConfigSettings(config=json.loads(sys.argv[2])),
        snakefile=Path(sys.argv[1]),
    )._workflow
    example = {rule.name: wildcards for rule, wildcards, _ in traced(flow)}
    def stated(rule, attempt):
        return rule.expand_resources(example.get(rule.name, Wildcards()), [], attempt)
    print(json.dumps({
        rule.name: {
            "outputs": len(rule.output), "log": len(rule.log), "benchmark": str(rule.benchmark or ""),
            "wildcards": sorted(rule.wildcard_names),
            "resources": {
                name: [stated(rule, attempt).get(name) for attempt in (1, 2, 3)]
                for name in ("_cores", "mem_mb", "runtime", "gpu")
            },
        }
        for rule in flow.rules
    }))
"""


def rules(**config) -> dict[str, dict]:
    command = [sys.executable, "-c", READ, str(ROOT / "Snakefile"), json.dumps(config)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def stated() -> dict[str, dict]:
    """Every rule that makes something, those of a search included, which the default config has not."""
    search = yaml.safe_load((ROOT / "config/ci.yaml").read_text())["molecules"]["search"]
    return {name: rule for name, rule in rules(molecules={"search": search}).items() if rule["outputs"]}


def test_every_rule_states_log_benchmark_threads_memory_and_time(stated: dict[str, dict]) -> None:
    assert len(stated) > 20
    for name, rule in stated.items():
        assert rule["log"] == 1, name
        assert re.fullmatch(r"results/default/benchmarks/.+\.tsv", rule["benchmark"]), name
        first = {resource: tries[0] for resource, tries in rule["resources"].items()}
        # One thread: more would be cut to --cores, and another order of sums changes last digits.
        assert first["_cores"] == 1, name
        assert 100 <= first["mem_mb"] <= 64_000, name
        assert 1 <= first["runtime"] <= 24 * 60, name


def test_threads_are_written_out(stated: dict[str, dict]) -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    blocks = dict(zip(*[iter(re.split(r"^rule (\w+):$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert set(blocks) == set(stated)
    for name, block in blocks.items():
        assert re.search(r"^    threads: 1$", block, re.MULTILINE), name


def test_captions_name_outputs_that_their_rule_has() -> None:
    """Snakemake reads a caption only when it writes the report, at the end of a run."""
    named = 0
    for path in (ROOT / "workflow/studies").glob("*/*.smk"):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            for caption in re.findall(r'caption="([^"]+)"', rule):
                for output in re.findall(r"snakemake\.output\.(\w+)", (path.parent / caption).read_text()):
                    assert re.search(rf"^        {output}=", rule, re.MULTILINE), (caption, output)
                    named += 1
    assert named > 10


def test_a_further_try_never_asks_for_less(stated: dict[str, dict]) -> None:
    for name, rule in stated.items():
        for resource in ("mem_mb", "runtime"):
            first, second, third = rule["resources"][resource]
            assert (second, third) in ((first, first), (2 * first, 4 * first)), name


def test_what_was_measured_are_jobs_of_rules_that_there_are(stated: dict[str, dict]) -> None:
    with (ROOT / "workflow/cost/measured.csv").open() as rows:
        kinds = [row["kind"] for row in csv.DictReader(rows)]
    assert kinds.pop() == "everything else"
    assert {kind.split()[0] for kind in kinds} <= set(stated)


def test_gpus_are_asked_for_by_the_config_alone(stated: dict[str, dict]) -> None:
    assert all(set(rule["resources"]["gpu"]) <= {0, None} for rule in stated.values())
    asking = {name for name, rule in rules(gpus=2).items() if set(rule["resources"]["gpu"]) == {2}}
    assert {"molecules_tile", "images_tile", "sine_train", "augmentation_train", "finite_sample"} <= asking
    assert not [name for name in asking if name.endswith("figure")]


def test_the_slurm_profile_groups_rules_that_there_are(stated: dict[str, dict]) -> None:
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    assert set(profile["groups"]) <= set(stated)
    assert set(profile["group-components"]) <= set(profile["groups"].values())
    # Every rule of many jobs is grouped, but those of an hour and more a job.
    many = {name for name, rule in stated.items() if rule["wildcards"]}
    assert many - set(profile["groups"]) == {"images_convergence"}


def test_the_profiles_re_run_for_the_same_reasons() -> None:
    profiles = [
        yaml.safe_load((ROOT / f"workflow/profiles/{name}/config.yaml").read_text()) for name in ("default", "slurm")
    ]
    assert (
        profiles[0]["rerun-triggers"] == profiles[1]["rerun-triggers"] == ["mtime", "params", "input", "software-env"]
    )


DOCS = (ROOT / "docs/cluster.md").read_text()
COMMANDS = re.findall(
    r"^snakemake --profile workflow/profiles/slurm [^\n\\]*(?:\\\n[^\n\\]*)*$", DOCS, flags=re.MULTILINE
)
OPTIONS = re.findall(r"`(--(?:set-resources|group-components) [^`]*)`", DOCS)


@pytest.mark.slow
@pytest.mark.parametrize("command", [*COMMANDS[1:], " ".join([COMMANDS[0], *OPTIONS])])
def test_the_documented_commands_are_accepted(command: str, tmp_path: Path) -> None:
    assert (len(COMMANDS), len(OPTIONS)) == (3, 2)
    words = shlex.split(command.replace("\\\n", " ").replace("config/paper.yaml", "config/ci.yaml"))
    arguments = [sys.executable, "-m", *words, "--directory", str(tmp_path), "--dry-run"]
    run = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    assert "molecules_tile" in run.stdout
