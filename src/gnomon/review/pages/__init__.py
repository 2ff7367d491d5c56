"""What all pages share: layout, style, response headers, formatting of numbers, times and network text."""
