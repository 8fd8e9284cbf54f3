"""The command line: reads, calls, writes, prints, exits."""
