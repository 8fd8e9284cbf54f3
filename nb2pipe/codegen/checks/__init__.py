"""What `convert` says of a notebook that becomes modules, one file a diagnostic."""
