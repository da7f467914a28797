"""Analysis: what runs, models and the texts they write show."""
