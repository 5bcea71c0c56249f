"""Converts folders of audio files to folders of takes.

`walk` finds the files, `manifest` records which takes are done, `job` converts one file, `local` and `ray` are the
engines that run jobs in parallel, `run` is the batch as a whole, `progress` and `report` show its results.
"""
