"""The description of an archived run as an RO-Crate, by the profile Workflow Run Crate 0.5."""

import json
from pathlib import Path

import yaml
from layout import WORKFLOW
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
FORMATS = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".smk": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}


def describe(files: dict[str, dict], run: dict) -> str:
    """The text of ro-crate-metadata.json.

    Args:
        files: by name in the archive, each with `sha256`, `contentSize` and, where a rule made it, `rule`.
        run: `citation`, the path of CITATION.cff; `config`, the name of the config in the archive; `versions` of Python
            and Snakemake; `commit` of the code or None; `start` and `end` of the run in ISO 8601.

    """
    cited = yaml.safe_load(Path(run["citation"]).read_text())
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    crate.name = f"A run of {cited['title']}"
    crate.description = f"Config, code, environment, results, logs and checksums of one run. {cited['abstract']}"
    crate.license = _entity(
        crate, f"https://spdx.org/licenses/{cited['license']}", "CreativeWork", name=cited["license"]
    )
    crate.keywords = ", ".join(cited["keywords"])
    authors = [_author(crate, author) for author in cited["authors"]]
    crate.root_dataset["author"] = authors
    crate.root_dataset["citation"] = [_paper(crate, paper) for paper in cited["references"]]
    profiles = [
        _entity(crate, url, "CreativeWork", name=url.split("/")[-2], version=url.split("/")[-1]) for url in PROFILES
    ]
    crate.root_dataset["conformsTo"] = profiles

    workflow = crate.add_workflow(
        dest_path=WORKFLOW, main=True, lang="snakemake", lang_version=run["versions"]["snakemake"]
    )
    workflow["name"] = cited["title"]
    workflow["version"] = run["commit"] or cited["version"]
    workflow["author"] = authors
    entities = {WORKFLOW: workflow}
    for name, facts in files.items():
        if name not in entities:
            entities[name] = crate.add_file(dest_path=name, properties={"name": name})
        entities[name]["sha256"] = facts["sha256"]
        entities[name]["contentSize"] = str(facts["contentSize"])
        if Path(name).suffix in FORMATS:
            entities[name]["encodingFormat"] = FORMATS[Path(name).suffix]
        if "rule" in facts:
            entities[name]["description"] = f"made by the rule {facts['rule']}"

    parameter = _entity(
        crate,
        "#config",
        "FormalParameter",
        name="config",
        additionalType="File",
        valueRequired=True,
        description="the complete config of the run",
    )
    workflow["input"] = [parameter]
    entities[run["config"]]["exampleOfWork"] = parameter
    results = [entities[name] for name in files if name.startswith("results/")]
    action = crate.add_action(
        workflow,
        identifier="#run",
        object=[entities[run["config"]]],
        result=results,
        properties={
            "name": f"The run, with Python {run['versions']['python']} and Snakemake {run['versions']['snakemake']}",
            "startTime": run["start"],
            "endTime": run["end"],
            "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
        },
    )
    crate.root_dataset["mentions"] = [action]
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _entity(crate: ROCrate, identifier: str, kind: str, **properties) -> ContextEntity:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _author(crate: ROCrate, author: dict) -> ContextEntity:
    name = author.get("name") or " ".join(
        author[part] for part in ("given-names", "name-particle", "family-names") if part in author
    )
    kind = "Organization" if "name" in author else "Person"
    return _entity(crate, f"#{name.replace(' ', '-')}", kind, name=name)


def _paper(crate: ROCrate, paper: dict) -> ContextEntity:
    arxiv = [one["value"].removeprefix("arXiv:") for one in paper.get("identifiers", []) if "arXiv:" in one["value"]]
    address = f"https://doi.org/{paper['doi']}" if "doi" in paper else f"https://arxiv.org/abs/{arxiv[0]}"
    authors = [_author(crate, author) for author in paper["authors"]]
    return _entity(
        crate, address, "ScholarlyArticle", name=paper["title"], author=authors, datePublished=str(paper["year"])
    )
