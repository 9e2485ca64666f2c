def filled(text, tables):
    return text
