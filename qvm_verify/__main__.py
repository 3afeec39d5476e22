"""`qvm-verify NAME ...` is `python -m qvm_verify.NAME ...`."""

from __future__ import annotations

import sys

from qvm_verify.exits import Exit, run_module

COMMANDS = {
    "audit": ("qvm_verify.audit.command", "compare a spiking network with its ANN, layer by layer"),
    "prove": ("qvm_verify.prove.command", "prove or refute the paper's claims"),
    "train": ("qvm_verify.train.command", "calibrate and fine-tune a quantized ANN"),
    "reproduce": ("qvm_verify.reproduce.command", "run the paper's figures and tables again"),
    "report": ("qvm_verify.report.command", "render a report as HTML, Markdown and JUnit XML"),
    "replay": ("qvm_verify.replay.command", "re-execute the counterexamples of a report"),
}


def main() -> int:
    """Run the command that the first argument names."""
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    if name in COMMANDS:
        return run_module(COMMANDS[name][0], arguments)
    listing = "\n".join(f"  {command:8} {text}" for command, (_, text) in COMMANDS.items())
    usage = f"usage: qvm-verify COMMAND ...\n\n{listing}\n\n`qvm-verify COMMAND --help` says more."
    if name in ("-h", "--help"):
        print(usage)
        return int(Exit.AS_EXPECTED)
    print(f"qvm-verify: unknown command {name!r}; one of {', '.join(COMMANDS)}", file=sys.stderr)
    return int(Exit.BAD_INPUT)


if __name__ == "__main__":
    sys.exit(main())
