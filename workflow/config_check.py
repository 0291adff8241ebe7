"""Say, in a sentence, what is wrong with the config files of the command line, laid over the default one."""

import sys

from settings import RefusedError, check, layered

if __name__ == "__main__":
    try:
        check(layered(sys.argv[1:]), files=False)
    except RefusedError as refused:
        sys.exit(str(refused))
