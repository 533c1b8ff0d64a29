"""Runs a command at a terminal of its own: what comes on stdin is typed, what it shows goes to stdout, its exit code is ours.

python3 terminal.py COMMAND ARG...
"""

import os
import pty
import select
import sys


def main(argv):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(argv[0], argv)
    typed = [0]
    while True:
        ready, _, _ = select.select([terminal] + typed, [], [])
        if terminal in ready:
            try:
                shown = os.read(terminal, 65536)
            except OSError:
                shown = b""  # EIO: nobody has the terminal open any more.
            if not shown:
                break
            os.write(1, shown)
        if 0 in ready:
            keys = os.read(0, 65536)
            if keys:
                os.write(terminal, keys)
            else:
                typed = []
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


sys.exit(main(sys.argv[1:]))
