"""Draws the figures of the benchmark as an SVG."""

from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP = 880, 330, 20, 8
FONT = "font-family='system-ui, sans-serif' font-size='13'"
# Colours that differ in grey, too.
COLOURS = ["#1b4965", "#62b6cb", "#f2a541", "#bfc0c0", "#8d6a9f"]

# A bar: its name, and its parts with their names.
Bar = tuple[str, list[tuple[str, float]]]


def draw(path: Path, charts: list[tuple[str, str, list[Bar]]]) -> None:
    """Writes charts, each with a title, a unit and bars that share one scale."""
    y, shapes = 10, []
    for title, unit, bars in charts:
        longest = max(sum(value for _, value in parts) for _, parts in bars) or 1.0
        shapes.append(text(10, y + 14, title, "font-weight='bold'"))
        y += 28
        colours: dict[str, str] = {}
        for name, parts in bars:
            x = float(LEFT)
            shapes.append(text(LEFT - 8, y + 15, name, "text-anchor='end'"))
            for part, value in parts:
                colour = colours.setdefault(part, COLOURS[len(colours) % len(COLOURS)])
                width = value / longest * (WIDTH - LEFT - 110)
                shapes.append(f"<rect x='{x:.1f}' y='{y}' width='{width:.1f}' height='{BAR}' fill='{colour}'/>")
                x += width
            shapes.append(text(x + 6, y + 15, f"{sum(value for _, value in parts):.2f} {unit}"))
            y += BAR + GAP
        x = 10.0
        for part, colour in colours.items() if len(colours) > 1 else ():
            shapes.append(f"<rect x='{x:.1f}' y='{y + 2}' width='12' height='12' fill='{colour}'/>")
            shapes.append(text(x + 18, y + 13, part))
            x += 30 + 8 * len(part)
        y += 30
    box = f"viewBox='0 0 {WIDTH} {y}' width='{WIDTH}' height='{y}'"
    page = f"<rect width='{WIDTH}' height='{y}' fill='#ffffff'/>"
    path.write_text("\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' {box} {FONT}>", page, *shapes, "</svg>"]) + "\n")


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' fill='#222222' {more}>{escape(words)}</text>"
