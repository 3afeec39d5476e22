import pytest
import torch
from torch import nn

from qvm_verify import training
from qvm_verify.exits import InputError
from qvm_verify.loading import loaded
from qvm_verify.snn import QuantizedActivation
from qvm_verify.training import images
from tests.small_networks import OneSite
from tests.training.runs import SETTINGS, few_digits, fresh, same, trained_weights

AUGMENTED = {"augmentations": ("crop", "flip", "cutout")}


def test_two_runs_end_in_the_same_bits_and_another_seed_does_not():
    first = trained_weights(**AUGMENTED)
    torch.manual_seed(99)  # the global random numbers do not matter
    assert same(trained_weights(**AUGMENTED), first)
    assert not same(trained_weights(seed=1, **AUGMENTED), first)
    assert not same(trained_weights(), first)


def test_global_random_numbers_are_left_as_they_were():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    before = torch.get_rng_state()
    trained_weights(network)
    assert torch.equal(torch.get_rng_state(), before)


def test_processes_that_load_images_do_not_change_the_outcome():
    assert same(
        trained_weights(epochs=2, run={"workers": 2}, **AUGMENTED), trained_weights(epochs=2, **AUGMENTED)
    )


def epochs_of(data):
    """Return the images of two epochs."""
    seen = []
    for epoch in (1, 2):
        data.epoch = epoch
        seen.append(torch.stack([data[index][0] for index in range(len(data))]))
    return seen


def test_every_epoch_augments_anew_and_the_same_epoch_the_same():
    first, second = epochs_of(images.TrainingImages(few_digits(), augmentations=("crop", "cutout")))
    again, _ = epochs_of(images.TrainingImages(few_digits(), augmentations=("crop", "cutout")))
    assert torch.equal(first, again)
    moved = (first != second).flatten(1).any(1)
    assert moved.float().mean() > 0.8


def test_augmentations_that_ignore_the_epoch_are_caught(monkeypatch):
    right = images.random_for
    monkeypatch.setattr(images, "random_for", lambda seed, epoch, index: right(seed, 0, index))
    with pytest.raises(AssertionError):
        test_every_epoch_augments_anew_and_the_same_epoch_the_same()


def test_progress_tells_the_steps_of_every_epoch():
    seen, epochs = [], []
    trained_weights(
        epochs=2, on_epoch=lambda epoch, loss: epochs.append((epoch, loss)), run={"on_step": seen.append}
    )
    assert [(now.epoch, now.step, now.steps) for now in seen] == [
        (epoch, step, 3) for epoch in (1, 2) for step in (1, 2, 3)
    ]
    assert epochs == [(1, seen[2].loss), (2, seen[5].loss)]
    assert 0 <= seen[-1].accuracy <= 1


def test_channels_last_trains_and_leaves_no_trace_in_memory():
    network = fresh()
    trained_weights(network, channels_last=True)
    assert all(value.is_contiguous() for value in network.state_dict().values())
    assert not any(module.training for module in network.modules())


def test_a_threshold_that_a_step_drives_below_zero_ends_the_run():
    network = OneSite(QuantizedActivation(4, "floor", threshold=0.01), gain=1.0)
    network.after = nn.Linear(1, 2)
    network.after.weight.data = torch.tensor([[-1.0], [1.0]])
    data = torch.utils.data.TensorDataset(torch.ones(32, 1), torch.zeros(32, dtype=torch.int64))
    with pytest.raises(InputError, match=r"epoch 1, step 1: the threshold of 'site' became -.*positive"):
        trained_weights(network, data, learning_rate=1.0)


def test_what_cannot_be_trained_on_is_named():
    with pytest.raises(InputError, match="31 images do not make one batch of 32"):
        trained_weights(data=few_digits(31))
    with pytest.raises(InputError, match=r"epoch 1, step \d: the loss is nan; lower"):
        trained_weights(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), learning_rate=1e30, epochs=9)
    with pytest.raises(InputError, match=r"label [5-9], and the network the classes 0 to 4"):
        trained_weights(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), epochs=1)
    with pytest.raises(InputError, match="unknown augmentation 'mixup'"):
        training.TrainingSettings(augmentations=("mixup",))
    ragged = [(torch.ones(1, 8, 8), 0), (torch.ones(1, 9, 9), 0)]
    with pytest.raises(InputError, match=r"image 1 has shape \[1, 9, 9\], the first one \[1, 8, 8\]"):
        images.TrainingImages(ragged)


def test_the_complaint_of_a_process_that_loads_images_is_one_sentence():
    def loader():  # what a DataLoader raises; a real one would take 5 seconds to let its process go
        yield 1
        raise InputError(
            "Caught InputError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
            '  File "images.py", line 1, in f\nqvm_verify.exits.InputError: a.zip: cannot be read\n'
        )

    with pytest.raises(InputError, match=r"^a\.zip: cannot be read$"):
        list(loaded(loader()))
    with pytest.raises(InputError, match=r"^AutoAugment is defined on bytes[^\n]*$"):
        trained_weights(augmentations=("autoaugment",), run={"workers": 1})


def test_a_dataset_beyond_the_memory_is_read_in_every_epoch(monkeypatch):
    kept = trained_weights(epochs=1, **AUGMENTED)
    monkeypatch.setattr(images, "MEMORY", 0)
    assert same(trained_weights(epochs=1, **AUGMENTED), kept)


def test_the_digits_of_the_default_audit_are_learned():
    losses = []
    trained_weights(data=few_digits(512), on_epoch=lambda epoch, loss: losses.append(loss))
    assert losses[-1] < losses[0] / 2
    assert len(losses) == SETTINGS["epochs"]
