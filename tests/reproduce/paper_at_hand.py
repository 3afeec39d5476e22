"""The paper's text, where it is at hand, cut into sentences."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKED = {"Abstract", "1", "6.1", "6.2", "6.3", "7", "A.1", "A.4", "A.5", "A.6", "A.7", "A.8"}
ABBREVIATIONS = ("al.", "Eq.", "i.e.", "vs.")
NO_NUMBERS = [  # that an experiment has: citations, names, references
    r"\([^()]*\b(19|20)\d\d[a-z]?[^()]*\)",
    r"(VGG|ResNet)-\d+|(DVS-)?CIFAR-?10+(-DVS)?|DVS128|ImageNet-1[kK]|ILSVRC 2012",
    r"(Figure|Table|Theorem|equation|Case|Setup) \d+",
    r"[_^](\{[^{}]*\}|\w)",  # indices of formulas
]


def the_paper():
    """Return the paper's text, or skip the test and say why."""
    path = Path(os.environ.get("QVM_PAPER", ROOT.parent / "shared" / "paper.md"))
    if not path.is_file():
        pytest.skip(f"the paper's text is not at hand: no {path} (QVM_PAPER names another)")
    return path.read_text(encoding="utf-8")


def collapsed(text):
    return " ".join(text.split())


def sentences_by_section(text):
    """Return the sentences of each checked section; captions apart, tables left out."""
    lines = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("#"):
            title = re.sub(r"[#*]", "", line).split()[0]
            section = {"ABSTRACT": "Abstract"}.get(title, title.rstrip("."))
            section = section if section in CHECKED else ""
        elif section and line.strip() and "\t" not in line:
            lines.setdefault(section, []).append(line)
    return {section: _cut(own) for section, own in lines.items()}


def _cut(lines):
    captions = [line for line in lines if re.match(r"(Figure|Table) \d:", line)]
    body = collapsed(" ".join(line for line in lines if line not in captions))
    pieces, start = [], 0
    for end in re.finditer(r"[.!?] (?=[A-Z(*$-])", body):
        if not body[: end.start() + 1].endswith(ABBREVIATIONS):
            pieces.append(body[start : end.end()].strip())
            start = end.end()
    return [collapsed(one) for one in captions] + [*pieces, body[start:]]


def has_number(sentence):
    """Whether a sentence has a number that is none of a citation, a name, a reference or an index."""
    for pattern in NO_NUMBERS:
        sentence = re.sub(pattern, "", sentence)
    return bool(re.search(r"\d", sentence))
