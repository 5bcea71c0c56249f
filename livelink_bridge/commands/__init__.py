"""The verbs of the command line, a file each. Whatever takes long to import is imported inside the verb that needs
it."""
