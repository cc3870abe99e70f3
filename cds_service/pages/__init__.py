"""Pages beside the line: where people look closer. Each is a blueprint that `web.serving` puts beside the hooks."""
