"""Imported once by the process that all disturbed commands are forked from, so that each starts at once.

It imports every command and has the audit's kernels compiled; it starts no thread, which a fork would lose.
"""

import tempfile

import torch

import qvm_verify.replay.command
import qvm_verify.report.command
import qvm_verify.reproduce.affine_sites
import qvm_verify.train.command  # noqa: F401
from qvm_verify import networks
from qvm_verify.audit.command import quiet_audit

torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    torch.manual_seed(0)
    networks.save(networks.digits_cnn(levels=4, quantizer="round"), f"{folder}/model.pt")
    quiet_audit([f"{folder}/model.pt", "--limit=4", "--certify=off"])
