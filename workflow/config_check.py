"""Say the name of the run of the config files of the command line, or in a sentence what is wrong with them."""

import sys

from settings import RefusedError, check, layered

if __name__ == "__main__":
    try:
        config = layered(sys.argv[1:])
        check(config, files=False)
        print(config["run"])
    except RefusedError as refused:
        sys.exit(str(refused))
