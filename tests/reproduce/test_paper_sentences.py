import re
from dataclasses import replace
from decimal import Decimal

import pytest

from qvm_verify.reproduce.paper import tables
from qvm_verify.reproduce.paper.agreement import Agreement
from qvm_verify.reproduce.paper.sentences import CHECKS, sentences
from tests.reproduce.paper_at_hand import collapsed, has_number, sentences_by_section, the_paper


def test_every_sentence_stands_in_the_paper_word_for_word():
    paper = collapsed(the_paper())
    assert [one.id for one in sentences() if one.text not in paper] == []


def test_every_sentence_is_of_the_section_that_it_names():
    cut = {section: " ".join(own) for section, own in sentences_by_section(the_paper()).items()}
    assert [one.id for one in sentences() if one.text not in cut[one.section]] == []


def unlisted(paper):
    """Return what of the paper has a number and is in no listed sentence."""
    missing = []
    for section, own in sentences_by_section(paper).items():
        listed = [one.text for one in sentences() if one.section == section]
        for sentence in own:
            rest = sentence
            for text in listed:
                rest = rest.replace(text, "")
            if has_number(rest):
                missing.append((section, rest))
    return missing


def test_every_number_of_the_experiments_is_in_a_listed_sentence():
    assert unlisted(the_paper()) == []


def test_a_number_that_nobody_lists_is_noticed():
    added = (
        "#### A.6 More\n\nPLIF achieves accuracy of 74.80% but requires T=20. It then has 99.99% at T=40.\n"
    )
    assert unlisted(added) == [("A.6", "It then has 99.99% at T=40.")]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("QVM reaches 74.74% on ImageNet-1K.", True),
        ("with L=8", True),
        ("As Bu et al. (2022; 2023) say, ResNet-18 on CIFAR-100 (see Table 2).", False),
        (r"the activation $a^{l-1}$ of Figure 6", False),
        (r"with $\theta^{l-1}=1.5$", True),
    ],
)
def test_citations_names_references_and_indices_are_no_numbers(sentence, expected):
    assert has_number(sentence) is expected


def test_every_check_belongs_to_a_sentence_and_every_sentence_has_a_finding():
    listed = [one.id for one in sentences()]
    assert len(set(listed)) == len(listed)
    checked = [id for module in CHECKS for id in module.findings()]
    assert len(set(checked)) == len(checked)
    assert set(checked) <= set(listed)
    assert all(one.findings for one in sentences())


def test_every_accuracy_that_a_sentence_names_is_in_one_of_its_findings():
    for one in sentences():
        said = " ".join(finding.says for finding in one.findings)
        for number in re.findall(r"\d+\.\d\d+", one.text):
            assert number in said, (one.id, number)


def test_whatever_is_not_checked_has_its_reason():
    for one in sentences():
        for finding in one.findings:
            assert finding.says.endswith((".", ")."))
            assert len(finding.says) > 20


def test_the_sentences_that_contradict_the_tables_are_these():
    assert {one.id for one in sentences() if one.agreement is Agreement.CONTRADICTS} == {
        "abstract-exact",
        "introduction-74.74",
        "vgg-settings",  # L = 8, and T = L = 16
        "cifar100-outperforms",
        "floor-unmatched",
        "ceil-unmatched",
        "matched-degrades",  # round is best at T = 16
        "gesture-data",  # 93.75 % of 134
        "srp-needs-8",
        "vgg-77.00",  # 77.02
        "resnet18-settings",  # L = 4, and L = 8
        "cifar10dvs-own",  # 9.30, and 9.70
        "discussion-exact",
    }


@pytest.fixture
def changed(monkeypatch):
    """Return a function that changes one number of a table, for everything that reads it."""

    def forget():
        tables.rows.cache_clear()
        sentences.cache_clear()

    def change(table, network, line, t, by):
        read = tables._row

        def other(name, fields):
            found = read(name, fields)
            if (name, found.network or found.dataset, found.method or found.quantizer + found.v_init) == (
                table,
                network,
                line,
            ):
                if t == "ANN":
                    return replace(found, ann=found.ann + Decimal(by))
                return replace(found, accuracy=found.accuracy | {t: found.accuracy[t] + Decimal(by)})
            return found

        monkeypatch.setattr(tables, "_row", other)
        forget()

    yield change
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    ("table", "network", "line", "t", "noticed"),
    [
        ("table1", "VGG-16", "QVM", 4, "vgg-4"),
        ("table1", "VGG-16", "QVM", 8, "vgg-8"),
        ("table1", "VGG-16", "QVM", "ANN", "vgg-best"),
        ("table1", "VGG-16", "SRP", 4, "vgg-4"),
        ("table1", "ResNet-34", "QVM", 8, "abstract-74.74"),
        ("table1", "ResNet-34", "AdaFire", 8, "resnet34-8"),
        ("table1", "ResNet-34", "FTBC", 4, "resnet34-4"),
        ("table1", "ResNet-34", "QCFS", 16, "resnet34-16"),
        ("table2", "VGG-16", "SRP", 4, "vgg-0.78"),
        ("table2", "ResNet-20", "FTBC", 4, "resnet20-4"),
        ("table3", "DVS-Gesture", "KLIF", 12, "gesture-others"),
        ("table3", "CIFAR10-DVS", "PLIF", 20, "cifar10dvs-plif"),
        ("table4", "ResNet-18", "roundθ/2", 16, "table4-peaks"),
        ("table4", "ResNet-18", "floor0", 32, "table4-beyond"),
        ("table4", "ResNet-18", "ceilθ", 8, "ceil-matched"),
    ],
)
def test_a_number_changed_in_a_table_contradicts_the_sentence_that_repeats_it(
    changed, table, network, line, t, noticed
):
    def agreement():
        return next(one.agreement for one in sentences() if one.id == noticed)

    assert agreement() is Agreement.AGREES
    changed(table, network, line, t, "0.02")
    assert agreement() is Agreement.CONTRADICTS


def test_the_contradictions_go_away_where_the_tables_are_mended(changed):
    def agreement(id):
        return next(one.agreement for one in sentences() if one.id == id)

    changed("table3", "CIFAR10-DVS", "PLIF", 20, "0.40")
    assert agreement("cifar10dvs-own") is Agreement.AGREES
    changed("table4", "ResNet-18", "roundθ/2", 8, "0.30")
    found = next(one.findings for one in sentences() if one.id == "matched-degrades")
    assert [finding.agreement for finding in found][:3] == [Agreement.AGREES] * 3
