import pytest

from qvm_verify.datasets.aedat2 import read_dvs128
from qvm_verify.datasets.aedat3 import read_aedat3
from qvm_verify.datasets.events import Sensor
from qvm_verify.datasets.nmnist import read_nmnist
from tests.datasets.files import (
    AEDAT3_LINES,
    aedat2,
    aedat3,
    dvs128_address,
    needs_real_data,
    nmnist,
    packet,
    polarity,
    put,
    real,
    refusal,
)

SENSOR = Sensor(128, 128)


def listed(events):
    """Return the events as (x, y, p, t)."""
    return list(zip(*(column.tolist() for column in (events.x, events.y, events.p, events.t)), strict=True))


def recording(tmp_path, content):
    return put(tmp_path / "a.aedat", content)


# AEDAT 2.0


def test_an_address_of_a_dvs128_is_polarity_x_and_y_from_the_lowest_bit(tmp_path):
    content = aedat2(
        (0b0_0000011_0000101_0, 10), (0b0_1111111_0000000_1, 10), (0b0_0000000_1111111_1, 2**31 - 1)
    )
    path = recording(tmp_path, content)
    assert listed(read_dvs128(path)) == [(122, 124, 1, 10), (127, 0, 0, 10), (0, 127, 0, 2**31 - 1)]


def test_the_orientation_of_spikingjelly_is_the_transpose(tmp_path):
    path = recording(tmp_path, aedat2((dvs128_address(5, 3, 0), 1)))
    assert listed(read_dvs128(path, orientation="jaer")) == [(122, 124, 1, 1)]
    assert listed(read_dvs128(path, orientation="spikingjelly")) == [(124, 122, 1, 1)]


def test_integers_of_aedat_2_are_big_endian(tmp_path):
    path = recording(tmp_path, b"#!AER-DAT2.0\r\n" + bytes([0, 0, 0x03, 0x0A, 0, 0, 1, 2]))
    assert listed(read_dvs128(path)) == [(122, 124, 1, 258)]


def test_external_events_of_a_dvs128_have_no_pixel(tmp_path):
    path = recording(tmp_path, aedat2((1 << 15, 1), (dvs128_address(1, 1, 0), 2), (1 << 15 | 7, 3)))
    assert listed(read_dvs128(path)) == [(126, 126, 1, 2)]


def test_a_header_of_many_lines_and_a_file_without_events_are_read(tmp_path):
    path = recording(tmp_path, aedat2((0, 1), header=b"#!AER-DAT2.0\r\n" + b"# \xff\xfe a line\n" * 9))
    assert len(read_dvs128(path).t) == 1
    assert listed(read_dvs128(recording(tmp_path, aedat2()))) == []


HEADER = len(aedat2())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "begins with b'', and must with '#!AER-DAT2.0'"),
        (AEDAT3_LINES, "begins with b'#!AER-DAT3.1'"),
        (b"#!AER-DAT2.0", "the header line at byte 0 does not end"),
        (b"#!AER-DAT2.0\r\n# half", "the header line at byte 14 does not end"),
        (aedat2((0, 1), (0, 2))[:-3], f"event 1 at byte {HEADER + 8} ends after 5 of 8 bytes"),
        (
            aedat2((0, 1), (1 << 16, 2)),
            f"event 1 at byte {HEADER + 8}: address 0x10000, and a DVS128 has 16 bits",
        ),
        (aedat2((2**32 - 1, 1)), f"event 0 at byte {HEADER}: address 0xffffffff"),
        (aedat2((0, 9), (1 << 15, 1), (0, 8)), f"event 1 at byte {HEADER + 16}: time 8 us after 9 us"),
    ],
)
def test_a_wrong_aedat_2_file_is_refused_with_the_byte(content, reason, tmp_path):
    path = recording(tmp_path, content)
    assert f"{path}: {reason}" in refusal(read_dvs128, path)


def test_events_out_of_order_are_sorted_when_asked_for(tmp_path):
    path = recording(
        tmp_path, aedat2(*[(dvs128_address(x, 0, 0), t) for x, t in [(1, 5), (2, 3), (3, 5), (4, 3)]])
    )
    assert [event[::3] for event in listed(read_dvs128(path, unsorted="sort"))] == [
        (125, 3),
        (123, 3),
        (126, 5),
        (124, 5),
    ]


# AEDAT 3.1


def test_a_polarity_event_is_x_y_polarity_and_validity_from_the_highest_bit(tmp_path):
    content = aedat3(
        packet(polarity(5, 3, 1, 10), polarity(127, 0, 0, 11)),
        packet(b"\xff" * 12, kind=0, size=12, offset=8, valid=1),  # special events
        packet(polarity(0, 127, 1, 12), polarity(9, 9, 1, 13, valid=0)),
    )
    path = recording(tmp_path, content)
    assert listed(read_aedat3(path, SENSOR)) == [(5, 3, 1, 10), (127, 0, 0, 11), (0, 127, 1, 12)]


def test_an_event_of_aedat_3_is_little_endian_byte_for_byte(tmp_path):
    event = bytes([0b0000_1111, 0, 0b0000_1010, 0]) + bytes([2, 1, 0, 0])  # x 5, y 3, brighter, valid; 258 us
    header = bytes([1, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])
    path = recording(tmp_path, AEDAT3_LINES + header + event)
    assert listed(read_aedat3(path, SENSOR)) == [(5, 3, 1, 258)]


