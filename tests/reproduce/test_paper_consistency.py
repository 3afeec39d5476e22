from decimal import Decimal

from qvm_verify.reproduce.paper.agreement import Agreement
from qvm_verify.reproduce.paper.consistency import (
    ahead,
    falls,
    lossless,
    lossless_count,
    optimum,
    possible,
    twice,
)
from qvm_verify.reproduce.paper.tables import own_rows, row


def test_one_line_of_eight_has_the_accuracy_of_its_ann_at_as_many_time_steps_as_levels():
    assert lossless_count() == (1, 8)
    found = [one.agreement for one in lossless()]
    assert found.count(Agreement.CONTRADICTS) == 7
    assert found.count(Agreement.UNCHECKED) == 2  # Table 3 prints no ANN
    (same,) = (one.says for one in lossless() if one.agreement is Agreement.AGREES)
    assert same.startswith("Table 4, round, V0 = θ/2")


def test_the_gap_to_the_ann_is_signed_and_counted_in_images():
    assert any("+0.42, or about 210 of 50,000 images" in one.says for one in lossless())
    assert any("-0.06, or about 6 of 10,000 images" in one.says for one in lossless())


def test_as_many_time_steps_as_levels_are_not_the_best_in_four_lines():
    wrong = [one.says.split(" has its")[0] for one in optimum() if one.agreement is Agreement.CONTRADICTS]
    assert wrong == [
        "Table 2, VGG-16, QVM",
        "Table 2, ResNet-20, QVM",
        "Table 2, ResNet-18, QVM",
        "Table 4, round, V0 = θ/2",
    ]


def test_accuracies_fall_with_more_time_steps_in_six_lines():
    falling = {one.where: [before.value - after.value for before, after in falls(one)] for one in own_rows()}
    assert sum(bool(steps) for steps in falling.values()) == 6
    assert falling["Table 1, ResNet-34, QVM"] == [Decimal("1.76")]


def test_methods_ahead_are_those_of_the_same_network_at_the_same_time_step():
    own = row("table1", network="ResNet-34", method="QVM")
    assert {t for t, _ in ahead(own)} == {4, 16, 32}
    assert {t for t, _ in ahead(own, without=("COS", "AdaFire"))} == set()


def test_table_2_has_no_line_of_table_4_though_the_setting_is_the_same():
    (found,) = twice()
    assert found.agreement is Agreement.CONTRADICTS
    assert found.says.count("6 of 6 accuracies differ") == 3


def test_an_accuracy_has_to_be_a_whole_number_of_test_samples():
    gesture = row("table3", dataset="DVS-Gesture", method="QVM")
    assert possible(gesture, 4).agreement is Agreement.CONTRADICTS
    assert possible(row("table3", dataset="CIFAR10-DVS", method="QVM"), 4).agreement is Agreement.AGREES
