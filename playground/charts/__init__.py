"""Charts: pure functions from frames and traces to Altair and Vega-Lite. No Streamlit here."""
