"""Take all texts for people out of the source, bring each translation up to date, and compile it: `make words`.

The sentences, rules, reasons and advice of the checks come from their registration, other texts from the calls of
`tr` in the source. Nothing is written where nothing changed.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from gnomon import __version__
from gnomon.base import Level, Property
from gnomon.base.words import DOMAIN, FOLDER
from gnomon.checks.docs import FAMILIES
from gnomon.checks.registry import all_checks
from gnomon.judge.verdict import EXPLANATIONS, SENTENCES
from gnomon.zonefile.codes import CHECKS

SOURCE = Path(__file__).parents[1] / "src" / "gnomon"
_HEAD = "# Texts of Gnomon; made by `make words`. What a translation leaves empty is shown in English."
_TRANSLATED = ("Why", "Rule", "Do")


def template() -> Catalog:
    """Every text once, in a fixed order, with where it belongs."""
    catalog = Catalog(domain=DOMAIN, project="Gnomon", version=__version__, fuzzy=False, header_comment=_HEAD)
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = "none"
    for name, _, text, _, _ in sorted(extract_from_dir(SOURCE, keywords={"tr": None})):
        catalog.add(text, locations=[(name, 1)], auto_comments=["shown by the command line"])
    for words, about in ((Level, "level"), (Property, "property")):
        for member in words:
            text = member.word if isinstance(member, Level) else member.value
            catalog.add(text, auto_comments=[about])
    for family, title in FAMILIES.items():
        catalog.add(title, auto_comments=[f"group {family}"])
    for check in all_checks().values():
        catalog.add(check.rule, auto_comments=[check.id])
        for heading in _TRANSLATED:
            if check.section(heading):
                catalog.add(check.section(heading), auto_comments=[f"{check.id}: {heading}"])
        for code, sentence in check.codes.items():
            catalog.add(sentence, auto_comments=[f"{check.id}/{code}"])
    for check_id, (_, sentences) in CHECKS.items():
        for code, sentence in sentences.items():
            catalog.add(sentence, auto_comments=[f"zonefile.{check_id}/{code}"])
    for about, texts in (("what a level comes from", EXPLANATIONS), ("of any check", SENTENCES)):
        for word, text in texts.items():
            catalog.add(text, auto_comments=[f"{about}: {word}"])
    return catalog


def written(catalog: Catalog) -> bytes:
    """The catalogue as a PO file, the same for the same texts."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, omit_header=False, include_lineno=False, ignore_obsolete=True)
    return b"".join(line for line in out.getvalue().splitlines(True) if not line.startswith(_OF_THE_MOMENT))


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as an MO file, the same for the same texts."""
    out = io.BytesIO()
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(out, catalog)
    return out.getvalue()


_OF_THE_MOMENT = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By')


def main() -> int:
    """Write the template, and each translation as text and compiled; report what lacks words."""
    made = template()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{DOMAIN}.pot").write_bytes(written(made))
    for language in languages_there():
        path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
        with path.open("rb") as file:
            catalog = read_po(file, locale=language, domain=DOMAIN)
        catalog.update(made, no_fuzzy_matching=True)
        path.write_bytes(written(catalog))
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        texts = [message for message in catalog if message.id]
        have = sum(bool(message.string) for message in texts)
        print(f"{language}: {have} of {len(texts)} texts")
    return 0


def languages_there() -> list[str]:
    """The languages with a PO file."""
    return sorted(path.parents[1].name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


if __name__ == "__main__":
    sys.exit(main())
