"""What the header of a CSV or TSV file that lacks a column shows of the cause."""

_SEPARATORS = {"csv": ",", "tsv": "\t"}
_NAMES = {",": "','", ";": "';'", "|": "'|'", "\t": "tabs"}


def dialect_hint(header: str, ending: str) -> str:
    """Says how a header is written, where that is not how files of its ending are read.

    Args:
      header: the header as it stands in the file.
      ending: `csv` or `tsv`.

    Returns:
      The end of a message, from `; ` on; empty: nothing is to be seen.
    """
    separator = _SEPARATORS[ending]
    other = max(_NAMES, key=header.count)
    if separator not in header and other in header:
        return (
            f"; the header has {_NAMES[other]}, but .{ending} is separated by "
            f"{_NAMES[separator]}; {_separator_remedy(ending, other)}"
        )
    if ending == "tsv" and any(map(_is_quoted, header.split("\t"))):
        return "; quotes are not read in .tsv; save it as .csv"
    return ""


def _separator_remedy(ending: str, other: str) -> str:
    if ending == "tsv":
        return "rename it to .csv" if other == "," else "save it with tabs"
    return "save it with ','" + (", or as .tsv without quotes" if other == "\t" else "")


def _is_quoted(column: str) -> bool:
    column = column.strip()
    return len(column) > 1 and column.startswith('"') and column.endswith('"')
