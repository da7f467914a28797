"""What the page Train is made of: setting a run up, starting it, and watching it learn."""