def test_overflows_are_the_high_bits_of_time(tmp_path):
    content = aedat3(packet(polarity(0, 0, 0, 2**31 - 1)), packet(polarity(0, 0, 0, 1), overflows=3))
    assert [event[3] for event in listed(read_aedat3(recording(tmp_path, content), SENSOR))] == [
        2**31 - 1,
        3 * 2**31 + 1,
    ]


def test_a_file_without_packets_has_no_events(tmp_path):
    assert listed(read_aedat3(recording(tmp_path, aedat3()), SENSOR)) == []


LINES = len(AEDAT3_LINES)
EVENT = polarity(0, 0, 0, 5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "begins with b'', and must with '#!AER-DAT3.1'"),
        (aedat2((0, 0)), "begins with b'#!AER-DAT2.0'"),
        (b"#!AER-DAT3.1\r\n#!END-HEADER", "the header line at byte 14 does not end"),
        (b"#!AER-DAT3.1\r\nno more", "a header line must begin at byte 14, up to '#!END-HEADER'"),
        (b"#!AER-DAT3.1\r\n#Format: Serial-TS\r\n#!END-HEADER\r\n", "and only the format RAW is read"),
        (aedat3(packet(EVENT)[:20]), f"the packet header at byte {LINES} ends after 20 of 28 bytes"),
        (
            aedat3(packet(EVENT)[:-1]),
            f"1 events of 8 bytes must follow byte {LINES + 28}, and there are only 7",
        ),
        (
            aedat3(packet(EVENT, number=2**31 - 1, capacity=2**31 - 1)),
            "2147483647 events of 8 bytes must follow",
        ),
        (
            aedat3(packet(EVENT, capacity=2)),
            f"the packet at byte {LINES}: 1 events of 8 bytes with room for 2",
        ),
        (aedat3(packet(EVENT, number=-1)), "-1 events"),
        (aedat3(packet(EVENT, size=0, kind=0)), "1 events of 0 bytes"),
        (aedat3(packet(EVENT, size=12)), "polarity events of 12 bytes with the time at 4"),
        (aedat3(packet(EVENT, offset=0)), "polarity events of 8 bytes with the time at 0"),
        (aedat3(packet(EVENT, overflows=-1)), "-1 overflows of time"),
        (
            aedat3(packet(EVENT, valid=0)),
            f"the packet of events at byte {LINES + 28} has 1 valid ones, and its",
        ),
        (
            aedat3(packet(EVENT), packet(EVENT, polarity(128, 0, 0, 6))),
            f"event 2 at byte {LINES + 36 + 28 + 8}: x = 128, and must be 0..127",
        ),
        (aedat3(packet(polarity(0, 2**15 - 1, 0, 6))), "y = 32767, and must be 0..127"),
        (aedat3(packet(EVENT, polarity(0, 0, 0, 4))), f"event 1 at byte {LINES + 36}: time 4 us after 5 us"),
    ],
)
def test_a_wrong_aedat_3_file_is_refused_with_the_byte(content, reason, tmp_path):
    path = recording(tmp_path, content)
    message = refusal(read_aedat3, path, SENSOR)
    assert message.startswith(f"{path}: ")
    assert reason in message


# N-MNIST


def test_an_event_of_n_mnist_is_40_bits(tmp_path):
    raw = bytes([5, 33, 0b1_0000001, 2, 3]) + bytes([33, 0, 0b0_1111111, 255, 255])
    assert raw == nmnist((5, 33, 1, 1 << 16 | 2 << 8 | 3), (33, 0, 0, 2**23 - 1))
    path = put(tmp_path / "a.bin", raw)
    assert listed(read_nmnist(path)) == [(5, 33, 1, 66051), (33, 0, 0, 2**23 - 1)]


def test_row_240_moves_the_time_that_follows(tmp_path):
    path = put(
        tmp_path / "a.bin", nmnist((1, 1, 0, 9), (0, 240, 0, 0), (1, 1, 0, 4), (0, 240, 0, 0), (2, 2, 1, 4))
    )
    assert listed(read_nmnist(path)) == [(1, 1, 0, 9), (1, 1, 0, 8196), (2, 2, 1, 16388)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nmnist((1, 1, 1, 1), (2, 2, 1, 2))[:-1], "event 1 at byte 5 ends after 4 of 5 bytes"),
        (nmnist((1, 1, 1, 1), (34, 2, 1, 2)), "event 1 at byte 5: x = 34, and must be 0..33"),
        (
            nmnist((1, 1, 1, 1), (0, 240, 0, 0), (3, 34, 1, 2)),
            "event 1 at byte 10: y = 34, and must be 0..33",
        ),
        (nmnist((1, 1, 1, 3), (2, 2, 1, 2)), "event 1 at byte 5: time 2 us after 3 us"),
    ],
)
def test_a_wrong_recording_of_n_mnist_is_refused_with_the_byte(content, reason, tmp_path):
    path = put(tmp_path / "a.bin", content)
    assert f"{path}: {reason}" in refusal(read_nmnist, path)


@needs_real_data
def test_real_recordings_of_n_mnist_are_whole_and_in_order():
    paths = sorted(real("nmnist-small").glob("*.bs2"))[::10]
    assert len(paths) >= 50
    for path in paths:
        events = read_nmnist(path)
        assert len(events.t) == path.stat().st_size / 5
        assert 250_000 < events.t[-1] < 350_000  # three saccades of 100 ms
        assert 0.4 < events.p.mean() < 0.6
