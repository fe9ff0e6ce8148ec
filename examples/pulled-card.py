#!/usr/bin/env python3
"""Pulls the card out before each command that a program sends, a run for each, and says how the program takes it:

    examples/pulled-card.py pkcs11-tool --login --pin 123456 --list-objects

CARD names the card, LIMIT the seconds that the program may take. Exit code: 1 when it crashed or hung, or could
not be tried.
"""

import collections
import os
import signal
import subprocess
import sys
import tempfile

CARD = os.environ.get("CARD", "nist-piv,9a=new:p256")
LIMIT = float(os.environ.get("LIMIT", "30"))


def run(program, nth, trace):
    """How the program ends when the card is pulled out before this command; nothing when it sends fewer."""
    exec_ = ["cardlab", "exec", "--card", CARD, "--fault", f"remove-before,nth={nth}", "--trace", trace, "--"]
    running = subprocess.Popen([*exec_, *program], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, said = running.communicate(timeout=LIMIT)
        code = running.returncode
    except subprocess.TimeoutExpired:
        # exec passes it on to the program, and ends with it.
        running.terminate()
        running.communicate()
        return "hangs"
    if not os.path.exists(trace) or code in (126, 127):
        sys.exit(said)
    with open(trace) as exchanges:
        if not any(" = fault remove-before" in line for line in exchanges):
            return None
    if code > 128:
        return f"crashes: {signal.Signals(code - 128).name}"
    return "ends as if nothing had happened" if code == 0 else f"ends with exit code {code}"


def main(program):
    outcomes = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as directory:
        nth = 1
        while outcome := run(program, nth, os.path.join(directory, f"{nth}.txt")):
            outcomes[outcome].append(nth)
            nth += 1
    if nth == 1:
        sys.exit(f"{program[0]} sends the card no command: nothing was tried")
    print(f"{nth - 1} commands")
    for outcome, commands in outcomes.items():
        print(f"{outcome}: {len(commands)} times, first before command {commands[0]}")
    return any(outcome.startswith(("hangs", "crashes")) for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else __doc__)
