"""The parts of import_take.py: copy this folder and that file side by side.

Python 3.9 and its standard library only. scripts/make_import_take.py makes `copied/` from the bridge's own modules.
"""
