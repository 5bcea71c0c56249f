"""`python -m livelink_bridge` is `livelink-bridge`."""

from livelink_bridge.cli import main

if __name__ == "__main__":
    main()
