#!/usr/bin/env python3
"""Validates a static STAC catalog with pystac's validator, following its links: pystac_check.py SCHEMAS CATALOG.JSON

SCHEMAS is a folder with an index.json that maps the URLs of schemas to files. Nothing is fetched: a schema that is not there fails.
"""

import json
import os
import sys
from collections import Counter

import pystac
from pystac.stac_io import DefaultStacIO
from pystac.validation import set_validator
from pystac.validation.stac_validator import JsonSchemaSTACValidator


class Offline(DefaultStacIO):
    def read_text_from_href(self, href, *args, **kwargs):
        if "://" in href and not href.startswith("file://"):
            raise OSError(f"{href} is not here, and nothing is fetched")
        return super().read_text_from_href(href, *args, **kwargs)


def main(schemas, catalog):
    pystac.StacIO.set_default(Offline)
    validator = JsonSchemaSTACValidator()
    with open(os.path.join(schemas, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    for url, file in index.items():
        with open(os.path.join(schemas, file), encoding="utf-8") as f:
            validator.schema_cache[url] = json.load(f)
    set_validator(validator)
    count, bad = Counter(), 0

    def check(thing):
        nonlocal bad
        count[type(thing).__name__] += 1
        try:
            thing.validate()
        except (pystac.errors.STACValidationError, OSError) as e:
            bad += 1
            print(f"{thing.get_self_href()}: {e}"[:2000])

    for root, _, items in pystac.Catalog.from_file(catalog).walk():
        check(root)
        for item in items:
            check(item)
    print(f"pystac {pystac.__version__}: {dict(count)} validated, {bad} invalid")
    return bad or not count["Item"] or not count["Collection"]


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
