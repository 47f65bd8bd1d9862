"""The map of topics: anchors laid out in two dimensions, works placed beside them, a picture and a page that show them."""
