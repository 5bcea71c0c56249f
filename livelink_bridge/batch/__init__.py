"""Folders of sound to folders of takes.

What there is to do (`walk`, `manifest`), one sound to one take (`job`), who does it (`local`: processes of this
machine; others fit the same `job.Engine`), all of it in order (`run`), and what is said of it (`progress`, `report`).
"""
