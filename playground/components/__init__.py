"""Browser components for what Altair cannot draw. Text goes in as data and is set as text, never as markup."""
