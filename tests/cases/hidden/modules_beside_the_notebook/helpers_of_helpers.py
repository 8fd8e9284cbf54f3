REGISTRY = {}


def register(name):
    REGISTRY[name] = len(REGISTRY)
