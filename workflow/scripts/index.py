import job

job.start(snakemake)

import html
import os
from pathlib import Path

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ntkfield: results</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h2 {{ margin: 3rem 0 1rem; border-top: 1px solid #ccc; padding-top: 1rem; }}
nav li {{ margin: 0.2rem 0; }}
figure {{ margin: 1rem 0 2rem; }}
img {{ max-width: 100%; max-height: 30rem; }}
figcaption, p {{ max-width: 46rem; }}
</style>
</head>
<body>
<h1>ntkfield: results</h1>
<p>Each question with its figures, and what they say in numbers, computed with {configs}; a click on a figure opens it
as PDF. The numbers themselves lie beside the figures, as zarr stores that <code>ntkfield.store.load</code> reads.
<a href="report.html">The report</a>, where it was made, adds captions in full, settings, code and run times.</p>
<nav><ol>
{contents}
</ol></nav>
{sections}
</body>
</html>
"""
SECTION = """<section id="{anchor}">
<h2>{question}</h2>
{figures}
{tables}
</section>"""
FIGURE = """<figure>
<a href="{link}"><img src="{picture}" alt="{name}"></a>
<figcaption>{finding} <a href="{link}">{file}</a></figcaption>
</figure>"""


def main(entries: list[dict], configs: list[str], output: Path) -> None:
    def relative(path: str) -> str:
        return html.escape(os.path.relpath(path, output.parent))

    def figure(one: dict) -> str:
        finding = html.escape(Path(one["finding"]).read_text(encoding="utf-8").strip())
        return FIGURE.format(
            link=relative(one["link"]),
            picture=relative(one["picture"]),
            name=html.escape(Path(one["link"]).stem.replace("_", " ")),
            file=html.escape(Path(one["link"]).name),
            finding=finding,
        )

    def links(tables: list[str]) -> str:
        files = ", ".join(f'<a href="{relative(path)}">{html.escape(Path(path).name)}</a>' for path in tables)
        return f"<p>Tables: {files}.</p>" if tables else ""

    contents, sections = [], []
    for number, entry in enumerate(entries, 1):
        question, anchor = html.escape(entry["question"]), f"question-{number}"
        contents.append(f'<li><a href="#{anchor}">{question}</a></li>')
        figures = "\n".join(map(figure, entry["figures"]))
        sections.append(
            SECTION.format(anchor=anchor, question=question, figures=figures, tables=links(entry["tables"]))
        )
    used = html.escape(" and over it ".join(configs))
    page = PAGE.format(configs=used, contents="\n".join(contents), sections="\n".join(sections))
    output.write_text(page, encoding="utf-8")


main(job.plain(snakemake.params.entries), list(snakemake.params.configs), Path(snakemake.output[0]))
