"""What the page "Generate" is made of: models read once, texts written behind the page, and what is asked of them."""
