"""Home: one screen that is alive at once."""

import streamlit as st

from playground.views.home import cards

st.title("See an RNN learn")
cards.film_of_a_starter_run()
cards.first_training()
cards.pages()
