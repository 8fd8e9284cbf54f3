"""The command line: reads, calls, writes, prints, exits. `app` and one file a command."""
