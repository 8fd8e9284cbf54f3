"""Steps that run elsewhere, where no run of nb2pipe drives them, and leave their records in a store."""
