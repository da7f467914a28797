"""Widgets whose options are known by what does not change, such as ids, and are shown under names that may."""

from __future__ import annotations

from hashlib import blake2b


def labelled(key: str, *labels: str) -> str:
    """The key of a widget that stands at options with these labels.

    Streamlit sends what a widget stands at as its label, not as its value. Where the label changes under it, as when a
    run is renamed in another tab, the browser goes on sending the old one; that is a label of no option, and comes
    back as a bare string in the place of the value. So the widget gets another key with another label. What else
    stands among the options may change: the browser gets that with the next run of the page, and a choice that it
    sends before is read by the labels that it was drawn with.
    """
    return f"{key}.{blake2b(repr(labels).encode('utf-8', 'replace'), digest_size=6).hexdigest()}"
