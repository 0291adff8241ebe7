# What the page of results shows. No rules here.
if workflow.is_main_process:  # a job writes no report
    import captions  # the filters of its captions


def shown(target):
    """A figure's or page's picture and finding, which stand beside it under its name."""
    stem = Path(target).with_suffix("")
    picture = (
        in_run(f"<results>/diagrams/{DIAGRAMS['recursions'][0]}.png")
        if Path(target).suffix == ".html"
        else f"{stem}.png"
    )
    return {"link": target, "picture": picture, "finding": f"{stem}.txt"}


def config_names():
    """The config files of this run, from the first to the one that has the last word."""
    *own, default = workflow.configfiles  # the Snakefile's is noted after those of the command line
    return list(dict.fromkeys(Path(path).name for path in (default, *own)))


def index_entries():
    """For each study asked for its question, figures and tables."""
    entries = []
    for study in config["studies"]:
        targets = [in_run(target) for target in STUDIES[study]]
        tables = [target for target in targets if target.endswith(".csv")]
        figures = [shown(target) for target in targets if target not in tables]
        entries.append({"question": QUESTIONS[study], "figures": figures, "tables": tables})
    return entries
