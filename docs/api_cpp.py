def pages(source):
    return {}
