from pages.widgets.attention_view import View


def draw(view: View) -> None: ...
