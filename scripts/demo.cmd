@echo off
rem Sets everything up in .venv, then speaks the bundled sentence into a face.
py -3 "%~dp0bootstrap.py" demo %*
