"""The trainer process, which forks a worker for each run; `python -m playground.runs.trainer` starts one."""
