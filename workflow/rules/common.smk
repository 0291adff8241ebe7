# The validated config and helpers that every rule file may use. No rules here.
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError
from snakemake.common.configfile import load_configfile

# Adds a study's targets to the default target, under the study's name.
STUDIES = {}

# What each study answers: the headings of the report and of the index page.
QUESTIONS = {
    "molecules": "What do infinitely wide SO(3)-invariant networks predict on molecules?",
    "images": "What does invariance to quarter turns buy on images?",
    "augmentation": "Is data augmentation the same as equivariance?",
    "sine": "How far is a trained network from the infinite-width theory?",
    "corrections": "What is the first correction to infinite width?",
    "criticality": "What does depth do to kernels and their corrections?",
    "scale": "Which activations have no correction for one input?",
    "diagrams": "Where do the recursions of the corrections come from?",
}


def refuse(field, value, accepted):
    """End before any work, in one sentence."""
    shown = value if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
    raise WorkflowError(f"config: {field} = {shown!r} is refused: expected {accepted}")


ACCEPTED = {
    "type": lambda kind: f"a value of type {kind if isinstance(kind, str) else ' or '.join(kind)}",
    "enum": lambda values: f"one of {', '.join(map(str, values))}",
    "minimum": lambda bound: f"{bound} or above",
    "maximum": lambda bound: f"{bound} or below",
    "exclusiveMinimum": lambda bound: f"a number above {bound}",
    "minItems": lambda count: f"a list of at least {count}",
    "uniqueItems": lambda _: "a list without repetition",
    "required": lambda keys: f"all of the keys {', '.join(keys)}",
}


def check_config():
    """Refuse a config that the schema does not allow, naming the field, the value and what is accepted."""
    schema = load_configfile(Path(workflow.basedir) / "workflow/schemas/config.schema.yaml")
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error is None:
        return
    field = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))[0]
        prefix = f"{field}." if field else ""
        refuse(
            f"{prefix}{unknown}", error.instance[unknown], f"one of the keys {', '.join(error.schema['properties'])}"
        )
    described = ACCEPTED.get(error.validator, lambda _: error.schema["description"])
    refuse(field, error.instance, described(error.validator_value))


def check_path(field, path, is_kind, kind):
    """Refuse a path in the config that does not lead to a `kind`."""
    if path is not None and not is_kind(Path(path)):
        refuse(field, path, f"the path of {kind}")


def study_targets():
    """Files of the studies that the config asks for."""
    return [target for study in config["studies"] for target in STUDIES[study]]


def growing(amount):
    """Memory or time of a job: as much again for each try after the first."""
    return lambda wildcards, attempt: amount * attempt


check_config()
check_path("qm9.path", config["qm9"]["path"], Path.is_dir, "an existing folder, or null")
check_path("images.dataset.path", config["images"]["dataset"]["path"], Path.is_file, "an existing file, or null")
