"""The engine from the shell: `python -m engine train | sample | export | corpora | bench`."""
