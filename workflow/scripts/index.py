import job

job.start(snakemake)

import os
from pathlib import Path

from jinja2 import Environment

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ntkfield: results of {{ run }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 3rem 0 1rem; border-top: 1px solid #ccc; padding-top: 1rem; }
nav li { margin: 0.2rem 0; }
figure { margin: 1rem 0 2rem; }
img { max-width: 100%; max-height: 30rem; }
figcaption, p { max-width: 46rem; }
</style>
</head>
<body>
<h1>ntkfield: results of {{ run }}</h1>
<p>Each question with its figures, and what they say in numbers, computed with {{ configs|join(" and over it ") }}; a
click on a figure opens it as PDF. The numbers themselves lie beside the figures, as zarr stores that
<code>ntkfield.store.load</code> reads. <a href="report.html">The report</a>, where it was made, adds captions in full,
settings, code and run times.</p>
<nav><ol>
{% for entry in entries %}
<li><a href="#question-{{ loop.index }}">{{ entry.question }}</a></li>
{% endfor %}
</ol></nav>
{% for entry in entries %}
<section id="question-{{ loop.index }}">
<h2>{{ entry.question }}</h2>
{% for figure in entry.figures %}
<figure>
<a href="{{ figure.link|address }}"><img src="{{ figure.picture|address }}" alt="{{ figure.link|stem }}"></a>
<figcaption>{{ figure.finding|text }} <a href="{{ figure.link|address }}">{{ figure.link|file }}</a></figcaption>
</figure>
{% endfor %}
{% if entry.tables %}
<p>Tables:
{% for table in entry.tables %}
<a href="{{ table|address }}">{{ table|file }}</a>{{ "." if loop.last else "," }}
{% endfor %}
</p>
{% endif %}
</section>
{% endfor %}
</body>
</html>
"""


def main(entries: list[dict], configs: list[str], output: Path) -> None:
    environment = Environment(autoescape=True, trim_blocks=True, keep_trailing_newline=True)
    environment.filters |= {
        "address": lambda path: environment.filters["urlencode"](os.path.relpath(path, output.parent)),
        "file": lambda path: Path(path).name,
        "stem": lambda path: Path(path).stem.replace("_", " "),
        "text": lambda path: Path(path).read_text(encoding="utf-8").strip(),
    }
    page = environment.from_string(PAGE).render(entries=entries, configs=configs, run=output.parent.name)
    output.write_text(page, encoding="utf-8")


main(job.plain(snakemake.params.entries), list(snakemake.params.configs), Path(snakemake.output[0]))
